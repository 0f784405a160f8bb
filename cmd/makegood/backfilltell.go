package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// backfillReport is what backfill tells. Its JSON form is stable.
type backfillReport struct {
	Schema  int              `json:"schema"`
	Command string           `json:"command"`
	Plan    bool             `json:"plan,omitempty"` // nothing was sent
	Window  reconcile.Window `json:"window"`
	Zone    string           `json:"zone"`
	// Slices in the order in which they were worked on.
	Slices []*slice `json:"slices"`
	// Targets are the sums over all slices that ended, in this start or before.
	Targets []sliceTarget `json:"targets"`
	Ended   string        `json:"ended,omitempty"` // why not all slices were begun
	Exit    int           `json:"exit"`
}

// told sums up the slices.
func (b *backfill) told() (*backfillReport, error) {
	got := &backfillReport{Schema: 1, Command: "backfill", Plan: b.flags.plan, Window: reconcile.Window{From: b.req.From.UTC(), To: b.req.To.UTC()},
		Zone: b.Zone.String(), Slices: b.slices, Ended: reports.Mask(b.ended)}
	for _, one := range b.slices {
		if one.State == sliceWaits {
			got.Exit = max(got.Exit, exitLeft)
		}
		got.Exit = max(got.Exit, min(one.Exit, exitFailed))
		for _, t := range one.Targets {
			i := slices.IndexFunc(got.Targets, func(sum sliceTarget) bool { return sum.Target == t.Target })
			if i < 0 {
				i = len(got.Targets)
				got.Targets = append(got.Targets, sliceTarget{Target: t.Target, Mode: t.Mode, Balance: reports.Balance{Holds: true}})
			}
			sum := &got.Targets[i]
			err := plus(&sum.Balance, t.Balance)
			if t.ToSend != nil {
				if sum.ToSend == nil {
					sum.ToSend = new(reports.Count)
				}
				err = errors.Join(err, plusCount(sum.ToSend, *t.ToSend))
			}
			if err != nil {
				return nil, fmt.Errorf("add up the slices: %w", err)
			}
		}
	}
	return got, nil
}

// of counts the slices in a state.
func (got *backfillReport) of(state string) (n int) {
	for _, one := range got.Slices {
		if one.State == state {
			n++
		}
	}
	return n
}

// places lists the counts of a balance: what is in scope, and then its parts.
func places(b *reports.Balance) []*reports.Count {
	return []*reports.Count{&b.Eligible, &b.Sent, &b.AlreadySent, &b.HeldBack, &b.Refused, &b.InDoubt, &b.Left}
}

// plus adds a balance to a sum, which holds while all parts do and it adds up
// itself.
func plus(sum *reports.Balance, b reports.Balance) error {
	to, from := append(places(sum), &sum.NotForTarget), append(places(&b), &b.NotForTarget)
	for i := range to {
		if err := plusCount(to[i], *from[i]); err != nil {
			return err
		}
	}
	total := reports.Count{}
	for _, part := range places(sum)[1:] {
		if err := plusCount(&total, *part); err != nil {
			return err
		}
	}
	same := total.Events == sum.Eligible.Events
	for currency, amount := range sum.Eligible.Money {
		same = same && (total.Money[currency] == amount || total.Money[currency] == "" && amount == "0")
	}
	sum.Holds = sum.Holds && b.Holds && same
	return nil
}

func plusCount(sum *reports.Count, c reports.Count) error {
	sum.Orders, sum.Events = sum.Orders+c.Orders, sum.Events+c.Events
	if sum.Money == nil {
		sum.Money = map[string]string{}
	}
	for currency, text := range c.Money {
		amount, err := reconcile.ParseDecimal(text)
		if err != nil {
			return err
		}
		before := reconcile.Decimal{}
		if sum.Money[currency] != "" {
			if before, err = reconcile.ParseDecimal(sum.Money[currency]); err != nil {
				return err
			}
		}
		if amount, err = reconcile.Add(before, amount); err != nil {
			return err
		}
		sum.Money[currency] = amount.Trim(0).String()
	}
	return nil
}

// shownSlices is how many slices a terminal lists; of more, those in which
// something is left.
const shownSlices = 62

