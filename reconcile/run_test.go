package reconcile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

func TestRunSendsWhatIsMissingOnce(t *testing.T) {
	h := newHouse(t,
		order("1", []string{"tea x 3 @ 0.1", "cup x 1 @ 12.345"}),
		order("2", []string{"tea x 1 @ 0.2"}, func(o *reconcile.Order) { o.Currency = "SEK" }),
		order("3", oneTea, func(o *reconcile.Order) { o.Email = "" }))
	h.ends(h.run(), map[string]int{"sent/sent_now": 2, "held_back/no_email": 1})
	h.accepted(purchase("1"), purchase("2"))
	if got := h.sink.Money().String(); got != "12.645 EUR + 0.2 SEK" {
		t.Errorf("the platform has %s", got)
	}
	again := h.run()
	h.ends(again, map[string]int{"already_sent/sent_here": 2, "held_back/no_email": 1})
	h.accepted(purchase("1"), purchase("2"))
	sent := again.Targets[0].Balance.Of(reconcile.BucketAlreadySent)
	if sent.Money.String() != "12.645 EUR + 0.2 SEK" || sent.Orders != 2 {
		t.Errorf("already sent are %d orders, %s", sent.Orders, sent.Money)
	}
	if h.source.Passes != 1 {
		t.Errorf("lines were read %d times: a night with nothing to do needs no second pass", h.source.Passes-1)
	}
	if again.Plan != nil {
		t.Errorf("a run speaks of its plan %+v, which is gone", again.Plan)
	}
}

func TestVerdictsEndWhereTheyBelong(t *testing.T) {
	tomorrow := noon.Add(25 * time.Hour)
	doubt, sent := reconcile.Outcome{}, reconcile.Outcome{Verdict: reconcile.Sent}
	for name, c := range map[string]struct {
		merges       bool
		first        reconcile.Outcome
		once, twice  string
		attempts     int // after two runs
		acceptsLater bool
	}{
		"doubt, merging":     {true, doubt, "in_doubt/no_answer", "sent/sent_now", 2, true},
		"doubt, not merging": {false, doubt, "in_doubt/no_answer", "in_doubt/no_answer", 1, false},
		"rejected":           {true, reconcile.Outcome{Verdict: reconcile.Rejected}, "refused/rejected", "refused/rejected", 1, false},
		"retryable":          {false, reconcile.Outcome{Verdict: reconcile.Retryable}, "left/retryable", "sent/sent_now", 2, true},
		"retryable tomorrow": {false, reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: tomorrow},
			"left/retryable", "left/retry_later", 1, false},
		"unsent": {false, reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonFuse},
			"left/fuse", "sent/sent_now", 2, true},
		"unsent for its age": {false, reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonTooOld},
			"held_back/too_old", "sent/sent_now", 2, true},
		"unsent by a last look": {false, reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonSuppressed},
			"held_back/suppressed", "sent/sent_now", 2, true},
		"a verdict that nobody knows": {false, reconcile.Outcome{Verdict: 99}, "in_doubt/no_answer", "in_doubt/no_answer", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			h.sink.Merges = c.merges
			h.sink.Script = outcomes(c.first, sent)
			h.ends(h.run(), map[string]int{c.once: 1})
			h.ends(h.run(), map[string]int{c.twice: 1})
			if got := h.sink.Attempts(purchase("1")); got != c.attempts {
				t.Errorf("%d attempts, want %d", got, c.attempts)
			}
			if c.acceptsLater != (h.entry(purchase("1")).State == reconcile.StateDone) {
				t.Errorf("the entry is %+v", h.entry(purchase("1")))
			}
		})
	}
}

// unsure is a sink whose answers carry attempts of their own.
type unsure struct {
	*reconciletest.Sink
	outcome reconcile.Outcome
}

func (u unsure) Send(ctx ctx, batch []reconcile.Event) []reconcile.Outcome {
	u.Sink.Send(ctx, batch)
	return []reconcile.Outcome{u.outcome}
}

