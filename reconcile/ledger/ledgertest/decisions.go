package ledgertest

import (
	"context"
	"testing"

	"makegood/reconcile"
)

// decider is a ledger that tells what was decided.
type decider interface {
	Decided(ctx context.Context, target string, ids []reconcile.EventID) ([]reconcile.Decision, error)
}

// problems lists decisions as they are kept.
type problems interface {
	Problems(ctx context.Context, target string, do func(reconcile.Decision) error) error
	Remembered(ctx context.Context, target string, do func(reconcile.Decision) error) error
}

func (h hand) decided(at string, id reconcile.EventID) []reconcile.Decision {
	h.t.Helper()
	list, err := h.Ledger.(decider).Decided(h.t.Context(), at, []reconcile.EventID{id})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h hand) decide(decisions ...reconcile.Decision) {
	h.t.Helper()
	if err := h.Decide(h.t.Context(), h.run, decisions); err != nil {
		h.t.Fatal(err)
	}
}

// decide: the last word stands, the same word again writes nothing, and a
// claim ends it.
func decide(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	order := reconcile.NewEventID(reconcile.KindOrder, reconcile.OrderKey{Shop: "main", Order: "1001"})
	hold := func(r reconcile.Reason) reconcile.Decision {
		return reconcile.Decision{Target: target, Source: "shop", ID: e.ID, Place: reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: r},
			Detail: "the values", Value: e.Value, CompletedAt: noon, Origin: reconcile.Origin{File: "orders.csv"}, Mark: reconcile.HashFields("m")}
	}
	left := reconcile.Decision{Source: "shop", ID: order, Place: reconcile.Place{Bucket: reconcile.BucketLeftOut, Reason: "cancelled"}}
	h.decide(hold(reconcile.ReasonNoEmail), left)
	first := h.Head().Sequence
	h.decide(left, hold(reconcile.ReasonNoEmail))
	if h.Head().Sequence != first {
		t.Error("the same decision was written again")
	}
	h.decide(hold(reconcile.ReasonBadEmail))
	got := h.decided(target, e.ID)
	if len(got) != 1 || got[0].Place.Reason != reconcile.ReasonBadEmail || got[0].Detail != "the values" || got[0].Run != h.run ||
		got[0].Value.Amount.String() != "12.5" || got[0].Origin.File != "orders.csv" || !got[0].CompletedAt.Equal(noon) {
		t.Errorf("decided %+v", got)
	}
	if got := h.decided("", order); len(got) != 1 || got[0].Place != left.Place {
		t.Errorf("decided at the source %+v", got)
	}
	h.take(e)
	if got := append(h.decided(target, e.ID), h.decided("", order)...); len(got) != 0 {
		t.Errorf("a claim left %+v", got)
	}
	hidden := hold(reconcile.ReasonNoEmail)
	hidden.ID = purchase("ann@example.com").ID
	h.decide(hidden)
	if got := h.decided(target, hidden.ID); len(got) != 1 || got[0].ID != hidden.ID { // to who asks by it
		t.Errorf("an address that stands in the place of a number: %+v", got)
	}
	kept := 0
	err := h.Ledger.(problems).Remembered(t.Context(), target, func(d reconcile.Decision) error { kept++; return nil })
	if err != nil || kept != 0 {
		t.Errorf("remembered %d, %v", kept, err)
	}
	bad := hidden
	bad.Place = reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoBudget}
	h.decide(bad)
	found := 0
	if err := h.Ledger.(problems).Problems(t.Context(), target, func(d reconcile.Decision) error {
		if found++; d.ID == hidden.ID {
			t.Error("an address is kept as it is")
		}
		return nil
	}); err != nil || found != 1 {
		t.Errorf("found %d, %v", found, err)
	}

	// What evidence named once, no other decision takes the place of.
	recalled := hold(reconcile.ReasonNoEmail)
	recalled.ID = purchase("recalled").ID
	for _, place := range []reconcile.Place{{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow}, {Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven},
		{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow}, {Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}} {
		recalled.Place = place
		h.decide(recalled)
	}
	if got := h.decided(target, recalled.ID); len(got) != 1 || got[0].Place.Bucket != reconcile.BucketAlreadySent {
		t.Errorf("what evidence named became %+v", got)
	}
	recalled.Place = reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonWasSent}
	h.decide(recalled)
	if got := h.decided(target, recalled.ID); len(got) != 1 || got[0].Place != recalled.Place {
		t.Errorf("what evidence names no longer became %+v", got)
	}
}
