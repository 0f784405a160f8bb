package reconcile_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// addEvidence gives the target the evidence "log".
func (h *house) addEvidence(e reconcile.Evidence, rows ...reconcile.EvidenceRow) *reconciletest.Evidence {
	reader := &reconciletest.Evidence{Named: "log", Rows: rows}
	e.EvidenceReader = reader
	h.Evidence["log"] = e
	h.target.Evidence = []string{"log"}
	return reader
}

func row(id string) reconcile.EvidenceRow {
	return reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: id}, At: noon}
}

func TestEvidenceSettlesAndIsAdopted(t *testing.T) {
	for _, trust := range []reconcile.By{reconcile.ByProven, reconcile.ByAssumed} {
		h := newHouse(t, order("1", oneTea), order("2", oneTea), order("3", oneTea, func(o *reconcile.Order) { o.Email = "" }))
		log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: trust}, row("1"), row("3"))
		settled := "already_sent/" + string(trust)

		h.ends(h.plan(), map[string]int{settled: 2, "left/planned": 1})
		if e := h.entry(purchase("1")); e.Version != 0 {
			t.Errorf("a plan adopted %+v", e)
		}
		h.ends(h.run(), map[string]int{settled: 2, "sent/sent_now": 1})
		h.accepted(purchase("2"))
		if e := h.entry(purchase("1")); e.State != reconcile.StateDone || e.By != trust {
			t.Errorf("the entry is %+v", e)
		}
		log.Rows = []reconcile.EvidenceRow{row("9")} // purged
		h.ends(h.run(), map[string]int{settled: 2, "already_sent/sent_here": 1})
		h.accepted(purchase("2"))
	}
}

func TestApplyAdoptsWhatThePlanUsed(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("1"))
	plan := h.plan()
	log.Rows = nil
	res, err := h.apply(plan, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"already_sent/proven": 1, "sent/sent_now": 1})
	if e := h.entry(purchase("1")); e.By != reconcile.ByProven {
		t.Errorf("the entry is %+v", e)
	}
}

func TestShadowAdoptsNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.target.Mode = reconcile.ModeShadow
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("1"))
	h.ends(h.run(), map[string]int{"already_sent/proven": 1})
	if e := h.entry(purchase("1")); e.Version != 0 {
		t.Errorf("shadow adopted %+v", e)
	}
}

func TestNoEvidenceBeforeItBegins(t *testing.T) {
	old := noon.Add(-3 * day)
	h := newHouse(t, order("1", oneTea, at(old)), order("2", oneTea, at(old)), order("3", oneTea))
	// Order 1 is tried before there is evidence: its entry says enough.
	all := h.source.List
	h.source.List = all[:1]
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Retryable}, reconcile.Outcome{Verdict: reconcile.Sent})
	h.run()
	h.sink.Script = nil
	h.source.List = all
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven, CoversFrom: old.Add(day)}, row("9"))
	h.ends(h.run(), map[string]int{"held_back/no_evidence": 1, "sent/sent_now": 2})
	h.accepted(purchase("1"), purchase("3"))
}

func TestEvidenceThatCannotBeTrusted(t *testing.T) {
	backend := reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}
	fresh := backend
	fresh.FreshWithin = 2 * time.Hour
	early := row("0001")
	early.At = noon.Add(-2*time.Hour - time.Second)
	inTime := row("0001")
	inTime.At = noon.Add(-2 * time.Hour)
	for name, c := range map[string]struct {
		evidence reconcile.Evidence
		rows     []reconcile.EvidenceRow
		orders   int
		fail     error
		accepts  bool // --accept-evidence helps
		trusted  bool
	}{
		"stale":               {fresh, []reconcile.EvidenceRow{early}, 5, nil, true, false},
		"just fresh enough":   {fresh, []reconcile.EvidenceRow{inTime}, 5, nil, true, true},
		"no row, few orders":  {backend, nil, 20, nil, true, true},
		"no row, many orders": {backend, nil, 21, nil, true, false},
		"no row is fresh":     {fresh, nil, 1, nil, true, false},
		"unreadable":          {backend, []reconcile.EvidenceRow{row("0001")}, 5, errors.New("select: no such table"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, many(c.orders)...)
			h.addEvidence(c.evidence, c.rows...).Fail = c.fail
			if c.trusted {
				if res := h.run(); res.Targets[0].Err != nil || len(h.sink.Order()) == 0 {
					t.Errorf("the target stopped: %v", res.Targets[0].Err)
				}
				return
			}
			res := h.run()
			h.accepted()
			var stale *reconcile.EvidenceStale
			if !errors.As(res.Targets[0].Err, &stale) || stale.Target != "target" {
				t.Errorf("the target's error is %v", res.Targets[0].Err)
			}
			left := res.Targets[0].Balance.Of(reconcile.BucketLeft)
			settled := res.Targets[0].Balance.Of(reconcile.BucketAlreadySent)
			if left.Orders+settled.Orders != c.orders || left.Events != left.Orders || left.Events == 0 {
				t.Errorf("left are %+v of %d", left, c.orders)
			}
			covered(t, res, noon)

			h.Accepted = map[string]string{"log": "the table was purged"}
			if res := h.run(); (res.Targets[0].Err == nil) != c.accepts || (len(h.sink.Order()) > 0) != c.accepts {
				t.Errorf("accepted, the target's error is %v and %d were sent", res.Targets[0].Err, len(h.sink.Order()))
			}
		})
	}
}