func TestNothingThatMayHaveArrivedCountsAsLeft(t *testing.T) {
	for _, verdict := range []reconcile.Verdict{reconcile.Retryable, reconcile.Unsent} {
		h := newHouse(t, order("1", oneTea))
		h.target.Sink = unsure{h.sink, reconcile.Outcome{Verdict: verdict,
			Attempts: []reconcile.Attempt{{Verdict: reconcile.InDoubt}, {Verdict: reconcile.Retryable}}}}
		h.ends(h.run(), map[string]int{"in_doubt/no_answer": 1})
		h.ends(h.run(), map[string]int{"in_doubt/no_answer": 1})
	}
}

func TestRefusedUntilItChanges(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Rejected}, reconcile.Outcome{Verdict: reconcile.Sent})
	h.ends(h.run(), map[string]int{"refused/rejected": 1})
	h.source.List = []reconcile.Order{order("1", []string{"tea x 2 @ 2.50"})}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestRetryLaterGoesWhenItsTimeHasCome(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: h.clock().Add(day)},
		reconcile.Outcome{Verdict: reconcile.Sent})
	h.run()
	h.pass(day)
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestADoubtThatIsHeldBackStaysADoubt(t *testing.T) {
	list := filepath.Join(t.TempDir(), "erased.csv")
	writeFile(t, list, "nobody@example.com")
	for name, hold := range map[string]func(h *house){
		"while composing": func(h *house) {
			h.sink.Refuse = func(o reconcile.Order) error {
				return &reconcile.Held{ID: purchase(o.Key.Order), Reason: reconcile.ReasonCannotCompose}
			}
		},
		"while deciding": func(h *house) {
			h.source.List[0].Permitted = false
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			h.sink.Merges = true
			h.sink.Script = outcomes(reconcile.Outcome{})
			h.run()
			hold(h)
			h.ends(h.run(), map[string]int{"in_doubt/no_answer": 1})
			if h.entry(purchase("1")).State != reconcile.StateDoubtful {
				t.Errorf("the entry is %+v", h.entry(purchase("1")))
			}
		})
	}
	t.Run("while sending", func(t *testing.T) {
		h := newHouse(t, order("1", oneTea))
		h.sink.Merges = true
		h.sink.Script = outcomes(reconcile.Outcome{})
		h.run()
		h.suppress(list)
		plan := h.plan()
		writeFile(t, list, "1")
		h.pass(time.Minute)
		res, err := h.apply(plan, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"in_doubt/no_answer": 1})
	})
}

func TestComposeThatFailsHoldsTheOrderBack(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.sink.Refuse = func(o reconcile.Order) error {
		if o.Key.Order == "1" {
			return errors.New("compose: the template is broken")
		}
		return nil
	}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/cannot_compose": 1})
	h.accepted(purchase("2"))
}

func TestChangeAfterSending(t *testing.T) {
	for name, c := range map[string]struct {
		now    reconcile.Order
		change string
	}{
		"nothing":               {order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}), ""},
		"correction":            {order("1", []string{"tea x 3 @ 2.50", "cup x 1 @ 1"}), "correction"},
		"other goods":           {order("1", []string{"pot x 2 @ 2.50", "cup x 1 @ 1"}), "correction"},
		"refund":                {order("1", []string{"tea x 1 @ 2.50", "cup x 1 @ 1"}), "refund"},
		"a new name":            {order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}, cosmetic("names", "new")), "cosmetic"},
		"names no longer known": {order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}, cosmetic("", "")), ""},
		"other fields mapped":   {order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}, cosmetic("names,store", "new")), ""},
		"by line totals":        {order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}, reconciletest.ByLineTotal), ""},
		"by line totals, less":  {order("1", []string{"tea x 2 @ 2.40", "cup x 1 @ 1"}, reconciletest.ByLineTotal), "refund"},
	} {
		t.Run(name, func(t *testing.T) {
			before := order("1", []string{"tea x 2 @ 2.50", "cup x 1 @ 1"}, cosmetic("names", "old"))
			h := newHouse(t, before)
			h.run()
			h.source.List = []reconcile.Order{c.now}
			res := h.run()
			h.ends(res, map[string]int{"already_sent/sent_here": 1})
			tr := res.Targets[0]
			if money := tr.Balance.Of(reconcile.BucketAlreadySent).Money.String(); money != "6 EUR" {
				t.Errorf("already sent is %s, want what was sent", money)
			}
			if tr.CorrectionsFound != len(tr.Corrections) || (c.change == "") != (len(tr.Corrections) == 0) {
				t.Fatalf("corrections are %+v, want %q", tr.Corrections, c.change)
			}
			if c.change != "" && (tr.Corrections[0].Change != c.change || tr.Corrections[0].Before.Amount.String() != "6") {
				t.Errorf("correction is %+v, want %s", tr.Corrections[0], c.change)
			}
			h.accepted(purchase("1"))
		})
	}
}

