package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// shownStores is how many stores a terminal names.
const shownStores = 10

func (a *app) tellGaps(got *gapsReport, zone *time.Location) {
	out := a.io.out
	at := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	fmt.Fprintf(out, "Orders completed from %s to %s (%s).\n", at(got.From), at(got.To), got.Zone)
	for _, note := range slices.Compact(slices.Sorted(slices.Values(got.Notes))) {
		fmt.Fprintln(out, note)
	}
	for _, t := range got.Targets {
		summary := t.summary()
		if t.Unknown {
			summary = "unknown"
		}
		fmt.Fprintf(out, "\n%s (%s): %s\n", t.Target, t.Mode, summary)
		if t.Warning != "" {
			fmt.Fprintf(out, "! %s\n", t.Warning)
		}
		switch {
		case t.Unknown:
			fmt.Fprintln(out, "Nothing can be said of it: what others sent could not be read.")
			continue
		case len(t.Windows) == 0:
			fmt.Fprintln(out, "No window in which messages stopped or thinned out.")
		}
		a.tellCoverage(t)
		for _, w := range t.Windows {
			a.tellWindow(w, zone)
		}
	}
}

// summary gives "120 messages due, 100 reported by the live integration, 20 missing 200.00 EUR".
func (t targetGaps) summary() string {
	if t.Due == 0 {
		return "no message was due"
	}
	words := counted(t.Due, "message") + " due"
	for _, by := range slices.Sorted(maps.Keys(t.Sent)) {
		words += fmt.Sprintf(", %d %s", t.Sent[by], reports.ReasonWords(reconcile.Reason(by)).Text)
	}
	if t.Missing == 0 {
		return words + ", none missing"
	}
	return strings.TrimSpace(fmt.Sprintf("%s, %d missing %s", words, t.Missing, reports.Money(t.Money)))
}

// tellCoverage writes what stores lack, where there are several.
func (a *app) tellCoverage(t targetGaps) {
	if len(t.Coverage) < 2 {
		return
	}
	w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  source\tstore\tdue\tmissing\tshare")
	for i, c := range t.Coverage {
		if i == shownStores {
			fmt.Fprintf(w, "  and %d more\n", len(t.Coverage)-i)
			break
		}
		fmt.Fprintf(w, "  %s\t%s\t%d\t%d\t%s\n", c.Source, c.Store, c.Due, c.Missing, percent(float64(c.Missing)/float64(c.Due)))
	}
	_ = w.Flush() // of a terminal: there is nobody to tell
}

// words gives "still to send: planned", "not sent on purpose: too old".
func (p placed) words() string {
	text, why := reports.BucketWords(p.Bucket), reports.ReasonWords(p.Reason).Text
	if p.Reason == reconcile.ReasonPlanned || why == text {
		return text
	}
	return text + ": " + why
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }

func (a *app) tellWindow(w gapWindow, zone *time.Location) {
	what, of := "thinned out", "all messages"
	if w.Stopped {
		what = "stopped"
	}
	if w.Part != "" {
		of = fmt.Sprintf("messages of %s %s", w.Part, w.Value)
	}
	fmt.Fprintf(a.io.out, "\n  %s to %s: %s %s\n", w.From.In(zone).Format("Mon 2006-01-02 15:04"), w.To.In(zone).Format("Mon 2006-01-02 15:04"), of, what)
	fmt.Fprintf(a.io.out, "    %d of %d are missing (%s, usually %s) %s\n", w.Missing, w.Due, percent(w.Share()), percent(w.Usual), reports.Money(w.Money))
	fmt.Fprintf(a.io.out, "    %s, %s; known to within %s with orders\n", w.began(zone), w.ended(zone), w.exactness())
	for _, p := range w.Places {
		fmt.Fprintf(a.io.out, "    %d %s\n", p.Messages, p.words())
	}
	for _, t := range w.Tried {
		fmt.Fprintf(a.io.out, "    answers so far: %s, %s\n", t.Answer, counted(t.Messages, "message"))
	}
	fmt.Fprintf(a.io.out, "    look:   %s\n", w.Look)
	if w.NoRepair != "" {
		fmt.Fprintf(a.io.out, "    repair: none, %s\n", w.NoRepair)
	}
	if w.Repair != "" {
		fmt.Fprintf(a.io.out, "    repair: %s\n", w.Repair)
	}
}

// began says between which orders a window begins.
func (w gapWindow) began(zone *time.Location) string {
	if w.Began.After.IsZero() {
		return "began by " + stamped(w.Began.By, zone) + " or before the period"
	}
	return "began between " + stamped(w.Began.After, zone) + " and " + stamped(w.Began.By, zone)
}

// ended says between which orders it ends.
func (w gapWindow) ended(zone *time.Location) string {
	if w.Ended.By.IsZero() {
		return "not ended for sure: nothing after it says so"
	}
	return "ended between " + stamped(w.Ended.After, zone) + " and " + stamped(w.Ended.By, zone)
}

func stamped(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04")
}

// exactness gives "10 minutes", "3 hours", "2 days".
func (w gapWindow) exactness() string {
	switch m := w.BucketMinutes; {
	case m < 60:
		return counted(m, "minute")
	case m < 24*60:
		return counted(m/60, "hour")
	default:
		return counted(m/(24*60), "day")
	}
}