func TestEvidenceWithFarTooFewRows(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven, ExpectShare: 0.5})
	dayWith := func(when time.Time, rows int) {
		log.Rows = nil
		for i := range rows {
			log.Rows = append(log.Rows, reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: fmt.Sprint("e", when.YearDay(), "-", i)}, At: when})
		}
	}
	yesterday := noon.Add(-day)
	for week := 5; week >= 1; week-- {
		when := yesterday.Add(time.Duration(-7*week) * day)
		h.now = when.Add(day)
		h.target.Since = when.Add(-3 * day)
		dayWith(when, 10)
		h.runOver(reconcile.Request{From: when.Add(-day)})
	}
	h.now = noon.Add(time.Hour)
	dayWith(yesterday, 4)
	res := h.run()
	h.ends(res, map[string]int{"left/evidence_stale": 1})
	if res.Targets[0].Err == nil {
		t.Error("4 rows where 10 are usual were believed")
	}
	dayWith(yesterday, 5)
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestEvidenceIsNotComparedWithFewerThanFourWeekdays(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven, ExpectShare: 0.5})
	for week := 3; week >= 1; week-- {
		when := noon.Add(time.Duration(-7*week-1) * day)
		h.now = when.Add(day)
		h.target.Since = when.Add(-3 * day)
		log.Rows = []reconcile.EvidenceRow{{Key: reconcile.OrderKey{Order: "a"}, At: when}, {Key: reconcile.OrderKey{Order: "b"}, At: when}}
		h.runOver(reconcile.Request{From: when.Add(-day)})
	}
	h.now = noon.Add(time.Hour)
	log.Rows = nil
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestStaleEvidenceCountsOrdersOnce(t *testing.T) {
	h := newHouse(t, many(21, reconciletest.InStore("jane@example.com"))...)
	h.sink.Carts = "open"
	h.addCarts(nil)
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven})
	res := h.run()
	h.ends(res, map[string]int{"left/evidence_stale": 42})
	if left := res.Targets[0].Balance.Of(reconcile.BucketLeft); left.Orders != 21 || left.Money.String() != "52.5 EUR" {
		t.Errorf("left are %+v", left)
	}
}

