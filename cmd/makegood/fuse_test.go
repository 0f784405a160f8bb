package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuse lets a platform answer everything with one fault. At most ten
// messages, and what is in flight, may learn of it; everything else is given
// back, and the next run can send it.
func TestFuse(t *testing.T) {
	orders := 5000
	if testing.Short() {
		orders = 500
	}
	for _, fault := range []string{"status=404", "status=500", "redirect", "status=400"} {
		for _, platform := range []string{"activate", "collect"} {
			t.Run(strings.ReplaceAll(fault, "=", " ")+" "+platform, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				tillOrders(t, dir, orders, rand.New(rand.NewPCG(1, 2)))
				sim, url := simulate(t, fault)
				config := tillConfig(t, dir, url, platform, 100000)
				text, err := os.ReadFile(config)
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, platform+".yaml", strings.Replace(string(text), "[1s, 2s, 4s]", "[10ms, 20ms, 40ms]", 1))
				r := report(t, exitPerson, "run", "-c", config, "--from", "2020-01-01")
				if r.Targets[0].Stopped == "" {
					t.Error("the report does not say that the destination was stopped")
				}
				rig := &killRig{t: t, ledger: filepath.Join(dir, platform+".db")}
				checkFuse(t, rig, r.balance(t, platform), orders)
				if n := sim.Counts().RedirectsFollowed; n != 0 {
					t.Errorf("%d redirects were followed", n)
				}
			})
		}
	}
}

func checkFuse(t *testing.T, rig *killRig, b balanceJSON, orders int) {
	t.Helper()
	var attempted []string
	rig.query(&attempted, `SELECT DISTINCT event FROM attempts`)
	claimed := rig.entries("claimed")
	if len(attempted) > 10+4*1 || len(attempted) == 0 {
		t.Errorf("%d messages were attempted", len(attempted))
	}
	if len(claimed) != 0 {
		t.Errorf("%d claims were not given back", len(claimed))
	}
	if b.Eligible.Events != orders || b.Sent.Events != 0 || b.Left.Events < orders-14 {
		t.Errorf("balance %+v", b)
	}
}
