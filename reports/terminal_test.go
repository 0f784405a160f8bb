package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"makegood/reconcile"
)

func shownOn(t *testing.T, r reconcile.Result, o TerminalOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := Terminal(&b, Build(r, Options{}), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFirstLine(t *testing.T) {
	left := ordinary()
	left.Targets[0].Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonFuse}] = n(3, 3)
	left.Targets[0].Balance.Eligible.Orders += 3
	left.Targets[0].Balance.Eligible.Events += 3
	quiet := ordinary()
	quiet.Targets = nil
	interrupted := ordinary()
	interrupted.Err = fmt.Errorf("send: %w", context.Canceled)
	one := bad()
	one.NewLedger, one.Targets = false, nil
	one.Sources = one.Sources[:1]
	one.Sources[0].Tally.Bad, one.Sources[0].Tally.RowsWithoutOrder = 1, 0

	for _, c := range []struct {
		name, want string
		r          reconcile.Result
	}{
		{"ordinary", "No one is needed: everything that was missing has been sent.", ordinary()},
		{"quiet", "No one is needed: nothing was missing.", quiet},
		{"plan", "No one is needed: this is a plan, and nothing was sent.", plan()},
		{"shadow", "No one is needed: every destination is in shadow, and nothing was sent.", shadow()},
		{"left", "No one is needed: 3 orders still to send, and the next run sends them.", left},
		{"interrupted", "No one is needed: the run was stopped before its end, and the next run goes on.", interrupted},
		{"one bad order", "A person is needed: 1 bad order in tills.", one},
		{"broken", "A person is needed: the balance of activate does not add up.", broken()},
		{"failed", "A person is needed: the run failed.", failed()},
		{"bad", "A person is needed: 14 bad orders in tills; 2 rows without an order number in tills; app could not be read; and 4 more. A new ledger was begun.", bad()},
	} {
		text := shownOn(t, c.r, TerminalOptions{Width: 40})
		if first, _, _ := strings.Cut(text, "\n"); first != c.want {
			t.Errorf("%s: the first line is\n%s\nwant\n%s", c.name, first, c.want)
		}
	}
}

