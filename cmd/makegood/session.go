package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/sinks"
)

// runFlags are what run, plan and apply can be told.
type runFlags struct {
	from, to       string
	targets        []string
	json           bool
	html           string
	reports        []string
	acceptEvidence []string
	note           string
	expectHead     string
	newHost        bool
	clockIsRight   bool
	changesRight   bool
	skipMoved      bool
	key            string // a key file that signs the plan
	canonical      bool
	strict         bool
	orders, except string
	marked         string
	command        string    // that may mark
	one            *oneOrder // of send
	// paces and places are those of destinations that several runs of this process
	// send to, by name.
	paces     map[string]*sinks.Pace
	places    map[string]reconcile.Places
	schedule  string                // the entry whose work is done
	scheduled *config.ScheduleEntry // found by its name
	slot      time.Time             // of the entry; the one that is due where it is zero
	insteadOf reconcile.RunID       // which ended for it, and did not do its work
	brief     bool                  // the report's first line alone, as a line of the log
}

// sendTogether gives the runs of this process that send at once or one after the
// other one pace of each destination, so that none begins with a fresh second's
// worth, and the same places at it.
func (f *runFlags) sendTogether(cfg *config.Config) {
	f.paces, f.places = map[string]*sinks.Pace{}, map[string]reconcile.Places{}
	for name, t := range cfg.Targets {
		f.paces[name], f.places[name] = sinks.PaceOf(t), make(reconcile.Places, max(1, t.Concurrency))
	}
}

func (f *runFlags) output(c *cobra.Command) {
	c.Flags().BoolVar(&f.json, "json", false, "write the report as JSON to standard output")
	c.Flags().StringVar(&f.html, "html", "", "write the report as a web page to `FILE`")
	c.Flags().StringArrayVar(&f.reports, "report", nil, "write the report to `FILE`, in the form of its ending: .html, .json, .csv, .md, .xml (JUnit), .xlsx, .txt (may be repeated)")
}

func (f *runFlags) period(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, such as 2026-11-01, in the configured zone")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().StringVar(&f.orders, "orders", "", "only these orders, wherever they lie in time: a `FILE` with a number on each line, a CSV or XLSX table, or - for standard input")
	c.Flags().StringVar(&f.except, "except", "", "all but the orders in this `FILE`")
	c.Flags().BoolVar(&f.strict, "strict", false, "exit with 2 for what earlier runs have told of, too")
	c.Flags().BoolVar(&f.changesRight, "changes-are-right", false, "send changes again although more than half of the orders have changed after they were sent")
	f.evidence(c)
}

func (f *runFlags) evidence(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.acceptEvidence, "accept-evidence", nil, "go on although this evidence looks stale (may be repeated)")
	c.Flags().StringVar(&f.note, "note", "", "why; required with --accept-evidence")
}

func (f *runFlags) ledger(c *cobra.Command) {
	c.Flags().StringVar(&f.expectHead, "expect-head", "", "the ledger must be at this `HEAD`, copied from the last report")
	c.Flags().BoolVar(&f.clockIsRight, "clock-is-right", false, "go on although the ledger was written later than it is now, or its database has another time: this clock is right, that one was wrong")
	c.Flags().BoolVar(&f.newHost, "new-host", false, "this machine takes the ledger over from another one")
}

func (f *runFlags) accepted() map[string]string {
	accepted := map[string]string{}
	for _, name := range f.acceptEvidence {
		accepted[name] = f.note
	}
	return accepted
}

// request reads the period in the configured zone.
func (f *runFlags) request(command string, cfg *config.Config) (reconcile.Request, error) {
	req := reconcile.Request{Command: command, SkipMoved: f.skipMoved, Slot: f.slot, InsteadOf: f.insteadOf}
	if len(f.acceptEvidence) > 0 && f.note == "" {
		return req, &usageError{command: "makegood " + command, err: errors.New("--accept-evidence needs a --note that says why")}
	}
	for _, name := range f.acceptEvidence {
		if cfg.Evidence[name] == nil {
			return req, &usageError{command: "makegood " + command, err: fmt.Errorf("there is no evidence %q", name)}
		}
	}
	for _, end := range []struct {
		flag, text string
		at         *time.Time
	}{{"--from", f.from, &req.From}, {"--to", f.to, &req.To}} {
		if end.text == "" {
			continue
		}
		var d config.Date
		if err := d.UnmarshalText([]byte(end.text)); err != nil {
			return req, &usageError{command: "makegood " + command, err: fmt.Errorf("%s %s: %w", end.flag, end.text, err)}
		}
		*end.at = d.In(cfg.Zone.Location)
	}
	if err := f.check(req, cfg); err != nil {
		return req, &usageError{command: "makegood " + command, err: err}
	}
	return req, nil
}

