package outage

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// inStores puts a third of a year's orders in another store.
func inStores(all []Message) []Message {
	for i := range all {
		all[i].Of[Store] = "north"
		if all[i].At.Unix()/60%3 == 0 {
			all[i].Of[Store] = "south"
		}
	}
	return all
}

// TestOneWithinAnother: carts stop for some hours of a week in which a store loses
// a third of everything; both are told, each message in one of them.
func TestOneWithinAnother(t *testing.T) {
	all := withCarts(inStores(year(t)))
	outer := seeded{"a third of a store", "2011-11-07 00:00", "2011-11-14 00:00", 35, Store, "south"}
	inner := seeded{"all carts", "2011-11-09 10:10", "2011-11-09 13:40", 100, Kind, "cart"}
	round := rounds(0)
	for seed := range uint64(10) {
		if !round.play() {
			continue
		}
		lose(all, seed, 2, outer, inner)
		found := find(t, all)
		if len(found) != 2 {
			t.Errorf("seed %d: %d windows: %+v", seed, len(found), found)
		}
		lost := map[int]bool{}
		for _, w := range found {
			s := outer
			if w.Value == inner.value {
				s = inner
			}
			if w.Value != s.value || !isWithin(all, w, w.From, moment(s.from), s.concerns) || !isWithin(all, w, w.To, moment(s.to), s.concerns) {
				t.Errorf("seed %d: %s: %+v", seed, s.name, w)
			}
			for _, i := range w.Lost {
				if lost[i] || !all[i].Missing {
					t.Errorf("seed %d: message %d is told of twice, or is not missing", seed, i)
				}
				lost[i] = true
			}
		}
	}
}

// TestAtTheEnds: an outage that was there before the first order, and one that
// nothing says is over.
func TestAtTheEnds(t *testing.T) {
	all, round := year(t), rounds(0)
	for _, share := range []int{100, 40} {
		for seed := range uint64(10) {
			if !round.play() {
				continue
			}
			early := seeded{"", "2010-12-01 00:00", "2010-12-02 00:00", share, Kind, ""}
			late := seeded{"", "2011-12-08 00:00", "2011-12-10 00:00", share, Kind, ""}
			lose(all, seed, 1, early, late)
			found := find(t, all)
			if len(found) != 2 {
				t.Fatalf("%d %%, seed %d: %+v", share, seed, found)
			}
			a, b := found[0], found[1]
			if !a.Began.After.IsZero() || a.Ended.By.IsZero() || b.Began.After.IsZero() || !b.Ended.By.IsZero() {
				t.Errorf("%d %%, seed %d: %v %v, %v %v", share, seed, a.Began, a.Ended, b.Began, b.Ended)
			}
			for i, s := range []seeded{early, late} {
				if w := found[i]; !isWithin(all, w, w.From, moment(s.from), s.concerns) || !isWithin(all, w, w.To, moment(s.to), s.concerns) {
					t.Errorf("%d %%, seed %d: %+v", share, seed, w)
				}
			}
		}
	}
}

// TestOrderOfMessages: in which order they are given makes no difference.
func TestOrderOfMessages(t *testing.T) {
	all := inStores(year(t))
	lose(all, 1, 3, seeded{"", "2011-02-17 10:10", "2011-02-17 13:40", 100, Kind, ""},
		seeded{"", "2011-11-22 00:00", "2011-11-23 00:00", 30, Kind, ""},
		seeded{"", "2011-07-04 00:00", "2011-07-08 00:00", 100, Store, "south"})
	told := func(list []Window) (texts []string) {
		for _, w := range list {
			texts = append(texts, fmt.Sprint(w.From, w.To, w.Bucket, w.Began, w.Ended, w.Part, w.Value, w.Due, w.Missing, w.Money, w.Since, w.Until))
		}
		return texts
	}
	want := told(find(t, all))
	if len(want) != 3 {
		t.Fatalf("%q", want)
	}
	round := rounds(0)
	for seed := range uint64(5) {
		if !round.play() {
			continue
		}
		shuffled := slices.Clone(all)
		rand.New(rand.NewPCG(seed, 3)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := told(find(t, shuffled)); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d:\n%q\nwant\n%q", seed, got, want)
		}
	}
}

// TestClockChanges: windows at random in the days about both clock changes, in a
// shop that sells around the clock: a loss of a third to within three hours, a
// total one to within 20 minutes.
func TestClockChanges(t *testing.T) {
	everything := func(Message) bool { return true }
	for _, begin := range []string{"2026-03-27 00:00", "2026-10-23 00:00"} {
		all := messages(4*24*60, begin, time.Minute, between(0, 0))
		round := rounds(0)
		for seed := range uint64(100) {
			if !round.play() {
				continue
			}
			r := rand.New(rand.NewPCG(seed, 4))
			from := moment(begin).Add(time.Duration(40*60+r.IntN(16*60)) * time.Minute) // 16:00 on Saturday to 08:00 on Sunday
			to := from.Add(time.Duration(90+r.IntN(600)) * time.Minute)
			share, most := 100, 2*short
			if seed%2 == 1 {
				share, most = 30, 3*hour
			}
			lostAt(all, 5, share, r, func(m Message) bool { return !m.At.Before(from) && m.At.Before(to) })
			found := find(t, all)
			if len(found) != 1 {
				t.Fatalf("%s, seed %d: %+v", begin, seed, found)
			}
			if w := found[0]; w.Bucket > most || !isWithin(all, w, w.From, from, everything) || !isWithin(all, w, w.To, to, everything) {
				t.Errorf("%s, seed %d: from %s to %s, found from %s to %s to within %s", begin, seed, from, to, w.From, w.To, w.Bucket)
			}
		}
	}
}

// TestBusyShop: the more orders, the more exact: with ten times as many orders, a
// loss of 30 % of a day is found to within an hour.
func TestBusyShop(t *testing.T) {
	var all []Message
	r := rand.New(rand.NewPCG(1, 6))
	for _, m := range year(t) {
		if m.At.Month() != time.November {
			continue
		}
		m.Who = 0
		for range 10 {
			m.At = m.At.Add(time.Duration(r.IntN(600)-300) * time.Second)
			all = append(all, m)
		}
	}
	round := rounds(0)
	for seed := range uint64(20) {
		if !round.play() {
			continue
		}
		s := seeded{"", fmt.Sprintf("2011-11-%02d 11:20", 1+seed), fmt.Sprintf("2011-11-%02d 14:45", 1+seed), 30, Kind, ""}
		if moment(s.from).Weekday() == time.Saturday {
			continue // closed
		}
		lose(all, seed, 1, s)
		found := find(t, all)
		if len(found) != 1 {
			t.Errorf("seed %d: %+v", seed, found)
			continue
		}
		if w := found[0]; w.Bucket > hour || !isWithin(all, w, w.From, moment(s.from), s.concerns) || !isWithin(all, w, w.To, moment(s.to), s.concerns) {
			t.Errorf("seed %d: found from %s to %s to within %s", seed, w.From, w.To, w.Bucket)
		}
	}
}
