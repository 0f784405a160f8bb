package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

var (
	twoTea   = []string{"tea x 2 @ 2.50"}
	threeTea = []string{"tea x 3 @ 2.50"}
)

// newShop has sent order 1, two teas, to a platform that merges repeats, and
// sends changes again.
func newShop(t *testing.T, change ...func(*reconcile.Order)) *house {
	h := newHouse(t, order("1", twoTea, change...))
	h.sink.Merges, h.target.Resend = true, true
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
	return h
}

// becomes says what order 1 is from now on.
func (h *house) becomes(lines []string, change ...func(*reconcile.Order)) {
	h.source.List = []reconcile.Order{order("1", lines, change...)}
	h.pass(time.Hour)
}

// corrected compares what a run did about the changes that it found.
func (h *house) corrected(res reconcile.Result, found, resent int) {
	h.t.Helper()
	tr := targetOf(h.t, res, "target")
	if tr.CorrectionsFound != found || tr.CorrectionsResent != resent {
		h.t.Errorf("%s: %d changes, %d sent again, want %d and %d", res.Run, tr.CorrectionsFound, tr.CorrectionsResent, found, resent)
	}
}

// worth compares the money of a result's order that was sent before, and that
// it is counted there.
func (h *house) worth(res reconcile.Result, money string) {
	h.t.Helper()
	b := targetOf(h.t, res, "target").Balance
	if got := b.Of(reconcile.BucketAlreadySent); got.Money.String() != money || got.Orders != 1 {
		h.t.Errorf("%s: sent before are %d orders of %s, want 1 of %s", res.Run, got.Orders, got.Money, money)
	}
	if b.Eligible.Money.String() != money {
		h.t.Errorf("%s: in scope is %s, want %s", res.Run, b.Eligible.Money, money)
	}
}

func TestAChangeIsSentAgainOnce(t *testing.T) {
	h := newShop(t)
	first, second, third := purchase("1"), purchase("1").Revised(2), purchase("1").Revised(3)
	h.becomes(threeTea)
	planned := h.plan()
	h.ends(planned, map[string]int{"already_sent/sent_here": 1, "left/planned": 1})
	h.corrected(planned, 1, 1)

	res := h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	h.worth(res, "5 EUR")
	h.corrected(res, 1, 1)
	if c := res.Targets[0].Corrections[0]; c.Before.Amount.String() != "5" || c.After.Amount.String() != "7.5" || !c.Resend {
		t.Errorf("the change is %+v", c)
	}
	h.accepted(first, second)
	if e := h.sink.Event(second); e.Value.Amount.String() != "7.5" || e.Facts.Digest == h.sink.Event(first).Facts.Digest {
		t.Errorf("the correction says %+v", e)
	}

	res = h.run() // nothing new
	h.ends(res, map[string]int{"already_sent/sent_here": 1})
	h.worth(res, "7.5 EUR")
	h.corrected(res, 0, 0)

	h.becomes(twoTea) // what it was is a change again
	res = h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	h.worth(res, "7.5 EUR")
	if c := res.Targets[0].Corrections[0]; c.Change != "refund" || c.Before.Amount.String() != "7.5" {
		t.Errorf("the change back is %+v", c)
	}
	h.accepted(first, second, third)
	res = h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 1})
	h.worth(res, "5 EUR")
	h.accepted(first, second, third)
}

