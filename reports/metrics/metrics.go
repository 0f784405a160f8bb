// Package metrics makes numbers of runs, for Prometheus: of the last runs of
// each command, and of each source and destination as the newest run that knows
// them has left them. They are gauges in base units. Their labels are names of
// the configuration, currencies and the words of the report's JSON: few, and
// none of them of a person.
package metrics

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"makegood/reconcile"
	"makegood/reports"
)

// Run is a run that ended.
type Run struct {
	Command  string
	Started  time.Time
	Finished time.Time
	Exit     int
	// Report reads what it left; it is called only as long as something is
	// missing. An error passes the run over.
	Report func() (reports.Report, error)
}

// Numbers are numbers that can be written or pushed.
type Numbers = prometheus.Gatherer

// Wanted names the sources and destinations that are looked for.
type Wanted struct{ Sources, Targets []string }

// Metric is one name that is exported.
type Metric struct {
	Name, Help string
	Labels     []string
}

// List lists everything that is exported, in its order.
func List() []Metric {
	return []Metric{
		{lastRun, "When the last run ended.", []string{"command"}},
		{lastSuccess, "When the last run ended that did its work (exit code 0, 1 or 2).", []string{"command"}},
		{lastExit, "Exit code of the last run: 0 done, 1 something left for the next run, 2 a person is needed, 3 and more it failed.", []string{"command"}},
		{lastDuration, "How long the last run took.", []string{"command"}},
		{problems, "Kinds of problems that a person is needed for (new), or was told of before (known).", []string{"command", "news"}},
		{sourceRows, "Rows that were read.", []string{"source"}},
		{sourceOrders, "Orders that were read, by what became of them: in_period, outside_period, left_out, bad or merged.", []string{"source", "outcome"}},
		{sourceNewest, "When the newest order was completed that was read.", []string{"source"}},
		{sourceSilent, "Stores of which no order was read for long.", []string{"source"}},
		{sourceFailed, "1 when the source could not be read.", []string{"source"}},
		{events, "Messages of this period, by where they are: sent, already_sent, held_back, refused, in_doubt or left.", []string{"target", "bucket"}},
		{orders, "Orders of this period, by where their messages are.", []string{"target", "bucket"}},
		{money, "Money of this period, by where its messages are.", []string{"target", "bucket", "currency"}},
		{missingOrders, "Orders that the destination lacked when the run began.", []string{"target"}},
		{missingMoney, "Money that the destination lacked when the run began.", []string{"target", "currency"}},
		{oldestUnsent, "When the oldest order was completed that is still to send; none when there is none.", []string{"target"}},
		{expiring, "Messages that become too old for the destination within a day.", []string{"target"}},
		{expiringFirst, "When the first of them does; none when there is none.", []string{"target"}},
		{targetStopped, "1 when the destination was stopped, or could not be worked on.", []string{"target"}},
	}
}

// The names.
const (
	lastRun       = "makegood_last_run_timestamp_seconds"
	lastSuccess   = "makegood_last_success_timestamp_seconds"
	lastExit      = "makegood_last_run_exit_code"
	lastDuration  = "makegood_last_run_duration_seconds"
	problems      = "makegood_problems"
	sourceRows    = "makegood_source_rows"
	sourceOrders  = "makegood_source_orders"
	sourceNewest  = "makegood_source_newest_order_timestamp_seconds"
	sourceSilent  = "makegood_source_silent_stores"
	sourceFailed  = "makegood_source_failed"
	events        = "makegood_events"
	orders        = "makegood_orders"
	money         = "makegood_money"
	missingOrders = "makegood_missing_orders"
	missingMoney  = "makegood_missing_money"
	oldestUnsent  = "makegood_oldest_unsent_timestamp_seconds"
	expiring      = "makegood_expiring_events"
	expiringFirst = "makegood_expiring_first_timestamp_seconds"
	targetStopped = "makegood_target_stopped"
)

// worked is the largest exit code of a run that did its work.
const worked = 2

