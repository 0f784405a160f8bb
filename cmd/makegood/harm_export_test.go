package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/arrivals"
)

// compared is compare --export as JSON.
func (s *shop) compared(code int, export string, args ...string) exportComparison {
	s.Helper()
	args = append([]string{"compare", "--target", "activate", "--export", filepath.Join(s.dir, export), "--json", "-c", s.file()}, args...)
	got, out, errs := makegood(s.T, args...)
	if got != code {
		s.Fatalf("exit %d, want %d\n%s%s", got, code, errs, out)
	}
	var c exportComparison
	check(s.T, json.Unmarshal([]byte(out), &c))
	if n := c.Of(arrivals.Completed, "") + c.Of(arrivals.NotCompleted, ""); n != c.Numbers {
		s.Errorf("%d of %d numbers are in a place", n, c.Numbers)
	}
	return c
}

// warns wants a warning with a text, or with "" none.
func (s *shop) warns(c exportComparison, text string) {
	s.Helper()
	all := strings.Join(c.Warnings, "\n")
	if text == "" && all != "" || !strings.Contains(all, text) {
		s.Errorf("warnings %q, want %q", c.Warnings, text)
	}
}

// shopWithExport is a live shop of twenty orders, all of them sent, one an hour.
func shopWithExport(t *testing.T) *shop {
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"from": []string{"shop"}})
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("%d,%s,ann@example.com,MUG,1,%d.00", 1001+i, ago(time.Duration(40+i)*time.Hour), 10+i))
	}
	s.orders("shop", rows...)
	s.run(exitDone)
	return s
}

// export writes an export of the orders from one to another, as far as keep says
// so, with its own amounts and times.
func (s *shop) export(row func(i int) string) {
	var rows []string
	for i := range 20 {
		if text := row(i); text != "" {
			rows = append(rows, text)
		}
	}
	s.csv("export.csv", "order_id,received_at,value,currency", rows...)
}

// TestHarmExportOfAnotherShop: the same numbers with other amounts, with other
// times, and with both are never taken for agreement, nor is an export in which
// no number is known.
func TestHarmExportOfAnotherShop(t *testing.T) {
	t.Parallel()
	s := shopWithExport(t)
	at := func(i int) string { return ago(time.Duration(40+i) * time.Hour) }
	s.export(func(i int) string { return fmt.Sprintf("%d,%s,%d.00,EUR", 1001+i, at(i), 10+i) })
	s.warns(s.compared(exitDone, "export.csv", "--zone", "UTC", "--to", "2099-01-01"), "")

	s.export(func(i int) string { return fmt.Sprintf("%d,%s,%d.50,EUR", 1001+i, at(i), 300-i) })
	got := s.compared(exitLeft, "export.csv", "--zone", "UTC")
	if got.Of(arrivals.Amount, "") != 20 {
		t.Errorf("other amounts: %+v", got.Groups)
	}
	s.warns(got, "Most amounts, 20 of 20, differ. Is it an export of another shop with the same numbers?")

	s.export(func(i int) string {
		return fmt.Sprintf("%d,%s,%d.50,EUR", 1001+i, ago(time.Duration(i+200*24)*time.Hour), 300-i)
	})
	got = s.compared(exitLeft, "export.csv", "--zone", "UTC")
	if got.Of(arrivals.NotCompleted, arrivals.ReasonOther) != 20 || got.Of(arrivals.Completed, "") != 0 {
		t.Errorf("another year: %+v", got.Groups)
	}
	s.warns(got, "are those of orders from another time")

	s.export(func(i int) string { return fmt.Sprintf("SO-%d,%s,%d.00,EUR", 1001+i, at(i), 10+i) })
	got = s.compared(exitLeft, "export.csv", "--zone", "UTC")
	if got.Of(arrivals.NotCompleted, arrivals.ReasonUnknown) != 20 {
		t.Errorf("other numbers: %+v", got.Groups)
	}
	s.warns(got, "are unknown here")

	s.export(func(i int) string { return fmt.Sprintf("%d,%s,%d.00,SEK", 1001+i, at(i), 10+i) })
	if got = s.compared(exitLeft, "export.csv", "--zone", "UTC"); got.Of(arrivals.Amount, "") != 20 {
		t.Errorf("another currency: %+v", got.Groups)
	}
}

