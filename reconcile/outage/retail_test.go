package outage

import (
	"encoding/csv"
	"hash/maphash"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

var london = func() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return zone
}()

// roundsVariable has all rounds at random played.
const roundsVariable = "MAKEGOOD_TEST_OUTAGES"

// rounds counts rounds at random, and says which are played: one in five of them,
// and with -short one in 47, which meets each of twelve and of nine kinds in turn.
type rounds int

func (r *rounds) play() bool {
	*r++
	switch {
	case os.Getenv(roundsVariable) != "":
		return true
	case testing.Short():
		return *r%47 == 1
	}
	return *r%5 == 1
}

var seedOfPeople = maphash.MakeSeed()

// year is a real shop's year: each order by when it was completed and by country.
func year(t testing.TB) []Message {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "online_retail", "online_retail.csv"))
	if err != nil {
		t.Skip("needs ../shared/data/online_retail beside the project")
	}
	defer func() { _ = f.Close() }()
	rows := csv.NewReader(f)
	orders := map[string]Message{}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, known := orders[row[0]]; known || row[0][0] < '0' || row[0][0] > '9' {
			continue
		}
		at, err := time.ParseInLocation(time.DateTime, row[4], london)
		if err != nil {
			t.Fatal(err)
		}
		ten, _ := reconcile.ParseDecimal("10")
		m := Message{At: at, Value: reconcile.Value{Amount: &ten, Currency: "GBP"}}
		m.Of[Kind], m.Of[Source], m.Of[Channel], m.Of[Country] = "purchase", "shop", "online", row[7]
		if row[6] != "" {
			m.Who = maphash.String(seedOfPeople, row[6])
		}
		orders[row[0]] = m
	}
	var all []Message
	for _, id := range slices.Sorted(maps.Keys(orders)) {
		all = append(all, orders[id])
	}
	return all
}

// seeded is one outage that is put into a year.
type seeded struct {
	name     string
	from, to string
	lost     int // per cent
	part     Part
	value    string // "": of all messages
}

func (s seeded) concerns(m Message) bool { return s.value == "" || m.Of[s.part] == s.value }

func (s seeded) hits(m Message) bool {
	return s.concerns(m) && !m.At.Before(moment(s.from)) && m.At.Before(moment(s.to))
}

func moment(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, london)
	if err != nil {
		panic(err)
	}
	return at
}

// lose marks what is missing: some per cent everywhere, and what the outages took.
func lose(all []Message, seed uint64, scattered int, outages ...seeded) {
	random := rand.New(rand.NewPCG(seed, 1))
	for i, m := range all {
		all[i].Missing = random.IntN(100) < scattered
		for _, s := range outages {
			if s.hits(m) && random.IntN(100) < s.lost {
				all[i].Missing = true
			}
		}
	}
}

func find(t testing.TB, all []Message) []Window {
	t.Helper()
	found, err := Find(all, london)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// withCarts gives every order a second message.
func withCarts(all []Message) []Message {
	for _, m := range slices.Clone(all) {
		m.Of[Kind] = "cart"
		all = append(all, m)
	}
	return all
}

// TestUntouchedYear: what is lost every day is no outage, nor are nights, Sundays
// and the weeks around Christmas, nor days on which twice as much as on others is
// lost.
func TestUntouchedYear(t *testing.T) {
	all, round := year(t), rounds(0)
	for _, perMille := range []int{0, 1, 5, 20, 50, 150} {
		for seed := range uint64(10) {
			if !round.play() {
				continue
			}
			r := rand.New(rand.NewPCG(seed, 1))
			for i := range all {
				all[i].Missing = r.IntN(1000) < perMille
			}
			for _, w := range find(t, all) {
				t.Errorf("%d of 1,000 lost, seed %d: %+v", perMille, seed, w)
			}
		}
	}
	round = 0
	for seed := range uint64(10) {
		if !round.play() {
			continue
		}
		r, ofDay := rand.New(rand.NewPCG(seed, 2)), map[string]int{}
		for i, m := range all {
			day := m.At.In(london).Format(time.DateOnly)
			if ofDay[day] == 0 {
				ofDay[day] = 10 + r.IntN(80)
			}
			all[i].Missing = r.IntN(1000) < ofDay[day]
		}
		for _, w := range find(t, all) {
			t.Errorf("from day to day, seed %d: %+v", seed, w)
		}
	}
}

// TestThirdOfEachDay: on every day of the year 30 % of the orders are lost in turn,
// and nothing else. Each day on which that were five is found to within the bucket
// that its window names, most of them to within an hour, and what is to be repaired
// holds all that was lost.
func TestThirdOfEachDay(t *testing.T) {
	all := year(t)
	days := map[time.Time]bool{}
	for _, m := range all {
		at := m.At.In(london)
		days[time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, london)] = true
	}
	found, inAnHour, round := 0, 0, rounds(0)
	everything := func(Message) bool { return true }
	for _, from := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		if !round.play() {
			continue
		}
		to, lost := from.AddDate(0, 0, 1), 0
		r := rand.New(rand.NewPCG(uint64(from.Unix()), 31))
		for i, m := range all {
			if all[i].Missing = !m.At.Before(from) && m.At.Before(to) && r.IntN(100) < 30; all[i].Missing {
				lost++
			}
		}
		list := find(t, all)
		if len(list) > 1 || len(list) == 0 && lost >= fewest {
			t.Errorf("%s: %d lost, %d windows", from.Format(time.DateOnly), lost, len(list))
		}
		for _, w := range list {
			if !isWithin(all, w, w.From, from, everything) || !isWithin(all, w, w.To, to, everything) {
				t.Errorf("%s: found from %s to %s to within %s", from.Format(time.DateOnly), w.From, w.To, w.Bucket)
			}
			if slices.ContainsFunc(all, func(m Message) bool { return m.Missing && (m.At.Before(w.Since) || m.At.After(w.Until)) }) {
				t.Errorf("%s: lost outside of %s to %s: %d of %d", from.Format(time.DateOnly), w.Since, w.Until, w.Missing, lost)
			}
			found++
			if w.Bucket = hour; isWithin(all, w, w.From, from, everything) && isWithin(all, w, w.To, to, everything) {
				inAnHour++
			}
		}
	}
	if t.Logf("%d of %d days found, %d to within an hour", found, len(days), inAnHour); inAnHour < found*95/100 {
		t.Error("too few to within an hour")
	}
}