// TestWhatIsOnlyReported: a change that is no correction of this destination's
// own purchase, or that the rules speak against, is listed and never sent.
func TestWhatIsOnlyReported(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *house)
		found  int
	}{
		"the policy":     {func(h *house) { h.target.Resend = false; h.becomes(threeTea) }, 1},
		"counts repeats": {func(h *house) { h.sink.Merges = false; h.becomes(threeTea) }, 1},
		"worth nothing":  {func(h *house) { h.becomes([]string{"tea x 2 @ 0"}) }, 1},
		"less than that": {func(h *house) { h.becomes([]string{"tea x -2 @ 2.50"}) }, 1},
		"a return":       {func(h *house) { h.becomes(oneTea, held(reconcile.ReasonReturn)) }, 1},
		"an exchange":    {func(h *house) { h.becomes(threeTea, held(reconcile.ReasonExchange)) }, 1},
		"undone": {func(h *house) {
			h.becomes(threeTea)
			h.Sources[0].Reversals = reconcile.ReversalRule{Named: true}
			h.source.List = append(h.source.List, order("9", []string{"tea x -3 @ 2.50"}, at(noon.Add(time.Minute)), func(o *reconcile.Order) {
				o.LeftOut, o.Reverses = reconcile.ReasonReversal, "1"
			}))
		}, 1},
		"not permitted": {func(h *house) { h.becomes(threeTea, func(o *reconcile.Order) { o.Permitted = false }) }, 1},
		"suppressed": {func(h *house) {
			list := h.dir + "/suppressed.csv"
			writeFile(h.t, list, "customer1@example.com\n")
			h.suppress(list)
			h.becomes(threeTea)
		}, 1},
		"cosmetic":          {func(h *house) { h.becomes(twoTea, cosmetic("names", "new")) }, 1},
		"the same":          {func(h *house) { h.becomes(twoTea, cosmetic("names", "old")) }, 0},
		"by line totals":    {func(h *house) { h.becomes(twoTea, reconciletest.ByLineTotal) }, 0},
		"gone":              {func(h *house) { h.source.List = nil; h.pass(time.Hour) }, 0},
		"left out":          {func(h *house) { h.becomes(threeTea, func(o *reconcile.Order) { o.LeftOut = "cancelled" }) }, 0},
		"another's number":  {func(h *house) { h.becomes(threeTea, at(noon.Add(-40*day))); h.target.Since = noon.Add(-90 * day) }, 0},
		"its edited number": {func(h *house) { h.Sources[0].EditedSuffix = reconcile.EditedSameOrder; h.edit(threeTea) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newShop(t, cosmetic("names", "old"))
			c.change(h)
			res := h.runOver(reconcile.Request{From: noon.Add(-60 * day)})
			h.corrected(res, c.found, 0)
			h.accepted(purchase("1"))
			if b := res.Targets[0].Balance; b.Of(reconcile.BucketSent).Events+b.Of(reconcile.BucketLeft).Events > 0 {
				t.Errorf("events are at %+v", b.Reasons())
			}
		})
	}
}

func held(reason reconcile.Reason) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.Hold = reason }
}

// edit puts order 1 under an edited number beside itself.
func (h *house) edit(lines []string) {
	h.source.List = append(h.source.List, order("1-1", lines))
	h.pass(time.Hour)
}

// What somebody else sent is left to them.
func TestAChangeOfWhatOthersSent(t *testing.T) {
	for _, by := range []reconcile.By{reconcile.ByProven, reconcile.ByAssumed} {
		h := newHouse(t, order("1", twoTea))
		h.sink.Merges, h.target.Resend = true, true
		h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: by},
			reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, At: noon})
		h.ends(h.run(), map[string]int{"already_sent/" + string(by): 1})
		h.becomes(threeTea)
		res := h.run()
		h.ends(res, map[string]int{"already_sent/" + string(by): 1})
		h.corrected(res, 1, 0)
		h.accepted()
	}
}

// Evidence that knows the order says nothing of its correction.
func TestEvidenceSettlesNoCorrection(t *testing.T) {
	h := newShop(t)
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven},
		reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, At: noon})
	h.becomes(threeTea)
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	if by := h.entry(purchase("1").Revised(2)).By; by != reconcile.BySentHere {
		t.Errorf("the correction is done by %q", by)
	}
}

// TestACorrectionThatDidNotArrive: it ends as any message does, under its own
// id, and what becomes of the order meanwhile goes with it.
func TestACorrectionThatDidNotArrive(t *testing.T) {
	correction := purchase("1").Revised(2)
	for name, c := range map[string]struct {
		verdict     reconcile.Verdict
		later       []string // of the order on the next night
		first, then string   // places of the correction
		state       reconcile.State
		attempts    int
	}{
		"no answer":              {reconcile.InDoubt, threeTea, "in_doubt/no_answer", "sent/sent_now", reconcile.StateDone, 2},
		"no answer, as before":   {reconcile.InDoubt, twoTea, "in_doubt/no_answer", "sent/sent_now", reconcile.StateDone, 2},
		"no answer, nothing":     {reconcile.InDoubt, []string{"tea x 2 @ 0"}, "in_doubt/no_answer", "in_doubt/no_answer", reconcile.StateDoubtful, 1},
		"not taken":              {reconcile.Retryable, threeTea, "left/retryable", "sent/sent_now", reconcile.StateDone, 2},
		"not taken, then less":   {reconcile.Retryable, oneTea, "left/retryable", "sent/sent_now", reconcile.StateDone, 2},
		"not taken, as before":   {reconcile.Retryable, twoTea, "left/retryable", "sent/sent_now", reconcile.StateDone, 2},
		"not taken, nothing":     {reconcile.Retryable, []string{"tea x 2 @ 0"}, "left/retryable", "held_back/change_not_sent", reconcile.StateOpen, 1},
		"refused":                {reconcile.Rejected, threeTea, "refused/rejected", "refused/rejected", reconcile.StateRefused, 1},
		"refused, changed again": {reconcile.Rejected, oneTea, "refused/rejected", "sent/sent_now", reconcile.StateDone, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := newShop(t)
			h.sink.Script = outcomes(reconcile.Outcome{Verdict: c.verdict}, reconcile.Outcome{Verdict: reconcile.Sent})
			h.becomes(threeTea)
			res := h.run()
			h.ends(res, map[string]int{"already_sent/sent_here": 1, c.first: 1})
			if money := res.Targets[0].Balance.Eligible.Money.String(); money != "5 EUR" {
				t.Errorf("in scope is %s", money)
			}
			h.becomes(c.later)
			res = h.run()
			h.ends(res, map[string]int{"already_sent/sent_here": 1, c.then: 1})
			if len(res.Targets[0].Orphans) > 0 {
				t.Errorf("orphans: %+v", res.Targets[0].Orphans)
			}
			if e := h.entry(correction); e.State != c.state || h.sink.Attempts(correction) != c.attempts {
				t.Errorf("the correction is %s after %d attempts, want %s after %d", e.State, h.sink.Attempts(correction), c.state, c.attempts)
			}
			if c.state == reconcile.StateDone {
				want := order("1", c.later)
				if e := h.entry(correction); e.Facts.Digest != want.Digest {
					t.Error("the ledger has another version than was sent last")
				}
				h.ends(h.run(), map[string]int{"already_sent/sent_here": 1})
			}
			if h.sink.Attempts(purchase("1")) != 1 {
				t.Error("the first version went again")
			}
		})
	}
}

