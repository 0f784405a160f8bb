package main

import (
	"fmt"
	"strings"
	"testing"
)

// undone reports what a report in JSON, and its text, say of the orders of the
// real shop's year that a later credit note wholly undid: all of it, or nothing.
func undone(t *testing.T, config, out string) bool {
	t.Helper()
	inJSON := strings.Contains(out, `"within_a_day": 83`) && strings.Contains(out, `"GBP": "359242.77"`)
	_, text, _ := makegood(t, "report", "-c", config)
	inText := strings.Contains(strings.Join(strings.Fields(text), " "),
		"141 of the orders sent were wholly undone by a later credit note (359,242.77 GBP), 83 of them within a day")
	if inJSON != inText {
		t.Errorf("reported in JSON: %v, as text: %v\n%s", inJSON, inText, text)
	}
	return inText
}

// TestRetailReversals finds the orders of a real shop that a later credit note
// wholly undid: they are held back where the source says so, go when nobody
// looks for them any more, and are reported when all were sent before. That they
// are reported when they are sent is TestOnlineRetail's.
func TestRetailReversals(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	dir := t.TempDir()
	sim, url := simulate(t)
	for _, want := range []struct {
		rule               string
		sent, before, held int
		money, platform    string
	}{
		{rule: "hold", sent: 18356 - 141, held: 141, money: "8426684.754", platform: "8426684.754"},
		{rule: "off", sent: 141, before: 18356 - 141, money: "359242.77", platform: "8785927.524"},
		{rule: "report", before: 18356, platform: "8785927.524"},
	} {
		source := fmt.Sprintf(retailSource(t, "type: csv\nmatch_reversals: "+want.rule+"\npath: "+retail(t, "online_retail.csv")+englishColumns), "InvoiceNo")
		config := retailConfig(t, dir, url, source)
		code, out, errs := makegood(t, append([]string{"run", "--json", "-c", config}, retailWindow...)...)
		if code != exitDone {
			t.Fatalf("%s: exit %d\n%s", want.rule, code, errs)
		}
		r := readReport(t, out)
		b := r.balance(t, "activate")
		if b.Sent.Orders != want.sent || b.Sent.Money["GBP"] != want.money || b.AlreadySent.Orders != want.before || !b.Holds {
			t.Errorf("%s: sent %+v, before %+v", want.rule, b.Sent, b.AlreadySent)
		}
		held := 0
		for _, reason := range r.Targets[0].Reasons {
			if reason.Reason == "reversed" {
				held = reason.Orders
			}
		}
		if held != want.held {
			t.Errorf("%s: %d held back as reversed, want %d", want.rule, held, want.held)
		}
		if p := sim.Counts().Platforms["squeezely"]; int(p.Orders) != want.sent+want.before || p.Repeats != 0 || p.Money["GBP"] != want.platform {
			t.Errorf("%s: the platform holds %+v", want.rule, p)
		}
		if said := undone(t, config, out); said != (want.rule == "report") {
			t.Errorf("%s: reported: %v", want.rule, said)
		}
	}
}
