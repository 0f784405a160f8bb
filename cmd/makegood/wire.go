package main

import (
	"cmp"
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
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sinks"
	"makegood/sources"
	"makegood/sources/table"
)

// wiring is a runner with what must be closed after it.
type wiring struct {
	*reconcile.Runner
	cfg   *config.Config
	head  string // where head.json is
	close []func() error
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
	suppress, err := reconcile.NewSuppression(suppressed(cfg.StateDir, cfg.Suppress), a.clock)
	if err != nil {
		return nil, fmt.Errorf("%w: nothing is sent without it; put it back, or correct the key suppress", err)
	}
	w := &wiring{cfg: cfg, head: filepath.Join(cfg.StateDir, "head.json")}
	w.Runner = &reconcile.Runner{
		Evidence: map[string]reconcile.Evidence{}, Accepted: f.accepted(), Carts: map[string]reconcile.CartFeed{},
		Suppress: suppress, Shops: shops(cfg), StateDir: cfg.StateDir, Key: key, Zone: cfg.Zone.Location,
		Lookback: int(cfg.Lookback), ReachBack: int(cfg.ReachBack), Clock: a.clock, ClockIsRight: f.clockIsRight, ChangesAreRight: f.changesRight, NewRun: newRun, Log: a.log,
		SaveHead:  func(h reconcile.LedgerHead) error { return ledger.WriteHead(w.head, h) },
		Summarize: w.summarize,
	}
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

func newRun() reconcile.RunID {
	return reconcile.RunID(uuid.Must(uuid.NewV7()).String()) // fails only without random numbers
}

func (w *wiring) summarize(r reconcile.Result) ([]byte, int) {
	code := resultCode(r)
	report := reports.Build(r, reports.Options{Zone: w.Zone})
	report.Exit = &code
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

// addTargets opens the destinations that are wanted, all that are not off when
// none is named.
func (w *wiring) addTargets(names []string) error {
	for _, name := range names {
		if w.cfg.Targets[name] == nil {
			return &usageError{command: "makegood", err: fmt.Errorf("there is no destination %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(w.cfg.Targets)), ", "))}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.cfg.Targets)) {
		t := w.cfg.Targets[name]
		if t.Mode == config.ModeOff || len(names) > 0 && !slices.Contains(names, name) {
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
	last := &lastLook{}
	options := sinks.Options{Fit: last.fit, Clock: w.Clock}
	var err error
	if t.OrderID != "" {
		if options.OrderID, err = table.OrderNumber(t.OrderID); err != nil {
			return nil, err
		}
	}
	if options.VAT, err = vatOf(w.cfg, t); err != nil {
		return nil, err
	}
	sink, fuse, err := sinks.Open(t, options)
	if err != nil {
		return nil, err
	}
	w.close = append(w.close, func() error { fuse.Close(); return nil })
	target := &reconcile.Target{
		Sink: sink, Type: t.Type, Mode: t.Mode, From: t.From, Channels: t.Channels,
		MinAge: time.Duration(t.MinAge), Evidence: t.AlreadySent, CartFeeds: cartFeeds(t),
		ClockMargin: time.Duration(t.ClockMargin), PerPerson: int(t.PerPerson), Resend: t.Corrections == "resend", SendTwins: t.PossibleTwins == "send", Concurrency: t.Concurrency, Timeout: time.Duration(t.Timeout),
		Rate: t.Rate.PerSecond, FrontEndSettles: t.Type == "collect", Digest: w.digest(t), Stopped: fuse.Stopped, Arm: last.arm,
	}
	if t.When != "" {
		if target.When, err = table.OrderRule(t.When); err != nil {
			return nil, err
		}
	}
	if t.Since != nil {
		target.Since = t.Since.In(w.Zone)
	}
	return target, nil
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
		if rule := t.Cart[channel]; rule.KnownBy == "carts" && !slices.Contains(feeds, rule.Source) {
			feeds = append(feeds, rule.Source)
		}
	}
	return feeds
}

// digest is over what decides what is sent, and where to: not over secrets,
// rates, waits and the like.
func (w *wiring) digest(t *config.Target) string {
	decides := *t
	decides.APIKey, decides.Rate, decides.Concurrency, decides.Batch = "", config.Rate{}, 0, 0
	decides.Timeout, decides.ProbeAfter = 0, nil
	parts := []any{decides, sinceText(t), w.cfg.Environment, w.cfg.Zone.String()}
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
		source, err := sources.Opener{StateDir: w.StateDir, Progress: rows.count, Waiting: w.waiting}.Source(s)
		if err != nil {
			return &configError{fmt.Errorf("open source %s: %w", name, err)}
		}
		w.close = append(w.close, source.Close)
		w.Sources = append(w.Sources, reconcile.SourceSpec{Source: source, Shop: s.Shop, Reversals: reversalRule(s),
			EditWindow: time.Duration(s.EditWindow), EditedSuffix: s.EditedSuffix, Watch: rows.watch})
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
			w.Carts[name] = feed
		}
	}
	return nil
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

// openLedger opens the ledger for a run, and makes sure that it is the one
// that this state_dir knows, and of this environment.
func (w *wiring) openLedger(ctx context.Context, f *runFlags) (*ledger.Store, error) {
	led, err := w.openOnce(ctx, f)
	if errors.Is(err, ledger.ErrHeadMissing) { // another first run may just have made both
		led, err = w.openOnce(ctx, f)
	}
	return led, err
}

func (w *wiring) openOnce(ctx context.Context, f *runFlags) (*ledger.Store, error) {
	stored, err := w.storedHead(f)
	if err != nil {
		return nil, err
	}
	begun, err := ledger.Begun(ctx, w.cfg.Ledger)
	if err != nil {
		return nil, err
	}
	if !begun && stored != nil {
		return nil, ledger.CheckHead(stored, nil, false)
	}
	if err := mayWrite(w.cfg.Ledger); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only shown
	led, err := ledger.Open(ctx, w.cfg.Ledger, ledger.Options{Key: w.Key, Environment: w.cfg.Environment, Host: host, Clock: w.Clock})
	if err != nil {
		return nil, err
	}
	if err := w.checkLedger(ctx, led, stored, f); err != nil {
		return nil, errors.Join(err, led.Close())
	}
	return led, nil
}

// storedHead is the head that must be matched: the one a person gave, or the
// one in state_dir, or none.
func (w *wiring) storedHead(f *runFlags) (*reconcile.LedgerHead, error) {
	if f.newHost {
		return nil, nil
	}
	if f.expectHead != "" {
		var head reconcile.LedgerHead
		err := json.Unmarshal([]byte(f.expectHead), &head)
		if err == nil && head.Ledger == "" {
			err = errors.New("it names no ledger")
		}
		if err != nil {
			return nil, &usageError{command: "makegood run", err: fmt.Errorf("read --expect-head: %w; copy head from the last report", err)}
		}
		return &head, nil
	}
	head, exists, err := ledger.ReadHead(w.head)
	if err != nil || !exists {
		return nil, err
	}
	return &head, nil
}

func (w *wiring) checkLedger(ctx context.Context, led *ledger.Store, stored *reconcile.LedgerHead, f *runFlags) error {
	head := led.Head()
	if !f.newHost {
		err := ledger.CheckHead(stored, &head, led.KnowsRuns())
		if err == nil {
			err = led.CheckHistory(ctx, stored)
		}
		if err != nil {
			return err
		}
	}
	stamp := led.Environment()
	live := slices.ContainsFunc(w.Targets, func(t *reconcile.Target) bool { return t.Mode == reconcile.ModeLive })
	if live && stamp != w.cfg.Environment {
		return &configError{fmt.Errorf("this ledger belongs to environment %q, the configuration says %q; nothing is sent live",
			cmp.Or(stamp, "none"), w.cfg.Environment)}
	}
	if !led.KnowsRuns() { // before the first run is in it: from then on a head must be there
		return ledger.WriteHead(w.head, head)
	}
	return nil
}

// readLedger opens the ledger for planning: nothing is made or changed. It
// must be the one that this state_dir knows: a ledger that is gone would read
// as if nothing had ever been sent.
func (w *wiring) readLedger(ctx context.Context) (*ledger.Reader, error) {
	stored, err := w.storedHead(&runFlags{})
	if err != nil {
		return nil, err
	}
	if err := mayWrite(w.cfg.Ledger); err != nil {
		return nil, err
	}
	led, err := ledger.OpenReader(ctx, w.cfg.Ledger, ledger.Options{Key: w.Key, Clock: w.Clock})
	if err != nil {
		return nil, err
	}
	var found *reconcile.LedgerHead
	if !led.Absent() {
		head := led.Head()
		found = &head
	}
	err = ledger.CheckHead(stored, found, led.KnowsRuns())
	if err == nil {
		err = led.CheckHistory(ctx, stored)
	}
	if err != nil {
		return nil, errors.Join(err, led.Close())
	}
	return led, nil
}
