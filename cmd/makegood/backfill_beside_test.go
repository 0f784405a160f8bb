package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestHarmBackfillsBesideEachOther: two backfills over periods that overlap, cut
// into other slices, and the night's run, all at once: each order goes once, and
// who finds one in other hands leaves it and says so.
func TestHarmBackfillsBesideEachOther(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 200, fields{"rate": "200/s"})
	file := filepath.Join(s.dir, "makegood.yaml")
	ago := func(days int) string { return time.Now().AddDate(0, 0, -days).Format(time.DateOnly) }
	starts := []*exec.Cmd{
		play(t, "backfill", "-c", file, "--json", "--from", ago(9), "--to", ago(2)),
		play(t, "backfill", "-c", file, "--json", "--from", ago(6), "--parallel", "3", "--slice", "7h"),
		play(t, "run", "-c", file, "--json"),
	}
	outs, errs := make([]bytes.Buffer, len(starts)), make([]bytes.Buffer, len(starts))
	for i, cmd := range starts {
		cmd.Stdout, cmd.Stderr = &outs[i], &errs[i]
		check(t, cmd.Start())
	}
	for i, cmd := range starts {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != exitLeft {
			t.Errorf("%v: %v\n%s", cmd.Args, err, &errs[i])
		}
		if !json.Valid(outs[i].Bytes()) {
			t.Errorf("%v: not one document: %.300s", cmd.Args, &outs[i])
		}
	}
	s.backfilled(exitDone)
	s.wantsCount(200)
}
