package ledger_test

import (
	"path/filepath"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// TestTextsThatAreNoUTF8: whatever bytes a source or a platform's answer brings, the
// ledger agrees with its journal.
func TestTextsThatAreNoUTF8(t *testing.T) {
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "ledger.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if place == "" {
				place = postgres(t)
			}
			led := open(t, place, options())
			begin(t, led, "a-run")
			e := event("1")
			e.Shown, e.Facts.Store, e.Facts.Source = "sh\xffown", "st\xfe\xffore", "so\xffurce"
			for seen, o := range []reconcile.Outcome{{Verdict: reconcile.InDoubt}, {Verdict: reconcile.Retryable, NotBefore: time.Now()}, {Verdict: reconcile.Sent, Receipt: "r\xff1"}} {
				if _, moved, err := led.Claim(t.Context(), "activate", "a-run", []reconcile.Ticket{{Event: e, Seen: int64(2 * seen)}}); err != nil || len(moved) > 0 {
					t.Fatal(err, moved)
				}
				o.ID, o.Version = e.ID, int64(2*seen+1)
				if _, err := led.Settle(t.Context(), "activate", "a-run", []reconcile.Outcome{o}); err != nil {
					t.Fatal(err)
				}
				e.Facts.Store, e.Value.Amount, e.Facts.Digest = "other\xff", nil, reconcile.Digest{}
			}
			if err := led.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := ledger.OpenReader(t.Context(), place, options())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if findings, err := r.Check(t.Context(), t.TempDir()); err != nil || len(findings) > 0 {
				t.Errorf("%v, %v", findings, err)
			}
		})
	}
}
