package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// sentYear writes what a live integration sent of a real shop's year: all orders
// but some per cent at random, and but those that an outage took. It gives the
// numbers of all that were lost.
func sentYear(t *testing.T, dir string, seed uint64, usual int, lost func(at time.Time, country string, r *rand.Rand) bool) map[string]bool {
	t.Helper()
	f, err := os.Open(retail(t, "online_retail.csv"))
	check(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	check(t, err)
	london, err := time.LoadLocation("Europe/London")
	check(t, err)
	random, met, gone := rand.New(rand.NewPCG(seed, 1)), map[string]bool{}, map[string]bool{}
	var text strings.Builder
	text.WriteString("order_id,sent_at\n")
	for _, row := range rows[1:] {
		if met[row[0]] {
			continue
		}
		met[row[0]] = true
		at, err := time.ParseInLocation(time.DateTime, row[4], london)
		check(t, err)
		if scattered := random.IntN(100) < usual; scattered || lost(at, row[7], random) {
			gone[row[0]] = true
			continue
		}
		fmt.Fprintf(&text, "%s,%s\n", row[0], at.Add(time.Minute).Format(time.RFC3339))
	}
	write(t, dir, "sent.csv", text.String())
	return gone
}

// configuredYear writes the configuration of that year.
func configuredYear(t *testing.T, dir, url string) string {
	t.Helper()
	source := fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "online_retail.csv")+strings.TrimSuffix(englishColumns, "\n")+"\n  store: Country\n"), "InvoiceNo")
	path := retailConfig(t, dir, url, source)
	text, err := os.ReadFile(path)
	check(t, err)
	configured := strings.Replace(string(text), "nothing_else_sends: true", "already_sent: [live_log]", 1) +
		"evidence:\n  live_log: {type: csv, path: sent.csv, columns: {order: order_id, at: sent_at}, shop: main, side: backend, trust: proven, covers_from: 2010-01-01}\n"
	configured = strings.Replace(configured, "    type: csv\n    path: ", "    shop: main\n    type: csv\n    path: ", 1)
	return write(t, dir, "makegood.yaml", configured)
}

// gapsOfYear looks for the gaps of that year.
func gapsOfYear(t *testing.T, dir, path string, exit int) targetGaps {
	t.Helper()
	code, out, errs := makegood(t, append([]string{"gaps", "--json", "-c", path}, retailWindow...)...)
	if code != exit {
		t.Fatalf("exit %d, want %d\n%s\n%.3000s", code, exit, errs, out)
	}
	var got gapsReport
	check(t, json.Unmarshal([]byte(out), &got))
	if left, _ := filepath.Glob(filepath.Join(dir, ".makegood", "plans", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return got.Targets[0]
}

// TestGapsOfARealYear: outages in what was sent over a year are found in it, and
// none where there was none.
func TestGapsOfARealYear(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole year is long")
	}
	t.Parallel()
	dir := t.TempDir()
	path := configuredYear(t, dir, "http://127.0.0.1:1")
	sentYear(t, dir, 1, 5, func(at time.Time, country string, r *rand.Rand) bool {
		return duringYear(at, "2011-06-08 10:10", "2011-06-08 13:40") ||
			duringYear(at, "2011-11-22 00:00", "2011-11-23 00:00") && r.IntN(10) < 3 ||
			duringYear(at, "2011-05-10 00:00", "2011-05-28 00:00") && country == "Germany"
	})
	var found []string
	for _, w := range gapsOfYear(t, dir, path, exitLeft).Windows {
		found = append(found, fmt.Sprint(w.From.Format("01-02 15:04"), w.To.Format(" 01-02 15:04 "), w.Part, w.Value, w.Stopped, w.BucketMinutes/60))
		if w.Missing == 0 || w.Money["GBP"].Sign() <= 0 || len(w.Places) == 0 {
			t.Errorf("window %+v", w)
		}
	}
	want := []string{ // and to within how many hours, beside a loss of every day
		"05-10 12:00 05-27 10:00 storeGermanytrue 2", // UTC; from its first order on to its last
		"06-08 09:00 06-08 13:00 true 3",
		"11-22 08:00 11-22 18:00 false 6", // the day's first order was at 7
	}
	if !slices.Equal(found, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	for usual := range 2 {
		sentYear(t, dir, 2, 5*usual, func(time.Time, string, *rand.Rand) bool { return false })
		if got := gapsOfYear(t, dir, path, exitDone); len(got.Windows) > 0 || usual == 0 && got.Missing > 0 {
			t.Errorf("found in the untouched year: %d missing, %+v", got.Missing, got.Windows)
		}
	}
}

func duringYear(at time.Time, from, to string) bool {
	text := at.Format("2006-01-02 15:04")
	return text >= from && text < to
}

var argument = regexp.MustCompile(`"[^"]*"|\S+`)

// TestRepairOfARealYear: the commands that gaps proposes, as they stand there, send
// what the outages took and nothing else, and then there is no gap.
func TestRepairOfARealYear(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole year is long")
	}
	t.Parallel()
	sim, url := simulateWith(t, simulator.Options{Seed: 1})
	dir := t.TempDir()
	path := configuredYear(t, dir, url)
	lost := sentYear(t, dir, 3, 0, func(at time.Time, country string, r *rand.Rand) bool {
		return duringYear(at, "2011-06-08 10:10", "2011-06-08 13:40") ||
			duringYear(at, "2011-11-22 00:00", "2011-11-23 00:00") && r.IntN(10) < 3 ||
			duringYear(at, "2011-05-10 00:00", "2011-05-14 00:00") && country == "Germany"
	})
	got := gapsOfYear(t, dir, path, exitLeft)
	if len(got.Windows) != 3 {
		t.Fatalf("windows: %+v", got.Windows)
	}
	for i, w := range got.Windows {
		if i == 1 && w.BucketMinutes != 60 {
			t.Errorf("where nothing else is missing, what stopped is known to within an hour: %+v", w)
		}
		var args []string
		for _, word := range argument.FindAllString(w.Repair, -1)[1:] {
			args = append(args, strings.Trim(word, `"`))
		}
		if code, out, errs := makegood(t, args...); code != exitDone {
			t.Errorf("%s: exit %d\n%s%s", w.Repair, code, out, errs)
		}
	}
	arrived := sim.Purchases("shop")
	for _, p := range arrived {
		if !lost[p.OrderID] {
			t.Errorf("sent %s, which was not lost", p.OrderID)
		}
	}
	if len(arrived) != got.Missing || got.Missing == 0 {
		t.Errorf("%d sent, %d were missing", len(arrived), got.Missing)
	}
	if left := gapsOfYear(t, dir, path, exitDone); left.Missing > 0 || left.Due != got.Due {
		t.Errorf("left: %d of %d, %d were due before", left.Missing, left.Due, got.Due)
	}
}
