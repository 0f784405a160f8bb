package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// planner works out one plan. It reads the ledger and the sources, and writes
// nothing but the plan file.
type planner struct {
	*Runner
	led      Reader
	asOf     time.Time
	win      Window
	begins   map[pair]beginning
	backfill bool
	named    bool // a person named the period or the orders
	run      RunID

	evidence   map[string]*known
	unread     map[string]error // evidence that could not be read
	targets    []*targetPlan
	sources    map[string]*SourceResult
	steps      *sorter
	diary      *diary
	first      *firstSeen
	list       *list               // nil: all orders
	asked      map[OrderKey]bool   // the orders that alone are asked about; nil: a plan of all
	notUnique  map[string]bool     // sources whose order numbers are not what they should be
	damaged    []damagedOrder      // of the sources that are being read, the first ones
	undo       *reversals          // of the sources that are being read
	adopting   *adopter            // makes it read for evidence alone; nil for a plan
	samples    map[string]*sampler // by source; nil: none are taken
	rounds     []RunID             // Request.Rounds
	beside     bool                // Request.Beside
	candidates map[pair]candidates // of the steps that send, where a target is on trial
	trials     map[string]*allowance
	unsent     map[string]*account // by target: the steps of the plan, for a plan that is not carried out
}

// targetPlan is what planning gathers for one target.
type targetPlan struct {
	*Target
	feeds       map[string]*feed // by source
	orphans     map[EventID]Entry
	doubts      []Doubt
	doubtsFound int
	crowd       *crowd
	stopped     string
	err         error
	checkouts   map[Person][]checkout
	shops       []string // the numberings of its sources
	pruned      time.Time
	twins       *twins
	edits       map[OrderKey]edit
	products    Products             // nil: no catalog
	looked      map[string]time.Time // by source: up to when it was looked at in shadow or on trial
	decides     bool                 // the ledger has decisions about its events
	before      map[EventID]Decision // of the batch that is decided: what earlier runs said
	backlog     Window               // what shadow and trial left
	strangers   strangers
}

// feed is what one source gives one target. It is kept apart so that a source
// that fails halfway leaves nothing behind in the balance.
type feed struct {
	balance      Balance
	sends        map[EventID]seen    // to compose: what the ledger has of it
	ended        map[EventID]bool    // beside these sends: held back, so that nothing waits for it
	links        map[EventID]Entry   // beside these sends: what their carts have in the ledger
	carts        map[uint64]bool     // by personMark: those with a cart event among the sends
	orders       map[OrderKey]*Place // of these sends: the worst place beside them, nil where there is none
	corrects     map[EventID]EventID // by what is corrected: the correction among the sends
	lines        map[OrderKey]uint64 // by personMark: checkouts whose lines alone count, for other carts of the person
	recalls      time.Time           // checkouts that are too old to go, and were completed before it, are not among lines
	waiting      Balance             // sends, until each is decided
	rounds       []RunID             // Request.Rounds
	eligible     int
	newest       time.Time
	earliestSend time.Time
	earliestLeft time.Time
	held         []int64
	met          map[string]meetings // by channel
	corrections  []Correction
	changed      int
	resent       int     // of the changed: corrections among the sends
	before       int     // purchases that were sent before
	offers       *sorter // by goods, orders that go or went, for credit notes to undo; nil: none
	undone       Reversals
	expiring     Expiring
	tooEarly     TooEarly
	falling      int // of the backlog
	frontEnd     missedBy
}

// seen is what a decision to send rests on. There is one for each event that is to
// be sent, so that it holds little.
type seen struct {
	version int64 // of the entry
	at      int64 // when its order was completed, Unix seconds
	past    *past // nil: there is none
}

// past is what the platform may know of an event already.
type past struct {
	doubt   Reason    // why it may have been accepted; "": it cannot have been
	doubted time.Time // when the ledger last wrote of it, of a doubt
	shown   string    // of a correction, the number under which the platform knows the order
}

// before is the event's past, the zero one where it has none.
func (s seen) before() past {
	if s.past == nil {
		return past{}
	}
	return *s.past
}

// planAhead is how long a plan may be carried out after it was made.
const planAhead = 24 * time.Hour

// maxOrphans bounds how many unfinished entries a plan looks for.
const maxOrphans = 10_000

