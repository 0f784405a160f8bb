package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bareVariable names a workbook: started with it, the test binary is the bare
// loop over its rows and nothing else.
const bareVariable = "MAKEGOOD_TEST_BARE"

func playBare(path string) int {
	rows, err := bareXLSX(path)
	if err != nil || rows != 541910 {
		fmt.Fprintf(os.Stderr, "the bare loop read %d rows: %v\n", rows, err)
		return 1
	}
	return 0
}

// taken is what processes took: on a busy machine the time of the processors
// says more than that of the wall.
type taken struct {
	wall, processor time.Duration
	peak            int64 // KiB, the highest of all
}

func (t *taken) run(b *testing.B, cmd *exec.Cmd, code int) {
	b.Helper()
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	t.wall += time.Since(begin)
	t.processor += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.peak = max(t.peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

// report tells how we stand to others.
func (t *taken) report(b *testing.B, name string, ours taken) {
	b.Helper()
	b.ReportMetric(t.wall.Seconds()/float64(b.N), "s-"+name)
	b.ReportMetric(float64(t.peak)/1024, "MiB-"+name)
	b.ReportMetric(float64(ours.wall)/float64(t.wall), "x-"+name)
	b.ReportMetric(float64(ours.processor)/float64(t.processor), "x-cpu-"+name)
	b.ReportMetric(float64(ours.peak)/float64(t.peak), "x-memory-"+name)
}

// BenchmarkWorkbook compares the first plan of a real shop's year in a workbook
// (541,909 rows, 18,356 messages) with a bare loop over its rows by the library,
// and with what pandas takes to read it, where there is a Python that has it.
// Each is a process of its own, and they take turns.
func BenchmarkWorkbook(b *testing.B) {
	path := retail(b, "online_retail.xlsx")
	config := retailConfig(b, b.TempDir(), "http://127.0.0.1:1", fmt.Sprintf(retailSource(b, "type: xlsx\npath: "+path+englishColumns), "InvoiceNo"))
	python := pandas()
	var ours, bare, panda taken
	for b.Loop() {
		ours.run(b, play(b, append([]string{"plan", "-c", config}, retailWindow...)...), exitLeft)
		alone := play(b)
		alone.Env = append(alone.Env, bareVariable+"="+path)
		bare.run(b, alone, 0)
		if python != "" {
			panda.run(b, exec.Command(python, "-c", "import sys, pandas; assert len(pandas.read_excel(sys.argv[1])) == 541909", path), 0)
		}
	}
	b.ReportMetric(ours.wall.Seconds()/float64(b.N), "s-plan")
	b.ReportMetric(float64(ours.peak)/1024, "MiB-plan")
	bare.report(b, "bare", ours)
	if python != "" {
		panda.report(b, "pandas", ours)
	}
}

// pandas gives a Python that reads workbooks, or "".
func pandas() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(python, "-c", "import pandas, openpyxl; print('both')").Output()
		if err == nil && strings.TrimSpace(string(out)) == "both" {
			return python
		}
	}
	return ""
}