// A run that dies between claim and answer leaves the correction in doubt; the
// next one sends it again under the same id.
func TestACrashInACorrection(t *testing.T) {
	h := newShop(t)
	h.becomes(threeTea)
	dead, led := errors.New("the machine is gone"), h.ledger()
	if _, err := h.Run(context.Background(), brokenSettle{led, dead}, reconcile.Request{}); !errors.Is(err, dead) {
		t.Fatal(err)
	}
	h.close()
	h.pass(time.Hour)
	res := h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	if res.Targets[0].DoubtsFound != 1 || !res.Targets[0].Doubts[0].Resends {
		t.Errorf("doubts: %+v", res.Targets[0].Doubts)
	}
	if got := h.sink.Accepted(); fmt.Sprint(got) != "map[purchase/main/1:1 purchase/main/1~2:2]" {
		t.Errorf("accepted: %v", got)
	}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1})
}

// brokenSettle loses every answer.
type brokenSettle struct {
	reconcile.Ledger
	err error
}

func (b brokenSettle) Settle(context.Context, string, reconcile.RunID, []reconcile.Outcome) ([]reconcile.EventID, error) {
	return nil, b.err
}

// Doubt about a correction is ended although the policy was withdrawn; what
// surely did not arrive is not begun again.
func TestAWithdrawnPolicy(t *testing.T) {
	for verdict, want := range map[reconcile.Verdict]string{
		reconcile.InDoubt: "sent/sent_now", reconcile.Retryable: "held_back/change_not_sent",
	} {
		h := newShop(t)
		h.sink.Script = outcomes(reconcile.Outcome{Verdict: verdict}, reconcile.Outcome{Verdict: reconcile.Sent})
		h.becomes(threeTea)
		h.run()
		h.target.Resend = false
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, want: 1})
	}
}

// TestAStalePlanOfACorrection: what moved since is not sent.
func TestAStalePlanOfACorrection(t *testing.T) {
	t.Run("another run sent it", func(t *testing.T) {
		h := newShop(t)
		h.becomes(threeTea)
		plan := h.plan()
		h.run()
		res, err := h.apply(plan, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"already_sent/sent_here": 2})
		h.worth(res, "5 EUR")
		h.accepted(purchase("1"), purchase("1").Revised(2))
	})
	t.Run("the order changed again", func(t *testing.T) {
		h := newShop(t)
		h.becomes(threeTea)
		plan := h.plan()
		h.becomes(oneTea)
		_, err := h.apply(plan, reconcile.Request{})
		h.refused(err, reconcile.RefusedOrdersMoved)
		h.accepted(purchase("1"))
	})
	t.Run("another run sent a version between", func(t *testing.T) {
		h := newShop(t)
		h.becomes(threeTea)
		plan := h.plan()
		h.becomes(oneTea)
		h.run()
		h.becomes(threeTea)
		res, err := h.apply(plan, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"already_sent/sent_here": 2})
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
		h.accepted(purchase("1"), purchase("1").Revised(2), purchase("1").Revised(3))
	})
	t.Run("it is carried out", func(t *testing.T) {
		h := newShop(t)
		h.becomes(threeTea)
		res, err := h.apply(h.plan(), reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
		h.corrected(res, 1, 1)
	})
}

// shownLedger knows the number under which everything was sent.
type shownLedger struct {
	reconcile.Ledger
	shown string
}

