package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/reconciletest"
)

// world is a shop, its platforms and a ledger, over some nights.
type world struct {
	dice    dice
	dir     string
	ledger  string
	since   time.Time
	ahead   atomic.Int64 // how far the clock is ahead of the bubble's
	targets []*target
	served  sync.WaitGroup // platforms' ends of connections
	open    book

	mu         sync.Mutex
	jumps      int
	head       *reconcile.LedgerHead // as the state_dir keeps it
	shop       shop
	sky        atomic.Pointer[weather] // of the night: requests of runs that were killed still look at it
	started    int
	erased     map[string]time.Time // by address, by the bubble's clock
	recorded   []reconcile.EvidenceRow
	sentBeside map[spot]bool
	histories  map[spot]*history
	done       map[spot]reconcile.Entry // as they were when they were first seen done

	trace  []string
	faults []string
}

// start of every world, by its own clock.
var start = time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)

// newWorld makes a world in a folder, with a ledger that nobody has written to.
func newWorld(seed uint64, dir string, empty []byte) (*world, error) {
	w := &world{dice: dice(seed), dir: dir, ledger: filepath.Join(dir, "makegood.db"), since: start.Add(-3 * day),
		erased: map[string]time.Time{}, sentBeside: map[spot]bool{}, histories: map[spot]*history{}, done: map[spot]reconcile.Entry{}}
	w.ahead.Store(int64(time.Until(start)))
	if err := os.WriteFile(filepath.Join(dir, "erased.csv"), []byte("nobody@example.com\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.ledger, empty, 0o600); err != nil {
		return nil, err
	}
	r := w.dice.of("world")
	kinds := pick(r, [][]string{{"squeezely"}, {"collect"}, {"squeezely", "collect"}})
	for _, kind := range kinds {
		w.targets = append(w.targets, newTarget(kind, r))
	}
	for range r.IntN(8) {
		w.newOrder(r, between(r, 0, 3*day))
	}
	return w, nil
}

// emptyLedger is a ledger file that nobody has written to: making one takes
// longer than a world.
func emptyLedger(dir string) ([]byte, error) {
	path := filepath.Join(dir, "empty.db")
	led, err := ledger.Open(context.Background(), path, ledger.Options{Key: personKey, Environment: "test"})
	if err != nil {
		return nil, err
	}
	if err := led.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// now is what every clock of the world shows.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())).Round(0) }

// jump sets the clock.
func (w *world) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead.Add(int64(d))
	w.jumps++
	w.tracef("the clock jumps by %s", d)
}

func (w *world) target(name string) *target {
	return w.targets[slices.IndexFunc(w.targets, func(t *target) bool { return t.platform.name == name })]
}

// tell and tracef keep what happened, for a world that went wrong. tracef's
// caller holds the lock.
func (w *world) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tracef(format, args...)
}

func (w *world) tracef(format string, args ...any) {
	w.trace = append(w.trace, w.now().Format("01-02 15:04:05.000000 ")+fmt.Sprintf(format, args...))
}

// violate notes what must never be. Its caller holds the lock.
func (w *world) violate(format string, args ...any) {
	w.tracef("WRONG: "+format, args...)
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// newOrder is completed some time ago; the live integration sends some of those
// that it knows, and records what it sent.
func (w *world) newOrder(r *rand.Rand, ago time.Duration) {
	o := w.shop.place(r, w.now().Add(-2*time.Minute-ago))
	w.tracef("order %s of %s, %s, %d %s: hold %q, counts %v, cursed %v", o.id, o.completed.Format(time.DateTime), o.channel, o.cents(), o.currency, o.hold(), o.counts(), o.cursed)
	for _, t := range w.targets {
		if !t.evidence || !o.counts() || o.email == "" || chance(r, 0.4) {
			continue
		}
		at := spot{t.platform.name, o.id, 1}
		w.sentBeside[at] = true
		t.platform.book[at] = append(t.platform.book[at], acceptance{by: integration})
		w.tracef("%s sends %s to %s", integration, o.id, t.platform.name)
		w.recorded = append(w.recorded, reconcile.EvidenceRow{
			Key: reconcile.OrderKey{Shop: "main", Order: o.id}, At: o.completed.Add(time.Minute)})
	}
}

// erase puts an address on the list of those who must not be sent.
func (w *world) erase(email string) {
	if _, already := w.erased[email]; already {
		return
	}
	w.erased[email] = time.Now()
	w.tracef("%s is erased", email)
	list := "nobody@example.com\n"
	for e := range w.erased {
		list += e + "\n"
	}
	if err := os.WriteFile(filepath.Join(w.dir, "erased.csv"), []byte(list), 0o600); err != nil {
		w.violate("write the list: %v", err)
	}
}

// purge takes records away that makegood has adopted.
func (w *world) purge() {
	w.recorded = slices.DeleteFunc(w.recorded, func(row reconcile.EvidenceRow) bool {
		return w.history(spot{"collect", row.Key.Order, 1}).state == reconcile.StateDone
	})
}

// versions lists the events of an order that were seen, and always the first.
func (w *world) versions(t *target, id string) []spot {
	list := []spot{{t.platform.name, id, 1}}
	for {
		next := list[0]
		next.version = len(list) + 1
		if w.histories[next] == nil {
			return list
		}
		list = append(list, next)
	}
}

// book is what a world reads of its ledger.
type book interface {
	reconcile.Reader
	Made(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.MadeAttempt, error)
	Check(ctx context.Context, dir string) ([]ledger.Finding, error)
	Close() error
}

// reader is open as long as the world is.
func (w *world) reader() book {
	if w.open == nil {
		led, err := ledger.OpenReader(context.Background(), w.ledger, ledger.Options{Key: personKey, Clock: w.now})
		if err != nil {
			panic(err)
		}
		w.open = led
	}
	return w.open
}

// close ends a world: the ledger must be what its journal says, and in a bubble
// nothing may stay.
func (w *world) close() {
	w.served.Wait()
	found, err := w.reader().Check(context.Background(), w.dir)
	if err != nil || len(found) > 0 {
		w.violate("the ledger is not what its journal says: %v %v", found, err)
	}
	if err := w.reader().Close(); err != nil {
		w.violate("close the ledger: %v", err)
	}
}

// entries reads what the ledger has of every order at every target.
func (w *world) entries() map[spot]reconcile.Entry {
	all := map[spot]reconcile.Entry{}
	for _, t := range w.targets {
		var ids []reconcile.EventID
		for _, o := range w.shop.orders {
			for _, at := range w.versions(t, o.id) {
				ids = append(ids, eventOf(at))
			}
		}
		slices.Sort(ids)
		found, err := w.reader().Find(context.Background(), t.platform.name, ids)
		if err != nil {
			w.violate("read the ledger: %v", err)
		}
		for id, e := range found {
			all[spotOf(t.platform.name, id)] = e
		}
	}
	return all
}

// clean looks at a result for what must hold of every one.
func (w *world) clean(p *process) {
	if p.dead || len(p.result.Targets) == 0 {
		return
	}
	for _, fault := range reconciletest.Faults(p.result, p.Targets) {
		w.violate("%s: %s", p.name, fault)
	}
}