// TestHarmExportThatWasCut: what lies after the newest row of an export is not
// missing at the platform, and that it is old is said; a hole in it is missing.
func TestHarmExportThatWasCut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.evidence(fields{"fresh_within": nil, "shop": "main"})
	s.activate("activate", fields{"mode": "shadow", "from": []string{"shop"}, "nothing_else_sends": nil, "already_sent": []string{"live_log"}})
	var rows, sent []string
	at := func(i int) string { return ago(time.Duration(240-8*i) * time.Hour) }
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("%d,%s,ann@example.com,MUG,1,10.00", 1001+i, at(i)))
		sent = append(sent, fmt.Sprintf("%d,%s", 1001+i, at(i)))
	}
	s.orders("shop", rows...)
	s.csv("sent.csv", "order_id,sent_at", sent...)
	s.run(exitDone)

	s.export(func(i int) string { // cut behind the tenth
		if i > 9 {
			return ""
		}
		return fmt.Sprintf("%d,%s,10.00,EUR", 1001+i, at(i))
	})
	got := s.compared(exitLeft, "export.csv", "--zone", "UTC")
	if got.Of(arrivals.Lacking, "") != 0 || got.Later != 10 || got.Of(arrivals.Completed, reconcile.ReasonProven) != 10 {
		t.Errorf("%d lacking, %d later: %+v", got.Of(arrivals.Lacking, ""), got.Later, got.Groups)
	}
	s.warns(got, "Its newest row is of ")

	s.export(func(i int) string { // with a hole
		if i > 4 && i < 8 {
			return ""
		}
		return fmt.Sprintf("%d,%s,10.00,EUR", 1001+i, at(i))
	})
	got = s.compared(exitLeft, "export.csv", "--zone", "UTC", "--to", "2099-01-01")
	if got.Of(arrivals.Lacking, reconcile.ReasonProven) != 3 {
		t.Errorf("%d lacking: %+v", got.Of(arrivals.Lacking, ""), got.Groups)
	}

	s.csv("sent.csv", "something_else", "1") // what others sent cannot be read
	s.warns(s.compared(exitLeft, "export.csv", "--zone", "UTC", "--to", "2099-01-01"), "What others have sent is not known: ")

	s.csv("shop.csv", "something_else", "1") // nor can the orders
	code, out, errs := makegood(t, "compare", "--export", filepath.Join(s.dir, "export.csv"), "-c", s.file())
	if code != exitFailed || out != "" || !strings.Contains(errs, "without it nothing can be said of the orders that it holds") {
		t.Errorf("exit %d\n%s%s", code, errs, out)
	}
}

// TestHarmExportChangesNothing: a comparison leaves ledger, plans and platform as
// they were, whatever the export holds, and shows no address.
func TestHarmExportChangesNothing(t *testing.T) {
	t.Parallel()
	s := shopWithExport(t)
	ledgerBefore, err := os.ReadFile(filepath.Join(s.dir, "makegood.db"))
	check(t, err)
	before := s.platform("activate")
	s.csv("export.csv", "order_id,received_at,value", "ann@example.com,"+ago(time.Hour)+",5", "1001,ann@example.com,5", "1002,"+ago(time.Hour)+",ann@example.com", "1003,"+ago(45*time.Hour)+",1")
	for _, args := range [][]string{{"--json"}, nil} {
		code, out, errs := makegood(t, append([]string{"compare", "--target", "activate", "--export", filepath.Join(s.dir, "export.csv"), "-c", s.file()}, args...)...)
		if code != exitLeft || strings.Contains(out+errs, "ann@example.com") {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
	}
	ledgerAfter, err := os.ReadFile(filepath.Join(s.dir, "makegood.db"))
	check(t, err)
	if string(ledgerAfter) != string(ledgerBefore) || s.platform("activate") != before {
		t.Error("a comparison changed the ledger or the platform")
	}
	if plans, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*")); len(plans) > 0 {
		t.Errorf("a comparison left %v", plans)
	}
}

// TestHarmExportCauses: nobody is told that an order arrived, or who sends it,
// where the export cannot know; and nobody to do what is done.
func TestHarmExportCauses(t *testing.T) {
	merged := exportComparison{Target: "activate", Mode: "live", evidence: true}
	for _, b := range []reconcile.Bucket{reconcile.BucketInDoubt, reconcile.BucketRefused, reconcile.BucketLeft, reconcile.BucketHeldBack, reconcile.BucketNotForTarget} {
		words := merged.cause(arrivals.Group{Side: arrivals.Completed, Bucket: b})
		if !strings.Contains(words, "the export does not show which side did") {
			t.Errorf("%s where front end and backend merge: %s", b, words)
		}
		for _, untrue := range []string{"They arrived", "there after all", "--sent", "name who does"} {
			if strings.Contains(words, untrue) {
				t.Errorf("%s where front end and backend merge: %s", b, words)
			}
		}
	}
	for _, c := range []struct {
		mode        string
		evidence    bool
		words, lack string
	}{
		{"shadow", false, "Before stores goes live, name who does with already_sent.", ""},
		{"live", false, "name who does with already_sent.", "goes live"},
		{"live", true, "the records of already_sent do not have them", "name who does"},
		{"trial", true, "the records of already_sent do not have them", "name who does"},
	} {
		got := exportComparison{Target: "stores", Mode: c.mode, evidence: c.evidence, settles: true}
		words := got.cause(arrivals.Group{Side: arrivals.Completed, Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonTooOld})
		if !strings.Contains(words, c.words) || c.lack != "" && strings.Contains(words, c.lack) {
			t.Errorf("%+v: %s", c, words)
		}
	}
}

