package table

import (
	"reflect"
	"strings"
	"testing"
)

func TestExpressions(t *testing.T) {
	for _, test := range []struct {
		source string
		point  byte
		want   string // starts with "!" for an error
	}{
		{`trimSuffix(id, ".0")`, '.', "536365"},
		{`trimPrefix(upper(name), "A")`, '.', "NN"},
		{`replace(lower(row["Customer ID"]), "c", "k")`, '.', "k-7"},
		{`row["Customer ID"] + "/" + name`, '.', "C-7/Ann"},
		{`split(row["Customer ID"], "-")[1]`, '.', "7"},
		{`{"Ann": "mobile"}[name] ?? "online"`, '.', "mobile"},
		{`let x = name; x + x`, '.', "AnnAnn"},
		{`add("0.1", "0.2")`, '.', "0.3"},
		{`sub(price, "0.05")`, '.', "2.5"},
		{`mul("0.734", "12.99")`, '.', "9.53466"},
		{`round(mul("0.734", "12.99"), 2)`, '.', "9.53"},
		{`round("0.125", 2)`, '.', "0.13"}, {`round("-0.125", 2)`, '.', "-0.13"}, {`round("2.5", 0)`, '.', "3"}, {`round("0.004", 2)`, '.', "0"},
		{`div("1", "3", 4)`, '.', "0.3333"}, {`div("2", "3", 4)`, '.', "0.6667"}, {`div("-1", "8", 2)`, '.', "-0.13"}, {`div("0.5", "1", 0)`, '.', "1"},
		{`mul("1,5", "1,5")`, ',', "2,25"}, {`add(mul("1,195", "1"), "0")`, ',', "1,195"},
		{`compare(price, "2.5") > 0 ? "more" : "less"`, '.', "more"},
		{`mul("1,195", "1.195")`, ',', `!"1,195"`},
		{`div("1", "0", 2)`, '.', "!divides by zero"}, {`round("1", 19)`, '.', "!18 digits"}, {`add(name, "1")`, '.', `!"Ann" is not a number`},
		{`mul("9999999999", "9999999999.9")`, '.', "!19"},
		{`trimSufix(id, "0")`, '.', "!did you mean trimSuffix?"}, {`row[name]`, '.', "!row must be followed"}, {`len(row)`, '.', "!row must be followed"},
		{`len(name)`, '.', "!expected string"}, {`add(1, 2)`, '.', "!cannot use int"}, {`float(price)`, '.', "!float"}, {`name +`, '.', "!unexpected"},
		{`string(int(name))`, '.', "!cannot be worked out"},
	} {
		got := evaluate(test.source, test.point)
		if strings.HasPrefix(test.want, "!") != strings.HasPrefix(got, "!") || !strings.Contains(got, strings.TrimPrefix(test.want, "!")) {
			t.Errorf("%s gives %s, want %s", test.source, got, test.want)
		}
	}
}

func evaluate(source string, point byte) string {
	e, err := compile("columns.x", source, reflect.String, numbers{point: point})
	if err != nil {
		return "!" + err.Error()
	}
	row := map[string]string{"id": "536365.0", "name": "Ann", "Customer ID": "C-7", "price": "2.55"}
	values := make([]string, len(e.columns))
	for i, c := range e.columns {
		values[i] = row[c]
	}
	text, err := newEvaluator(e).text(values)
	if err != nil {
		return "!" + err.Error()
	}
	return text
}

// TestEvaluatorSeesChanges guards the memory of the last row.
func TestEvaluatorSeesChanges(t *testing.T) {
	e, err := compile("x", `a + row["b"]`, reflect.String, numbers{point: '.'})
	if err != nil {
		t.Fatal(err)
	}
	v := newEvaluator(e)
	for _, row := range [][]string{{"1", "2"}, {"1", "2"}, {"1", "3"}, {"4", "3"}, {"", ""}} {
		if got, err := v.text(row); err != nil || got != row[0]+row[1] {
			t.Errorf("%v gives %q (%v)", row, got, err)
		}
	}
}
