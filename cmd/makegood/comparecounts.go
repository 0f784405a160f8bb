package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/daily"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sources"
)

// countsFlags say where a platform's daily counts are.
type countsFlags struct {
	path, target, zone, day, count, dateFormat string
}

func (f *countsFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "counts", "", "the platform's counts by day, a CSV `FILE`")
	c.Flags().StringVar(&f.target, "target", "", "of this destination")
	c.Flags().StringVar(&f.zone, "zone", "", "the `ZONE` of the platform's days, such as UTC (default: the configured one)")
	c.Flags().StringVar(&f.day, "day-column", "", "the column with the day, or the time (default: day, date and the like)")
	c.Flags().StringVar(&f.count, "count-column", "", "the column with the count (default: count, purchases, orders and the like)")
	c.Flags().StringVar(&f.dateFormat, "date-format", "", "how the days are written, such as d-M-yyyy, where they do not show it")
}

// which says what cannot be meant: messages, counts or an export, one of them.
func (f *compareFlags) which() error {
	rest := f.counts
	rest.path = ""
	columns := f.orderColumn + f.amountColumn
	switch {
	case f.name != "" && (f.counts != countsFlags{} || f.export+columns != ""):
		return fmt.Errorf("%s names messages: --counts, --export, --target and what goes with them are another comparison", f.name)
	case f.counts.path != "" && f.export != "":
		return errors.New("--counts and --export are two comparisons: one at a time")
	case f.counts.path != "" && columns != "", f.export != "" && f.counts.count != "":
		return errors.New("--order-column and --amount-column go with --export, --count-column goes with --counts")
	case f.name == "" && f.counts.path+f.export == "" && rest == countsFlags{} && columns == "":
		return errors.New("name messages of the configuration, or give --target and --counts or --export")
	case f.name == "" && f.counts.path+f.export == "":
		return errors.New("--counts is missing: a CSV file with a day and a count in each row; or --export: a table of the orders that the platform has")
	}
	return nil
}

// countsComparison is what compare --counts tells. Its JSON form is stable.
type countsComparison struct {
	Schema int    `json:"schema"`
	Target string `json:"target"`
	Mode   string `json:"mode"`
	Zone   string `json:"zone"`
	Kind   string `json:"message"`
	daily.Comparison
	Bad      int                    `json:"bad_rows"`
	Problems []reconcile.RowProblem `json:"problems,omitempty"`
	Notes    []string               `json:"notes,omitempty"`
	zone     *time.Location
}

func (a *app) compareCounts(ctx context.Context, f *compareFlags) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	usage := func(err error) error { return &usageError{command: "makegood compare", err: err} }
	target, err := countedTarget(cfg, f.counts.target)
	if err != nil {
		return usage(err)
	}
	zone, err := f.counts.zoneIn(cfg)
	if err != nil {
		return usage(err)
	}
	req, err := (&runFlags{from: f.from, to: f.to}).request("compare", cfg)
	if err != nil {
		return err
	}
	read, err := sources.CountsFile{Path: f.counts.path, DayColumn: f.counts.day, CountColumn: f.counts.count,
		DateFormat: f.counts.dateFormat, Zone: zone}.Read(ctx)
	if err != nil {
		return err
	}
	got := countsComparison{Schema: 1, Target: target.Name, Mode: target.Mode, Zone: zone.String(), Kind: string(countedKind(target)),
		Bad: read.Bad, Problems: read.Problems, Notes: read.Notes, zone: zone.Location}
	got.mask()
	platform := map[string]int{}
	for _, d := range read.Days {
		from, to := req.From.In(cfg.Zone.Location).Format(time.DateOnly), req.To.In(cfg.Zone.Location).Format(time.DateOnly)
		if (req.From.IsZero() || d.Day >= from) && (req.To.IsZero() || d.Day < to) {
			platform[d.Day] = d.Count
		}
	}
	if err := a.countLedger(ctx, target, platform, &got); err != nil {
		return err
	}
	if got.Differs() || got.Bad > 0 {
		a.code = exitLeft
	}
	if f.json {
		return a.encode(got)
	}
	return a.tellCounts(got, max(f.rows, 0))
}