// TestPeopleWhoLoseAll: who has an ad blocker loses every order. A person who
// orders ten times in an evening is no outage, nor is a launch to such people.
func TestPeopleWhoLoseAll(t *testing.T) {
	all := slices.DeleteFunc(year(t), func(m Message) bool { return m.Who == 0 })
	round := rounds(0)
	for seed := range uint64(30) {
		if !round.play() {
			continue
		}
		random, loses := rand.New(rand.NewPCG(seed, 5)), map[uint64]bool{}
		for i, m := range all {
			if _, met := loses[m.Who]; !met {
				loses[m.Who] = random.IntN(100) < 5
			}
			all[i].Missing = loses[m.Who]
		}
		if found := find(t, all); len(found) > 0 {
			t.Errorf("seed %d: %+v", seed, found)
		}
	}
}

// TestSeededOutages: each outage that is put into a year is found, with what it
// concerns, and nothing else is.
func TestSeededOutages(t *testing.T) {
	orders, doubled, round := year(t), withCarts(year(t)), rounds(0)
	for _, c := range []struct {
		all     []Message
		outages []seeded
	}{
		{orders, []seeded{{"a total one", "2011-06-08 10:10", "2011-06-08 13:40", 100, Kind, ""}}},
		{orders, []seeded{{"a third of a day", "2011-11-22 00:00", "2011-11-23 00:00", 30, Kind, ""}}},
		{orders, []seeded{{"one country", "2011-05-10 00:00", "2011-05-28 00:00", 100, Country, "Germany"}}},
		{orders, []seeded{{"the largest country", "2011-05-10 00:00", "2011-05-12 00:00", 100, Country, "United Kingdom"}}},
		{doubled, []seeded{{"one kind", "2011-03-02 09:00", "2011-03-03 00:00", 100, Kind, "cart"}}},
		{orders, []seeded{
			{"a total one of several", "2011-02-17 10:10", "2011-02-17 13:40", 100, Kind, ""},
			{"a third of a day of several", "2011-11-22 00:00", "2011-11-23 00:00", 30, Kind, ""},
			{"one country of several", "2011-07-04 00:00", "2011-08-01 00:00", 100, Country, "France"},
			{"two days over a night", "2011-09-20 15:00", "2011-09-21 11:00", 100, Kind, ""}}},
	} {
		for seed := range uint64(5) {
			if !round.play() {
				continue
			}
			lose(c.all, seed, 5, c.outages...)
			found := find(t, c.all)
			if len(found) != len(c.outages) {
				t.Errorf("%s, seed %d: %d windows for %d outages: %+v", c.outages[0].name, seed, len(found), len(c.outages), found)
			}
			for _, s := range c.outages {
				wantFound(t, c.all, found, s, seed)
			}
		}
	}
}

func wantFound(t *testing.T, all []Message, found []Window, s seeded, seed uint64) {
	t.Helper()
	i := slices.IndexFunc(found, func(w Window) bool {
		return w.Value == s.value && w.From.Before(moment(s.to)) && w.To.After(moment(s.from))
	})
	if i < 0 {
		t.Errorf("%s, seed %d: not found", s.name, seed)
		return
	}
	w := found[i]
	told := w
	if s.lost == 100 {
		told.Bucket = hour
	}
	if !isWithin(all, told, w.From, moment(s.from), s.concerns) || !isWithin(all, told, w.To, moment(s.to), s.concerns) {
		t.Errorf("%s, seed %d: found from %s to %s to within %s", s.name, seed, w.From, w.To, w.Bucket)
	}
	if w.Stopped != (s.lost == 100) || w.Value != "" && w.Part != s.part.String() {
		t.Errorf("%s, seed %d: %+v", s.name, seed, w)
	}
	missing, money := 0, reconcile.Money{}
	for _, m := range all {
		if (s.value == "" || m.Of[s.part] == s.value) && m.Missing && !m.At.Before(w.From) && m.At.Before(w.To) {
			missing++
			money["GBP"], _ = reconcile.Add(money["GBP"], *m.Value.Amount)
		}
	}
	if less := missing - w.Missing; less < 0 || less > 2 || len(w.Lost) != w.Missing { // a window ends at a message, not at a bucket
		t.Errorf("%s, seed %d: %d missing, want %d", s.name, seed, w.Missing, missing)
	}
}
