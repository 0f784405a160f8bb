package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestRetailReversals finds the orders of a real shop that a later credit note
// wholly undid: they are reported, or held back where the source says so.
func TestRetailReversals(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	for rule, want := range map[string]struct {
		sent, held int
		money      string
	}{
		"report": {18356, 0, "8785927.524"},
		"hold":   {18356 - 141, 141, "8426684.754"},
		"off":    {18356, 0, "8785927.524"},
	} {
		t.Run(rule, func(t *testing.T) {
			sim, url := simulate(t)
			source := fmt.Sprintf(retailSource(t, "type: csv\nmatch_reversals: "+rule+"\npath: "+retail(t, "online_retail.csv")+englishColumns), "InvoiceNo")
			config := retailConfig(t, t.TempDir(), url, source)
			code, out, errs := makegood(t, append([]string{"run", "--json", "-c", config}, retailWindow...)...)
			if code != exitDone {
				t.Fatalf("exit %d\n%s", code, errs)
			}
			r := readReport(t, out)
			b := r.balance(t, "activate")
			if b.Sent.Orders != want.sent || b.Sent.Money["GBP"] != want.money || !b.Holds {
				t.Errorf("sent %+v", b.Sent)
			}
			held := 0
			for _, reason := range r.Targets[0].Reasons {
				if reason.Reason == "reversed" {
					held = reason.Orders
				}
			}
			if held != want.held {
				t.Errorf("%d held back as reversed, want %d", held, want.held)
			}
			if totals := sim.Counts().Platforms["squeezely"]; int(totals.Orders) != want.sent || totals.Money["GBP"] != want.money {
				t.Errorf("the platform holds %+v", totals)
			}
			reported := strings.Contains(out, `"within_a_day": 83`) && strings.Contains(out, `"GBP": "359242.77"`)
			if reported != (rule == "report") {
				t.Errorf("reported: %v", reported)
			}
			// On the next night all of them were sent before.
			_, text, _ := makegood(t, append([]string{"run", "-c", config}, retailWindow...)...)
			said := strings.Contains(strings.Join(strings.Fields(text), " "),
				"141 of the orders sent were wholly undone by a later credit note (359,242.77 GBP), 83 of them within a day")
			if said != (rule == "report") {
				t.Errorf("the second report says so: %v\n%s", said, text)
			}
		})
	}
}
