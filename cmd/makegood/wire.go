package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sinks"
	"makegood/sinks/httpapi"
	"makegood/sources"
	"makegood/sources/table"
)

// wiring is a runner with what must be closed after it.
type wiring struct {
	*reconcile.Runner
	cfg  *config.Config
	head string           // where head.json is
	past []reports.Report // ordinary runs before, the newest first
	// answers are what people said about repeats, by destination.
	answers map[string]reports.Answer
	// sentBefore are the destinations that have accepted something before.
	sentBefore map[string]bool
	// toldSettings are the digests of settings that the report of a recent run
	// spells out.
	toldSettings map[string]bool
	dial         httpapi.Dial
	close        []func() error
	marks        *reports.Marks // nil: no file is marked
	one          *oneOrder      // of send; nil: of every other command
	paces        map[string]*sinks.Pace
	run          *runFlags
}

// keepPlans is how long plans that were not carried out are kept.
const keepPlans = 7 * 24 * time.Hour

// wire builds everything that a run, a plan or an apply needs, but for the
// ledger. f says which destinations, and what a person accepts.
func (a *app) wire(ctx context.Context, cfg *config.Config, f *runFlags) (*wiring, error) {
	if missing := cfg.Missing(); len(missing) > 0 {
		return nil, notReady(missing)
	}
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state_dir: %w: correct the key state_dir, or who owns its folder", err)
	}
	if err := reconcile.CleanPlans(cfg.StateDir, a.clock(), keepPlans); err != nil {
		return nil, err
	}
	key, err := personKey(ctx, cfg)
	if err != nil {
		return nil, err
	}
	lists, err := suppressed(cfg.StateDir, cfg.Suppress)
	if err != nil {
		return nil, err
	}
	suppress, err := reconcile.NewSuppression(lists, a.clock)
	if err != nil {
		return nil, fmt.Errorf("%w: nothing is sent without it; put it back, or correct the key suppress", err)
	}
	w := &wiring{cfg: cfg, head: filepath.Join(cfg.StateDir, "head.json"), dial: a.dial, one: f.one, paces: f.paces, run: f}
	w.Runner = &reconcile.Runner{
		Evidence: map[string]reconcile.Evidence{}, Accepted: f.accepted(), Carts: map[string]reconcile.OpenCarts{},
		Suppress: suppress, Shops: shops(cfg), StateDir: cfg.StateDir, Key: key, Zone: cfg.Zone.Location,
		Scope: f.scope(), Lookback: int(cfg.Lookback), ReachBack: int(cfg.ReachBack), Clock: a.clock, ClockIsRight: f.clockIsRight, ChangesAreRight: f.changesRight, Part: a.upload != nil, PlanDir: a.upload.plans(), Strict: f.strict, NewRun: a.newRun, Log: a.log,
		SaveHead:  func(h reconcile.LedgerHead) error { return ledger.WriteHead(w.head, h) },
		Summarize: w.summarize,
	}
	if err := seals(w.Runner, cfg, f.key); err != nil {
		return nil, err
	}
	if a.upload != nil { // the page's own users approve
		w.Approvers = nil
	}
	w.watchMarks(f)
	if err := w.addTargets(f.targets); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, w.addReaders()
}

// personKey reads the key, or makes it where there is no ledger yet: beside
// a ledger a new one would only hide that the old one is gone.
func personKey(ctx context.Context, cfg *config.Config) ([]byte, error) {
	path := filepath.Join(cfg.StateDir, "person.key")
	_, gone := os.Stat(path)
	begun, err := ledger.Begun(ctx, cfg.Ledger)
	if err != nil {
		return nil, err
	}
	if begun && errors.Is(gone, os.ErrNotExist) {
		return nil, fmt.Errorf("read person key: %s is missing, and the ledger %s was made with it: put it back from a backup or from another host",
			path, cfg.LedgerName())
	}
	return ledger.PersonKey(path)
}

// newRun names a run, for the log, too.
func (a *app) newRun() reconcile.RunID {
	id := uuid.Must(uuid.NewV7()).String() // fails only without random numbers
	a.running.Store(&id)
	return reconcile.RunID(id)
}

func (w *wiring) summarize(r reconcile.Result) ([]byte, int) {
	code := resultCode(r)
	report := reports.Build(r, reports.Options{Zone: w.Zone, Past: w.past, Answers: w.answers, SentBefore: w.sentBefore, Upload: w.Part})
	report.Exit = &code
	report.Settings = reports.NewSettings(w.cfg.Settings)
	if w.toldSettings[report.Settings.Digest] {
		report.Settings.Values = nil
	}
	summary, err := json.Marshal(report)
	if err != nil {
		w.Log.Warn("the run report cannot be kept", "error", err)
	}
	return summary, code
}