// makePlan reads everything, decides, and writes the plan file.
func (r *Runner) makePlan(ctx context.Context, led Reader, req Request, run RunID) (*Plan, *planner, error) {
	p := &planner{Runner: r, led: led, run: run}
	plan, err := p.plan(ctx, req)
	return plan, p, err
}

func (p *planner) plan(ctx context.Context, req Request) (*Plan, error) {
	p.asOf = p.Clock().UTC().Truncate(time.Second)
	p.backfill = !req.From.IsZero() || req.Orders != nil || len(req.Except) > 0 // what is left out now must not count as covered
	p.named = !req.From.IsZero() || req.Orders != nil
	p.sources, p.notUnique = map[string]*SourceResult{}, map[string]bool{}
	p.steps, p.unsent = newSorter(p.StateDir), map[string]*account{}
	p.rounds, p.beside = req.Rounds, req.Beside
	if req.Samples {
		p.samples = map[string]*sampler{}
	}
	p.list = newList(req)
	p.first = newFirstSeen(p.led, p.asOf)
	p.candidates, p.trials = map[pair]candidates{}, map[string]*allowance{}
	var err error
	if p.win, p.begins, err = p.window(ctx, p.led, req, p.asOf); err != nil {
		return nil, err
	}
	defer func() { _ = errors.Join(p.steps.close(), p.dropOffers()) }()
	dir := p.PlanDir
	if dir == "" {
		dir = filepath.Join(p.StateDir, "plans")
	}
	return p.make(ctx, dir)
}

// make gathers everything and writes the plan into a folder, with its
// decisions beside it.
func (p *planner) make(ctx context.Context, dir string) (plan *Plan, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for plans: %w", err)
	}
	if p.diary, err = newDiary(dir); err != nil {
		return nil, err
	}
	if err = p.gather(ctx); err == nil {
		plan, err = p.write(dir)
	}
	if err == nil {
		err = p.diary.finish(DiaryOf(plan.Path))
	}
	if err != nil {
		p.diary.abandon()
		return nil, err
	}
	return plan, nil
}

func (p *planner) gather(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	p.evidence, p.unread = p.readEvidence(ctx, p.win)
	for _, group := range p.groups() {
		if err := p.readGroup(ctx, group); err != nil {
			return err
		}
	}
	if err := p.holdNotUnique(ctx); err != nil {
		return err
	}
	if err := errors.Join(p.checkEvidence(ctx), p.readCatalogs(ctx)); err != nil {
		return err
	}
	for _, t := range p.targets {
		for _, f := range t.feeds {
			f.waiting = Balance{} // from here on each is decided by itself
		}
	}
	for _, s := range p.Sources {
		if err := p.composeSource(ctx, s); err != nil {
			return err
		}
	}
	return cmp.Or(p.composeCarts(ctx), p.first.finish(ctx))
}

// prepare reads what the ledger says of every target before a source is
// opened: the claims of dead runs, and what is unfinished.
func (p *planner) prepare(ctx context.Context) error {
	if err := p.checkShops(ctx, p.led); err != nil {
		return err
	}
	for _, t := range p.Targets {
		tp := &targetPlan{Target: t, feeds: map[string]*feed{}, orphans: map[EventID]Entry{}, checkouts: map[Person][]checkout{}, crowd: newCrowd(p.Zone, t.PerPerson),
			edits: map[OrderKey]edit{}}
		tp.twins = newTwins(len(t.From) > 1 && !t.SendTwins)
		tp.shops = p.shopsOf(tp)
		for _, source := range t.From {
			tp.feeds[source] = &feed{rounds: p.rounds, met: map[string]meetings{}, sends: map[EventID]seen{}, corrects: map[EventID]EventID{}, ended: map[EventID]bool{}, links: map[EventID]Entry{}, orders: map[OrderKey]*Place{}, lines: map[OrderKey]uint64{}, carts: map[uint64]bool{}, recalls: p.asOf.Add(-recallTooOld),
				balance: Balance{Times: NewTimeline(p.Zone)}, waiting: Balance{Times: NewTimeline(p.Zone)}}
		}
		p.targets = append(p.targets, tp)
		var err error
		if tp.decides, err = p.led.HasDecided(ctx, t.Name()); err != nil {
			return fmt.Errorf("see whether anything was decided for %s: %w", t.Name(), err)
		}
		if tp.looked, err = p.led.Covered(ctx, t.Name(), modeLooked); err != nil {
			return fmt.Errorf("read up to when %s was looked at: %w", t.Name(), err)
		}
		if tp.pruned, err = p.led.Pruned(ctx, t.Name()); err != nil {
			return fmt.Errorf("read what was forgotten of %s: %w", t.Name(), err)
		}
		lost, n, err := p.led.Lost(ctx, t.Name(), MaxExamples)
		if err != nil {
			return fmt.Errorf("read what earlier runs left at %s: %w", t.Name(), err)
		}
		tp.doubtsFound = n
		for _, e := range lost {
			tp.doubts = append(tp.doubts, Doubt{ID: e.ID, Run: e.Run, At: e.At, Value: e.Value,
				Resends: t.Traits()[e.ID.Kind()].MergesRepeats})
		}
		unfinished, err := p.led.Unfinished(ctx, t.Name(), p.win, maxOrphans)
		if err != nil {
			return fmt.Errorf("read what is unfinished at %s: %w", t.Name(), err)
		}
		for _, e := range unfinished {
			if !p.Scope.partial() {
				tp.orphans[e.ID] = e
			}
		}
	}
	return nil
}

