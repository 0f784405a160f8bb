package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// BenchmarkPlanGrowth plans 10 thousand orders, ten times as many, and so on up to
// MAKEGOOD_BENCH_DISTINCT (a million when not set), all of which are to be sent: the
// dearest plan that there is. What one of a billion orders would cost is worked out
// from it. CPU-seconds say more than seconds where the machine does other things.
func BenchmarkPlanGrowth(b *testing.B) {
	for n := 10_000; n <= figure(b, distinctVariable, 1_000_000, 10_000_000); n *= 10 {
		b.Run(fmt.Sprintf("%d orders", n), func(b *testing.B) {
			dir := b.TempDir()
			config := manyConfig(b, dir, "http://127.0.0.1:1", "makegood.db")
			manyOrders(b, dir, n)
			var p planned
			var took time.Duration
			for b.Loop() {
				begin := time.Now()
				p = planOnce(b, config, n)
				took += time.Since(begin)
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s-plan")
			b.ReportMetric(p.cpu.Seconds(), "cpu-s")
			b.ReportMetric(float64(p.peak)/1024, "MiB")
			b.ReportMetric(float64(p.kept)/float64(n), "B/order-kept")
			b.ReportMetric(float64(p.most)/float64(n), "B/order-at-most")
		})
	}
}

// planned is what a plan cost.
type planned struct {
	cpu        time.Duration
	peak       int   // of memory, in KiB
	kept, most int64 // bytes of state_dir: afterwards, and while it was made
}

// planOnce plans all orders, in a state_dir of its own.
func planOnce(b *testing.B, config string, orders int) (p planned) {
	b.Helper()
	state := filepath.Join(filepath.Dir(config), ".makegood")
	check(b, os.RemoveAll(state))
	peak := filepath.Join(b.TempDir(), "peak")
	cmd := play(b, "plan", "--json", "-c", config, "--from", time.Now().AddDate(0, 0, -11).Format(time.DateOnly))
	cmd.Env = append(cmd.Env, peakVariable+"="+peak)
	over, seen := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			select {
			case <-over:
				seen <- most
				return
			case <-time.After(20 * time.Millisecond):
				most = max(most, sizeOf(state))
			}
		}
	}()
	out, err := cmd.Output()
	close(over)
	p.most, p.kept = <-seen, sizeOf(state)
	p.most = max(p.most, p.kept)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitLeft {
		b.Fatalf("makegood plan: %v\n%s%s", err, out, exit.Stderr)
	}
	var r reportJSON
	check(b, json.Unmarshal(out, &r))
	if n := r.Targets[0].Balance.Left.Orders; n != orders {
		b.Fatalf("%d orders are to be sent, not %d", n, orders)
	}
	p.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	text, err := os.ReadFile(peak)
	check(b, err)
	p.peak, err = strconv.Atoi(string(text))
	check(b, err)
	return p
}

// sizeOf is what the files of a folder hold; files may come and go meanwhile.
func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