// Close closes what the wiring opened. It is safe to call twice.
func (w *wiring) Close() error {
	var err error
	for _, c := range w.close {
		err = errors.Join(err, c())
	}
	w.close = nil
	return err
}

// addTargets opens the destinations that are wanted and not off, all when none
// is named.
func (w *wiring) addTargets(names []string) error {
	for _, name := range slices.Sorted(maps.Keys(w.cfg.Targets)) {
		t := w.cfg.Targets[name]
		if t.Mode == config.ModeOff || len(names) > 0 && !slices.Contains(names, name) || len(w.run.reads(t.From)) == 0 {
			continue
		}
		target, err := w.openTarget(t)
		if err != nil {
			return &configError{fmt.Errorf("open destination %s: %w", name, err)}
		}
		w.Targets = append(w.Targets, target)
	}
	if len(w.Targets) == 0 {
		return &configError{errors.New("no destination is configured that is not off")}
	}
	return nil
}

func (w *wiring) openTarget(t *config.Target) (*reconcile.Target, error) {
	if w.paces == nil {
		w.paces = map[string]*sinks.Pace{}
	}
	if w.paces[t.Name] == nil {
		w.paces[t.Name] = sinks.PaceOf(t)
	}
	last := &lastLook{}
	options := sinks.Options{Fit: last.fit, Clock: w.Clock, Zone: w.Zone, Dial: w.dial, Pace: w.paces[t.Name]}
	var err error
	if t.OrderID != "" {
		if options.OrderID, err = table.OrderNumber(t.OrderID); err != nil {
			return nil, err
		}
	}
	if options.VAT, err = vatOf(w.cfg, t); err != nil {
		return nil, err
	}
	limits, err := limitsOf(t)
	if err != nil {
		return nil, err
	}
	w.one.opening(&options)
	sink, fuse, err := sinks.Open(t, options)
	if err != nil {
		return nil, err
	}
	w.close = append(w.close, func() error { fuse.Close(); return nil })
	target := &reconcile.Target{
		Sink: sink, Type: t.Type, Mode: t.Mode, From: w.run.reads(t.From), Channels: t.Channels,
		MinAge: time.Duration(t.MinAge), Evidence: recordsOf(t), CartFeeds: cartFeeds(t),
		ClockMargin: time.Duration(t.ClockMargin), PerPerson: int(t.PerPerson), Resend: t.Corrections == "resend", SendTwins: t.PossibleTwins == "send", Concurrency: t.Concurrency, Places: w.run.places[t.Name], Timeout: time.Duration(t.Timeout),
		Rate: t.Rate.PerSecond * (1 - t.Reserve.Fraction()), FrontEndSettles: t.Type == "collect" || t.Type == "emanage" || t.Type == "rokt", Digest: w.digest(t), Stopped: fuse.Stopped, Arm: last.arm, Begin: fuse.Begin, Limits: limits, Catalog: w.catalogOf(t),
		NeedsApproval: t.Type == "emanage" && t.Mode == config.ModeLive,
	}
	if t.Type == "collect" {
		target.MailAfter = time.Duration(t.MailAfter)
	}
	if t.When != "" {
		if target.When, err = table.OrderRule(t.When); err != nil {
			return nil, err
		}
	}
	if t.Since != nil {
		target.Since = t.Since.In(w.Zone)
	}
	w.one.dress(target)
	return target, nil
}

// recordsOf lists the evidence that a destination goes by. What the live
// integration made are customers' carts: test carts have nothing to do with
// them, and its sessions are none for a test.
func recordsOf(t *config.Target) []string {
	if t.Type == "emanage" && t.Mode == config.ModeTrial && !t.TestSessions {
		return nil
	}
	return t.AlreadySent
}

// vatOf says for which sources a destination wants other prices: with or
// without VAT.
func vatOf(cfg *config.Config, t *config.Target) (map[string]sinks.Conversion, error) {
	list := map[string]sinks.Conversion{}
	for _, name := range t.From {
		if s := cfg.Sources[name]; t.Vat != "" && s.Vat != t.Vat {
			convert := sinks.Adding
			if t.Vat == "excluded" {
				convert = sinks.Taking
			}
			c, err := convert(t.VatRate)
			if err != nil {
				return nil, err
			}
			list[name] = c
		}
	}
	return list, nil
}

