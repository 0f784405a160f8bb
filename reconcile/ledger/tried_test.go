package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"makegood/reconcile"
)

// TestTriedInTheLedger: a repeat is compared byte by byte with what went, a
// first message is known as such, and a pause of the target holds for what is
// tried there.
func TestTriedInTheLedger(t *testing.T) {
	led := open(t, filepath.Join(t.TempDir(), "ledger.db"), options())
	begin(t, led, "r1")
	defer func() {
		if err := led.End(t.Context(), reconcile.RunEnd{Run: "r1", Finished: noon}); err != nil {
			t.Error(err)
		}
	}()
	one, other := event("1"), event("2")
	ever := func(target string, want bool) {
		t.Helper()
		if got, err := led.EverSent(t.Context(), target); got != want || err != nil {
			t.Errorf("%s was sent something: %v, %v", target, got, err)
		}
	}
	same := func(id reconcile.EventID, e reconcile.Event, want bool) {
		t.Helper()
		if got, err := led.Same(t.Context(), "activate", id, e); got != want || err != nil {
			t.Errorf("%s is the same: %v, %v", id, got, err)
		}
	}
	same(one.ID, one, false)
	ever("activate", false)
	adopted := reconcile.Adoption{Want: reconcile.Want{ID: other.ID, Kind: other.Kind, Person: other.Person, Value: other.Value, Facts: other.Facts}, By: reconcile.ByProven, Who: "log", At: noon}
	if n, err := led.Adopt(t.Context(), "activate", "r1", []reconcile.Adoption{adopted}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	same(other.ID, other, false) // nobody knows what others sent
	for _, v := range []reconcile.Verdict{reconcile.Retryable, reconcile.Sent} {
		ever("activate", false)
		seen, err := led.Find(t.Context(), "activate", []reconcile.EventID{one.ID})
		if err != nil {
			t.Fatal(err)
		}
		if taken, _, err := led.Claim(t.Context(), "activate", "r1", []reconcile.Ticket{{Event: one, Seen: seen[one.ID].Version}}); len(taken) != 1 || err != nil {
			t.Fatal(taken, err)
		}
		outcome := reconcile.Outcome{ID: one.ID, Version: seen[one.ID].Version + 1, Verdict: v, Attempts: []reconcile.Attempt{{At: noon, Verdict: v, Status: 200}}}
		if _, err := led.Settle(t.Context(), "activate", "r1", []reconcile.Outcome{outcome}); err != nil {
			t.Fatal(err)
		}
	}
	ever("activate", true)
	ever("activate.test", false)
	same(one.ID, one, true)
	changed := one
	changed.Body = []byte(`{"order":"1","custom_sent_late":"yes"}`)
	same(one.ID, changed, false)
	changed.Body, changed.Path = one.Body, "new"
	same(one.ID, changed, false)

	word := reconcile.Word{Kind: reconcile.WordPause, Target: "activate", Who: "desk", Note: "repair"}
	if err := led.Say(t.Context(), []reconcile.Word{word}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"activate.test", "activate.again", "activate.test.again"} {
		if _, _, err := led.Claim(t.Context(), name, "r1", []reconcile.Ticket{{Event: one}}); !errors.Is(err, reconcile.ErrPaused) {
			t.Errorf("%s was claimed while the destination is paused: %v", name, err)
		}
	}
	word.Until = time.Now().Add(-time.Second)
	if err := led.Say(t.Context(), []reconcile.Word{word}); err != nil {
		t.Fatal(err)
	}
	if taken, _, err := led.Claim(t.Context(), "activate.again", "r1", []reconcile.Ticket{{Event: one}}); len(taken) != 1 || err != nil {
		t.Errorf("after the pause: %v, %v", taken, err)
	}
}