// Of makes the numbers of runs, the newest first.
func Of(runs []Run, want Wanted) Numbers {
	n := &numbers{about: map[string]*prometheus.Desc{}}
	for _, m := range List() {
		n.about[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	seen := map[string]bool{}
	for _, r := range runs {
		n.run(r, seen)
		if n.lacks(want, seen) || !seen["problems of "+r.Command] {
			if report, err := r.Report(); err == nil {
				n.report(r.Command, report, seen)
			}
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(n) // it registers one thing, once
	return registry
}

// lacks reports whether something that is wanted was not met yet.
func (n *numbers) lacks(want Wanted, seen map[string]bool) bool {
	return slices.ContainsFunc(want.Sources, func(name string) bool { return !seen["source "+name] }) ||
		slices.ContainsFunc(want.Targets, func(name string) bool { return !seen["target "+name] })
}

// numbers are all numbers; what was seen once is newer than what comes.
type numbers struct {
	about map[string]*prometheus.Desc
	all   []prometheus.Metric
}

// Describe implements prometheus.Collector.
func (n *numbers) Describe(to chan<- *prometheus.Desc) {
	for _, about := range n.about {
		to <- about
	}
}

// Collect implements prometheus.Collector.
func (n *numbers) Collect(to chan<- prometheus.Metric) {
	for _, m := range n.all {
		to <- m
	}
}

func (n *numbers) add(name string, value float64, labels ...string) {
	n.all = append(n.all, prometheus.MustNewConstMetric(n.about[name], prometheus.GaugeValue, value, labels...))
}

// at adds a moment, unless there is none.
func (n *numbers) at(name string, t time.Time, labels ...string) {
	if !t.IsZero() {
		n.add(name, float64(t.UnixMilli())/1000, labels...)
	}
}

// once reports whether something is met for the first time.
func once(seen map[string]bool, what string) bool {
	was := seen[what]
	seen[what] = true
	return !was
}

func (n *numbers) run(r Run, seen map[string]bool) {
	if r.Exit <= worked && once(seen, "success of "+r.Command) {
		n.at(lastSuccess, r.Finished, r.Command)
	}
	if once(seen, "run of "+r.Command) {
		n.at(lastRun, r.Finished, r.Command)
		n.add(lastExit, float64(r.Exit), r.Command)
		n.add(lastDuration, r.Finished.Sub(r.Started).Seconds(), r.Command)
	}
}

func (n *numbers) report(command string, r reports.Report, seen map[string]bool) {
	if once(seen, "problems of "+command) {
		n.add(problems, float64(len(r.PersonNeeded)), command, "new")
		n.add(problems, float64(len(r.StillThere)), command, "known")
	}
	for _, s := range r.Sources {
		if once(seen, "source "+s.Source) {
			n.source(s)
		}
	}
	missing := r.Missing()
	for _, t := range r.Targets {
		if once(seen, "target "+t.Target) {
			n.target(t, missing[t.Target])
		}
	}
}

func (n *numbers) source(s reports.Source) {
	n.add(sourceRows, float64(s.Rows), s.Source)
	leftOut, silent := 0, 0
	for _, l := range s.LeftOut {
		leftOut += l.Orders
	}
	for _, store := range s.Stores {
		if store.Silent {
			silent++
		}
	}
	for outcome, count := range map[string]int{"in_period": s.Orders, "outside_period": s.OutsideWindow, "left_out": leftOut, "bad": s.Bad, "merged": s.Merged} {
		n.add(sourceOrders, float64(count), s.Source, outcome)
	}
	n.at(sourceNewest, s.Newest, s.Source)
	n.add(sourceSilent, float64(silent), s.Source)
	n.add(sourceFailed, oneIf(s.Error != ""), s.Source)
}

func (n *numbers) target(t reports.Target, missing reports.Count) {
	b := t.Balance
	for bucket, count := range map[reconcile.Bucket]reports.Count{
		reconcile.BucketSent: b.Sent, reconcile.BucketAlreadySent: b.AlreadySent, reconcile.BucketHeldBack: b.HeldBack,
		reconcile.BucketRefused: b.Refused, reconcile.BucketInDoubt: b.InDoubt, reconcile.BucketLeft: b.Left,
	} {
		n.add(events, float64(count.Events), t.Target, string(bucket))
		n.add(orders, float64(count.Orders), t.Target, string(bucket))
		for currency := range b.Eligible.Money {
			n.add(money, amount(count.Money[currency]), t.Target, string(bucket), currency)
		}
	}
	n.add(missingOrders, float64(missing.Orders), t.Target)
	for currency := range b.Eligible.Money {
		n.add(missingMoney, amount(missing.Money[currency]), t.Target, currency)
	}
	if b.Left.Events > 0 {
		n.at(oldestUnsent, coveredTo(t), t.Target)
	}
	expires := 0
	if t.Expiring != nil {
		expires = t.Expiring.Events
		n.at(expiringFirst, t.Expiring.First, t.Target)
	}
	n.add(expiring, float64(expires), t.Target)
	n.add(targetStopped, oneIf(t.Stopped != "" || t.Error != ""), t.Target)
}

// coveredTo is up to when nothing is left to do: when the oldest order was
// completed that is left.
func coveredTo(t reports.Target) time.Time {
	var first time.Time
	for _, at := range t.CoveredTo {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// amount is what Prometheus can hold of money. Nothing is reckoned with it: it
// goes into charts and alerts.
func amount(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return value
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Write writes numbers as text in the form of Prometheus.
func Write(w io.Writer, g Numbers) error {
	families, err := g.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write the metrics: %w", err)
		}
	}
	return nil
}
