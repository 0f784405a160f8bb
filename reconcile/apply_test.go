package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

func TestPlanChangesNothingAndIsDeterministic(t *testing.T) {
	orders := []reconcile.Order{order("1", oneTea), order("2", []string{"cup x 2 @ 3", "tea x 1 @ 1"}),
		order("10", oneTea), order("3", oneTea, at(noon.Add(-time.Hour)))}
	h := newHouse(t, orders...)
	first := h.plan()
	h.ends(first, map[string]int{"left/planned": 4})
	if _, err := os.Stat(h.path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a plan made a ledger: %v", err)
	}
	if len(h.sink.Order()) > 0 {
		t.Error("a plan sent something")
	}
	info, err := os.Stat(first.Plan.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the plan file is %v, %v", info, err)
	}
	h.pass(time.Second)
	if again := h.plan(); again.Plan.Digest != first.Plan.Digest {
		t.Error("the same plan has another digest")
	}
	slices.Reverse(h.source.List)
	slices.Reverse(h.source.List[0].Items)
	shuffled := h.plan()
	if shuffled.Plan.Digest != first.Plan.Digest {
		t.Error("the order of orders makes another plan")
	}
	h.source.List[0] = order("3", []string{"tea x 2 @ 1.25"}, at(noon.Add(-time.Hour)))
	if other := h.plan(); other.Plan.Digest == shuffled.Plan.Digest {
		t.Error("another order has the same plan")
	}
}

func TestCanonicalLinesMakeTheDigest(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	planned := h.plan()
	plan, err := reconcile.OpenPlan(planned.Plan.Path, h.Key)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if err := plan.Canonical(&lines); err != nil {
		t.Fatal(err)
	}
	if got := hashOf(lines.String()); got != planned.Plan.Digest || plan.Digest != got {
		t.Errorf("the lines hash to %s, the plan's digest is %s", got, planned.Plan.Digest)
	}
	if bytes.Contains(lines.Bytes(), []byte("orders.csv")) {
		t.Error("the digest covers where an order was read")
	}
}

func TestApplySendsExactlyThePlan(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	plan := h.plan()
	h.source.List = append(h.source.List, order("3", oneTea))
	res, err := h.apply(plan, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 2})
	h.accepted(purchase("1"), purchase("2"))
	if len(h.plans()) > 0 {
		t.Errorf("the plan is still there: %v", h.plans())
	}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 2, "sent/sent_now": 1})
}

func TestApplyAfterARun(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
		if id == purchase("2") {
			return reconcile.Outcome{Verdict: reconcile.Retryable}
		}
		return reconcile.Outcome{Verdict: reconcile.Sent}
	}
	plan := h.plan()
	if res, err := h.attempt(context.Background(), h.ledger(), reconcile.Request{}); err != nil {
		t.Fatal(res, err)
	}
	_, err := h.apply(plan, reconcile.Request{})
	moved := h.refused(err, reconcile.RefusedLedger)
	if len(moved.Moved) != 1 {
		t.Errorf("moved are %v", moved.Moved)
	}
	res, err := h.apply(plan, reconcile.Request{SkipMoved: true})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"already_sent/sent_here": 1, "left/moved": 1})
	covered(t, res, noon)
	h.accepted(purchase("1"))
}

func TestApplyRefuses(t *testing.T) {
	refund := order("1", []string{"tea x 1 @ 1"})
	for name, c := range map[string]struct {
		code   int
		change func(h *house)
	}{
		"expired":             {reconcile.RefusedExpired, func(h *house) { h.pass(day + time.Second) }},
		"configuration moved": {reconcile.RefusedConfig, func(h *house) { h.target.Digest = "another" }},
		"target gone":         {reconcile.RefusedConfig, func(h *house) { h.Targets = nil }},
		"order gone":          {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List = h.source.List[1:] }},
		"order changed":       {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List[0] = refund }},
		"order left out":      {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List[0].LeftOut = "cancelled" }},
		"order bad":           {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List[0].Bad = []reconcile.RowProblem{{Row: 2}} }},
		"permission taken":    {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List[0].Permitted = false }},
		"order held back":     {reconcile.RefusedOrdersMoved, func(h *house) { h.source.List[0].Hold = reconcile.ReasonStatusUnknown }},
		"source not read":     {reconcile.RefusedOrdersMoved, func(h *house) { h.Sources = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea), order("2", oneTea))
			plan := h.plan()
			c.change(h)
			_, err := h.apply(plan, reconcile.Request{})
			refused := h.refused(err, c.code)
			if c.code == reconcile.RefusedOrdersMoved && len(refused.Moved) == 0 {
				t.Error("the refusal names no order")
			}
			h.accepted()
			if _, err := os.Stat(plan.Plan.Path); err != nil {
				t.Errorf("a refused plan is gone: %v", err)
			}
		})
	}
}

func TestApplyAtItsLastSecond(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	plan := h.plan()
	h.pass(day)
	if _, err := h.apply(plan, reconcile.Request{}); err != nil {
		t.Error(err)
	}
}

func TestApplyRefusesAnotherLedger(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable})
	h.run()
	plan := h.plan()
	other, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "other.db"), h.options())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	opened, err := reconcile.OpenPlan(plan.Plan.Path, h.Key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Apply(t.Context(), other, opened, reconcile.Request{})
	h.refused(err, reconcile.RefusedLedger)
}

func TestSkipMovedSendsTheOthers(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	plan := h.plan()
	h.source.List[0] = order("1", []string{"tea x 9 @ 1"}, at(noon.Add(-time.Hour)))
	res, err := h.apply(plan, reconcile.Request{SkipMoved: true})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1, "left/moved": 1})
	h.accepted(purchase("2"))
	covered(t, res, noon)
}

func TestApplyListsAnOrderOnce(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	plan := h.plan()
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable})
	_, err := h.attempt(t.Context(), h.ledger(), reconcile.Request{}) // the entry moves
	if err != nil {
		t.Fatal(err)
	}
	h.source.List[0] = order("1", []string{"tea x 9 @ 1"}) // and the order changes
	_, err = h.apply(plan, reconcile.Request{})
	if moved := h.refused(err, reconcile.RefusedOrdersMoved).Moved; len(moved) != 1 {
		t.Errorf("one order is listed as %v", moved)
	}
}

func TestErasedBetweenPlanAndApply(t *testing.T) {
	list := filepath.Join(t.TempDir(), "erased.csv")
	writeFile(t, list, "nobody@example.com\n")
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.suppress(list)
	plan := h.plan()
	writeFile(t, list, "nobody@example.com\n"+hashOf("customer1@example.com")+"\n")
	h.pass(time.Minute)
	res, err := h.apply(plan, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1, "held_back/suppressed": 1})
	h.accepted(purchase("2"))
}

func TestNothingIsSentWhenTheListIsGone(t *testing.T) {
	list := filepath.Join(t.TempDir(), "erased.csv")
	writeFile(t, list, "nobody@example.com\n")
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.suppress(list)
	plan := h.plan()
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	res, err := h.apply(plan, reconcile.Request{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("apply gave %v", err)
	}
	h.ends(res, map[string]int{"left/ledger_failed": 2})
	h.accepted()
}

func TestTooOldWhenItIsSent(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.sink.Expiry = h.clock().Add(time.Hour)
	plan := h.plan()
	h.pass(time.Hour)
	res, err := h.apply(plan, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"held_back/too_old": 2})
}
