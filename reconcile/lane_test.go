package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
)

// watched is a ledger between the lane and the real one: it counts what is
// claimed and not sent, and what is sent and not settled.
type watched struct {
	reconcile.Ledger
	claim  func(tickets []reconcile.Ticket) error
	settle func(outcomes []reconcile.Outcome) error
	adopt  func() error
	alive  func() bool

	mu        sync.Mutex
	ahead     int // claimed, not sent
	open      int // claimed, not settled
	unsettled int // sent, not settled
	most      struct{ ahead, open, unsettled int }
}

func (w *watched) count(ahead, open, unsettled int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += ahead
	w.open += open
	w.unsettled += unsettled
	w.most.ahead = max(w.most.ahead, w.ahead)
	w.most.open = max(w.most.open, w.open)
	w.most.unsettled = max(w.most.unsettled, w.unsettled)
}

// until lets others work until a count is reached, and some time longer.
func (w *watched) until(reached func() bool) {
	for done := false; !done; runtime.Gosched() {
		w.mu.Lock()
		done = reached()
		w.mu.Unlock()
	}
	for range 500 {
		runtime.Gosched()
	}
}

func (w *watched) Claim(ctx ctx, target string, run reconcile.RunID, tickets []reconcile.Ticket) ([]reconcile.EventID, map[reconcile.EventID]reconcile.Entry, error) {
	if w.claim != nil {
		if err := w.claim(tickets); err != nil {
			return nil, nil, err
		}
	}
	taken, moved, err := w.Ledger.Claim(ctx, target, run, tickets)
	w.count(len(taken), len(taken), 0)
	return taken, moved, err
}

func (w *watched) Settle(ctx ctx, target string, run reconcile.RunID, outcomes []reconcile.Outcome) ([]reconcile.EventID, error) {
	if w.settle != nil {
		if err := w.settle(outcomes); err != nil {
			return nil, err
		}
	}
	repeats, err := w.Ledger.Settle(ctx, target, run, outcomes)
	sent := 0
	for _, o := range outcomes {
		if o.Verdict != reconcile.Unsent {
			sent++
		}
	}
	w.count(0, -len(outcomes), -sent)
	return repeats, err
}

func (w *watched) Adopt(ctx ctx, target string, run reconcile.RunID, adoptions []reconcile.Adoption) (int, error) {
	if w.adopt != nil {
		if err := w.adopt(); err != nil {
			return 0, err
		}
	}
	return w.Ledger.Adopt(ctx, target, run, adoptions)
}

func (w *watched) Alive(run reconcile.RunID, d time.Duration) bool {
	return (w.alive == nil || w.alive()) && w.Ledger.Alive(run, d)
}

// claimAndDie is a run that claims orders and is never heard of again.
func (h *house) claimAndDie(orders ...reconcile.Order) {
	h.t.Helper()
	led := h.ledger()
	run := h.newRun()
	if err := led.Begin(context.Background(), reconcile.RunRecord{Run: run, Command: "run", Started: h.clock()}); err != nil {
		h.t.Fatal(err)
	}
	var tickets []reconcile.Ticket
	for _, o := range orders {
		w := h.sink.Expect(o.Head, h.clock())[0]
		tickets = append(tickets, reconcile.Ticket{Event: reconcile.Event{ID: w.ID, Kind: w.Kind, Action: reconcile.ActionPurchase,
			Person: w.Person, Value: w.Value, Facts: w.Facts, Body: []byte("{}")}})
	}
	if taken, _, err := led.Claim(context.Background(), "target", run, tickets); err != nil || len(taken) != len(orders) {
		h.t.Fatalf("claimed %v, %v", taken, err)
	}
	h.close()
}

func TestACrashLeavesDoubt(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(5)...)
		h.sink.Merges = merges
		h.claimAndDie(h.source.List[:3]...)
		want := map[string]int{"sent/sent_now": 5}
		if !merges {
			want = map[string]int{"in_doubt/lost_claim": 3, "sent/sent_now": 2}
		}
		res := h.run()
		h.ends(res, want)
		tr := res.Targets[0]
		if tr.DoubtsFound != 3 || len(tr.Doubts) != 3 || tr.Doubts[0].Resends != merges || tr.Doubts[0].Run != "run-1" {
			t.Errorf("doubts are %d: %+v", tr.DoubtsFound, tr.Doubts)
		}
		if again := h.run(); merges {
			h.ends(again, map[string]int{"already_sent/sent_here": 5})
		} else {
			h.ends(again, map[string]int{"in_doubt/lost_claim": 3, "already_sent/sent_here": 2})
		}
	}
}