// shops lists the numberings that the configuration names.
func shops(cfg *config.Config) []string {
	var names []string
	for _, s := range cfg.Sources {
		names = append(names, s.Shop)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// lastLook hands the question of a lane to a sink that was made before it.
type lastLook struct {
	ask atomic.Pointer[func(reconcile.Event) reconcile.Reason]
}

func (l *lastLook) arm(ask func(reconcile.Event) reconcile.Reason) { l.ask.Store(&ask) }

func (l *lastLook) fit(e reconcile.Event) reconcile.Reason {
	if ask := l.ask.Load(); ask != nil {
		return (*ask)(e)
	}
	return ""
}

func cartFeeds(t *config.Target) []string {
	var feeds []string
	for _, channel := range slices.Sorted(maps.Keys(t.Cart)) {
		if rule := t.Cart[channel]; rule.Source != "" && !slices.Contains(feeds, rule.Source) {
			feeds = append(feeds, rule.Source)
		}
	}
	return feeds
}

// digest is over what decides what is sent, and where to: not over secrets,
// rates, waits and the like.
func (w *wiring) digest(t *config.Target) string {
	decides := *t
	decides.APIKey, decides.Rate, decides.Concurrency, decides.Batch, decides.BatchAnswer = "", config.Rate{}, 0, 0, ""
	decides.Timeout, decides.ProbeAfter, decides.Reserve, decides.MailAfter = 0, nil, 0, 0
	decides.Trial, decides.Budget, decides.PerRun = nil, nil, 0 // how much of a plan goes, not what
	parts := []any{decides, sinceText(t), w.cfg.Environment, w.cfg.Zone.String()}
	parts = append(parts, t.WebKey.Reveal()) // the campaign decides where it goes
	for _, name := range t.From {
		s := *w.cfg.Sources[name]
		zone := s.Zone.String()
		s.Zone, s.Path, s.DSN, s.Password, s.AfterRead, s.Timeout = nil, "", "", "", nil, 0
		parts = append(parts, s, zone)
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return "unreadable: " + err.Error() // never equal to a plan's
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func sinceText(t *config.Target) string {
	if t.Since == nil {
		return ""
	}
	return t.Since.String()
}

// addReaders opens the sources, evidence and carts that the destinations use.
func (w *wiring) addReaders() error {
	for _, name := range slices.Sorted(maps.Keys(w.cfg.Sources)) {
		if !slices.ContainsFunc(w.Targets, func(t *reconcile.Target) bool { return t.Reads(name) }) {
			continue
		}
		s := w.cfg.Sources[name]
		rows := &rowCounter{}
		source, err := sources.Opener{StateDir: w.StateDir, Now: w.Clock, Progress: rows.count, Waiting: w.waiting, Blame: w.blame()}.Source(s)
		if err != nil {
			return &configError{fmt.Errorf("open source %s: %w", name, err)}
		}
		w.close = append(w.close, source.Close)
		w.Sources = append(w.Sources, reconcile.SourceSpec{Source: w.one.source(source, w.Clock, w.Suppress), Shop: s.Shop, Reversals: reversalRule(s),
			EditWindow: time.Duration(s.EditWindow), EditedSuffix: s.EditedSuffix, Expect: expected(s), Watch: rows.watch})
	}
	for _, t := range w.Targets {
		for _, name := range t.Evidence {
			if err := w.addEvidence(name); err != nil {
				return &configError{fmt.Errorf("open evidence %s: %w", name, err)}
			}
		}
		for _, name := range t.CartFeeds {
			feed, err := sources.OpenCarts(w.cfg.Carts[name], w.StateDir)
			if err != nil {
				return &configError{fmt.Errorf("open carts %s: %w", name, err)}
			}
			w.Carts[name] = reconcile.OpenCarts{CartFeed: feed, FreshWithin: time.Duration(w.cfg.Carts[name].FreshWithin)}
		}
	}
	return nil
}

func expected(s *config.Source) reconcile.Expectation {
	e := reconcile.Expectation{Closed: s.ClosedOn}
	if s.Expect != nil {
		e.PerDay, e.NewestWithin = int(s.Expect.Orders), time.Duration(s.Expect.NewestWithin)
	}
	return e
}

func reversalRule(s *config.Source) reconcile.ReversalRule {
	rule := reconcile.ReversalRule{Named: s.Has("reverses"), Match: reconcile.ReversalMatch(s.MatchReversals)}
	if s.MatchReversals == "off" {
		rule.Match = reconcile.MatchOff
	}
	return rule
}

func (w *wiring) addEvidence(name string) error {
	e := w.cfg.Evidence[name]
	reader, err := sources.OpenEvidence(e, w.StateDir)
	if err != nil {
		return err
	}
	w.Evidence[name] = reconcile.Evidence{EvidenceReader: reader, Side: reconcile.Side(e.Side), Trust: reconcile.By(e.Trust),
		CoversFrom: e.CoversFrom.In(w.Zone), FreshWithin: time.Duration(e.FreshWithin), ExpectShare: e.ExpectShare.Fraction()}
	return nil
}
