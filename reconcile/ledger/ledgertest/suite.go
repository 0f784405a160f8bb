// Package ledgertest is the conformance suite of reconcile.Ledger: what every
// ledger must do, whatever it is stored in.
package ledgertest

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"makegood/reconcile"
)

// Place is where one ledger lies. It is new and empty for every test.
type Place struct {
	// Open opens another handle on the same ledger, as another process would.
	// Closing a handle without ending its runs must leave them dead, as a
	// crash does. Close may be called twice.
	Open func(t *testing.T) reconcile.Ledger
	// Stored gives every byte that lies on the disk for this ledger, while it
	// is open or closed.
	Stored func(t *testing.T) []byte
}

// Run runs the suite against places that place makes.
func Run(t *testing.T, place func(t *testing.T) Place) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, p Place)
	}{
		{"Claim/absent", claimAbsent},
		{"Claim/stale ticket", claimStale},
		{"Claim/done is never taken", claimDone},
		{"Claim/a live run keeps its claim", claimLive},
		{"Claim/a dead run loses its claim", claimDead},
		{"Claim/one event twice", claimTwice},
		{"Claim/ids are bytes", claimBytes},
		{"Claim/without a run", claimWithoutRun},
		{"Claim/not while paused", claimPaused},
		{"Claim/many workers", claimContended},
		{"Settle/verdicts", settleVerdicts},
		{"Settle/a claim given back", settleGivesBack},
		{"Settle/an old doubt stays", settleKeepsDoubt},
		{"Settle/only under the claim's version", settleConditional},
		{"Settle/late and sent ends a doubt", settleLateDoubt},
		{"Settle/late repeats", settleLateRepeat},
		{"Settle/ignores cancellation", settleCancelled},
		{"Adopt", adopt},
		{"Resolve", resolve},
		{"Resolve/what was lost", resolveLost},
		{"Resolve/a receipt", resolveReceipt},
		{"Decide", decide},
		{"Say/words survive", wordsSurvive},
		{"Runs/days of sources", sourceDays},
		{"Runs/alive until the end", runsAlive},
		{"Runs/an id counts once", runsOnce},
		{"Head rises", headRises},
		{"Read/coverage", readCoverage},
		{"Slots", slots},
		{"Read/oldest", readOldest},
		{"Read/lost", readLost},
		{"Read/unfinished", readUnfinished},
		{"Read/cart events", readCartEvents},
		{"Read/purchases alike", readAlike},
		{"Read/facts survive", readFacts},
		{"Read/shops", readShops},
		{"Read/who said what", readSaid},
		{"Read/what is done", readDone},
		{"No personal data", privacy},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, place(t)) })
	}
}

const target = "activate"

// noon is the completion time of the suite's orders.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// hand is one handle with one run that has begun.
type hand struct {
	reconcile.Ledger
	t   *testing.T
	run reconcile.RunID
}

var runs atomic.Int64 // makes run ids differ

func nextRun() reconcile.RunID { return reconcile.RunID(fmt.Sprintf("run-%04d", runs.Add(1))) }

// open opens a handle and closes it at the test's end.
func open(t *testing.T, p Place) reconcile.Ledger {
	t.Helper()
	led := p.Open(t)
	t.Cleanup(func() {
		if err := led.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return led
}

// begin opens a handle and begins a run on it.
func begin(t *testing.T, p Place) hand {
	t.Helper()
	h := hand{open(t, p), t, nextRun()}
	record := reconcile.RunRecord{Run: h.run, Command: "run", Started: noon, Window: day(noon)}
	if err := h.Begin(t.Context(), record); err != nil {
		t.Fatalf("begin: %v", err)
	}
	return h
}

func day(from time.Time) reconcile.Window {
	return reconcile.Window{From: from, To: from.Add(24 * time.Hour)}
}

func purchase(order string) reconcile.Event {
	amount := must(reconcile.ParseDecimal("12.50"))
	key := reconcile.OrderKey{Shop: "main", Order: order}
	return reconcile.Event{
		ID: reconcile.NewEventID(reconcile.KindPurchase, key), Kind: reconcile.KindPurchase,
		Action: reconcile.ActionPurchase, Person: reconcile.EmailPerson("ann@example.com"),
		Value: reconcile.Value{Amount: &amount, Currency: "EUR", Of: "lines"},
		Facts: reconcile.Facts{
			Source: "shop", CompletedAt: noon, Store: reconcile.StoreMark("Utrecht"),
			Digest: reconcile.HashFields(order), Cosmetic: reconcile.HashFields("c", order), CosmeticFields: "name",
		},
		Shown: order, Body: json.RawMessage(`{"order":"` + order + `"}`),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ticket(e reconcile.Event, seen int64) reconcile.Ticket {
	return reconcile.Ticket{Event: e, Seen: seen}
}

// claim claims and fails the test on an error.
func (h hand) claim(tickets ...reconcile.Ticket) ([]reconcile.EventID, map[reconcile.EventID]reconcile.Entry) {
	h.t.Helper()
	taken, moved, err := h.Claim(h.t.Context(), target, h.run, tickets)
	if err != nil {
		h.t.Fatalf("claim: %v", err)
	}
	return taken, moved
}

// take claims one event on what the ledger says now, and gives the version.
func (h hand) take(e reconcile.Event) int64 {
	h.t.Helper()
	seen := h.find(e.ID).Version
	if taken, moved := h.claim(ticket(e, seen)); len(taken) != 1 {
		h.t.Fatalf("claim of %s at version %d moved: %+v", e.ID, seen, moved)
	}
	return seen + 1
}

// settle settles one event and gives what was reported as a repeat.
func (h hand) settle(o reconcile.Outcome) []reconcile.EventID {
	h.t.Helper()
	repeats, err := h.Settle(h.t.Context(), target, h.run, []reconcile.Outcome{o})
	if err != nil {
		h.t.Fatalf("settle %s: %v", o.ID, err)
	}
	return repeats
}

// send claims and settles in one go.
func (h hand) send(e reconcile.Event, v reconcile.Verdict) {
	h.t.Helper()
	h.settle(reconcile.Outcome{ID: e.ID, Version: h.take(e), Verdict: v})
}

// find gives the entry as it reads, the zero value when it is absent.
func (h hand) find(id reconcile.EventID) reconcile.Entry {
	h.t.Helper()
	found, err := h.Find(h.t.Context(), target, []reconcile.EventID{id})
	if err != nil {
		h.t.Fatalf("find: %v", err)
	}
	return found[id]
}

// wantState fails when the entry's state, version or number of attempts
// differ.
func (h hand) wantState(id reconcile.EventID, state reconcile.State, version int64, attempts int) reconcile.Entry {
	h.t.Helper()
	e := h.find(id)
	if e.State != state || e.Version != version || e.Attempts != attempts {
		h.t.Errorf("%s is %q at version %d after %d attempts, want %q, %d, %d",
			id, e.State, e.Version, e.Attempts, state, version, attempts)
	}
	return e
}

// die ends the handle as a crash would.
func (h hand) die() {
	h.t.Helper()
	if err := h.Close(); err != nil {
		h.t.Fatalf("close: %v", err)
	}
}

// end ends the run.
func (h hand) end(e reconcile.RunEnd) {
	h.t.Helper()
	e.Run, e.Finished = h.run, noon
	if err := h.End(h.t.Context(), e); err != nil {
		h.t.Fatalf("end: %v", err)
	}
}
