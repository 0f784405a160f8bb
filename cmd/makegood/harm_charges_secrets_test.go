package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"makegood/sinks/simulator"
)

// TestHarmChargesTellNothing: the campaign's keys, customers' addresses and
// those of their machines are told by no command, whatever EmanageCRM answers,
// and stand in no file but plans.
func TestHarmChargesTellNothing(t *testing.T) {
	const machine = "192.0.2.177"
	for _, fault := range []string{"none", "drop,first=1", "status=400", "status=500,first=2", "status=401", "garbage", "redirect"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := emanageShop(t, simulator.EmanageRules{})
			s.charges("charges", fields{"cid": canaryKey, "webkey": canaryKey})
			var rows []string
			for _, row := range append(chained("2", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"}), cartRow("3 918325 100 - - no 99")) {
				row = strings.Replace(strings.Replace(row, "2@example.com", canaryAddress, 1), "3@example.com", canaryAddress, 1)
				rows = append(rows, strings.Replace(row, "192.0.2.7", machine, 1))
			}
			s.csv("shop.csv", chargeHeader, rows...)
			if fault != "none" {
				setFaults(t, s.sim, fault)
			}
			s.file()
			for _, step := range [][]string{{"check"}, {"run", "--json"}, {"plan"}, {"apply", "PLAN"}, {"approve", "PLAN", "--by", "night desk", "--note", "compared"},
				{"approve", "PLAN", "--by", "night desk", "--note", "compared", "--json"}, {"apply", "PLAN", "--json"}, {"run", "--html", "report.html"}, {"resolve"}, {"resolve", "--json"},
				{"resolve", "--sent", "--all", "--note", "seen"}, {"explain", "2", "3", "--read"}, {"verify"}, {"forget", "--order", "3"}} {
				_, out := s.said(step...)
				if strings.Contains(out, machine) {
					t.Errorf("%v tells the customer's machine:\n%s", step, out)
				}
			}
			s.quietState("makegood.yaml", "shop.csv")
			s.quietTables("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro", `SELECT name FROM sqlite_schema WHERE type = 'table'`, 200)
			s.without(machine, "shop.csv")
			if n := s.sim.Counts().Platforms[simulator.Emanage].Accepted; fault == "none" && n != 3 {
				t.Errorf("%d charges went: what was to be hidden was not there", n)
			}
		})
	}
}

// without wants a text in no file of the shop's folder but its own and plans.
func (s *shop) without(text string, own ...string) {
	s.Helper()
	for _, pattern := range []string{"*", ".makegood/*"} {
		paths, err := filepath.Glob(filepath.Join(s.dir, pattern))
		check(s.T, err)
		for _, path := range paths {
			content, _ := os.ReadFile(path) // folders have none
			if bytes.Contains(content, []byte(text)) && !strings.Contains(strings.Join(own, " "), filepath.Base(path)) {
				s.Errorf("%s holds %s", filepath.Base(path), text)
			}
		}
	}
}