// Evidence that knows less than half of what it should know may have other
// numbers than the source. So may a record of a live integration that was down:
// only a person knows which.
func TestEvidenceThatKnowsFewOrders(t *testing.T) {
	backend := reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}
	rows := func(n int, prefix string) (list []reconcile.EvidenceRow) {
		for i := range n {
			list = append(list, reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: fmt.Sprintf("%s%04d", prefix, i)}, At: noon})
		}
		return list
	}
	tills := many(30, reconciletest.InStore("jane@example.com"), func(o *reconcile.Order) { o.Key.Order = "T" + o.Key.Order })
	for name, c := range map[string]struct {
		orders []reconcile.Order
		rows   []reconcile.EvidenceRow
		over   func(e *reconcile.Evidence)
		stops  bool
	}{
		"half of them":                     {many(24), rows(12, ""), nil, false},
		"less than half":                   {many(24), rows(11, ""), nil, true},
		"few orders":                       {many(20), rows(1, ""), nil, false},
		"other numbers":                    {many(24), rows(24, "W"), nil, true},
		"another numbering":                {many(24), []reconcile.EvidenceRow{{Key: reconcile.OrderKey{Shop: "web", Order: "0001"}, At: noon}}, nil, true},
		"newer than its newest":            {many(24, at(noon.Add(time.Minute))), rows(1, ""), nil, false},
		"without times":                    {many(24, at(noon.Add(time.Minute))), []reconcile.EvidenceRow{{Key: reconcile.OrderKey{Shop: "main", Order: "0001"}}}, nil, true},
		"older than it covers":             {many(24), rows(1, ""), func(e *reconcile.Evidence) { e.CoversFrom = noon.Add(time.Minute) }, false},
		"a channel it knows not":           {append(many(5), tills...), rows(4, ""), nil, false},
		"held back without it":             {many(24, func(o *reconcile.Order) { o.Permitted = false }), rows(1, ""), nil, false},
		"older than the web page's record": {many(24), rows(1, ""), func(e *reconcile.Evidence) { e.Side, e.CoversFrom = reconcile.SideFrontEnd, noon.Add(time.Minute) }, false},
		"of the front end":                 {many(24), rows(1, ""), func(e *reconcile.Evidence) { e.Side = reconcile.SideFrontEnd }, true},
		"most of it of no address":         {append(many(24, func(o *reconcile.Order) { o.Email = "" }), order("x", oneTea)), rows(1, ""), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, c.orders...)
			evidence := backend
			if c.over != nil {
				c.over(&evidence)
			}
			h.addEvidence(evidence, c.rows...)
			h.target.PerPerson = 0
			res := h.run()
			left := res.Targets[0].Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonEvidenceUnmet}]
			if stopped := left != nil && left.Events > 0; stopped != c.stops || c.stops && len(h.sink.Order()) > 0 {
				t.Errorf("stopped: %t (%v), %d were sent", stopped, res.Targets[0].Err, len(h.sink.Order()))
			}
			h.Accepted = map[string]string{"log": "it was down"}
			res = h.run()
			if res.Targets[0].Err != nil || res.Targets[0].Balance.Of(reconcile.BucketLeft).Events > 0 {
				t.Errorf("accepted, the target's error is %v", res.Targets[0].Err)
			}
			h.Accepted = nil
			if res = h.run(); res.Targets[0].Err != nil {
				t.Errorf("the night after, the target's error is %v", res.Targets[0].Err)
			}
		})
	}
}

func TestFrontEndEvidence(t *testing.T) {
	for _, settles := range []bool{true, false} {
		h := newHouse(t, order("1", oneTea), order("2", oneTea))
		h.target.FrontEndSettles = settles
		h.addEvidence(reconcile.Evidence{Side: reconcile.SideFrontEnd, Trust: reconcile.ByProven, CoversFrom: noon.Add(-day)}, row("1"))
		h.source.List = append(h.source.List, order("3", oneTea, at(noon.Add(-2*day))))
		res := h.run()
		b := res.Targets[0].Balance
		if settles {
			h.ends(res, map[string]int{"already_sent/proven": 1, "sent/sent_now": 1, "held_back/no_evidence": 1})
			if b.FrontEndHad+b.FrontEndMissed != 0 {
				t.Errorf("had %d, missed %d, although it settles", b.FrontEndHad, b.FrontEndMissed)
			}
			continue
		}
		h.ends(res, map[string]int{"sent/sent_now": 3})
		if b.FrontEndHad != 1 || b.FrontEndMissed != 2 {
			t.Errorf("the front end had %d and missed %d, want 1 and 2", b.FrontEndHad, b.FrontEndMissed)
		}
	}
}

func TestEvidenceThatIsNotConfigured(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.target.Evidence = []string{"nowhere"}
	h.ends(h.run(), map[string]int{"left/evidence_stale": 1})
}

// TestEvidenceOfStepsInAnySequence: a row without a position speaks of all of
// its order, whether it stands before those that name positions or behind them.
func TestEvidenceOfStepsInAnySequence(t *testing.T) {
	second, whole := row("1"), row("1")
	second.Position = 2
	receipt := whole
	receipt.Receipt = "s-1"
	for name, c := range map[string]struct {
		rows []reconcile.EvidenceRow
		want map[string]int
	}{
		"whole first":    {[]reconcile.EvidenceRow{whole, second}, map[string]int{"already_sent/proven": 3}},
		"whole last":     {[]reconcile.EvidenceRow{second, whole}, map[string]int{"already_sent/proven": 3}},
		"with a receipt": {[]reconcile.EvidenceRow{receipt, second}, map[string]int{"already_sent/proven": 3}},
		"one step alone": {[]reconcile.EvidenceRow{second, second}, map[string]int{"already_sent/proven": 1, "held_back/waits_for_receipt": 1, "sent/sent_now": 1}},
	} {
		h := chained(t, 3, "1")
		h.sink.Script = outcomes(sent("s"))
		chainOf(&h.source.List[0], step("a", "20"), step("b", "20"), step("c", "20"))
		h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, c.rows...)
		t.Log(name)
		h.ends(h.run(), c.want)
	}
}
