package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"makegood/reconcile"
)

// inParts cuts a plan of a house's into parts, and opens them as another process
// would.
func (h *house) inParts(ref *reconcile.PlanRef, parts int) (whole *reconcile.Plan, list []*reconcile.Plan) {
	h.t.Helper()
	whole, err := reconcile.OpenPlan(ref.Path, h.Key)
	if err != nil {
		h.t.Fatal(err)
	}
	cut, err := whole.Parts(h.Key, "target", parts)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, one := range cut {
		part, err := reconcile.OpenPlan(one.Path, h.Key)
		if err != nil {
			h.t.Fatal(err)
		}
		if part.Digest != one.Digest {
			h.t.Errorf("part %d has digest %s, and was written as %s", part.Part.N, part.Digest, one.Digest)
		}
		list = append(list, part)
	}
	return whole, list
}

// crowd is 200 orders of 50 persons.
func crowd() (orders []reconcile.Order) {
	for i := range 200 {
		orders = append(orders, order(strconv.Itoa(1000+i), oneTea, func(o *reconcile.Order) { o.Email = fmt.Sprintf("customer%d@example.com", i%50) },
			at(noon.Add(-time.Duration(i)*time.Minute))))
	}
	return orders
}

// TestPartsAreThePlan: the parts hold each step of a plan once, and all of a
// person in one.
func TestPartsAreThePlan(t *testing.T) {
	h := newHouse(t, crowd()...)
	whole, parts := h.inParts(h.plan().Plan, 8)
	if len(parts) < 2 {
		t.Fatalf("there are %d parts", len(parts))
	}
	of, bodies := map[reconcile.Person]int{}, map[reconcile.EventID]string{}
	for step, err := range whole.All() {
		if err != nil {
			t.Fatal(err)
		}
		bodies[step.Event.ID] = string(step.Event.Body)
	}
	for _, part := range parts {
		for step, err := range part.All() {
			if err != nil {
				t.Fatal(err)
			}
			if was, met := of[step.Event.Person]; met && was != part.Part.N {
				t.Errorf("%s is in parts %d and %d", step.Event.ID, was, part.Part.N)
			}
			of[step.Event.Person] = part.Part.N
			if body, there := bodies[step.Event.ID]; !there || body != string(step.Event.Body) {
				t.Errorf("%s is another event in its part, or is in two", step.Event.ID)
			}
			delete(bodies, step.Event.ID)
		}
	}
	if len(bodies) > 0 {
		t.Errorf("%d steps are in no part", len(bodies))
	}
}

// TestPartsThatCannotBeMade: when one part cannot be written, none is left.
func TestPartsThatCannotBeMade(t *testing.T) {
	h := newHouse(t, crowd()...)
	whole, parts := h.inParts(h.plan().Plan, 8)
	for _, part := range parts {
		if err := os.Remove(part.Path); err != nil {
			t.Fatal(err)
		}
	}
	last := parts[len(parts)-1].Path
	if err := os.MkdirAll(filepath.Join(last, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if list, err := whole.Parts(h.Key, "target", 8); err == nil || len(list) > 0 {
		t.Errorf("there are %d parts, %v", len(list), err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(whole.Path), "*"))
	if slices.Sort(left); err != nil || !slices.Equal(left, []string{whole.Path, reconcile.DiaryOf(whole.Path), last}) {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestPartsThatDieAndStop: parts are carried out by runs that stop or die in the
// middle, and by others that go on; the sum tells where everything ended.
func TestPartsThatDieAndStop(t *testing.T) {
	for name, merges := range map[string]bool{"repeats merge": true, "repeats count": false} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, crowd()...)
			h.sink.Merges = merges
			h.run()
			more := crowd()
			for i := range more {
				more[i] = order(strconv.Itoa(5000+i), oneTea, func(o *reconcile.Order) { o.Email = more[i].Email }, at(more[i].CompletedAt))
			}
			h.source.List = append(h.source.List, more...)
			whole, parts := h.inParts(h.plan().Plan, 4)
			runs := map[int][]reconcile.RunID{}
			carry := func(ctx context.Context, part *reconcile.Plan) reconcile.Result {
				again, err := reconcile.OpenPlan(part.Path, h.Key)
				if err != nil {
					t.Fatal(err)
				}
				res, err := h.Carry(ctx, h.ledger(), again, runs[part.Part.N], reconcile.Request{Command: "worker"})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				runs[part.Part.N] = append(runs[part.Part.N], res.Run)
				return res
			}
			for n, part := range parts { // each is stopped once, in its middle
				ctx, stop := context.WithCancel(t.Context())
				var sent atomic.Int64
				h.sink.During = func(batch []reconcile.Event) {
					if sent.Add(int64(len(batch))) > int64(5*(n+1)) {
						stop()
					}
				}
				carry(ctx, part)
				h.sink.During = nil
				stop()
			}
			var all []reconcile.RunID
			for _, part := range parts {
				if res := carry(t.Context(), part); !res.Targets[0].Balance.Holds() {
					t.Errorf("the balance of part %d does not hold", part.Part.N)
				}
				all = append(all, runs[part.Part.N]...)
			}
			sum, err := h.Sum(t.Context(), h.ledger(), whole, reconcile.CarriedOut{Runs: all}, reconcile.Request{Command: "backfill"})
			if err != nil {
				t.Fatal(err)
			}
			h.check(sum)
			h.ends(sum, map[string]int{"sent/sent_now": 200, "already_sent/sent_here": 200})
			for id, n := range h.sink.Accepted() {
				if n != 1 {
					t.Errorf("%s was accepted %d times", id, n)
				}
			}
		})
	}
}

