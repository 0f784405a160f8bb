package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"makegood/reconcile"
)

// lease is what keeps a run of this process alive: its lock and its beat.
type lease struct {
	run  reconcile.RunID
	lock runLock
	stop chan struct{} // closed to end the beating
	done chan struct{} // closed when it has ended

	mu   sync.Mutex
	wall time.Time // of the last beat, by the ledger's clock
	mono time.Time // the same moment, by the monotonic clock
	over bool      // never alive again
}

// takeLease takes the lock of a new run.
func takeLease(ctx context.Context, db database, run reconcile.RunID) (*lease, error) {
	if err := checkRunID(run); err != nil {
		return nil, err
	}
	lock, err := db.lock(ctx, run)
	if err != nil {
		return nil, err
	}
	return &lease{run: run, lock: lock, stop: make(chan struct{}), done: make(chan struct{})}, nil
}

// checkRunID refuses ids that are no plain file names.
func checkRunID(run reconcile.RunID) error {
	if run == "" || string(run) != filepath.Base(string(run)) || codeOnly(string(run)) == "" || run[0] == '.' {
		return fmt.Errorf("run id %q is no plain name", string(run))
	}
	return nil
}

// leaves tells for how long others will still take the run for alive, by the
// later of both clocks: the monotonic one stands still while a machine sleeps,
// the wall clock can be set.
func (l *lease) leaves(now time.Time, dead time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return -1
	}
	return dead - max(now.Round(0).Sub(l.wall), time.Since(l.mono))
}

func (l *lease) beaten(wall, mono time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wall, l.mono = wall.Round(0), mono
}

func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

// beatEvery calls beat until the lease is stopped.
func (l *lease) beatEvery(every time.Duration, beat func()) {
	defer close(l.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			beat()
		}
	}
}

// stopBeating ends the beating and waits for it.
func (l *lease) stopBeating() {
	close(l.stop)
	<-l.done
}
