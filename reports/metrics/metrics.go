// Package metrics makes numbers of runs, for Prometheus: of the last runs of
// each command to the same destinations, and of each source and destination as
// the newest ordinary run that knows them has left them. They are gauges in base
// units. Their labels are names of the configuration, currencies and the words of
// the report's JSON: few, and none of them of a person.
package metrics

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
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
	// Report is what it left; the zero Report where it cannot be read.
	Report reports.Report
}

// Numbers are numbers that can be written or pushed.
type Numbers = prometheus.Collector

// Wanted names the sources and destinations that there are; nil: whatever is met.
type Wanted struct{ Sources, Targets []string }

// Metric is one name that is exported.
type Metric struct {
	Name, Help string
	Labels     []string
}

// List lists everything that is exported, in its order.
func List() []Metric {
	return []Metric{
		{lastRun, "When the last run ended. The command is backfill where a person named the period.", []string{"command", "targets"}},
		{lastSuccess, "When the last run ended that did its work: it came to its end, with exit code 0, 1 or 2.", []string{"command", "targets"}},
		{lastExit, "Exit code of the last run: 0 done, 1 something left for the next run, 2 a person is needed, 3 and more it failed.", []string{"command", "targets"}},
		{lastDuration, "How long the last run took.", []string{"command", "targets"}},
		{problems, "Kinds of problems that a person is needed for (new), or was told of before (known).", []string{"command", "targets", "news"}},
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
		{targetSuccess, "When the last run to the destination ended that did its work.", []string{"target"}},
		{oldestUnsent, "When the oldest order was completed that is left, where the next run is to send some of it; none when it is not.", []string{"target"}},
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
	targetSuccess = "makegood_target_last_success_timestamp_seconds"
	oldestUnsent  = "makegood_oldest_unsent_timestamp_seconds"
	expiring      = "makegood_expiring_events"
	expiringFirst = "makegood_expiring_first_timestamp_seconds"
	targetStopped = "makegood_target_stopped"
)

// worked is the largest exit code of a run that did its work.
const worked = 2

// backfill is the command of runs whose period a person named. They say nothing
// of how things stand.
const backfill = "backfill"

// Of makes the numbers of runs.
func Of(runs []Run, want Wanted) Numbers {
	c := Collect(want)
	for _, r := range runs {
		c.Add(r)
	}
	return c.Numbers()
}

// Collection makes numbers of runs, one after another.
type Collection struct {
	want Wanted
	n    *numbers
	seen map[string]bool
}

// Collect begins a collection.
func Collect(want Wanted) *Collection {
	c := &Collection{want: want, n: &numbers{about: map[string]*prometheus.Desc{}}, seen: map[string]bool{}}
	for _, m := range List() {
		c.n.about[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return c
}

// Numbers are those of what was added.
func (c *Collection) Numbers() Numbers { return c.n }

// once reports whether something is met for the first time.
func (c *Collection) once(what string) bool {
	was := c.seen[what]
	c.seen[what] = true
	return !was
}

// Lacks reports whether something that is wanted was not met yet: a source, a
// destination, or a run to it that did its work.
func (c *Collection) Lacks() bool {
	return slices.ContainsFunc(c.want.Sources, func(name string) bool { return !c.seen["source "+name] }) ||
		slices.ContainsFunc(c.want.Targets, func(name string) bool { return !c.seen["target "+name] || !c.seen["success at "+name] })
}

// Add takes in a run, the newest first.
func (c *Collection) Add(r Run) {
	report, command := r.Report, r.Command
	if report.Backfill {
		command = backfill
	}
	targets := c.targetsOf(report)
	lane := command + " to " + targets
	if c.once("run of " + lane) {
		c.n.at(lastRun, r.Finished, command, targets)
		c.n.add(lastExit, float64(r.Exit), command, targets)
		c.n.add(lastDuration, r.Finished.Sub(r.Started).Seconds(), command, targets)
	}
	if report.Backfill {
		return
	}
	if r.Exit <= worked && report.Error == "" && report.Schema > 0 {
		if c.once("success of " + lane) {
			c.n.at(lastSuccess, r.Finished, command, targets)
		}
		for _, t := range report.Targets {
			if wanted(c.want.Targets, t.Target) && c.once("success at "+t.Target) {
				c.n.at(targetSuccess, r.Finished, t.Target)
			}
		}
	}
	if report.Schema > 0 && c.once("problems of "+lane) {
		c.n.add(problems, float64(len(report.PersonNeeded)), command, targets, "new")
		c.n.add(problems, float64(len(report.StillThere)), command, targets, "known")
	}
	c.parts(report)
}

// parts takes in the sources and destinations that no newer run knew.
func (c *Collection) parts(r reports.Report) {
	for _, s := range r.Sources {
		if wanted(c.want.Sources, s.Source) && c.once("source "+s.Source) {
			c.n.source(s)
		}
	}
	missing := r.Missing()
	for _, t := range r.Targets {
		if wanted(c.want.Targets, t.Target) && c.once("target "+t.Target) {
			c.n.target(t, missing[t.Target])
		}
	}
}

func wanted(names []string, name string) bool { return names == nil || slices.Contains(names, name) }

// targetsOf names a run's destinations in one label; a run that failed before it
// knew them is one to all of them.
func (c *Collection) targetsOf(r reports.Report) string {
	var names []string
	for _, t := range r.Targets {
		names = append(names, t.Target)
	}
	if len(names) == 0 {
		names = slices.Clone(c.want.Targets)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// numbers are all numbers.
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
	if pending(t) {
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

// waiting are reasons for being left that time or a person ends, and no run.
var waiting = []string{string(reconcile.ReasonShadow), string(reconcile.ReasonTrial), string(reconcile.ReasonShadowPeriod), string(reconcile.ReasonTooYoung), string(reconcile.ReasonPaymentPending), string(reconcile.ReasonNeedsApproval)}

// pending reports whether the next run is to send some of what is left.
func pending(t reports.Target) bool {
	return slices.ContainsFunc(t.Reasons, func(r reports.Reason) bool {
		return r.Bucket == reconcile.BucketLeft && r.Events > 0 && !slices.Contains(waiting, r.Reason)
	})
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

// Write writes numbers as text in the form of Prometheus, with the environment
// as a label of each where one is named.
func Write(w io.Writer, n Numbers, environment string) error {
	registry := prometheus.NewPedanticRegistry()
	if err := prometheus.WrapRegistererWith(environmentLabel(environment), registry).Register(n); err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	families, err := registry.Gather()
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

func environmentLabel(environment string) prometheus.Labels {
	if environment == "" {
		return nil
	}
	return prometheus.Labels{"environment": environment}
}