func cosmetic(fields, name string) func(*reconcile.Order) {
	return func(o *reconcile.Order) {
		o.CosmeticFields = fields
		o.Cosmetic = reconcile.Digest{}
		if fields != "" {
			var names reconcile.DigestSum
			names.Add(name)
			o.Cosmetic = reconcile.CosmeticDigest(fields, names, "", "online", 0)
		}
	}
}

func TestASourceThatFails(t *testing.T) {
	broken := errors.New("read the file: it is gone")
	for name, c := range map[string]struct {
		fail func(s *reconciletest.Source)
		want error
	}{
		"while heads are read": {func(s *reconciletest.Source) { s.Fail = broken }, broken},
		"while lines are read": {func(s *reconciletest.Source) { s.Later = reconcile.ErrChanged }, reconcile.ErrChanged},
		"an order vanishes": {func(s *reconciletest.Source) {
			s.Gone = map[reconcile.OrderKey]bool{{Shop: "till", Order: "2"}: true}
		}, reconcile.ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			till := h.addSource("till", "till", order("1", []string{"cup x 1 @ 1"}, reconciletest.From("till", "till")),
				order("2", oneTea, reconciletest.From("till", "till")), order("3", oneTea, reconciletest.From("till", "till")))
			h.target.From = []string{"shop", "till"}
			c.fail(till)
			res := h.run()
			h.ends(res, map[string]int{"sent/sent_now": 1})
			h.accepted(purchase("1"))
			if !errors.Is(res.Sources[1].Err, c.want) || res.Sources[0].Err != nil {
				t.Errorf("the sources' errors are %v and %v", res.Sources[0].Err, res.Sources[1].Err)
			}
			if to := res.Targets[0].CoveredTo; to["till"] != (time.Time{}) || !to["shop"].Equal(h.clock()) {
				t.Errorf("covered is %v", to)
			}
			if got := res.Sources[1].Tally; got.Orders != 0 || got.Read != 0 {
				t.Errorf("a failed source counts %+v", got)
			}
			till.Fail, till.Later, till.Gone = nil, nil, nil
			h.ends(h.run(), map[string]int{"sent/sent_now": 3, "already_sent/sent_here": 1})
		})
	}
}

func TestAFailedSourceMakesNoOrphans(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable})
	h.run()
	h.source.Fail = errors.New("read: gone")
	h.source.List = nil
	if res := h.run(); len(res.Targets[0].Orphans) != 0 {
		t.Errorf("orders of a source that was not read are called orphans: %v", res.Targets[0].Orphans)
	}
	h.source.Fail = nil
	if res := h.run(); len(res.Targets[0].Orphans) != 1 {
		t.Errorf("orphans are %v, want the order that is gone", res.Targets[0].Orphans)
	}
}

func TestCleanPlans(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plans"), 0o700); err != nil {
		t.Fatal(err)
	}
	old := []string{"plans/a.plan", "plans/plan-1.tmp", "heads-1.tmp", "sort-1.tmp"}
	for _, name := range append([]string{"plans/new.plan", "makegood.db"}, old...) {
		writeFile(t, filepath.Join(dir, name), "x")
	}
	for _, name := range append(old, "makegood.db") {
		if err := os.Chtimes(filepath.Join(dir, name), noon.Add(-8*day), noon.Add(-8*day)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "plans/new.plan"), noon, noon); err != nil {
		t.Fatal(err)
	}
	if err := reconcile.CleanPlans(dir, noon, 7*day); err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range []string{"plans/new.plan", "makegood.db"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
}