func TestALiveClaimIsBusy(t *testing.T) {
	h := newHouse(t, many(2)...)
	led := h.ledger()
	if err := led.Begin(t.Context(), reconcile.RunRecord{Run: "other", Command: "run", Started: h.clock()}); err != nil {
		t.Fatal(err)
	}
	w := h.sink.Expect(h.source.List[0].Head, h.clock())[0]
	e := reconcile.Event{ID: w.ID, Kind: w.Kind, Value: w.Value, Facts: w.Facts, Body: []byte("{}")}
	if _, _, err := led.Claim(t.Context(), "target", "other", []reconcile.Ticket{{Event: e}}); err != nil {
		t.Fatal(err)
	}
	h.sink.Merges = true
	res := h.run()
	h.ends(res, map[string]int{"left/busy": 1, "sent/sent_now": 1})
	covered(t, res, noon)
}

func TestInterruptedRunGoesOn(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(40)...)
		h.sink.Merges, h.sink.Batch, h.target.Rate = merges, 2, 20
		ctx, cancel := context.WithCancel(t.Context())
		sends := 0
		h.sink.During = func([]reconcile.Event) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if sends++; sends == 4 {
				cancel()
			}
		}
		res, err := h.attempt(ctx, h.ledger(), reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		left := res.Targets[0].Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonInterrupted}]
		sent := res.Targets[0].Balance.Of(reconcile.BucketSent).Events
		if left == nil || left.Events+sent != 40 || sent == 0 || sent != len(h.sink.Order()) {
			t.Errorf("after an interruption %d were sent and %+v are left", sent, left)
		}
		covered(t, res, noon)
		h.sink.During = nil
		again := h.run()
		h.ends(again, map[string]int{"already_sent/sent_here": sent, "sent/sent_now": 40 - sent})
		if again.Targets[0].DoubtsFound != 0 {
			t.Errorf("%d claims were not given back", again.Targets[0].DoubtsFound)
		}
	}
}

func TestInterruptedBeforeItAdopts(t *testing.T) {
	h := newHouse(t, many(3)...)
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("0001"))
	ctx, cancel := context.WithCancel(t.Context())
	led := &watched{Ledger: h.ledger(), adopt: func() error { cancel(); return ctx.Err() }}
	res, err := h.attempt(ctx, led, reconcile.Request{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the run gave %v", err)
	}
	h.ends(res, map[string]int{"left/interrupted": 2, "already_sent/proven": 1})
	if res.Targets[0].CoveredTo != nil {
		t.Errorf("covered is %v", res.Targets[0].CoveredTo)
	}
}

// cancelling ends a context when a stage begins.
type cancelling struct {
	stage  string
	cancel func()
}

func (c cancelling) Begin(stage string, _ int) reconcile.Meter {
	if strings.HasPrefix(stage, c.stage) {
		c.cancel()
	}
	return c
}
func (cancelling) Add(int) {}
func (cancelling) End()    {}

// TestTheLedgerHearsWhatEndedARun: what it keeps of a run that was ended is not
// what it keeps of one that came to its end.
func TestTheLedgerHearsWhatEndedARun(t *testing.T) {
	for _, stage := range []string{reconcile.StageReading, reconcile.StageSending} {
		h := newHouse(t, many(3)...)
		h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("0001"))
		ctx, cancel := context.WithCancel(t.Context())
		h.Progress = cancelling{stage, cancel}
		var kept error
		h.Summarize = func(r reconcile.Result) ([]byte, int) { kept = r.Err; return []byte("{}"), 1 }
		if _, err := h.attempt(ctx, h.ledger(), reconcile.Request{}); !errors.Is(err, context.Canceled) || !errors.Is(kept, context.Canceled) {
			t.Errorf("%s: the run gave %v, the ledger heard of %v", stage, err, kept)
		}
	}
}

