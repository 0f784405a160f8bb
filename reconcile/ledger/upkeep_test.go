package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// TestCopies: a ledger goes from a file to PostgreSQL and back, row by row,
// with its history; a move raises the epoch, a backup does not.
func TestCopies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "makegood.db")
	history(t, file)
	original := headOf(t, file)
	server, again := postgres(t), filepath.Join(t.TempDir(), "again.db")
	moved, err := ledger.Move(t.Context(), file, server, t.TempDir(), options())
	if err != nil || moved.Ledger != original.Ledger || moved.Epoch != original.Epoch+1 || moved.Sequence != original.Sequence+1 {
		t.Fatalf("moved %+v to %+v, %v", original, moved, err)
	}
	kept, err := ledger.Backup(t.Context(), server, again, t.TempDir(), options())
	if err != nil || kept != moved {
		t.Fatalf("kept %+v of %+v, %v", kept, moved, err)
	}
	want, got := rowsOf(t, file), rowsOf(t, again)
	if diff := cmp.Diff(want, got); len(want) < 15 || diff != "" {
		t.Errorf("%d rows became %d:\n%s", len(want), len(got), diff)
	}
	if findings := check(t, again); len(findings) != 0 {
		t.Errorf("found %v", findings)
	}
	if _, err := ledger.Backup(t.Context(), file, again, t.TempDir(), options()); !errors.Is(err, ledger.ErrNotEmpty) {
		t.Errorf("a ledger was copied over another: %v", err)
	}
	led := open(t, again, options())
	begin(t, led, "third")
	if taken := claim(t, led, "third", 3, "1003"); len(taken) != 1 {
		t.Errorf("the copy does not go on: %v", taken)
	}
	stored := moved
	if err := ledger.CheckHead(&stored, &original, true); !errors.Is(err, ledger.ErrLedgerBehind) {
		t.Errorf("the original after the move: %v", err)
	}
}

// TestMoveWaitsForRuns: what a living run sends would not be in the copy, and
// would go again from there. A backup may be made at any time.
func TestMoveWaitsForRuns(t *testing.T) {
	folder := t.TempDir()
	from := filepath.Join(folder, "makegood.db")
	history(t, from)
	led := open(t, from, options())
	begin(t, led, "alive")
	to := filepath.Join(folder, "to.db")
	if _, err := ledger.Move(t.Context(), from, to, folder, options()); !errors.Is(err, ledger.ErrLiveRun) {
		t.Errorf("moved under a living run: %v", err)
	}
	if begun, err := ledger.Begun(t.Context(), to); begun || err != nil {
		t.Errorf("something was left at the new place: %v, %v", begun, err)
	}
	if _, err := ledger.Backup(t.Context(), from, filepath.Join(folder, "kept.db"), folder, options()); err != nil {
		t.Errorf("a backup under a living run: %v", err)
	}
}

func headOf(t *testing.T, place string) reconcile.LedgerHead {
	t.Helper()
	r, err := ledger.OpenReader(t.Context(), place, options())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	return r.Head()
}

func rowsOf(t *testing.T, place string) (rows []string) {
	t.Helper()
	r, err := ledger.OpenReader(t.Context(), place, options())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	err = r.Each(t.Context(), func(table string, row any) error {
		text, err := jsonOf(row)
		rows = append(rows, table+" "+text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRenameShop: the orders of a shop go on under its new name, in both kinds
// of ledger, and the history stays whole.
func TestRenameShop(t *testing.T) {
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "l.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if place == "" {
				place = postgres(t)
			}
			history(t, place)
			led := open(t, place, options())
			before := led.Head()
			if _, err := led.RenameShop(t.Context(), "nobody", "web"); err == nil {
				t.Error("a shop that is not known was renamed")
			}
			n, err := led.RenameShop(t.Context(), "main", "web/shop")
			if err != nil || n < 10 || led.Head().Epoch != before.Epoch+1 {
				t.Fatalf("renamed %d rows, %v, head %+v", n, err, led.Head())
			}
			id := reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "web/shop", Order: "1001"})
			found, err := led.Find(t.Context(), "activate", []reconcile.EventID{id})
			if err != nil || found[id].State != reconcile.StateDone || found[id].Facts.Digest != (reconcile.Digest{}) {
				t.Errorf("found %+v, %v", found[id], err)
			}
			if e := find(t, led, "1001"); e.Version != 0 {
				t.Errorf("the old name is still known: %+v", e)
			}
			if findings := check(t, place); len(findings) != 0 {
				t.Errorf("found %v", findings)
			}
			begin(t, led, "alive")
			if _, err := led.RenameShop(t.Context(), "web/shop", "main"); !errors.Is(err, ledger.ErrLiveRun) {
				t.Errorf("a shop was renamed under a living run: %v", err)
			}
		})
	}
}

// TestPrune: what is done and old goes, what is not done stays, and the
// journal begins anew and is whole.
func TestPrune(t *testing.T) {
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "l.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if place == "" {
				place = postgres(t)
			}
			history(t, place)
			led := open(t, place, options())
			before := led.Head()
			n, err := led.Prune(t.Context(), "activate", noon.Add(time.Minute))
			if err != nil || n != 2 {
				t.Fatalf("pruned %d, %v", n, err)
			}
			if upto, err := led.Pruned(t.Context(), "activate"); err != nil || !upto.Equal(noon.Add(time.Minute)) {
				t.Errorf("pruned up to %v, %v", upto, err)
			}
			if e := find(t, led, "1001"); e.Version != 0 {
				t.Errorf("kept %+v", e)
			}
			if e := find(t, led, "1003"); e.State != reconcile.StateDoubtful {
				t.Errorf("what was in doubt is %+v", e)
			}
			if findings := check(t, place); len(findings) != 0 {
				t.Errorf("found %v", findings)
			}
			if err := led.CheckHistory(t.Context(), &before); err != nil {
				t.Errorf("the head from before: %v", err)
			}
			begin(t, led, "next")
			if taken := claim(t, led, "next", 0, "9001"); len(taken) != 1 {
				t.Errorf("claimed %v", taken)
			}
			if findings := check(t, place); len(findings) != 0 {
				t.Errorf("found %v after the next run", findings)
			}
		})
	}
}
