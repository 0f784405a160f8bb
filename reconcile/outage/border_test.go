package outage

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// isWithin reports whether two moments are at most one of a window's buckets apart:
// from the first to the last of the concerned messages between them there are no
// more minutes, hours or days in which the shop had orders.
func isWithin(all []Message, w Window, a, b time.Time, concerned func(Message) bool) bool {
	if b.Before(a) {
		a, b = b, a
	}
	between := slices.DeleteFunc(slices.Clone(all), func(m Message) bool { return !concerned(m) || m.At.Before(a) || !m.At.Before(b) })
	if len(between) == 0 {
		return true
	}
	byTime := func(a, b Message) int { return a.At.Compare(b.At) }
	first, last := slices.MinFunc(between, byTime).At, slices.MaxFunc(between, byTime).At
	unit, clock := hour, "2006-01-02 15 -07"
	switch {
	case w.Bucket < hour:
		unit, clock = short, "2006-01-02 15:04 -07"
	case w.Bucket >= day:
		unit, clock = day, "2006-01-02"
	}
	units := map[string]bool{}
	for _, m := range all {
		if !m.At.Before(first) && !m.At.After(last) {
			units[m.At.Truncate(short).In(london).Format(clock)] = true
		}
	}
	return len(units) <= int(w.Bucket/unit)
}

// ways are how outages are put into years at random.
var ways = []struct {
	name   string
	lost   int // per cent
	part   Part
	values []string
}{
	{"all of everything", 100, Kind, []string{""}},
	{"half of everything", 50, Kind, []string{""}},
	{"30 % of everything", 30, Kind, []string{""}},
	{"20 % of everything", 20, Kind, []string{""}},
	{"10 % of everything", 10, Kind, []string{""}},
	{"one country", 100, Country, []string{"Germany", "France", "EIRE"}},
	{"30 % of one country", 30, Country, []string{"Germany", "France", "EIRE"}},
	{"one kind", 100, Kind, []string{"cart", "purchase"}},
	{"30 % of one kind", 30, Kind, []string{"cart", "purchase"}},
}

// randomWindow gives a window about a moment: hours, a day from midnight to midnight,
// some days, three weeks.
func randomWindow(at time.Time, r *rand.Rand) (from, to time.Time) {
	from = at.Add(-time.Duration(r.IntN(3600)) * time.Second)
	switch r.IntN(4) {
	case 0:
		return from, from.Add(time.Duration(2*3600+r.IntN(5*3600)) * time.Second)
	case 1:
		from = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, london)
		return from, from.AddDate(0, 0, 1)
	case 2:
		return from, from.Add(time.Duration(24*3600+r.IntN(72*3600)) * time.Second)
	}
	return from, from.AddDate(0, 0, 21).Add(time.Duration(r.IntN(24*3600)) * time.Second)
}

// beyondChance is how surprising (e^-30) a window must be that any look at a year
// tells it from chance: 23 for its 20,000 orders, and what is not known of the share
// that a small country loses every day.
const beyondChance = 30

// lostAt marks what an outage took beside what is lost every day (per mille), and
// reports whether that is beyond chance. Who orders twice a day counts once.
func lostAt(all []Message, usual, lost int, r *rand.Rand, hit func(Message) bool) bool {
	type person struct {
		who uint64
		day string
	}
	due, missing, met := 0, 0, map[person]bool{}
	for i, m := range all {
		all[i].Missing = r.IntN(1000) < usual
		if !hit(m) {
			continue
		}
		all[i].Missing = all[i].Missing || r.IntN(100) < lost
		if p := (person{m.Who, m.At.In(london).Format(time.DateOnly)}); m.Who == 0 || !met[p] {
			met[p] = true
			if due++; all[i].Missing {
				missing++
			}
		}
	}
	return missing >= fewest && surprise(due, missing, max(float64(usual)/1000, leastUsual)) > beyondChance
}

// TestEveryWindow: outages of all sorts at any time of a real year are found where
// there are orders enough to tell them from chance, each border to within the
// bucket that the window names, between the orders that it names, and nothing else is.
func TestEveryWindow(t *testing.T) {
	orders, doubled := year(t), withCarts(year(t))
	told, outside, round := 0, 0, rounds(0)
	exact := map[string][2]int{}
	for _, usual := range []int{0, 5, 20, 50} { // per mille
		for _, way := range ways {
			all := orders
			if way.part == Kind && way.values[0] != "" {
				all = doubled
			}
			for seed := range uint64(windowsOfEach) {
				if !round.play() {
					continue
				}
				r := rand.New(rand.NewPCG(seed, uint64(usual)))
				value := way.values[r.IntN(len(way.values))]
				concerned := func(m Message) bool { return value == "" || m.Of[way.part] == value }
				from, to := randomWindow(all[r.IntN(len(all))].At, r)
				must := lostAt(all, usual, way.lost, r, func(m Message) bool {
					return concerned(m) && !m.At.Before(from) && m.At.Before(to)
				})
				hits := 0
				for _, w := range find(t, all) {
					if !w.From.Before(to) || !w.To.After(from) {
						t.Errorf("%s, %d, seed %d: nothing was lost from %s to %s", way.name, usual, seed, w.From, w.To)
						continue
					}
					if hits++; hits > 1 {
						continue
					}
					told++
					if !isWithin(all, w, w.From, from, concerned) || !isWithin(all, w, w.To, to, concerned) {
						t.Errorf("%s, %d, seed %d: from %s to %s, found from %s to %s to within %s", way.name, usual, seed, from, to, w.From, w.To, w.Bucket)
					}
					if !from.After(w.Began.After) || !w.Ended.By.IsZero() && to.After(w.Ended.By) || anyIn(all, w.Began.By, from, concerned) || anyIn(all, to, w.Ended.After, concerned) {
						outside++
					}
					n := exact[way.name]
					n[1]++
					if w.Bucket <= hour {
						n[0]++
					}
					exact[way.name] = n
				}
				if hits == 0 && must {
					t.Errorf("%s, %d, seed %d: not found from %s to %s", way.name, usual, seed, from, to)
				}
			}
		}
	}
	t.Logf("%d windows told, %d with a border outside of its orders; to within an hour, of all: %v", told, outside, exact)
}

const windowsOfEach = 12

func anyIn(all []Message, from, to time.Time, concerned func(Message) bool) bool {
	return slices.ContainsFunc(all, func(m Message) bool { return concerned(m) && !m.At.Before(from) && m.At.Before(to) })
}