func TestASinkThatAnswersTooLittle(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(30)...)
		h.sink.Merges, h.sink.Batch, h.sink.TakesEvents, h.target.Concurrency = merges, 3, 1, 1
		h.target.Rate = 100
		res := h.run()
		b := res.Targets[0].Balance
		sent, doubt := b.Of(reconcile.BucketSent).Events, b.Of(reconcile.BucketInDoubt).Events
		if sent+doubt != 30 || doubt == 0 {
			t.Errorf("sent %d, in doubt %d of 30", sent, doubt)
		}
		if e := h.entry(h.sink.Order()[1]); doubt == 20 && e.State != reconcile.StateDoubtful {
			t.Errorf("an event without an answer is %s", e.State)
		}
	}
}

func TestALedgerThatCannotSettle(t *testing.T) {
	full := errors.New("write: disk full")
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(40)...)
		h.sink.Merges, h.target.Concurrency = merges, 2
		led := &watched{Ledger: h.ledger(), settle: func([]reconcile.Outcome) error { return full }}
		res, err := h.attempt(t.Context(), led, reconcile.Request{})
		if !errors.Is(err, full) {
			t.Errorf("the run gave %v", err)
		}
		b := res.Targets[0].Balance
		doubt := b.Of(reconcile.BucketInDoubt).Events
		left := b.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonLedgerFailed}]
		if left == nil || left.Events == 0 || doubt+left.Events != 40 || doubt < len(h.sink.Order()) {
			t.Errorf("%d were accepted, %d are in doubt, left are %+v", len(h.sink.Order()), doubt, left)
		}
		if n := len(h.sink.Order()); n > 64+2 {
			t.Errorf("%d were sent although nothing could be settled", n)
		}
		h.close()
		again := h.run()
		if got := again.Targets[0].DoubtsFound; got != doubt {
			t.Errorf("the next run finds %d doubts, want %d", got, doubt)
		}
	}
}

func TestALedgerThatCannotClaim(t *testing.T) {
	broken := errors.New("write: disk full")
	h := newHouse(t, many(4)...)
	led := &watched{Ledger: h.ledger(), claim: func([]reconcile.Ticket) error { return broken }}
	res, err := h.attempt(t.Context(), led, reconcile.Request{})
	if !errors.Is(err, broken) {
		t.Errorf("the run gave %v", err)
	}
	h.ends(res, map[string]int{"left/ledger_failed": 4})
	h.accepted()
}

func TestARunThatMayBeTakenForDeadSendsNothing(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(20)...)
		h.sink.Merges = merges
		led := &watched{Ledger: h.ledger(), alive: func() bool { return len(h.sink.Order()) < 3 }}
		h.target.Concurrency = 1
		res, err := h.attempt(t.Context(), led, reconcile.Request{})
		if !errors.Is(err, reconcile.ErrRunOver) {
			t.Errorf("the run gave %v", err)
		}
		if n := len(h.sink.Order()); n != 3 {
			t.Errorf("%d were sent, want 3", n)
		}
		if b := res.Targets[0].Balance; b.Of(reconcile.BucketLeft).Events != 17 || b.Of(reconcile.BucketInDoubt).Events != 0 {
			t.Errorf("places are %+v", b.Reasons())
		}
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 3, "sent/sent_now": 17})
	}
}

func TestTheFuse(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(100)...)
		h.sink.Merges, h.target.Rate = merges, 100
		h.sink.Script = func(reconcile.EventID, int) reconcile.Outcome {
			h.stop("target", "404: the address is wrong")
			return reconcile.Outcome{Verdict: reconcile.Retryable, Stop: true}
		}
		res := h.run()
		b := res.Targets[0].Balance
		tried := b.Of(reconcile.BucketLeft).Events - b.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonFuse}].Events
		if tried == 0 || tried > 2 || b.Of(reconcile.BucketLeft).Events != 100 {
			t.Errorf("%d were tried, places are %+v", tried, b.Reasons())
		}
		if res.Targets[0].Stopped != "404: the address is wrong" {
			t.Errorf("the target was stopped by %q", res.Targets[0].Stopped)
		}
		h.stop("target", "")
		h.sink.Script = nil
		again := h.run()
		h.ends(again, map[string]int{"sent/sent_now": 100})
		if again.Targets[0].DoubtsFound != 0 {
			t.Errorf("%d claims were not given back", again.Targets[0].DoubtsFound)
		}
	}
}

func TestAStoppedTargetClaimsNothing(t *testing.T) {
	h := newHouse(t, many(3)...)
	h.stop("target", "paused by Kim")
	h.ends(h.run(), map[string]int{"left/fuse": 3})
	if e := h.entry(purchase("0001")); e.Version != 0 {
		t.Errorf("the entry is %+v", e)
	}
}

