package simulation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// How many worlds are tried, and from which seed on: the environment says
// otherwise.
const (
	worldsVariable = "MAKEGOOD_TEST_WORLDS"
	seedVariable   = "MAKEGOOD_TEST_SEED"
)

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// TestWorlds tries worlds until one of them breaks a rule.
func TestWorlds(t *testing.T) {
	usual := uint64(2000)
	if testing.Short() {
		usual = 50
	}
	worlds := number(t, worldsVariable, usual)
	first := number(t, seedVariable, uint64(time.Now().UnixNano())%1_000_000_000)
	t.Logf("%d worlds from seed %d on (%s, %s)", worlds, first, worldsVariable, seedVariable)
	// Worlds are small, and memory is not what they are about.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	dir := fastDir(t)
	empty, err := emptyLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	var next atomic.Uint64
	var broken atomic.Bool
	t.Run("side by side", func(t *testing.T) {
		for n := range min(uint64(runtime.GOMAXPROCS(0)), worlds) {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < worlds && !broken.Load(); i = next.Add(1) - 1 {
					if w := play(t, first+i, dir, empty); len(w.faults) > 0 {
						broken.Store(true)
						t.Errorf("world %d (repeat it with GOMAXPROCS=1 %s=%d %s=1): %s\n\n%s", first+i, seedVariable, first+i, worldsVariable,
							w.faults[0], strings.Join(w.trace, "\n"))
					}
				}
			})
		}
	})
}

// TestAWorldComesAgain plays worlds twice: a seed that went wrong must go wrong
// again. Workers that wait for one moment, as for the end of a pause, go in any
// order on several processors, and so may one world in a hundred.
func TestAWorldComesAgain(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	dir := fastDir(t)
	empty, err := emptyLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		once, again := play(t, seed, dir, empty), play(t, seed, dir, empty)
		for i, line := range once.trace {
			if i >= len(again.trace) || again.trace[i] != line {
				t.Fatalf("world %d is another one at line %d: %s\n\n%s\n\n%s", seed, i, line, strings.Join(once.trace, "\n"), strings.Join(again.trace, "\n"))
			}
		}
	}
}

// play plays one world in a bubble of its own.
func play(t *testing.T, seed uint64, dir string, empty []byte) (w *world) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Logf("world %d", seed)
			panic(r)
		}
	}()
	dir = filepath.Join(dir, fmt.Sprint(seed))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	synctest.Test(t, func(*testing.T) {
		if w, err = newWorld(seed, dir, empty); err == nil {
			w.play()
		}
	})
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		t.Fatal(err)
	}
	return w
}

// fastDir is a folder in memory where there is one: a ledger syncs each commit.
func fastDir(t *testing.T) string {
	t.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "makegood-worlds-"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it is memory that the next boot forgets
		return dir
	}
	return t.TempDir()
}