// used lists the targets that read a source.
func (p *planner) used(source string) []*targetPlan {
	return slices.DeleteFunc(slices.Clone(p.targets), func(t *targetPlan) bool { return !t.Reads(source) })
}

// fail drops everything that a source gave: nothing of it is counted or sent.
// Cancellation is no failure of the source.
func (p *planner) fail(ctx context.Context, source string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	res := p.sources[source]
	res.Err, res.Quiet, res.SilentStores, res.Days, res.Survey = err, nil, nil, nil, nil
	res.Tally = Tally{Problems: res.Tally.Problems, Notes: res.Tally.Notes, Newest: res.Tally.Newest}
	for _, t := range p.used(source) {
		delete(t.feeds, source)
		for person, list := range t.checkouts {
			t.checkouts[person] = slices.DeleteFunc(list, func(c checkout) bool { return c.order.Source == source })
		}
	}
	return nil
}

// stop turns everything that the target would send into what is left.
func (p *planner) stop(ctx context.Context, t *targetPlan, reason Reason, why string) error {
	if t.stopped != "" {
		return nil
	}
	t.stopped = why
	t.err = &EvidenceStale{Target: t.Name(), Text: why}
	for _, source := range slices.Sorted(maps.Keys(t.feeds)) {
		t.feeds[source].leave(t.feeds[source].earliestSend)
		if err := p.putAll(ctx, t, source, Place{BucketLeft, reason}); err != nil {
			return err
		}
	}
	return nil
}

// put ends everything that the feed would have sent in one place.
func (f *feed) put(p Place) {
	_ = f.balance.place(p).Add(f.waiting.Of(BucketLeft)) // it was added up before
	_ = f.balance.Times.merge(f.waiting.Times, p.Bucket)
	for _, beside := range f.orders {
		f.balance.CountOrder(Worse(orNone(beside), p))
	}
	f.waiting, f.sends, f.orders, f.lines, f.carts = Balance{}, nil, nil, nil, nil
}

// holdNotUnique holds back whole every source in which an order number that
// should be unique showed two orders (RULES R3): any other number of it may
// stand for two orders as well.
func (p *planner) holdNotUnique(ctx context.Context) error {
	for source := range p.notUnique {
		for _, t := range p.used(source) {
			f := t.feeds[source]
			if f == nil {
				continue
			}
			if err := p.putAll(ctx, t, source, Place{BucketHeldBack, ReasonNotUnique}); err != nil {
				return err
			}
		}
	}
	return nil
}

// putAll ends everything that a source would have sent to a target in one
// place.
func (p *planner) putAll(ctx context.Context, t *targetPlan, source string, place Place) error {
	f := t.feeds[source]
	for _, id := range slices.Sorted(maps.Keys(f.sends)) {
		at := time.Unix(f.sends[id].at, 0).UTC()
		if err := p.note(Decision{Target: t.Name(), Source: source, ID: id, Place: place, CompletedAt: at}); err != nil {
			return err
		}
		if err := p.first.catchUp(ctx); err != nil {
			return err
		}
	}
	f.put(place)
	return nil
}

func (f *feed) leave(at time.Time) {
	if !at.IsZero() && (f.earliestLeft.IsZero() || at.Before(f.earliestLeft)) {
		f.earliestLeft = at
	}
}
