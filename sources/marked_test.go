package sources_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
	"makegood/sources/table"
)

// judge marks rows by a rule of a test.
type judge func(table.Told) table.Mark

func (j judge) Mark(t table.Told) table.Mark { return j(t) }
func (j judge) Summary() table.Summary {
	return table.Summary{Rows: [][]any{{"Status", "rows"}, {"fine", 1}}, ChartTitle: "Rows", ChartFrom: 2, ChartEnd: 2}
}

// marker is a source whose files can be marked.
type marker interface {
	reconcile.Source
	MarkFiles(ctx context.Context, o table.MarkOptions) []table.Marked
}

// read reads a source whose files are to be marked.
func read(t testing.TB, cfg *config.Source) marker {
	t.Helper()
	opened, err := sources.Opener{StateDir: t.TempDir(), Blame: func(string, reconcile.RowProblem) {}}.Source(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s := opened.(marker)
	for _, err := range s.Heads(t.Context(), retailWindow) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// mark marks the files of a source that was read.
func mark(t testing.TB, s marker, dir string, j judge) []table.Marked {
	t.Helper()
	return s.MarkFiles(t.Context(), table.MarkOptions{Marker: j, Dir: dir, TmpDir: filepath.Join(t.TempDir(), "tmp"), Taken: map[string]bool{}})
}

// BenchmarkMarked writes the whole year of Online Retail with a mark beside
// each of its 541,909 rows, and compares the time with that of reading it.
func BenchmarkMarked(b *testing.B) {
	for _, kind := range []string{"xlsx", "csv"} {
		b.Run(kind, func(b *testing.B) {
			cfg := retail(b, shared(b, "online_retail/online_retail."+kind))
			cfg.Type = kind
			var reading, marking time.Duration
			var peak uint64
			for b.Loop() {
				began := time.Now()
				s := read(b, cfg)
				reading += time.Since(began)
				began = time.Now()
				high := watchHeap(func() {
					for _, one := range mark(b, s, b.TempDir(), manyMarks) {
						if one.Err != nil {
							b.Fatal(one.Err)
						}
					}
				})
				marking += time.Since(began)
				peak = max(peak, high)
			}
			b.ReportMetric(marking.Seconds()/float64(b.N), "s/marking")
			b.ReportMetric(float64(reading+marking)/float64(reading), "of-reading")
			b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
		})
	}
}

// manyMarks marks one row of a hundred to be fixed, each in words of its own.
func manyMarks(t table.Told) table.Mark {
	if t.Row%100 == 0 {
		return table.Mark{Status: "fix this row", Reason: fmt.Sprintf("cell D%d: it is no number", t.Row), Next: "Correct the cell.", Fix: true, Here: true}
	}
	return table.Mark{Status: "accepted by the platform"}
}

// watchHeap gives the most memory that was in use while do ran.
func watchHeap(do func()) uint64 {
	var most atomic.Uint64
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	do()
	close(done)
	<-watched
	return most.Load()
}
