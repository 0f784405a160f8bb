package table

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"makegood/config"
)

// sampleFile is a file of which nothing but a sample is read.
type sampleFile struct {
	File
	name           string
	numbers, dates []string
	whole          bool
	typed          map[int]bool
	decimal        *string
}

func (s sampleFile) UseDecimal(sign string) {
	if s.decimal != nil {
		*s.decimal = sign
	}
}

func (s sampleFile) Name() string {
	if s.name != "" {
		return s.name
	}
	return "f.csv"
}

func (s sampleFile) Sample(context.Context) (Sample, error) {
	one := Sample{Header: &Header{Columns: []string{"n", "d"}}, Whole: s.whole, Numbers: s.typed}
	for _, n := range s.numbers {
		one.Rows = append(one.Rows, []string{n, ""})
	}
	for _, d := range s.dates {
		one.Rows = append(one.Rows, []string{"", d})
	}
	return one, nil
}

var sampled = habits{numbers: []*field{{column: "n"}}, dates: []*field{{column: "d"}}}

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		numbers, dates string // by ;
		part           bool
		decimal, form  string
		says           string // of the error
	}{
		{numbers: "1;2,55", decimal: ","}, {numbers: "£2.55;1,299", decimal: "."}, {numbers: "1.234,56", decimal: ","},
		{numbers: "1.234.567", decimal: ","}, {numbers: "1,234,567;3", decimal: "."}, {numbers: "0,125", decimal: ","},
		{numbers: "1234.567", decimal: "."}, {numbers: "(1,5);-3", decimal: ","}, {numbers: "1;2"}, {numbers: "many;1,2,3.4.5"},
		{numbers: "1;2", part: true, decimal: undecided},
		{numbers: "1,299;5", says: `1,299 is 1299 with decimal: ".", and 1.299 with decimal: ","`},
		{numbers: "€ 1.299", says: `decimal: "."`}, {numbers: "2,55;2.5", says: "decimal comma"},
		{dates: "01.12.2010 08:26", form: "d.M.yyyy H:mm"}, {dates: "12/1/10 8:26;12/13/10 8:00", form: "M/d/yy H:mm"},
		{dates: "13/1/2010", form: "d/M/yyyy"}, {dates: "2026/11/01 10:00", form: "yyyy/M/d H:mm"}, {dates: "2026.1.13", form: "yyyy.M.d"}, {dates: "12.31.2010", form: "M.d.yyyy"}, {dates: "12/13/10 8:00:01 AM", form: "M/d/yy h:mm:ss a"},
		{dates: "2010-12-01 08:26;3/4/10"}, {dates: "soon;1/2"},
		{dates: "12/1/10 8:26", says: "date_format: d/M/yy H:mm or date_format: M/d/yy H:mm"}, {dates: "13/1/10;1/13/10", says: "begins with the day"},
	} {
		f := sampleFile{numbers: strings.Split(test.numbers, ";"), dates: strings.Split(test.dates, ";"), whole: !test.part}
		s, err := settle(t.Context(), []File{f}, config.Table{}, sampled)
		switch {
		case test.says != "":
			if !errors.Is(err, ErrAmbiguous) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%+v gave %v", test, err)
			}
		case err != nil || s.Decimal != test.decimal || s.DateFormat != test.form:
			t.Errorf("%+v gave %+v (%v)", test, s, err)
		}
	}
}

func TestSettingsWin(t *testing.T) {
	f := sampleFile{numbers: []string{"1,299"}, dates: []string{"1/2/10"}}
	s, err := settle(t.Context(), []File{f}, config.Table{Decimal: ".", DateFormat: "d/M/yy"}, sampled)
	if err != nil || s.Decimal != "." || s.DateFormat != "d/M/yy" || len(s.notes) > 0 {
		t.Errorf("%+v (%v)", s, err)
	}
}

func TestFilesMustAgree(t *testing.T) {
	for _, pair := range [][2]sampleFile{
		{{numbers: []string{"2,5"}}, {numbers: []string{"2.5"}}},
		{{dates: []string{"1.2.2010"}}, {dates: []string{"13/2/2010"}}},
		{{dates: []string{"1.2.2010"}}, {dates: []string{"2010-02-01"}}},
	} {
		if _, err := settle(t.Context(), []File{pair[0], pair[1]}, config.Table{}, sampled); err == nil || !strings.Contains(err.Error(), "two sources") {
			t.Errorf("%+v gave %v", pair, err)
		}
	}
}

// TestTyped: what is a number is no matter of habit; a text between numbers
// decides nothing for them.
func TestTyped(t *testing.T) {
	for _, test := range []struct {
		file                  sampleFile
		decimal, told, format string
	}{
		{sampleFile{numbers: []string{"", "1.299"}, typed: map[int]bool{0: true}}, "", "", ""},
		{sampleFile{numbers: []string{"1.299", "2,5"}, typed: map[int]bool{}}, ",", ",", ""},
		{sampleFile{numbers: []string{"1.299", "2.5"}, typed: map[int]bool{}}, ".", ".", ""},
		{sampleFile{dates: []string{"1.2.2026"}, typed: map[int]bool{}}, "", "", "d.M.yyyy"},
		{sampleFile{dates: []string{"1/2/2026"}, typed: map[int]bool{1: true}}, "", "", ""},
	} {
		told := "not told"
		test.file.decimal = &told
		s, err := settle(t.Context(), []File{test.file}, config.Table{}, sampled)
		if err != nil || s.Decimal != test.decimal || told != test.told || s.DateFormat != test.format {
			t.Errorf("%+v gave %+v, and told %q (%v)", test, s, told, err)
		}
	}
}

// TestUndecided: behind a sample without any sign, only what one sign alone
// explains is read.
func TestUndecided(t *testing.T) {
	n := newNumbers(&config.Table{Decimal: undecided})
	for text, want := range map[string]error{"1": nil, "2.55": nil, "1.299": errVague, "1,299": errVague, "2,55": errGrouping} {
		if _, err := n.parse(text); !errors.Is(err, want) {
			t.Errorf("%s gave %v, want %v", text, err, want)
		}
	}
}

// TestInOne: what holds for many files is said once.
func TestInOne(t *testing.T) {
	files := []File{sampleFile{name: "a"}, sampleFile{name: "a b.csv"}, sampleFile{name: "c.csv"}}
	got := inOne([]string{"a b.csv has x", "c.csv has x", "c.csv: sheet y", "2 times are z", "a b.csv has x"}, files)
	want := []string{"a b.csv and 1 more: has x", "c.csv: sheet y", "2 times are z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