// check says what nobody can have meant.
func (f *runFlags) check(req reconcile.Request, cfg *config.Config) error {
	if err := f.checkForms(); err != nil {
		return err
	}
	for _, name := range f.targets {
		if cfg.Targets[name] == nil {
			return fmt.Errorf("there is no destination %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(cfg.Targets)), ", "))
		}
	}
	if f.from != "" && f.to != "" && !req.From.Before(req.To) {
		return fmt.Errorf("--from %s must be earlier than --to %s, which is itself not in the period", f.from, f.to)
	}
	return nil
}

// session is one run, plan or apply from its command line to its report.
type session struct {
	*app
	*wiring
	flags *runFlags
	req   reconcile.Request
	stop  func() // the progress bars
	led   *ledger.Store
	tells *teller
}

// begin reads the configuration and wires everything but the ledger. The
// caller ends the session. A command line that cannot be understood is its
// typist's concern alone, and told to nobody else.
func (a *app) begin(ctx context.Context, f *runFlags, command string) (*session, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	if err := f.entry(cfg, a.clock()); err != nil {
		return nil, err
	}
	unread := a.unmade(ctx, cfg, f)
	if taken := (*reconcile.SlotTaken)(nil); errors.As(unread, &taken) {
		return nil, unread
	}
	req, err := f.request(command, cfg)
	if err == nil {
		err = a.readLists(ctx, cfg, f, &req)
	}
	if err != nil {
		return nil, err
	}
	tells, err := a.newTeller(cfg, f, command)
	if err != nil {
		return nil, err
	}
	if unread != nil {
		tells.end(nil, unread)
		return nil, unread
	}
	w, err := a.wired(ctx, cfg, f, command)
	if err != nil {
		tells.end(nil, err)
		return nil, err
	}
	s := &session{app: a, wiring: w, flags: f, req: req, tells: tells}
	w.Progress, s.stop = a.progress()
	s.Progress = tells.watching(s.Progress)
	return s, nil
}

// wired wires what the command line asks for, where there is room for what it
// writes: that is said before a ledger is begun or anything is sent.
func (a *app) wired(ctx context.Context, cfg *config.Config, f *runFlags, command string) (*wiring, error) {
	if err := errors.Join(f.checkFiles(), f.checkMarked(cfg)); err != nil {
		return nil, &usageError{command: "makegood " + command, err: err}
	}
	return a.wire(ctx, cfg, f)
}

// reading is a session of a command that only reads the ledger: it must be the
// one that this state_dir knows.
func (a *app) reading(ctx context.Context, f *runFlags, command string, do func(*session, *ledger.Reader) error) (err error) {
	s, err := a.begin(ctx, f, command)
	if err != nil {
		return err
	}
	defer s.end(&err)
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(s, led), led.Close())
}

// openLedger opens the ledger for sending, and says so when it begins one.
func (s *session) openLedger(ctx context.Context) (err error) {
	if s.led, err = s.wiring.openLedger(ctx, s.flags); err != nil {
		return err
	}
	if s.led.Created() {
		s.mention("this run begins a new ledger, " + s.cfg.LedgerName())
	}
	return nil
}

// tell takes the bars away and reports.
func (s *session) tell(res reconcile.Result, err error) error {
	s.stop()
	res.NewLedger = s.led != nil && s.led.Created()
	return s.report(s.wiring, s.flags, res, err)
}

// errBroke is told of a panic, whose own text goes to whoever started the
// command alone: it could name a person.
var errBroke = errors.New("makegood broke off by a fault of its own: what it printed last says where; report that, and start the same command again")

// end closes everything and tells how it ended; what goes wrong then is added to
// the error. A panic goes on when it was told.
func (s *session) end(err *error) {
	broke := recover()
	if broke != nil {
		*err = errors.Join(*err, errBroke)
	}
	s.stop()
	*err = errors.Join(*err, s.Close())
	s.tells.end(s.led, *err)
	if s.led != nil {
		if failed := s.led.Close(); failed != nil { // it had to keep what was told, and has more to tell now
			*err = errors.Join(*err, failed)
			s.tells.end(nil, *err)
		}
	}
	if broke != nil {
		panic(broke)
	}
}
