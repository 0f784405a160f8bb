package reconcile_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"makegood/reconcile"
)

func covered(t *testing.T, res reconcile.Result, want time.Time) {
	t.Helper()
	if got := res.Targets[0].CoveredTo["shop"]; !got.Equal(want) {
		t.Errorf("%s covers up to %s, want %s", res.Run, got, want)
	}
}

func from(t *testing.T, res reconcile.Result, want time.Time) {
	t.Helper()
	if !res.Window.From.Equal(want) {
		t.Errorf("%s starts at %s, want %s", res.Run, res.Window.From, want)
	}
}

func TestCoverageFollowsTheEarliestLeft(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))), order("2", oneTea, at(noon.Add(-8*day))), order("3", oneTea))
	h.sink.Script = func(id reconcile.EventID, attempt int) reconcile.Outcome {
		if id == purchase("2") && attempt == 1 {
			return reconcile.Outcome{Verdict: reconcile.Retryable}
		}
		return reconcile.Outcome{Verdict: reconcile.Sent}
	}
	res := h.run()
	from(t, res, h.target.Since)
	covered(t, res, noon.Add(-8*day))

	h.pass(day)
	res = h.run()
	from(t, res, h.target.Since) // 8 days less 7 lie before since
	h.ends(res, map[string]int{"already_sent/sent_here": 2, "sent/sent_now": 1})
	covered(t, res, h.clock())

	end := h.clock()
	h.pass(day)
	from(t, h.run(), end.Add(-7*day))
}

// What a lane that failed never met is not behind the coverage: nothing in the
// ledger would bring it back.
func TestAFailedLaneCoversNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))), order("2", oneTea))
	h.target.Arm = func(func(reconcile.Event) reconcile.Reason) { // before the first step is read
		for _, path := range h.plans() {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
	}
	res, err := h.Run(t.Context(), h.ledger(), reconcile.Request{})
	if err == nil {
		t.Fatal("a run without its plan ended well")
	}
	if to := targetOf(t, res, "target").CoveredTo; len(to) != 0 {
		t.Errorf("covered to %v", to)
	}
	h.target.Arm = nil
	h.ends(h.run(), map[string]int{"sent/sent_now": 2})
}

func TestWindowReachesBackToTheOldestUnfinished(t *testing.T) {
	for name, c := range map[string]struct {
		merges  bool
		verdict reconcile.Verdict
		reaches bool
	}{
		"open":                {false, reconcile.Retryable, true},
		"doubtful, merging":   {true, reconcile.InDoubt, true},
		"doubtful, no merges": {false, reconcile.InDoubt, false},
		"refused":             {true, reconcile.Rejected, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))))
			h.sink.Merges = c.merges
			h.sink.Script = outcomes(reconcile.Outcome{Verdict: c.verdict})
			h.run()
			h.pass(10 * day)
			if got := !h.run().Window.From.After(noon.Add(-9 * day)); got != c.reaches {
				t.Errorf("the period reaches back to the order: %v, want %v", got, c.reaches)
			}
		})
	}
}

func TestReachBackAndSince(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable})
	h.run()
	h.pass(100 * day)
	from(t, h.run(), h.clock().Add(-60*day))
	h.target.Since = h.clock().Add(-3 * day)
	from(t, h.run(), h.target.Since)
}

func TestABackfillMovesNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))), order("2", oneTea))
	res := h.runOver(reconcile.Request{From: noon.Add(-9 * day), To: noon.Add(-8 * day)})
	h.ends(res, map[string]int{"sent/sent_now": 1})
	if res.Targets[0].CoveredTo != nil || !res.Backfill {
		t.Errorf("a backfill covers %v", res.Targets[0].CoveredTo)
	}
	from(t, h.run(), h.target.Since) // as if nothing had been before
}

func TestMinAge(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea, at(noon.Add(30*time.Minute))))
	h.target.MinAge = 30 * time.Minute
	h.now = noon.Add(45 * time.Minute)
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 1, "left/too_young": 1})
	covered(t, res, noon.Add(15*time.Minute))
	h.pass(15 * time.Minute)
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "already_sent/sent_here": 1})
}

