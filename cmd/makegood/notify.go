package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/reports/notice"
)

func (a *app) notifyCommand() *cobra.Command {
	var test, asJSON bool
	c := &cobra.Command{
		Use:   "notify",
		Short: "List who is told of runs and what they know; --test tells them something",
		Long: `Lists whom the section notify of the configuration names, and what each was last
told. Health checks hear of every run, or of those to their targets. The others
are told when something has changed since they were last told of such runs: all
is well, a person is needed, the run failed, a problem is new, what is left begins
to become too old, or more orders were missing than missing_over; never the same
every night. Who could not be reached is told with the next run. A notice that is
not delivered never fails a run.

A webhook without a template gets JSON: version, why, state, was, subject, text,
news, link, environment, run, command, exit and finished. A template is carried
out over the same message, with .Report for all there is to know.

With --test each of them is sent a test now, and what came back is said. A health
check gets a line that changes nothing there (URL/log); with failure: fail, which
knows no such lines, a ping. Exit 3 says that somebody could not be told.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood notify\n  makegood notify --test\n  makegood notify --test --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.notify(c.Context(), test, asJSON) },
	}
	c.Flags().BoolVar(&test, "test", false, "send each of them a test now")
	c.Flags().BoolVar(&asJSON, "json", false, "write the list as JSON")
	return c
}

// listener is one place that is told, as the list shows it: once for each kind of
// run that it knows of. Keys are stable.
type listener struct {
	Name     string       `json:"name"`
	Type     string       `json:"type"`
	Of       string       `json:"of,omitempty"`       // the runs that are compared with each other
	Told     time.Time    `json:"told,omitzero"`      // when it was last told, or there was nothing to say
	State    notice.State `json:"state,omitempty"`    // what it knows since then
	Problems int          `json:"problems,omitempty"` // that it knows of
	Tested   bool         `json:"tested,omitempty"`   // it was sent a test, and took it unless there is an error
	Error    string       `json:"error,omitempty"`    // why it could not be told
	Failed   time.Time    `json:"failed_at,omitzero"` // since when it could not be told of what has changed

	to []string // the destinations whose runs a health check waits for
}

func (a *app) notify(ctx context.Context, test, asJSON bool) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if cfg.Notify == nil {
		return &configError{errors.New("there is no section notify; it names who is told: notify: {to: {desk: {type: slack, url: file:/run/secrets/slack}}}")}
	}
	everybody, err := a.openAudience(cfg)
	if err != nil {
		return err
	}
	list, err := a.listeners(ctx, cfg)
	if err != nil {
		return err
	}
	if test {
		list = slices.CompactFunc(list, func(a, b *listener) bool { return a.Name == b.Name })
		everybody.test(ctx, list)
		if slices.ContainsFunc(list, func(l *listener) bool { return l.Tested && l.Error != "" }) {
			a.code = exitFailed
		}
	}
	if asJSON {
		enc := json.NewEncoder(a.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"notices": list})
	}
	for _, l := range list {
		fmt.Fprintf(a.io.out, "%-16s %-13s %s\n", l.Name, l.Type, l.words(cfg.Zone.Location))
	}
	return nil
}

// words say what came back, or what it knows.
func (l *listener) words(zone *time.Location) string {
	at := func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04") }
	switch {
	case l.Tested && l.Error != "":
		return "NOT delivered: " + l.Error
	case l.Tested:
		return "delivered: it took the test"
	case !l.Failed.IsZero():
		return "not told since " + at(l.Failed) + " (" + l.Of + "), tried again with the next one: " + l.Error
	case l.Type == "health_check":
		if len(l.to) > 0 {
			return "hears of every run to " + strings.Join(l.to, ", ")
		}
		return "hears of every run"
	case l.Told.IsZero():
		return "was never told anything"
	}
	stands := map[notice.State]string{notice.Well: "all is well", notice.Person: "a person is needed", notice.Failed: "a run failed"}[l.State]
	return "knows since " + at(l.Told) + ": " + stands + " (" + l.Of + ")"
}

// listeners lists whom the configuration names, with what they know.
func (a *app) listeners(ctx context.Context, cfg *config.Config) ([]*listener, error) {
	led, err := ledger.OpenReader(ctx, cfg.Ledger, ledger.Options{Clock: a.clock})
	if err != nil {
		return nil, err
	}
	records, err := a.told(ctx, cfg, led)
	if err != nil {
		a.log.Warn("what was told before is not wholly known", "error", err)
	}
	if err := led.Close(); err != nil {
		return nil, err
	}
	lanes := notice.Known(records, a.clock())
	list := []*listener{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Notify.To)) {
		n := cfg.Notify.To[name]
		list = append(list, knowing(listener{Name: name, Type: n.Type, to: n.Targets}, lanes)...)
	}
	return list, nil
}

// lanesShown is of how many kinds of runs, the newest, the list says what a place
// knows.
const lanesShown = 5

// knowing lists what a place knows of each kind of run, the newest first.
func knowing(l listener, lanes notice.Lanes) (list []*listener) {
	for of, places := range lanes {
		s, is := places[l.Name]
		if !is {
			continue
		}
		one := l
		one.Of, one.State, one.Problems = of, cmp.Or(s.State, notice.Well), len(s.Problems)
		if one.Told = s.At; s.Failed != "" {
			one.Failed, one.Error = s.FailedAt, s.Failed
		}
		list = append(list, &one)
	}
	if list == nil {
		return []*listener{&l}
	}
	slices.SortFunc(list, func(a, b *listener) int { return cmp.Or(b.Told.Compare(a.Told), cmp.Compare(a.Of, b.Of)) })
	return list[:min(len(list), lanesShown)]
}

// test sends everybody a test and notes what came back.
func (t audience) test(ctx context.Context, list []*listener) {
	results := map[string]error{}
	var mu sync.Mutex
	var all sync.WaitGroup
	note := func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		results[name] = err
	}
	ctx, cancel := context.WithTimeout(ctx, notice.Within)
	defer cancel()
	for _, check := range t.checks {
		all.Go(func() { note(check.Name, check.Test(ctx)) })
	}
	all.Go(func() {
		for _, tried := range t.board.Test(ctx) {
			note(tried.Name, tried.Err)
		}
	})
	all.Wait()
	for _, l := range list {
		l.Tested, l.Error = true, ""
		if err := results[l.Name]; err != nil {
			l.Error = reports.Mask(err.Error())
		}
	}
}
