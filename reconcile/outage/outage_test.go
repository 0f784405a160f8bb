package outage

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// messages makes one message every so often, from a moment on.
func messages(n int, from string, every time.Duration, missing func(i int) bool) []Message {
	list := make([]Message, n)
	for i := range list {
		list[i] = Message{At: moment(from).Add(time.Duration(i) * every), Missing: missing(i)}
		list[i].Of[Store] = "north"
	}
	return list
}

func between(a, b int) func(int) bool { return func(i int) bool { return i >= a && i < b } }

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		all      []Message
		from, to string // "": none is found
		bucket   time.Duration
		stopped  bool
	}{
		"nothing":                {nil, "", "", 0, false},
		"nothing is missing":     {messages(500, "2026-11-02 08:00", time.Minute, between(0, 0)), "", "", 0, false},
		"four in a row":          {messages(500, "2026-11-02 08:00", time.Minute, between(100, 104)), "", "", 0, false},
		"every tenth":            {messages(5000, "2026-11-02 08:00", time.Minute, func(i int) bool { return i%10 == 0 }), "", "", 0, false},
		"ten minutes":            {messages(5000, "2026-11-02 08:00", time.Minute, between(130, 160)), "2026-11-02 10:10", "2026-11-02 10:40", short, true},
		"an hour":                {messages(500, "2026-11-02 08:00", 10*time.Minute, between(100, 130)), "2026-11-03 00:00", "2026-11-03 06:00", hour, true},
		"half of it":             {messages(5000, "2026-11-02 08:00", time.Minute, func(i int) bool { return i >= 600 && i < 1200 && i%2 == 0 }), "2026-11-02 18:00", "2026-11-03 04:00", short, false},
		"all of it":              {messages(500, "2026-11-02 08:00", time.Minute, between(0, 500)), "2026-11-02 08:00", "2026-11-02 16:20", short, true},
		"days without times":     {messages(60, "2026-11-02 00:00", 24*time.Hour, between(30, 45)), "2026-12-02 00:00", "2026-12-17 00:00", day, true},
		"the night of 25 hours":  {messages(2000, "2026-10-24 08:00", time.Minute, between(960, 1110)), "2026-10-25 00:00", "2026-10-25 01:30", short, true},
		"the first of the year":  {messages(300, "2026-12-31 23:00", time.Minute, between(60, 90)), "2027-01-01 00:00", "2027-01-01 00:30", short, true},
		"several at one instant": {messages(600, "2026-11-02 08:00", 0, between(0, 600)), "2026-11-02 08:00", "2026-11-02 08:10", short, true},
	} {
		t.Run(name, func(t *testing.T) {
			found := find(t, c.all)
			if c.from == "" {
				if len(found) > 0 {
					t.Errorf("found %+v", found)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("found %+v", found)
			}
			w := found[0]
			if !w.From.Equal(moment(c.from)) || !w.To.Equal(moment(c.to)) || w.Bucket != c.bucket || w.Stopped != c.stopped || w.Part != "" {
				t.Errorf("found %s to %s, bucket %s, stopped %t, %s %s", w.From, w.To, w.Bucket, w.Stopped, w.Part, w.Value)
			}
		})
	}
}

// TestNarrowest: one store is named when it explains the loss, and all messages
// when it does not.
func TestNarrowest(t *testing.T) {
	both := func(north, south func(int) bool) []Message {
		all := messages(600, "2026-11-02 08:00", 2*time.Minute, north)
		for _, m := range messages(600, "2026-11-02 08:01", 2*time.Minute, south) {
			m.Of[Store] = "south"
			all = append(all, m)
		}
		return all
	}
	if found := find(t, both(between(200, 260), between(0, 0))); len(found) != 1 || found[0].Value != "north" || found[0].Part != "store" || found[0].Missing != 60 || found[0].Due != 60 {
		t.Errorf("one store: %+v", found)
	}
	if found := find(t, both(between(200, 260), between(200, 260))); len(found) != 1 || found[0].Value != "" || found[0].Missing != 120 {
		t.Errorf("both stores: %+v", found)
	}
	found := find(t, both(between(100, 160), between(300, 360)))
	if len(found) != 2 || found[0].Value != "north" || found[1].Value != "south" {
		t.Errorf("one after the other: %+v", found)
	}
}

// TestMoneyOfAWindow: exact, by currency, and a sum that does not fit is an error.
func TestMoneyOfAWindow(t *testing.T) {
	all := messages(300, "2026-11-02 08:00", time.Minute, between(100, 120))
	price, err := reconcile.ParseDecimal("0.1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Value = reconcile.Value{Amount: &price, Currency: [...]string{"EUR", "GBP"}[i%2]}
	}
	all[100].Value = reconcile.Value{}
	w := find(t, all)[0]
	nine, _ := reconcile.ParseDecimal("0.9")
	one, _ := reconcile.ParseDecimal("1")
	if w.Money["EUR"].Cmp(nine) != 0 || w.Money["GBP"].Cmp(one) != 0 {
		t.Errorf("money: %v", w.Money)
	}
	huge, err := reconcile.ParseDecimal("9999999999999999999")
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Value = reconcile.Value{Amount: &huge, Currency: "EUR"}
	}
	if _, err := Find(all, london); err == nil {
		t.Error("a sum that does not fit was told")
	}
}

func BenchmarkFind(b *testing.B) {
	all := messages(1_000_000, "2025-11-02 08:00", 30*time.Second, func(i int) bool { return i%20 == 0 || i > 500_000 && i < 500_200 })
	for b.Loop() {
		if found, err := Find(all, london); err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}
