package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sentYear writes what a live integration sent of a real shop's year: all orders
// but a few at random, and but those that an outage took.
func sentYear(t *testing.T, dir string, seed uint64, lost func(at time.Time, country string, r *rand.Rand) bool) {
	t.Helper()
	f, err := os.Open(retail(t, "online_retail.csv"))
	check(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	check(t, err)
	london, err := time.LoadLocation("Europe/London")
	check(t, err)
	random, met := rand.New(rand.NewPCG(seed, 1)), map[string]bool{}
	var text strings.Builder
	text.WriteString("order_id,sent_at\n")
	for _, row := range rows[1:] {
		if met[row[0]] {
			continue
		}
		met[row[0]] = true
		at, err := time.ParseInLocation(time.DateTime, row[4], london)
		check(t, err)
		if scattered := random.IntN(100) < 5; scattered || lost(at, row[7], random) {
			continue
		}
		fmt.Fprintf(&text, "%s,%s\n", row[0], at.Add(time.Minute).Format(time.RFC3339))
	}
	write(t, dir, "sent.csv", text.String())
}

// gapsOfYear looks for the gaps of that year.
func gapsOfYear(t *testing.T, dir string, exit int) []gapWindow {
	t.Helper()
	source := fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "online_retail.csv")+strings.TrimSuffix(englishColumns, "\n")+"\n  store: Country\n"), "InvoiceNo")
	path := retailConfig(t, dir, "http://127.0.0.1:1", source)
	text, err := os.ReadFile(path)
	check(t, err)
	configured := strings.Replace(string(text), "nothing_else_sends: true", "already_sent: [live_log]", 1) +
		"evidence:\n  live_log: {type: csv, path: sent.csv, columns: {order: order_id, at: sent_at}, shop: main, side: backend, trust: proven, covers_from: 2010-01-01}\n"
	configured = strings.Replace(configured, "    type: csv\n    path: ", "    shop: main\n    type: csv\n    path: ", 1)
	write(t, dir, "makegood.yaml", configured)
	code, out, errs := makegood(t, append([]string{"gaps", "--json", "-c", path}, retailWindow...)...)
	if code != exit {
		t.Fatalf("exit %d, want %d\n%s\n%.3000s", code, exit, errs, out)
	}
	var got gapsReport
	check(t, json.Unmarshal([]byte(out), &got))
	if left, _ := filepath.Glob(filepath.Join(dir, ".makegood", "plans", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return got.Targets[0].Windows
}

// TestGapsOfARealYear: outages in what was sent over a year are found in it, and
// none where there was none.
func TestGapsOfARealYear(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole year is long")
	}
	t.Parallel()
	within := func(at time.Time, from, to string) bool {
		text := at.Format("2006-01-02 15:04")
		return text >= from && text < to
	}
	dir := t.TempDir()
	sentYear(t, dir, 1, func(at time.Time, country string, r *rand.Rand) bool {
		return within(at, "2011-06-08 10:10", "2011-06-08 13:40") ||
			within(at, "2011-11-22 00:00", "2011-11-23 00:00") && r.IntN(10) < 3 ||
			within(at, "2011-05-10 00:00", "2011-05-28 00:00") && country == "Germany"
	})
	var found []string
	for _, w := range gapsOfYear(t, dir, exitLeft) {
		found = append(found, fmt.Sprint(w.From.Format("01-02 15:04"), w.To.Format(" 01-02 15:04 "), w.Part, w.Value, w.Stopped))
		if w.Missing == 0 || w.Money["GBP"].Sign() <= 0 || len(w.Places) == 0 {
			t.Errorf("window %+v", w)
		}
	}
	want := []string{
		"05-10 12:00 05-27 10:00 storeGermanytrue", // UTC; from its first order on to its last
		"06-08 09:00 06-08 13:00 true",
		"11-22 08:00 11-22 18:00 false", // the day's first order was at 7
	}
	if !slices.Equal(found, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	sentYear(t, dir, 2, func(time.Time, string, *rand.Rand) bool { return false })
	if found := gapsOfYear(t, dir, exitDone); len(found) > 0 {
		t.Errorf("found in the untouched year: %+v", found)
	}
}