func TestTerminalSaysHowToApply(t *testing.T) {
	r := plan()
	r.Plan.Path = "my plans/a.plan"
	text := shownOn(t, r, TerminalOptions{Width: 20})
	if want := "\n  makegood apply 'my plans/a.plan'\n"; !strings.Contains(text, want) {
		t.Errorf("the command is not on a line of its own:\n%s", text)
	}
	r.Targets = nil
	if text := shownOn(t, r, TerminalOptions{}); strings.Contains(text, "makegood apply") {
		t.Errorf("an empty plan is offered to be sent:\n%s", text)
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColourChangesNoText(t *testing.T) {
	for _, s := range samples {
		coloured := shownOn(t, s.make(), TerminalOptions{Colour: true})
		if got, want := ansi.ReplaceAllString(coloured, ""), shownOn(t, s.make(), TerminalOptions{}); got != want {
			t.Errorf("%s: with colour the text is\n%s\nwithout\n%s", s.name, got, want)
		}
		if !ansi.MatchString(coloured) {
			t.Errorf("%s: nothing is coloured", s.name)
		}
	}
}

func TestTableAligns(t *testing.T) {
	r := ordinary()
	r.Targets[0].Target = "Činčila" // runes are counted, not bytes
	text := shownOn(t, r, TerminalOptions{})
	_, table, _ := strings.Cut(text, "Činčila (squeezely")
	table, _, _ = strings.Cut("Činčila (squeezely"+table, "  adds up")
	ends := map[int]bool{}
	for line := range strings.Lines(table) {
		if strings.HasSuffix(strings.TrimSpace(line), "EUR") || strings.Contains(line, "money") {
			ends[utf8.RuneCountInString(line)] = true
		}
	}
	if len(ends) != 1 {
		t.Errorf("money ends in %d columns:\n%s", len(ends), table)
	}
}

func TestTerminalFolds(t *testing.T) {
	r := bad()
	r.Sources[0].Tally.Notes = []string{strings.Repeat("word ", 40)}
	for line := range strings.Lines(shownOn(t, r, TerminalOptions{Width: 60})) {
		if strings.Contains(line, "word") && utf8.RuneCountInString(line) > 61 {
			t.Errorf("a line of %d columns in 60: %s", utf8.RuneCountInString(line), line)
		}
	}
}

func TestTerminalWritesNoControls(t *testing.T) {
	r := bad()
	r.Sources[0].Bad[0].Problems[0].Text = "\x1b[2Jgone\a"
	r.Targets[0].Stopped = "first\x1b[1A\rsecond"
	if text := shownOn(t, r, TerminalOptions{}); strings.ContainsAny(text, "\x1b\a\r") {
		t.Errorf("a file's text moves the cursor: %q", text)
	}
}

func TestBadOrdersAreCut(t *testing.T) {
	source := Build(bad(), Options{}).Sources[0]
	rows, more := source.badOrders(maxBadRows)
	if len(rows) != 10 || more != 4 {
		t.Errorf("%d rows and %d more orders, want 10 and 4: each of 14 orders is named before the second row of any", len(rows), more)
	}
}

func TestBusiness(t *testing.T) {
	none := design()
	none.Targets[0].Balance = reconcile.Balance{}
	stale := design()
	stale.Targets[0].Balance, stale.Targets[0].Err = reconcile.Balance{}, errors.New("evidence live_log is empty")
	for _, c := range []struct {
		r    reconcile.Result
		want string
	}{
		{design(), "18,356 orders were missing (8,785,927.524 GBP); all repaired"},
		{plan(), "18,356 orders are missing (8,785,927.524 GBP). Nothing was sent: this is a plan"},
		{shadow(), "212 orders are missing (13,660.40 EUR + 1,230.00 SEK). Nothing was sent: this destination is in shadow"},
		{bad(), "160 orders were missing (7,950.05 EUR); 51 orders repaired (2,550.05 EUR)"},
		{none, "nothing was missing"},
		{stale, "not worked on: evidence live_log is empty"},
	} {
		report := Build(c.r, Options{})
		if got := report.business(report.Targets[0]); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for amount, want := range map[string]string{
		"0": "0.00 EUR", "8785927.524": "8,785,927.524 EUR", "-1234.5": "-1,234.50 EUR", "999": "999.00 EUR", "": "",
	} {
		if got := amountText(amount, "EUR"); got != want {
			t.Errorf("%s is shown as %q, want %q", amount, got, want)
		}
	}
	if got := amountText("1000", "JPY"); got != "1,000 JPY" {
		t.Errorf("yen have no coins: %q", got)
	}
	if got := thinned("1,234,567 orders, 12,5 and a,123"); got != "1\u202f234\u202f567 orders, 12,5 and a,123" {
		t.Errorf("thin separators: %q", got)
	}
	for _, c := range []struct {
		n, of int
		want  string
	}{{1, 1000, "1"}, {999, 1000, "99"}, {1000, 1000, "100"}, {1, 3, "33"}, {2, 3, "67"}} {
		if got := share(c.n, c.of); got != c.want+"\u202f%" {
			t.Errorf("%d of %d is %s, want %s", c.n, c.of, got, c.want)
		}
	}
}

func TestUnreadSourceIsNoQuietNight(t *testing.T) {
	r := failed()
	for i := range r.Targets {
		r.Targets[i].Unread = []string{"shop"}
		r.Targets[i].Balance = reconcile.Balance{}
		r.Targets[i].Err = nil
	}
	report := Build(r, Options{Zone: amsterdam(t)})
	for _, target := range report.Targets {
		if got := report.business(target); !strings.Contains(got, "not known") || !strings.Contains(got, "shop") {
			t.Errorf("%s: %q", target.Target, got)
		}
	}
}

// TestFirstLineOfAnUpload: no run reads an uploaded file again, so that what is
// left of it, or has no answer, waits for a person.
func TestFirstLineOfAnUpload(t *testing.T) {
	r := Build(ordinary(), Options{Upload: true})
	if got := FirstLine(r); got != "A person is needed: 12 orders of an uploaded file not known to have gone, and no run reads it again." {
		t.Error(got)
	}
	if steps := r.steps(); len(steps) != 1 || !strings.Contains(steps[0].Next, "Make another preview") {
		t.Errorf("the steps are %+v", steps)
	}
	for i := range r.Targets {
		r.Targets[i].Balance.Left = Count{}
	}
	if got := FirstLine(r); got != "No one is needed: everything that was missing has been sent." {
		t.Error(got)
	}
	r.Targets[0].Balance.InDoubt = Count{Orders: 1, Events: 1}
	if got := FirstLine(r); !strings.HasPrefix(got, "A person is needed: 1 order of an uploaded file") {
		t.Error(got)
	}
}