// TestPartsOfADeadRun: what a run that died had claimed is in doubt, or goes
// again where that does no harm, and the sum says so.
func TestPartsOfADeadRun(t *testing.T) {
	for name, c := range map[string]struct {
		merges bool
		want   map[string]int
	}{
		"repeats merge": {true, map[string]int{"sent/sent_now": 200}},
		"repeats count": {false, map[string]int{"sent/sent_now": 199, "in_doubt/lost_claim": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, crowd()...)
			h.sink.Merges = c.merges
			whole, parts := h.inParts(h.plan().Plan, 2)
			h.led = h.ledger()
			dead := reconcile.RunID("dead")
			if err := h.led.Begin(t.Context(), reconcile.RunRecord{Run: dead, Command: "worker", Started: h.clock()}); err != nil {
				t.Fatal(err)
			}
			for step, err := range parts[0].All() {
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := h.led.Claim(t.Context(), "target", dead, []reconcile.Ticket{{Event: step.Event}}); err != nil {
					t.Fatal(err)
				}
				break
			}
			h.close()
			runs := []reconcile.RunID{dead}
			for _, part := range parts {
				res, err := h.Carry(t.Context(), h.ledger(), part, runs, reconcile.Request{Command: "worker"})
				if err != nil {
					t.Fatal(err)
				}
				runs = append(runs, res.Run)
			}
			sum, err := h.Sum(t.Context(), h.ledger(), whole, reconcile.CarriedOut{Runs: runs}, reconcile.Request{Command: "backfill"})
			if err != nil {
				t.Fatal(err)
			}
			h.check(sum)
			h.ends(sum, c.want)
		})
	}
}

// TestPartsThatNoLongerHold: a part that expired, or was made for other settings
// or another ledger, and a whole plan in the place of a part, send nothing.
func TestPartsThatNoLongerHold(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		do   func(*house)
	}{
		"expired":  {reconcile.RefusedExpired, func(h *house) { h.pass(30 * 24 * time.Hour) }},
		"settings": {reconcile.RefusedConfig, func(h *house) { h.target.Digest = "another" }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, crowd()...)
			_, parts := h.inParts(h.plan().Plan, 2)
			c.do(h)
			_, err := h.Carry(t.Context(), h.ledger(), parts[0], nil, reconcile.Request{Command: "worker"})
			if refused, ok := errors.AsType[*reconcile.PlanRefused](err); !ok || refused.Code != c.code {
				t.Errorf("got %v", err)
			}
			if len(h.sink.Order()) > 0 {
				t.Error("something was sent")
			}
		})
	}
	h := newHouse(t, crowd()...)
	whole, parts := h.inParts(h.plan().Plan, 2)
	if _, err := h.Carry(t.Context(), h.ledger(), whole, nil, reconcile.Request{}); err == nil {
		t.Error("a whole plan was carried out as a part")
	}
	if _, err := h.Apply(t.Context(), h.ledger(), parts[0], reconcile.Request{}); err == nil {
		t.Error("a part was applied as a plan")
	}
	if len(h.sink.Order()) > 0 {
		t.Error("something was sent")
	}
}

// TestAPartThatMustNotBegin: a run whose part somebody else has by now claims and
// sends nothing.
func TestAPartThatMustNotBegin(t *testing.T) {
	h := newHouse(t, crowd()[:100]...)
	_, parts := h.inParts(h.plan().Plan, 1)
	gone := errors.New("somebody else has it")
	_, err := h.Carry(t.Context(), h.ledger(), parts[0], nil, reconcile.Request{Command: "worker", Begun: func(context.Context) error { return gone }})
	if !errors.Is(err, gone) {
		t.Errorf("it ends with %v", err)
	}
	h.accepted()
	res, err := h.Carry(t.Context(), h.ledger(), parts[0], nil, reconcile.Request{Command: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 100}) // whose entries nobody has moved
}

// TestRoundsOfOneWork: where a plan is made anew after a part of it was sent, what
// was sent then counts as sent, once, and what others sent before does not.
func TestRoundsOfOneWork(t *testing.T) {
	h := newHouse(t, crowd()[:100]...)
	h.run() // others, before
	h.source.List = crowd()
	_, parts := h.inParts(h.plan().Plan, 4)
	first, err := h.Carry(t.Context(), h.ledger(), parts[0], nil, reconcile.Request{Command: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	sent := first.Targets[0].Balance.Of(reconcile.BucketSent).Events
	if sent == 0 || sent == 100 {
		t.Fatalf("the first round sent %d", sent)
	}
	req := reconcile.Request{Command: "backfill", Rounds: []reconcile.RunID{first.Run}}
	anew, err := h.Plan(t.Context(), h.ledger(), req)
	if err != nil {
		t.Fatal(err)
	}
	runs := req.Rounds
	whole, parts := h.inParts(anew.Plan, 4)
	for _, part := range parts {
		res, err := h.Carry(t.Context(), h.ledger(), part, nil, reconcile.Request{Command: "worker"})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, res.Run)
	}
	sum, err := h.Sum(t.Context(), h.ledger(), whole, reconcile.CarriedOut{Runs: runs}, req)
	if err != nil {
		t.Fatal(err)
	}
	h.check(sum)
	h.ends(sum, map[string]int{"sent/sent_now": 100, "already_sent/sent_here": 100})
}