// countedTarget is the destination that a person named; the only one there is,
// when nobody did.
func countedTarget(cfg *config.Config, name string) (*config.Target, error) {
	there := slices.Sorted(maps.Keys(cfg.Targets))
	if name == "" {
		on := slices.DeleteFunc(slices.Clone(there), func(name string) bool { return cfg.Targets[name].Mode == config.ModeOff })
		if len(on) != 1 {
			return nil, fmt.Errorf("--target is missing: which destination is meant? There are %s", strings.Join(there, ", "))
		}
		name = on[0]
	}
	if t := cfg.Targets[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("there is no destination %q; there are %s", name, strings.Join(there, ", "))
}

// countedKind is the message that stands for an order: its purchase, where the
// destination is told of purchases.
func countedKind(t *config.Target) reconcile.Kind {
	switch {
	case slices.Contains(t.Send, string(reconcile.KindPurchase)):
		return reconcile.KindPurchase
	case strings.HasPrefix(t.Send[0], "cart_") && t.Type == "collect":
		return reconcile.KindCart
	}
	return reconcile.Kind(t.Send[0])
}

// sentLateWithin is how much older than a day an order may be that was sent on it.
const sentLateWithin = 60 * 24 * time.Hour

// maxCounted bounds how far the first and the last day lie apart.
const maxCounted = 10 * 366 * 24 * time.Hour

// countLedger compares the counts with what the ledger knows.
func (a *app) countLedger(ctx context.Context, target *config.Target, platform map[string]int, got *countsComparison) error {
	if len(platform) == 0 {
		got.Days = []daily.Day{}
		return nil
	}
	w := daily.Period(platform, got.zone)
	if w.To.Sub(w.From) > maxCounted {
		return fmt.Errorf("compare with the ledger: the days of the counts lie more than ten years apart, from %s to %s; is one mistyped? --from and --to leave days out",
			w.From.AddDate(0, 0, 1).In(got.zone).Format(time.DateOnly), w.To.AddDate(0, 0, -2).In(got.zone).Format(time.DateOnly))
	}
	w.From = w.From.Add(-sentLateWithin)
	return a.pastRuns(ctx, func(led *ledger.Reader, _ *time.Location) error {
		if led.Absent() {
			return errors.New("compare with the ledger: there is none yet; the first run begins it, also in shadow")
		}
		name := target.Name
		if target.Type == "emanage" && target.Mode == config.ModeTrial {
			name += ".test"
		}
		var tally daily.Tally
		var err error
		if tally.Until, err = led.Newest(ctx); err != nil {
			return err
		}
		part := &auditPart{led: led, target: name, window: w, do: func(l reports.OrderLine) error {
			if string(l.ID.Kind()) == got.Kind && l.ID.Revision() == 1 && l.ID.Position() <= 1 {
				tally.Add(daily.Purchase{Place: l.Place, Completed: l.Completed, At: l.At})
			}
			return nil
		}}
		if err := part.lines(ctx); err != nil {
			return err
		}
		got.Comparison = tally.Compare(platform, got.zone)
		return nil
	})
}

// mask hides addresses that slipped into the file.
func (got *countsComparison) mask() {
	for i := range got.Problems {
		p := &got.Problems[i]
		p.File, p.Column, p.Text = reports.Mask(p.File), reports.Mask(p.Column), reports.Mask(p.Text)
	}
	for i := range got.Notes {
		got.Notes[i] = reports.Mask(got.Notes[i])
	}
}

// countColumns are the columns of the table; those that nobody needs are left out
// when they hold nothing.
var countColumns = []struct {
	title  string
	always bool
	of     func(daily.Day) int
}{
	{"orders", true, func(d daily.Day) int { return d.Orders }},
	{"sent before", true, func(d daily.Day) int { return d.Before }},
	{"accepted now", true, func(d daily.Day) int { return d.Now }},
	{"not sent on purpose", false, func(d daily.Day) int { return d.HeldBack }},
	{"would be sent", false, func(d daily.Day) int { return d.WouldSend }},
	{"answer unknown", false, func(d daily.Day) int { return d.InDoubt }},
	{"refused", false, func(d daily.Day) int { return d.Refused }},
	{"still to send", false, func(d daily.Day) int { return d.Left }},
	{"expected", true, func(d daily.Day) int { return d.Expected }},
}

func (a *app) tellCounts(got countsComparison, rows int) error {
	out := a.io.out
	fmt.Fprintf(out, "%s (%s), by days of %s\n", got.Target, got.Mode, got.Zone)
	for _, note := range got.Notes {
		fmt.Fprintln(out, note)
	}
	if got.Bad > 0 {
		fmt.Fprintf(out, "%s could not be read:\n", counted(got.Bad, "row"))
		for _, p := range got.Problems[:min(len(got.Problems), rows)] {
			fmt.Fprintf(out, "  %s\n", p)
		}
	}
	if len(got.Days) == 0 {
		fmt.Fprintln(out, "No day of the file lies in the period.")
		return nil
	}
	if err := a.tellDays(got, rows); err != nil {
		return err
	}
	if got.Shift != nil {
		fmt.Fprintf(out, "\n%s\n", shiftWords(got))
	}
	if got.OthersSend() {
		fmt.Fprintf(out, "\nAll that would be sent is at the platform: somebody else sends it.\nBefore this destination goes live, name who does with already_sent, or leave it in shadow.\n")
	}
	return nil
}

// maxEqual is how many days are shown with those that are equal.
const maxEqual = 31

// shownDays are the days for a terminal: all of a few, else those that differ, at
// most rows.
func shownDays(days []daily.Day, rows int) (shown []daily.Day, equal, more int) {
	for _, d := range days {
		if d.Platform != nil && d.Difference == 0 && len(days) > maxEqual {
			equal++
			continue
		}
		shown = append(shown, d)
	}
	more = max(len(shown)-rows, 0)
	return shown[:len(shown)-more], equal, more
}

// tellDays writes the table.
func (a *app) tellDays(got countsComparison, rows int) error {
	days, equal, more := shownDays(got.Days, rows)
	shown := countColumns[:0:0]
	head := "\nday\t"
	for _, c := range countColumns {
		if c.always || slices.ContainsFunc(got.Days, func(d daily.Day) bool { return c.of(d) > 0 }) {
			shown = append(shown, c)
			head += c.title + "\t"
		}
	}
	w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	head += "platform\tdifference\t"
	if got.Differs() {
		head += "  known cause"
	}
	fmt.Fprintln(w, head)
	for _, d := range slices.Concat(days, []daily.Day{got.Sum}) {
		fmt.Fprint(w, cmp.Or(d.Day, "all")+"\t")
		for _, c := range shown {
			fmt.Fprintf(w, "%d\t", c.of(d))
		}
		switch words := causesWords(d); {
		case d.Platform == nil:
			fmt.Fprintln(w, "-\t-\t  not in the file")
		case words != "":
			fmt.Fprintf(w, "%d\t%s\t  %s\n", *d.Platform, signed(d.Difference), words)
		default:
			fmt.Fprintf(w, "%d\t%s\t\n", *d.Platform, signed(d.Difference))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if equal > 0 {
		fmt.Fprintf(a.io.out, "%s more are equal; --json has all.\n", counted(equal, "day"))
	}
	if more > 0 {
		fmt.Fprintf(a.io.out, "And %s more; --rows shows them.\n", counted(more, "day"))
	}
	return nil
}

// signed gives a difference with its sign: +3, -2, 0.
func signed(n int) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%+d", n)
}

// causesWords gives the known causes of a difference.
func causesWords(d daily.Day) string {
	if d.Difference == 0 || d.Day == "" {
		return ""
	}
	var parts []string
	for _, c := range d.Causes {
		parts = append(parts, causeWords(c, d))
	}
	return cmp.Or(strings.Join(parts, "; or "), "none that is known")
}

func causeWords(c daily.Cause, d daily.Day) string {
	n := max(c.Count, -c.Count)
	switch c.What {
	case daily.CauseNotOver:
		return "the day is not over, or not all of it was read yet"
	case daily.CauseZone:
		return "its days begin at another hour, see below"
	case daily.CauseSentDay:
		return "counted on the day of sending, not of the order"
	case daily.CauseInDoubt:
		return fmt.Sprintf("the %d without a known answer arrived: makegood resolve", n)
	case daily.CauseWouldSend:
		if n < d.WouldSend {
			return fmt.Sprintf("%d of the %d that would be sent are there: somebody else sends", n, d.WouldSend)
		}
		return fmt.Sprintf("the %d that would be sent are there: somebody else sends them", n)
	case daily.CauseLeft:
		return fmt.Sprintf("the %d still to send are there: somebody else sends them", n)
	case daily.CauseHeldBack:
		return fmt.Sprintf("the %d not sent on purpose are there: somebody else sends them", n)
	case daily.CauseRefused:
		return fmt.Sprintf("the %d refused are there", n)
	case daily.CauseFrontEnd:
		return fmt.Sprintf("the %d sent before are counted twice, such as by front end and backend", n)
	case daily.CauseTwice:
		return "everything is counted twice, such as by front end and backend"
	case daily.CauseAssumed:
		return fmt.Sprintf("the %d that were assumed to be sent are not there", n)
	case daily.CauseNowGone:
		return fmt.Sprintf("none of the %d accepted now is there", n)
	}
	return c.What
}

func shiftWords(got countsComparison) string {
	const equal = "All days are equal when "
	switch s := got.Shift; {
	case s.UTC:
		return equal + "they are days of UTC. The same with them: --zone UTC"
	case s.Hours > 0:
		return fmt.Sprintf("%sthey begin %s after midnight in %s. Name the platform's zone with --zone.", equal, counted(s.Hours, "hour"), got.Zone)
	default:
		return fmt.Sprintf("%sthey begin %s before midnight in %s. Name the platform's zone with --zone.", equal, counted(-s.Hours, "hour"), got.Zone)
	}
}