func TestAtMost512AreClaimedAhead(t *testing.T) {
	h := newHouse(t, many(1500)...)
	h.sink.Merges, h.sink.Batch, h.target.Rate = true, 4, 1000
	led := &watched{Ledger: h.ledger()}
	h.sink.During = func(batch []reconcile.Event) {
		led.until(func() bool { return led.most.ahead >= 512 })
		led.count(-len(batch), 0, len(batch))
	}
	if _, err := h.attempt(t.Context(), led, reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	if led.most.ahead != 512 {
		t.Errorf("%d were claimed ahead, want 512", led.most.ahead)
	}
	if len(h.sink.Order()) != 1500 || led.open != 0 {
		t.Errorf("%d were sent, %d claims are open", len(h.sink.Order()), led.open)
	}
}

func TestASlowTargetIsNotClaimedFarAhead(t *testing.T) {
	h := newHouse(t, many(300)...)
	h.sink.Merges, h.sink.Batch, h.target.Rate = true, 4, 10
	led := &watched{Ledger: h.ledger()}
	h.sink.During = func(batch []reconcile.Event) {
		busy(batch)
		led.count(-len(batch), 0, len(batch))
	}
	if _, err := h.attempt(t.Context(), led, reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	if led.most.ahead > 20 {
		t.Errorf("%d were claimed ahead of a target that takes 10/s, want at most 20", led.most.ahead)
	}
}

func TestAtMost64AnswersWaitToBeSettled(t *testing.T) {
	h := newHouse(t, many(600)...)
	h.sink.Merges, h.sink.Batch, h.target.Concurrency, h.target.Rate = true, 4, 4, 1000
	led := &watched{Ledger: h.ledger()}
	const least, most = 64 + 4, 64 + 4*4
	var once sync.Once
	led.settle = func([]reconcile.Outcome) error {
		once.Do(func() { led.until(func() bool { return led.unsettled >= least }) })
		return nil
	}
	h.sink.During = func(batch []reconcile.Event) { led.count(-len(batch), 0, len(batch)) }
	if _, err := h.attempt(t.Context(), led, reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	if led.most.unsettled < least || led.most.unsettled > most {
		t.Errorf("%d were sent and not settled, want between %d and %d", led.most.unsettled, least, most)
	}
}

func TestKindsThatDoNotMergeAreNotClaimedAhead(t *testing.T) {
	h := newHouse(t, many(200)...)
	h.sink.Batch, h.target.Concurrency, h.target.Rate = 3, 2, 1000
	led := &watched{Ledger: h.ledger()}
	h.sink.During = busy
	if _, err := h.attempt(t.Context(), led, reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	if led.most.open > 2*3 || led.most.open < 2 {
		t.Errorf("%d were claimed at a time, want at most 6", led.most.open)
	}
}

// A plan that another run overtakes while it is being sent.
func TestAClaimThatComesTooLate(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(4)...)
		h.sink.Merges = merges
		h.target.Concurrency = 1
		led := &watched{Ledger: h.ledger()}
		var once sync.Once
		led.claim = func([]reconcile.Ticket) error {
			once.Do(func() {
				adoptions := []reconcile.Adoption{{Want: reconcile.Want{ID: purchase("0003"), Kind: reconcile.KindPurchase}, By: reconcile.ByAssumed, Who: "a person"}}
				if n, err := led.Ledger.Adopt(t.Context(), "target", "run-1", adoptions); n != 1 || err != nil {
					t.Errorf("adopted %d, %v", n, err)
				}
			})
			return nil
		}
		res, err := h.attempt(t.Context(), led, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"sent/sent_now": 3, "already_sent/assumed": 1})
		if slices.Contains(h.sink.Order(), purchase("0003")) {
			t.Error("what somebody else finished was sent")
		}
	}
}

func TestTargetsAreSentAtOnce(t *testing.T) {
	h := newHouse(t, many(1)...)
	_, second := h.addTarget("second", "shop")
	var both sync.WaitGroup
	both.Add(2)
	meet := func([]reconcile.Event) { both.Done(); both.Wait() }
	h.sink.During, second.During = meet, meet
	res := h.run()
	for _, name := range []string{"target", "second"} {
		h.endsAt(res, name, map[string]int{"sent/sent_now": 1})
	}
	if a, b := h.sink.Money(), second.Money(); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("the targets have %s and %s", a, b)
	}
}
