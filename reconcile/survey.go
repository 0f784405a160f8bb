package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Survey is what a look at every order of one source tells, beside what every
// run tells: what a person wants to know before the first night. Orders are
// counted as the source has them, also those that another source has too.
type Survey struct {
	Orders   int
	WithMail int // orders with an address, whatever it is
	Negative Suspects
	Zero     Suspects
	Late     Lateness
	// Days are the orders and their money by the day of the runner's zone on
	// which they were completed; by month where there are too many days.
	Days Timeline
}

// Suspects are orders that somebody may want to look at.
type Suspects struct {
	Count
	Examples []OrderKey // the first ones, at most MaxExamples
}

func (s *Suspects) add(h Head) error {
	if len(s.Examples) < MaxExamples {
		s.Examples = append(s.Examples, h.Key)
	}
	return s.Count.Add(h.count())
}

// newSurvey is one without an order yet.
func newSurvey(zone *time.Location) *Survey {
	return &Survey{Days: Timeline{unit: Days, zone: zone}}
}

// meet looks at one order. Nobody looks where there is no survey.
func (s *Survey) meet(h Head) error {
	if s == nil {
		return nil
	}
	s.Orders++
	if h.Email != "" {
		s.WithMail++
	}
	s.Late.meet(h)
	var err error
	switch h.Amount.Sign() {
	case -1:
		err = s.Negative.add(h)
	case 0:
		err = s.Zero.add(h)
	}
	return cmp.Or(err, s.Days.count(h.CompletedAt, "", h.count()))
}

// count is one order with its money.
func (h Head) count() Count {
	return Count{Orders: 1, Events: 1, Money: Money{h.Currency: h.Amount}}
}

// Lateness says how long after it was placed an order became complete. It holds
// a bounded number of lengths: whole minutes up to two days, whole hours up to
// ninety days, whole days beyond.
type Lateness struct {
	Orders  int           // of which the source says both times
	Before  int           // of these, completed before they were placed
	Longest time.Duration // exact, of Slowest
	Slowest OrderKey
	lengths map[time.Duration]int
}

// maxLate is the length that everything longer is counted as.
const maxLate = 20 * 365 * 24 * time.Hour

func (l *Lateness) meet(h Head) {
	if h.OrderedAt.IsZero() {
		return
	}
	took := h.CompletedAt.Sub(h.OrderedAt)
	if h.DayOnly && took < 0 && took > -36*time.Hour { // the same day, of which the time is not known
		took = 0
	}
	if l.Orders == 0 || took > l.Longest {
		l.Longest, l.Slowest = took, h.Key
	}
	l.Orders++
	if took < 0 {
		l.Before++
		took = 0
	}
	if l.lengths == nil {
		l.lengths = map[time.Duration]int{}
	}
	l.lengths[coarse(min(took, maxLate))]++
}

// coarse rounds up to what is not finer than anybody asks of a wait of that length.
func coarse(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	step := day
	switch {
	case d < 2*day:
		step = time.Minute
	case d < 90*day:
		step = time.Hour
	}
	return (d + step - 1).Truncate(step)
}

// Within gives the length within which percent of the orders became complete,
// as it is counted; 0 where there are none.
func (l Lateness) Within(percent int) time.Duration {
	met := 0
	for _, length := range slices.Sorted(maps.Keys(l.lengths)) {
		if met += l.lengths[length]; met*100 >= percent*l.Orders {
			return length
		}
	}
	return 0
}
