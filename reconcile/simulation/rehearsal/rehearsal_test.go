package rehearsal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// How many ledgers are tried, and from which seed on: the environment says
// otherwise.
const (
	ledgersVariable = "MAKEGOOD_TEST_LEDGERS"
	seedVariable    = "MAKEGOOD_TEST_SEED"
)

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// tally counts what the ledgers held, and what was sent: a rehearsal of nothing
// proves nothing.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (c *tally) count(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[what] += n
}

// TestADryRunIsTheLaterRun plays random ledgers until one of them breaks the
// rule.
func TestADryRunIsTheLaterRun(t *testing.T) {
	usual := uint64(600)
	if testing.Short() {
		usual = 15
	}
	ledgers := number(t, ledgersVariable, usual)
	first := number(t, seedVariable, uint64(time.Now().UnixNano())%1_000_000_000)
	// Worlds are small, and memory is not what they are about.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	dir := fastDir(t)
	empty, err := emptyLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	counts := tally{of: map[string]int{}}
	var next atomic.Uint64
	var broken atomic.Bool
	t.Run("side by side", func(t *testing.T) {
		for n := range min(uint64(runtime.GOMAXPROCS(0)), ledgers) {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < ledgers && !broken.Load(); i = next.Add(1) - 1 {
					if err := play(t, first+i, dir, empty, &counts); err != nil {
						broken.Store(true)
						t.Errorf("ledger %d (repeat it with %s=%d %s=1): %v", first+i, seedVariable, first+i, ledgersVariable, err)
					}
				}
			})
		}
	})
	for _, what := range slices.Sorted(maps.Keys(counts.of)) {
		t.Logf("%s: %d", what, counts.of[what])
	}
	for _, what := range []string{"ledgers", "without a ledger", "purchases", "cart clears", "cart updates", "charges", "repeats of doubts", "adoptions",
		"before: done", "before: doubtful", "before: refused", "before: open", "runs that died", "requests", "later runs", "later plans"} {
		if counts.of[what] == 0 && ledgers >= 500 {
			t.Errorf("%d ledgers had no %s", ledgers, what)
		}
	}
}

// play plays one world in a bubble of its own.
func play(t *testing.T, seed uint64, dir string, empty []byte, counts *tally) (err error) {
	t.Helper()
	dir = filepath.Join(dir, fmt.Sprint(seed))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(*testing.T) {
		var w *world
		if w, err = newWorld(seed, dir, empty); err == nil {
			err = w.past()
		}
		if err == nil {
			err = w.rehearse(counts)
		}
	})
	return errors.Join(err, os.RemoveAll(dir), os.RemoveAll(dir+".copy"))
}

// rehearse makes the dry run, and compares it with what comes later.
func (w *world) rehearse(counts *tally) error {
	before, err := snapshot(w.dir)
	if err != nil {
		return err
	}
	dry, path, err := w.dryRun(before, counts)
	if err != nil {
		return fmt.Errorf("the dry run: %w", err)
	}
	copied := w.dir + ".copy"
	if err := os.CopyFS(copied, os.DirFS(w.dir)); err != nil {
		return err
	}
	time.Sleep(time.Duration(w.dice.IntN(15)) * time.Second)
	later, err := w.process(w.dir, newWire(0))
	if err != nil {
		return err
	}
	runs := w.chance(0.5)
	made, err := later.later(runs)
	if err != nil {
		return fmt.Errorf("the later run: %w", err)
	}
	if made.digest != dry.digest || made.lines != dry.lines {
		return fmt.Errorf("the plan of the dry run is %s, that of the later run %s:\n%s\n%s", dry.digest, made.digest, dry.lines, made.lines)
	}
	applied, err := w.process(copied, newWire(0))
	if err != nil {
		return err
	}
	if err := applied.withLedger(0, func(led reconcile.Ledger) error {
		return applied.apply(led, filepath.Join(copied, "plans", filepath.Base(path)))
	}); err != nil {
		return fmt.Errorf("the plan of the dry run: %w", err)
	}
	counts.count(map[bool]string{true: "later runs", false: "later plans"}[runs], 1)
	return w.compare(dry, later, applied, runs, counts)
}

