package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/xuri/excelize/v2"
)

func rendered(t *testing.T, render func(io.Writer, Report) error, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostileTextsAreLegible: no form but JSON, which escapes them, shows a
// control character, a sign of direction or a name of 10,000 characters.
func TestHostileTextsAreLegible(t *testing.T) {
	report := hostile(t)
	for _, f := range forms {
		said := rendered(t, f.render, report)
		for _, c := range said {
			if c != '\n' && (unicode.IsControl(c) || f.ext != "json" && unicode.In(c, unicode.Bidi_Control, unicode.Noncharacter_Code_Point)) {
				t.Errorf("%s holds %U", f.ext, c)
				break
			}
		}
		if f.ext == "json" {
			continue
		}
		if strings.Contains(said, strings.Repeat("n", maxName)) || strings.Contains(said, strings.Repeat("long name ", maxText/10)) {
			t.Errorf("%s shows a name that nobody reads", f.ext)
		}
		if !strings.Contains(said, cutMark) {
			t.Errorf("%s does not say that a name was cut", f.ext)
		}
	}
}

// TestHostileCells: what spreadsheets read holds no formula.
func TestHostileCells(t *testing.T) {
	report := hostile(t)
	rows, err := csv.NewReader(strings.NewReader(rendered(t, CSV, report))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(strings.NewReader(rendered(t, XLSX, report)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for _, sheet := range book.GetSheetList() {
		cells, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, cells...)
		for y := range cells {
			for x := range cells[y] {
				at, _ := excelize.CoordinatesToCellName(x+1, y+1)
				if formula, _ := book.GetCellFormula(sheet, at); formula != "" {
					t.Errorf("%s of %s is the formula %s", at, sheet, formula)
				}
			}
		}
	}
	cells, marked := 0, 0
	for _, row := range rows {
		for _, cell := range row {
			cells++
			if strings.HasPrefix(cell, "'") {
				marked++
			}
			if defused(cell) != cell {
				t.Errorf("a cell is carried out: %q", cell)
			}
		}
	}
	if cells < 200 || marked < 10 {
		t.Errorf("%d cells, %d of them made harmless: the sample is tame", cells, marked)
	}
}

func TestDefused(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "shop": "shop", "-12.50": "-12.50", "12": "12", "=1+1": "'=1+1", "+1": "'+1", "-1+1": "'-1+1", "@x": "'@x", " =1": "' =1",
		"\t=1": "'\t=1", "\r1": "'\r1", "＝1": "'＝1", "|x": "'|x", "a=b": "a=b",
	} {
		if got := defused(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}

// TestHostileMarkdown: nothing becomes HTML, a link, a mention or a border.
func TestHostileMarkdown(t *testing.T) {
	said := rendered(t, Markdown, hostile(t))
	fences := regexp.MustCompile("(`+)[^`].*?[^`]?(`+)")
	for line := range strings.Lines(said) {
		plain := fences.ReplaceAllStringFunc(line, func(code string) string {
			return strings.Repeat("x", len(code))
		})
		plain = regexp.MustCompile(`\\.`).ReplaceAllString(plain, "x") // what is escaped
		for _, sign := range []string{"<", "](", "@e", "@S", "#1", "://", "**bold", "!["} {
			if strings.Contains(plain, sign) {
				t.Errorf("%q stands in %.200q", sign, line)
			}
		}
		if table := strings.HasPrefix(line, "|"); table {
			if n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); n != 6 {
				t.Errorf("a row of %d cells: %.200q", n-1, line)
			}
		}
	}
	for _, text := range []string{"a`b", "``", "`x`"} {
		got := code(text)
		fence := got[:len(got)-len(strings.TrimLeft(got, "`"))]
		if strings.Contains(text, fence) || !strings.HasSuffix(got, fence) {
			t.Errorf("%q is fenced as %q", text, got)
		}
	}
}

// TestHostileXML: pipelines can read it.
func TestHostileXML(t *testing.T) {
	var got junitSuites
	if err := xml.Unmarshal([]byte(rendered(t, JUnit, hostile(t))), &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got.Suites[0].Cases); n != 5 || got.Tests != n || got.Errors == 0 || got.Failures == 0 {
		t.Errorf("%d cases, said to be %d, %d errors, %d failures", n, got.Tests, got.Errors, got.Failures)
	}
}

func TestJUnitOfAQuietNight(t *testing.T) {
	var got junitSuites
	if err := xml.Unmarshal([]byte(rendered(t, JUnit, Build(ordinary(), Options{}))), &got); err != nil {
		t.Fatal(err)
	}
	if got.Errors+got.Failures > 0 || got.Tests != 5 || got.Time != "667" {
		t.Errorf("a quiet night has %+v", got.junitCounts)
	}
}

// TestLegibleTwice: what is legible stays as it is.
func TestLegibleTwice(t *testing.T) {
	once := hostile(t).legible()
	var a, b bytes.Buffer
	if JSON(&a, once) != nil || JSON(&b, once.legible()) != nil || a.String() != b.String() {
		t.Error("making a report legible twice changes it")
	}
}
