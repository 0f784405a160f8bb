package reports

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"makegood/reconcile"
)

// reasonCodes reads every constant of type Reason from the source of reconcile.
func reasonCodes(t *testing.T) []reconcile.Reason {
	t.Helper()
	pkgs, err := parser.ParseDir(token.NewFileSet(), "../reconcile",
		func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []reconcile.Reason
	ast.Inspect(pkgs["reconcile"], func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) != 1 {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, reconcile.Reason(code))
		}
		return true
	})
	if len(codes) < 50 {
		t.Fatalf("found only %d reasons in the source", len(codes))
	}
	return codes
}

func TestEveryReasonHasWords(t *testing.T) {
	known := map[reconcile.Reason]bool{}
	for _, w := range reasonWords {
		if known[w.reason] {
			t.Errorf("%s has words twice", w.reason)
		}
		known[w.reason] = true
	}
	for _, code := range reasonCodes(t) {
		if !known[code] {
			t.Errorf("%s has no words", code)
		}
		if words := ReasonWords(code); code.NeedsLook() && words.Next == "" {
			t.Errorf("%s is to be looked at, and nothing says what to do", code)
		}
	}
}

func TestWordsOfConfiguredReasons(t *testing.T) {
	if got := ReasonWords("bad_debt").Text; got != "bad debt" {
		t.Errorf("words %q, want %q", got, "bad debt")
	}
}

// jargon is what people never read (RULES R23).
var jargon = regexp.MustCompile(`(?i)\b(un)?(settle[sd]?|claim(s|ed)?|lease[sd]?|epoch|horizon|verdicts?|sinks?)\b`)

func TestNoJargon(t *testing.T) {
	for _, w := range reasonWords {
		if found := jargon.FindString(w.Text + " " + w.Next); found != "" {
			t.Errorf("the words of %s say %q", w.reason, found)
		}
	}
	for _, s := range samples {
		for _, f := range forms[1:] {
			var b bytes.Buffer
			if err := f.render(&b, Build(s.make(), Options{})); err != nil {
				t.Fatal(err)
			}
			if found := jargon.FindString(b.String()); found != "" {
				t.Errorf("%s.%s says %q", s.name, f.ext, found)
			}
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"jane.doe@example.com":              "j***@example.com",
		"Jane <jane+shop@mail.example.com>": "Jane <j***@mail.example.com>",
		"a@example.com, b@example.com":      "a***@example.com, b***@example.com",
		`refused: "é.van@example.com" (12)`: `refused: "é***@example.com" (12)`,
		`"jane doe"@example.com`:            "***@example.com",
		"purchase/main/jane%40example.com":  "purchase/main/j***%40example.com",
		"j***@example.com":                  "j***@example.com",
		"jane@localhost":                    "j***@localhost",
		"no address, 3 @ 5.00":              "no address, 3 @ 5.00",
	} {
		if got := Mask(text); got != want {
			t.Errorf("mask of %q is %q, want %q", text, got, want)
		}
		if again := Mask(Mask(text)); again != Mask(text) {
			t.Errorf("masking %q twice gives %q", text, again)
		}
	}
}

// TestNoAddress says that no form tells an address, whatever text it came in.
func TestNoAddress(t *testing.T) {
	const address = "jane.doe@example.com"
	r := ordinary()
	s, target := &r.Sources[0], &r.Targets[0]
	s.Tally.Notes = []string{address}
	s.Tally.Bad = 1
	s.Bad = []reconcile.BadOrder{{Key: reconcile.OrderKey{Shop: "main", Order: address}, Problems: []reconcile.RowProblem{
		{File: address + ".csv", Sheet: address, Column: address, Text: address}}}}
	target.Stopped = address
	target.Balance.Examples[reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}] = []reconcile.Example{
		{Order: address, Text: address, Origin: reconcile.Origin{File: address}}}
	target.Doubts = []reconcile.Doubt{{ID: "purchase/main/" + address}}
	target.Corrections = []reconcile.Correction{{ID: "purchase/main/" + address, Origin: reconcile.Origin{Sheet: address}}}
	target.Orphans = []reconcile.Entry{{ID: "purchase/main/" + address}}
	r.Plan = &reconcile.PlanRef{Path: address}
	for _, f := range forms {
		var b bytes.Buffer
		if err := f.render(&b, Build(r, Options{})); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "jane.doe") {
			t.Errorf("%s tells an address:\n%s", f.ext, &b)
		}
		said := strings.NewReplacer(`\`, "", joiner, "").Replace(b.String()) // Markdown's
		if f.ext != "csv" && !strings.Contains(said, "j***@example.com") {   // which holds no free text
			t.Errorf("%s lost the text around an address", f.ext)
		}
	}
}