// dryRun is makegood plan, by a process that only reads the ledger, twice: no
// connection is made, and nothing is there afterwards but the plans.
func (w *world) dryRun(before map[string]string, counts *tally) (dry planned, path string, err error) {
	var made [2]planned
	for i := range made {
		p, err := w.process(w.dir, newWire(0))
		if err != nil {
			return dry, "", err
		}
		led, err := p.reader()
		if err != nil {
			return dry, "", err
		}
		res, err := p.Plan(context.Background(), led, reconcile.Request{})
		if err == nil && i == 0 {
			err = w.lookBack(led, counts)
		}
		p.end()
		if err = errors.Join(err, led.Close()); err != nil {
			return dry, "", err
		}
		path = res.Plan.Path
		if made[i], err = p.read(path); err != nil {
			return dry, "", err
		}
		if n := p.net.connections(); n != 0 {
			return dry, "", fmt.Errorf("%d connections were made", n)
		}
	}
	if made[0].digest != made[1].digest || made[0].lines != made[1].lines {
		return dry, "", errors.New("two dry runs at one moment differ")
	}
	after, err := snapshot(w.dir)
	if err != nil {
		return dry, "", err
	}
	maps.DeleteFunc(after, func(name, _ string) bool {
		return strings.HasPrefix(name, "plans"+string(filepath.Separator)) && before[name] == ""
	})
	if !maps.Equal(before, after) {
		return dry, "", fmt.Errorf("it changed something: before there were %v, after it %v", before, after)
	}
	return made[0], path, nil
}

// snapshot is every file below a folder with the hash of what stands in it. The
// index of the write-ahead log is none: SQLite rebuilds it, and readers put
// their marks there.
func snapshot(dir string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 && strings.HasSuffix(path, "-wal") { // one that nothing was written to
			return err
		}
		name, err := filepath.Rel(dir, path)
		found[name] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	return found, err
}

// lookBack counts what the ledger holds.
func (w *world) lookBack(led *ledger.Reader, counts *tally) error {
	counts.count("ledgers", 1)
	if _, err := os.Stat(w.ledger(w.dir)); errors.Is(err, fs.ErrNotExist) {
		counts.count("without a ledger", 1)
	}
	for _, t := range w.targets {
		var ids []reconcile.EventID
		for _, o := range w.orders {
			for n := range o.Chain {
				kind := reconcile.KindCartUpgrade
				if n == 0 {
					kind = reconcile.KindCartCreate
				}
				ids = append(ids, reconcile.NewEventID(kind, o.Key).At(n+1))
			}
			ids = append(ids, reconcile.NewEventID(reconcile.KindPurchase, o.Key), reconcile.NewEventID(reconcile.KindCart, o.Key))
		}
		slices.Sort(ids)
		have, err := led.Find(context.Background(), t.Name, slices.Compact(ids))
		if err != nil {
			return err
		}
		for _, e := range have {
			counts.count("before: "+string(e.State), 1)
			if e.Lost {
				counts.count("runs that died", 1)
			}
		}
	}
	return nil
}

// later is the run, or a second plan that is approved and applied.
func (p *process) later(runs bool) (made planned, err error) {
	err = p.withLedger(0, func(led reconcile.Ledger) error {
		if !runs {
			made, err = p.approvedPlan(led)
			return err
		}
		res, err := p.Run(context.Background(), led, reconcile.Request{})
		made = p.plans[string(res.Run)]
		return err
	})
	return made, err
}

// compare wants the same requests of both, and in them the bodies of the plan.
func (w *world) compare(dry planned, later, applied *process, runs bool, counts *tally) error {
	for _, t := range w.targets {
		one, other := later.net.said(t.Name), applied.net.said(t.Name)
		if runs && t.Name == "charges" { // which a run leaves to a person
			one = other
		}
		if !slices.Equal(one, other) {
			return fmt.Errorf("%s was asked %q by the later run, and %q by the plan of the dry run", t.Name, one, other)
		}
		counts.count("requests", len(one))
		said := strings.Join(other, "\n")
		for _, step := range dry.steps {
			if step.Target != t.Name || t.Mode != config.ModeLive {
				continue
			}
			counts.step(step)
			if step.Do == reconcile.DoSend && !strings.Contains(said, string(step.Event.Body)) {
				return fmt.Errorf("%s of the plan was not sent to %s as it stands there: %s\n%s", step.Event.ID, t.Name, step.Event.Body, said)
			}
		}
	}
	return nil
}

// step counts what a step does.
func (c *tally) step(s reconcile.PlannedStep) {
	what := map[reconcile.Action]string{reconcile.ActionPurchase: "purchases", reconcile.ActionCartClear: "cart clears", reconcile.ActionCartUpdate: "cart updates",
		reconcile.ActionCartCreate: "charges", reconcile.ActionCartUpgrade: "charges"}[s.Event.Action]
	switch {
	case s.Do == reconcile.DoAdopt:
		what = "adoptions"
	case s.Doubt != "":
		c.count("repeats of doubts", 1)
	}
	c.count(what, 1)
}

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

// fastDir is a folder in memory where there is one: a ledger syncs each commit.
func fastDir(t *testing.T) string {
	t.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "makegood-rehearsals-"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it is memory that the next boot forgets
		return dir
	}
	return t.TempDir()
}