// TestExportOfAYear lays an export of all that a real shop booked in a year, its
// cancellations and test orders too, beside the orders, and counts each by itself.
func TestExportOfAYear(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	s := newShop(t)
	config := retailConfig(t, s.dir, s.url, fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "online_retail.csv")+englishColumns), "InvoiceNo"))
	f, err := os.Open(retail(t, "online_retail.csv"))
	check(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	check(t, err)
	out := [][]string{{"Order ID", "Created at"}}
	met, undone := map[string]bool{}, map[byte]*big.Rat{'C': new(big.Rat), 'A': new(big.Rat)}
	for _, row := range rows[1:] {
		if sum := undone[row[0][0]]; sum != nil {
			n, _ := new(big.Rat).SetString(row[3])
			price, _ := new(big.Rat).SetString(row[5])
			sum.Add(sum, n.Mul(n, price))
		}
		if !met[row[0]] {
			met[row[0]], out = true, append(out, []string{row[0], row[4]})
		}
	}
	out = append(out, []string{"T-1", rows[1][4]}, slices.Clone(out[1]))
	export, err := os.Create(filepath.Join(s.dir, "export.csv"))
	check(t, err)
	check(t, csv.NewWriter(export).WriteAll(out))
	check(t, export.Close())
	code, text, errs := makegood(t, "compare", "--export", export.Name(), "--json", "-c", config)
	var c exportComparison
	check(t, json.Unmarshal([]byte(text), &c))
	if code != exitLeft {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	got := ""
	for _, g := range c.Groups {
		got += string(g.Side) + " " + string(g.Reason) + " " + strconv.Itoa(g.Orders) + " " + g.Money.String() + "\n"
	}
	want := "completed planned 18356 8785927.524 GBP\ncompleted no_email 3705 1869694.96 GBP\n" +
		"not_completed cancelled 3836 " + undone['C'].FloatString(2) + " GBP\nnot_completed bad_debt 3 " + undone['A'].FloatString(2) + " GBP\n" +
		"not_completed unknown 1 \ntwice  1 \n"
	if c.Numbers != 25901 || got != want {
		t.Errorf("%d numbers\n%swant\n%s", c.Numbers, got, want)
	}
}

// TestHarmExportMisleads: times that are all off by hours are said to be of another
// zone, numbers in the wrong form are told of, and an export without a row agrees
// with nothing.
func TestHarmExportMisleads(t *testing.T) {
	for want, c := range map[string]arrivals.Comparison{
		"Its times lie 2 hours earlier than those here: name the zone that they are of with --zone.": {Rows: 9, Hours: -2},
		"Its times lie 1 hour later than those here: name the zone that they are of with --zone.":    {Rows: 9, Hours: 1},
		"Most of the numbers that are known here, 6 of 7, are the shop's own, and not those that order_id of activate makes of them: " +
			"the platform would take what makegood sends for other orders. Is order_id right?": {Rows: 9, Known: 7, Bare: 6},
		"It has no row in this period: nothing follows from that.":          {},
		"It has exactly 3000 rows: some platforms cut their exports there.": {Rows: 3000},
	} {
		got := exportComparison{Target: "activate", Comparison: c, zone: time.UTC}
		if got.warn(false); fmt.Sprint(got.Warnings) != "["+want+"]" {
			t.Errorf("%q, want %q", got.Warnings, want)
		}
	}
}

// TestExportKnowsOldOrders: orders from before the period that is read are known
// to the ledger, in whatever order the export has them.
func TestExportKnowsOldOrders(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"from": []string{"shop"}})
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("%d,%s,ann@example.com,MUG,1,%d.00", 1001+i, ago(time.Duration(100*24+i)*time.Hour), 10+i))
	}
	s.orders("shop", rows...)
	s.run(exitDone, "--from", "2020-01-01")
	s.export(func(i int) string {
		return fmt.Sprintf("%d,%s,%d.00,EUR", 1020-i, ago(time.Duration(1+i)*time.Hour), 29-i)
	})
	if got := s.compared(exitDone, "export.csv", "--zone", "UTC"); got.Of(arrivals.Completed, reconcile.ReasonSentHere) != 20 {
		t.Errorf("%+v", got.Groups)
	}
}