func (b *backfill) tellBackfill(got *backfillReport) error {
	out := b.io.out
	at := func(t time.Time) string { return t.In(b.Zone).Format("2006-01-02 15:04") }
	what := "Backfill"
	if got.Plan {
		what = "What a backfill would send (nothing was sent)"
	}
	fmt.Fprintf(out, "%s: orders completed from %s to %s (%s), in %s.\n\n", what, at(got.Window.From), at(got.Window.To), got.Zone, counted(len(got.Slices), "slice"))
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	sent := "sent"
	if got.Plan {
		sent = "to send"
	}
	fmt.Fprintf(w, "slice\tdestination\t%s\tmoney\tsent before\tnot sent\trefused\tin doubt\tleft\n", sent)
	more := 0
	for _, one := range got.Slices {
		if len(got.Slices) > shownSlices && one.State != sliceLeft && one.State != sliceFailed {
			more++
			continue
		}
		if len(one.Targets) == 0 {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\t\t\t\n", one.name(b.Zone), stateWords[one.State])
		}
		for _, t := range one.Targets {
			tellRow(w, one.name(b.Zone), t, got.Plan, one.remark())
		}
	}
	for _, t := range got.Targets {
		tellRow(w, "all", t, got.Plan, "")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
	if more > 0 {
		fmt.Fprintf(out, "%d more slices, in which nothing is left or that were not begun; --json lists them.\n", more)
	}
	if before := got.of(sliceDoneBefore); before > 0 {
		fmt.Fprintf(out, "Not read again: %s that an earlier start of the last 7 days ended; --again reads them.\n", counted(before, "slice"))
	}
	for _, one := range got.Slices {
		for _, text := range one.errors() {
			fmt.Fprintf(out, "! %s: %s\n", one.name(b.Zone), text)
		}
	}
	for _, t := range got.Targets {
		if !t.Balance.Holds {
			fmt.Fprintf(out, "! The sum of %s does not add up: that is a fault of makegood; report it.\n", t.Target)
		}
	}
	if got.Ended != "" {
		fmt.Fprintf(out, "! Ended early: %s. %s\n", got.Ended, b.goesOn())
	}
	return nil
}

// goesOn says how a backfill that ended early goes on: of a destination that was
// stopped for its own answers by what is mended first.
func (b *backfill) goesOn() string {
	for _, one := range b.slices {
		for _, t := range one.Targets {
			if t.Stopped != "" && t.Error == "" && one.Exit >= exitPerson {
				return "Once that is mended, the same command goes on."
			}
		}
	}
	return "The same command goes on."
}

// stateWords are what people read of a slice without a balance.
var stateWords = map[string]string{sliceWaits: "not begun", sliceFailed: "failed", sliceLeft: "stopped"}

// remark is the remark at the end of a slice's row.
func (s *slice) remark() string {
	switch s.State {
	case sliceDoneBefore:
		return "by an earlier start"
	case sliceLeft, sliceFailed:
		if s.Run != "" && s.Exit >= exitPerson {
			return "makegood report " + s.Run[:min(len(s.Run), shortRun)]
		}
	}
	return ""
}

func tellRow(w *tabwriter.Writer, name string, t sliceTarget, plan bool, remark string) {
	b := t.Balance
	sent, left := b.Sent, b.Left.Events
	if plan { // a slice that ended before sends nothing more
		sent = reports.Count{}
		if t.ToSend != nil {
			sent = *t.ToSend
		}
		left -= sent.Events
	}
	if t.Error != "" {
		remark = "not now, see below"
	}
	if remark != "" {
		remark = "\t" + remark
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d%s\n", name, t.Target, sent.Events, moneyWords(sent), b.AlreadySent.Events, b.HeldBack.Events,
		b.Refused.Events, b.InDoubt.Events, left, remark)
}

// moneyWords gives amounts as people read them; what cannot be read is not told.
func moneyWords(c reports.Count) string {
	sum := reconcile.Money{}
	for currency, text := range c.Money {
		if amount, err := reconcile.ParseDecimal(text); err == nil {
			sum[currency] = amount
		}
	}
	return reports.Money(sum)
}
