package ledger_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"makegood/reconcile/ledger"
)

// TestBuy: what several processes buy of a pace lies one behind the other, and
// each destination has its own.
func TestBuy(t *testing.T) {
	place := postgres(t)
	const processes, shares, worth = 4, 10, 20 * time.Millisecond
	begin := time.Now()
	var last time.Time
	var mu sync.Mutex
	var buying sync.WaitGroup
	for range processes {
		led, err := ledger.Open(t.Context(), place, options())
		if err != nil {
			t.Fatal(err)
		}
		defer led.Close()
		if !led.Shared() {
			t.Error("the ledger is not shared")
		}
		buying.Go(func() {
			for range shares {
				wait, err := led.Buy(t.Context(), "activate", worth)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if at := time.Now().Add(wait); at.After(last) {
					last = at
				}
				mu.Unlock()
			}
		})
	}
	buying.Wait()
	if all := processes * shares * worth; last.Add(worth).Sub(begin) < all {
		t.Errorf("the last share ends %v after the first began, but they are worth %v", last.Add(worth).Sub(begin), all)
	}
	led, err := ledger.Open(t.Context(), place, options())
	if err != nil {
		t.Fatal(err)
	}
	defer led.Close()
	if wait, err := led.Buy(t.Context(), "collect", time.Hour); err != nil || wait != 0 {
		t.Errorf("the first share of another destination begins in %v (%v), not at once", wait, err)
	}
	if wait, err := led.Buy(t.Context(), "collect", worth); err != nil || wait < 50*time.Minute {
		t.Errorf("a share behind an hour's begins in %v (%v)", wait, err)
	}
}

// TestBuyInAFile: a ledger of one machine hands out nothing.
func TestBuyInAFile(t *testing.T) {
	led, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "makegood.db"), options())
	if err != nil {
		t.Fatal(err)
	}
	defer led.Close()
	if _, err := led.Buy(t.Context(), "activate", time.Second); !errors.Is(err, ledger.ErrNotShared) || led.Shared() {
		t.Errorf("got %v, want ErrNotShared", err)
	}
}
