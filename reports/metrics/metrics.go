// Package metrics makes numbers of runs, for Prometheus: of the last runs of
// each command to the same destinations, and of each source and destination as
// the newest ordinary run that knows them has left them. They are gauges in base
// units. Their labels are names of the configuration, currencies and the words of
// the report's JSON: few, and none of them of a person.
package metrics

import (
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

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
type Wanted struct {
	Sources, Targets []string
	// Next gives for the entries of the schedule the moment after one.
	Next map[string]func(time.Time) time.Time
	// Parts names for each destination the entries that do a part of its work, or
	// look back for a while of their own; Together says that these are all of it.
	Parts    map[string][]string
	Together map[string]bool
}

// Metric is one name that is exported.
type Metric struct {
	Name, Help string
	Labels     []string
}

// List lists everything that is exported, in its order.
func List() []Metric {
	return []Metric{
		{lastRun, "When the last run ended. The command is backfill where a person named the period.", []string{"command", "schedule", "targets"}},
		{lastSuccess, "When the last run ended that did its work: it came to its end, with exit code 0, 1 or 2.", []string{"command", "schedule", "targets"}},
		{lastExit, "Exit code of the last run: 0 done, 1 something left for the next run, 2 a person is needed, 3 and more it failed.", []string{"command", "schedule", "targets"}},
		{lastDuration, "How long the last run took.", []string{"command", "schedule", "targets"}},
		{problems, "Kinds of problems that a person is needed for (new), or was told of before (known).", []string{"command", "schedule", "targets", "news"}},
		{scheduleNext, "When the moment of an entry of the schedule comes that follows the last one that was worked on.", []string{"schedule"}},
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
	scheduleNext  = "makegood_schedule_next_timestamp_seconds"
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
