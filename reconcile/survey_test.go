package reconcile

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Whatever the waits are, few lengths are kept, and the shares are those of the
// exact waits as coarse as they are told.
func TestLatenessStaysSmallAndRight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	placed := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	var l Lateness
	var waits []time.Duration
	for i := range 200_000 {
		wait := time.Duration(random.ExpFloat64() * float64(20*24*time.Hour))
		if i%3 == 0 {
			wait = time.Duration(random.Int64N(int64(time.Hour)))
		}
		waits = append(waits, wait)
		l.meet(Head{Key: OrderKey{"main", strconv.Itoa(i)}, OrderedAt: placed, CompletedAt: placed.Add(wait)})
	}
	slices.Sort(waits)
	if len(l.lengths) > 10_000 {
		t.Errorf("%d lengths are kept", len(l.lengths))
	}
	for _, percent := range []int{1, 50, 95, 99, 100} {
		exact := waits[(len(waits)*percent+99)/100-1]
		if got := l.Within(percent); got != coarse(exact) {
			t.Errorf("%d %% within %s, want %s", percent, got, coarse(exact))
		}
	}
	if l.Longest != waits[len(waits)-1] || l.Orders != len(waits) || l.Before != 0 {
		t.Errorf("the longest of %d is %s, want %s; %d before", l.Orders, l.Longest, waits[len(waits)-1], l.Before)
	}
}

func TestLatenessBefore(t *testing.T) {
	at := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	midnight := at.Truncate(24 * time.Hour)
	for name, c := range map[string]struct {
		h      Head
		before int
		orders int
	}{
		"later":             {Head{OrderedAt: at, CompletedAt: at.Add(time.Hour)}, 0, 1},
		"at once":           {Head{OrderedAt: at, CompletedAt: at}, 0, 1},
		"before":            {Head{OrderedAt: at, CompletedAt: at.Add(-time.Minute)}, 1, 1},
		"that day":          {Head{OrderedAt: at, CompletedAt: midnight, DayOnly: true}, 0, 1},
		"a day far before":  {Head{OrderedAt: at, CompletedAt: midnight.AddDate(0, 0, -3), DayOnly: true}, 1, 1},
		"one time is known": {Head{CompletedAt: at}, 0, 0},
		"a life later":      {Head{OrderedAt: at, CompletedAt: at.AddDate(90, 0, 0)}, 0, 1},
	} {
		var l Lateness
		l.meet(c.h)
		if l.Before != c.before || l.Orders != c.orders || l.Within(95) < 0 || l.Within(95) > maxLate {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// A survey counts what it meets, by days of the zone; without one nothing is
// counted.
func TestSurvey(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	s := newSurvey(zone)
	for i, text := range []string{"10.50", "0", "-4.25", "1.00"} {
		amount, err := ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		h := Head{Key: OrderKey{"main", strconv.Itoa(i)}, Currency: "EUR", Amount: amount, CompletedAt: time.Date(2026, 3, 1, 22, 30+30*i, 0, 0, time.UTC)}
		if i == 0 {
			h.Email = "ann@example.com"
		}
		if err := (*Survey)(nil).meet(h); err != nil {
			t.Fatal(err)
		}
		if err := s.meet(h); err != nil {
			t.Fatal(err)
		}
	}
	days := s.Days.Slots()
	if len(days) != 2 || days[0].Events != 1 || days[1].Events != 3 || days[1].Money.String() != "-3.25 EUR" || s.Days.Unit() != Days {
		t.Errorf("days: %+v", days)
	}
	if s.Orders != 4 || s.WithMail != 1 || s.Zero.Orders != 1 || s.Negative.Orders != 1 || s.Negative.Examples[0].Order != "2" {
		t.Errorf("survey: %+v", s)
	}
	for range maxSlots + 1 { // more days than are kept become months
		if err := s.meet(Head{CompletedAt: time.Unix(int64(s.Orders)*86400, 0), Currency: "EUR"}); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	for _, slot := range s.Days.Slots() {
		sum += slot.Events
	}
	if s.Days.Unit() != Months || sum != s.Orders || len(s.Zero.Examples) != MaxExamples {
		t.Errorf("unit %d, %d of %d orders, %d examples", s.Days.Unit(), sum, s.Orders, len(s.Zero.Examples))
	}
}