func (l shownLedger) Find(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Entry, error) {
	found, err := l.Ledger.Find(ctx, target, ids)
	for id, e := range found {
		e.Shown = l.shown
		found[id] = e
	}
	return found, err
}

// Under another number the correction would be a second purchase.
func TestACorrectionUnderAnotherNumber(t *testing.T) {
	for shown, want := range map[string]string{"1": "sent/sent_now", "W1": "held_back/change_not_sent", "": "sent/sent_now"} {
		h := newShop(t)
		h.becomes(threeTea)
		res, err := h.attempt(context.Background(), shownLedger{h.ledger(), shown}, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"already_sent/sent_here": 1, want: 1})
	}
}

// A known order that comes to look like another source's purchase is still the
// known one, and no twin; the other one is.
func TestACorrectionIsNoTwin(t *testing.T) {
	jane := func(o *reconcile.Order) { o.Email = "jane@example.com" }
	h := newShop(t, jane)
	till := h.addSource("till", "till", order("77", threeTea, jane, reconciletest.From("till", "till"), at(noon.Add(-time.Hour))))
	h.target.From = []string{"shop", "till"}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	h.becomes(threeTea, jane)
	till.List = append(till.List, order("78", threeTea, jane, reconciletest.From("till", "till"), at(noon.Add(time.Hour/2))))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 2, "sent/sent_now": 1, "held_back/possible_twin": 1})
}

// An order that is corrected and that a credit note undoes is undone once.
func TestACorrectionIsUndoneOnce(t *testing.T) {
	h := newShop(t, func(o *reconcile.Order) { o.Customer = "C1" })
	h.Sources[0].Reversals = reconcile.ReversalRule{Match: reconcile.MatchReport}
	h.becomes(threeTea, func(o *reconcile.Order) { o.Customer = "C1" })
	for _, note := range []string{"8", "9"} {
		h.source.List = append(h.source.List, order(note, []string{"tea x -3 @ 2.50"}, at(noon.Add(time.Minute)), func(o *reconcile.Order) {
			o.Customer, o.Undoes, o.LeftOut = "C1", true, reconcile.ReasonReversal
		}))
	}
	res := h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
	if n := res.Targets[0].Reversals.Orders; n != 1 {
		t.Errorf("%d orders are undone, want 1", n)
	}
}

// A source that fails while it is read again takes its corrections with it.
func TestACorrectionOfASourceThatFails(t *testing.T) {
	h := newShop(t)
	h.becomes(threeTea)
	h.source.List = append(h.source.List, order("2", oneTea))
	h.source.Later = errors.New("the file is gone")
	res := h.run()
	h.ends(res, map[string]int{})
	h.accepted(purchase("1"))
}

func TestRevised(t *testing.T) {
	key := reconcile.OrderKey{Shop: "a/b", Order: "7~2"}
	id := reconcile.NewEventID(reconcile.KindPurchase, key)
	for n, want := range map[reconcile.EventID]int{id: 1, id.Revised(2): 2, id.Revised(11): 11} {
		if got, err := n.Key(); n.Revision() != want || err != nil || got != key || n.Kind() != reconcile.KindPurchase {
			t.Errorf("%s: revision %d of %+v, want %d", n, n.Revision(), got, want)
		}
	}
}

// TestManyChangesAtOnce: when most orders are something else than they were, it
// is the way in which they are read that has changed. Nobody's word overwrites
// what the platform has.
func TestManyChangesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		orders, changed int
		right           bool
		want            map[string]int
		resent          int
	}{
		"all of many":          {30, 30, false, map[string]int{"already_sent/sent_here": 30, "held_back/many_changes": 30}, 0},
		"all of many, rightly": {30, 30, true, map[string]int{"already_sent/sent_here": 30, "sent/sent_now": 30}, 30},
		"all of few":           {20, 20, false, map[string]int{"already_sent/sent_here": 20, "sent/sent_now": 20}, 20},
		"half of many":         {42, 21, false, map[string]int{"already_sent/sent_here": 42, "sent/sent_now": 21}, 21},
		"more than half":       {41, 21, false, map[string]int{"already_sent/sent_here": 41, "held_back/many_changes": 21}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, many(c.orders)...)
			h.sink.Merges, h.target.Resend = true, true
			h.run()
			for i := range c.changed {
				h.source.List[i] = order(h.source.List[i].Key.Order, twoTea)
			}
			h.ChangesAreRight = c.right
			res := h.run()
			h.ends(res, c.want)
			h.corrected(res, c.changed, c.resent)
			if resend := res.Targets[0].Corrections[0].Resend; resend != (c.resent > 0) {
				t.Errorf("the list says that it goes again: %v", resend)
			}
			if needed := len(res.Needs()) > 0; needed != (c.resent == 0) {
				t.Errorf("a person is needed: %v", needed)
			}
		})
	}
}