func TestShadowCoversItselfOnly(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))))
	h.target.Mode = reconcile.ModeShadow
	res := h.run()
	h.ends(res, map[string]int{"left/shadow": 1})
	covered(t, res, h.clock())
	h.pass(2 * day)
	shadowFrom := h.clock().Add(-9 * day)
	from(t, h.run(), shadowFrom)
	h.accepted()
	h.target.Mode = reconcile.ModeLive
	res = h.run()
	from(t, res, h.target.Since)
	h.ends(res, map[string]int{"left/shadow_period": 1})
	covered(t, res, noon.Add(-9*day))
	h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"sent/sent_now": 1})
}

// A plan of a shadow target starts where shadow has come to. Carried out live,
// it says nothing of what lies before.
func TestAShadowPlanCarriedOutLiveCoversNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-9*day))), order("2", oneTea))
	h.target.Mode = reconcile.ModeShadow
	h.run()
	h.pass(time.Hour)
	h.target.Since = noon.Add(-20 * day)
	h.Lookback = 1
	plan := h.plan()
	h.target.Mode = reconcile.ModeLive
	res, err := h.apply(plan, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1})
	if res.Targets[0].CoveredTo != nil {
		t.Errorf("covered is %v", res.Targets[0].CoveredTo)
	}
	res = h.run()
	h.ends(res, map[string]int{"left/shadow_period": 1, "already_sent/sent_here": 1})
	covered(t, res, noon.Add(-9*day))
}

func TestWhatLeavesIsCountedOnce(t *testing.T) {
	unknown := func(o *reconcile.Order) { o.Email = "" }
	h := newHouse(t,
		order("1", oneTea, at(noon.Add(-9*day)), unknown),
		order("2", oneTea, at(noon.Add(-8*day)), unknown),
		order("3", oneTea, at(noon.Add(-6*day)), unknown),
		order("4", oneTea, at(noon.Add(-9*day))))
	h.sink.Carts = "open" // each order of a store has two events
	h.source.List[1].Channel = "in_store"
	leaving := func(want int, since time.Time) {
		t.Helper()
		tr := h.run().Targets[0]
		if tr.Leaving != want || !tr.LeavingFrom.Equal(since) {
			t.Errorf("%d orders leave, since %s; want %d, %s", tr.Leaving, tr.LeavingFrom, want, since)
		}
	}
	leaving(2, noon.Add(-9*day))
	// A second target holds the period back: what was counted is read again.
	other, _ := h.addTarget("other", "shop")
	other.Since = noon.Add(-10 * day)
	h.pass(time.Hour)
	leaving(0, time.Time{})
	h.pass(2 * day)
	leaving(1, noon.Add(-6*day))
}

func TestWindowNeedsABeginning(t *testing.T) {
	h := newHouse(t)
	h.target.Since = time.Time{}
	if _, err := h.Run(context.Background(), h.ledger(), reconcile.Request{}); err == nil {
		t.Error("a run without a beginning went on")
	}
	_, err := h.Run(context.Background(), h.ledger(), reconcile.Request{From: noon, To: noon})
	if err == nil || errors.Is(err, reconcile.ErrRunOver) {
		t.Errorf("an empty period gave %v", err)
	}
}

// What a first run over a long time left, further back than runs reach, is read by
// none of them: a person is called, once, with the period.
func TestHarmWhatLiesBeyondReachIsTold(t *testing.T) {
	h := newHouse(t, order("old", oneTea, at(noon.Add(-9*day))), order("new", oneTea))
	h.ReachBack = 5
	h.stop("target", "401")
	h.ends(h.run(), map[string]int{"left/fuse": 2})
	h.stop("target", "")
	h.pass(time.Hour)
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 1})
	needs := res.Needs()
	if len(needs) != 1 || needs[0].What != reconcile.NeedFallen || !res.Urgent(needs[0]) {
		t.Fatalf("%+v", needs)
	}
	w := res.Targets[0].Fallen
	if !w.From.Equal(noon.Add(-9*day)) || !w.To.Equal(h.clock().Add(-5*day)) {
		t.Errorf("beyond reach is %+v", w)
	}
	h.pass(time.Hour)
	h.ends(h.runOver(reconcile.Request{From: w.From, To: w.To}), map[string]int{"sent/sent_now": 1})
	if needs := h.run().Needs(); len(needs) != 0 {
		t.Errorf("%+v", needs)
	}
}
