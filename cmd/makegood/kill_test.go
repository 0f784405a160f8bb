package main

import (
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/sinks/simulator"
)

// onBothLedgers attacks a destination whose ledger is a file, and one whose
// ledger is in PostgreSQL. Each call of fresh begins with an empty place.
func onBothLedgers(t *testing.T, platform string, attack func(t *testing.T, fresh func() *killRig)) {
	t.Helper()
	if testing.Short() {
		t.Skip("killing takes its time")
	}
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		attack(t, func() *killRig { return newKillRig(t, platform, "") })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		attack(t, func() *killRig {
			_, place := ownSchema(t, "postgres")
			if place == "" {
				t.Skip("there is no such server")
			}
			return newKillRig(t, platform, place)
		})
	})
}

// TestKilledAtAPlatformThatMerges wants every order at the platform in the end,
// and an older doubt in the ledger for every repeat.
func TestKilledAtAPlatformThatMerges(t *testing.T) {
	onBothLedgers(t, simulator.Squeezely, func(t *testing.T, fresh func() *killRig) {
		k := fresh()
		k.killAll()
		k.finish()
		b := k.plan()
		if b.AlreadySent.Events != len(k.tickets) {
			t.Errorf("%d of %d orders are sent: %+v", b.AlreadySent.Events, len(k.tickets), b)
		}
		arrivals := k.arrivals()
		if len(arrivals) != len(k.tickets) {
			t.Errorf("the platform holds %d orders, want %d", len(arrivals), len(k.tickets))
		}
		repeats := int(k.sim.Counts().Platforms[k.platform].Repeats)
		if most := k.dropped() + k.killed*(64+4); repeats > most {
			t.Errorf("%d repeats, at most %d can be explained", repeats, most)
		}
		explained := repeatsExplained(k, arrivals)
		if explained != repeats {
			t.Errorf("%d repeats, %d of them with an older doubt", repeats, explained)
		}
		k.proven()
		t.Logf("%d answers dropped, %d repeats, %d of them with an older doubt, %d lost", k.dropped(), repeats, explained, len(k.tickets)-len(arrivals))
	})
}

// TestKilledAtAPlatformThatDoesNotMerge wants no repeat at all, and every order
// that is not there in doubt.
func TestKilledAtAPlatformThatDoesNotMerge(t *testing.T) {
	onBothLedgers(t, simulator.Collect, func(t *testing.T, fresh func() *killRig) {
		k := fresh()
		k.killAll()
		k.finish()
		arrivals, b := k.arrivals(), k.plan()
		for order, times := range arrivals {
			if len(times) > 1 {
				t.Errorf("%s was accepted %d times at a platform that does not merge", order, len(times))
			}
		}
		if repeats := k.sim.Counts().Platforms[k.platform].Repeats; repeats != 0 {
			t.Errorf("%d repeats at a platform that does not merge", repeats)
		}
		if b.AlreadySent.Events+b.InDoubt.Events != len(k.tickets) {
			t.Errorf("%d sent and %d in doubt, want %d in all", b.AlreadySent.Events, b.InDoubt.Events, len(k.tickets))
		}
		lost := 0
		for _, order := range k.entries("done") {
			if len(arrivals[order]) == 0 {
				t.Errorf("the ledger says that %s was sent, the platform never accepted it", order)
				lost++
			}
		}
		k.proven()
		t.Logf("%d answers dropped, 0 repeats wanted, %d accepted, %d done, %d in doubt, %d lost", k.dropped(), len(arrivals), b.AlreadySent.Events, b.InDoubt.Events, lost)
	})
}

// arrivals are the times at which the platform accepted each order, out of the
// simulator's request log, the oldest first.
func (k *killRig) arrivals() map[string][]time.Time {
	k.t.Helper()
	all := map[string][]time.Time{}
	for _, r := range k.sim.Requests() {
		if !r.Accepted {
			continue
		}
		if r.Events != 1 || len(r.Orders) != 1 {
			k.t.Fatalf("request %d holds %d events about %q: which were accepted is not known", r.N, r.Events, r.Orders)
		}
		all[r.Orders[0]] = append(all[r.Orders[0]], r.Time)
	}
	return all
}

// repeatsExplained wants, for every second acceptance of an order in the
// simulator's request log, an attempt in doubt in the ledger that is older, and
// for every third one two of them. It counts those that have it.
func repeatsExplained(k *killRig, arrivals map[string][]time.Time) (explained int) {
	k.t.Helper()
	var attempts []struct {
		Event string `db:"event"`
		At    int64  `db:"at"`
	}
	k.query(&attempts, `SELECT event, at FROM attempts WHERE verdict = 'in_doubt' ORDER BY at`)
	doubts := map[string][]int64{}
	for _, a := range attempts {
		order := strings.TrimPrefix(a.Event, "purchase/main/")
		doubts[order] = append(doubts[order], a.At)
	}
	for order, times := range arrivals {
		for n, at := range times {
			older, _ := slices.BinarySearch(doubts[order], at.UnixMicro()+1)
			switch {
			case n == 0:
			case older < n:
				k.t.Errorf("%s was accepted %d times until %s, with %d older attempts in doubt", order, n+1, at, older)
			default:
				explained++
			}
		}
	}
	return explained
}

// TestKilledWhileBeginning kills the first two runs of ledgers that do not
// exist yet. Whatever they leave, plan reads it and the next run goes on.
func TestKilledWhileBeginning(t *testing.T) {
	onBothLedgers(t, simulator.Squeezely, func(t *testing.T, fresh func() *killRig) {
		const rounds = 4
		usual, killed := 300*time.Millisecond, 0
		for range rounds {
			k := fresh()
			k.tickets, k.usual = k.tickets[:10], usual
			k.show(len(k.tickets))
			for range 2 {
				k.killOnce(false)
				if b := k.plan(); b.Eligible.Events != len(k.tickets) {
					t.Errorf("a plan finds %+v", b)
				}
			}
			k.finish()
			if n := len(k.arrivals()); n != len(k.tickets) {
				t.Errorf("the platform holds %d orders, want %d", n, len(k.tickets))
			}
			k.proven()
			usual, killed = k.usual, killed+k.killed
		}
		if killed == 0 {
			t.Error("nothing was killed")
		}
		t.Logf("%d of the first runs of %d ledgers were killed", killed, rounds)
	})
}

// TestKilledBeforeTheHead: the process that made a ledger died before it kept
// the head, and the first run died as soon as it was in the ledger. The next
// run goes on without a word from a person.
func TestKilledBeforeTheHead(t *testing.T) {
	onBothLedgers(t, simulator.Squeezely, func(t *testing.T, fresh func() *killRig) {
		k := fresh()
		k.tickets = k.tickets[:1]
		a := &app{env: os.LookupEnv, io: stdio{strings.NewReader(""), io.Discard, io.Discard}, clock: time.Now, file: k.config, log: slog.New(slog.DiscardHandler)}
		made, err := a.begin(t.Context(), &runFlags{}, "run")
		check(t, err)
		led, err := ledger.Open(t.Context(), k.ledger, ledger.Options{Key: made.Key, Environment: "test"})
		check(t, err)
		check(t, led.Close())
		check(t, made.openLedger(t.Context()))
		check(t, made.led.Begin(t.Context(), reconcile.RunRecord{Run: "first", Command: "run", Started: time.Now()}))
		made.end(&err)
		check(t, err)
		k.finish()
		if n := len(k.arrivals()); n != 1 {
			t.Errorf("the platform holds %d orders, want 1", n)
		}
	})
}
