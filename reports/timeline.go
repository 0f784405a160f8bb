package reports

import (
	"time"

	"makegood/reconcile"
)

// Units of a timeline, and how many there may be of the shorter ones.
const (
	UnitHour  = "hour"
	UnitDay   = "day"
	UnitMonth = "month"

	maxHours  = 8 * 24
	maxDays   = 800
	maxMonths = 2400 // what is older counts in the first
)

// timeline lays what a target's events tell of time out in units of the zone.
func timeline(found reconcile.Timeline, zone *time.Location) *Timeline {
	slots := found.Slots()
	if len(slots) == 0 {
		return nil
	}
	first, last := slots[0].Begin.In(zone), slots[len(slots)-1].Begin.In(zone)
	span := ruler{UnitHour, first}
	if found.Unit() > reconcile.Hours || span.index(last) >= maxHours {
		span = ruler{UnitDay, time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, zone)}
	}
	if found.Unit() == reconcile.Months || span.unit == UnitDay && span.index(last) >= maxDays {
		span = ruler{UnitMonth, time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, zone)}
	}
	if n := span.index(last); span.unit == UnitMonth && n >= maxMonths {
		span.from = span.from.AddDate(0, n-maxMonths+1, 0)
	}
	return span.lay(slots)
}

// ruler measures time from a moment on in one unit.
type ruler struct {
	unit string
	from time.Time
}

// index is in which unit a moment lies, the first one being 0.
func (r ruler) index(at time.Time) int {
	at = at.In(r.from.Location())
	n := 0
	switch r.unit {
	case UnitHour:
		n = int(at.Sub(r.from) / time.Hour)
	case UnitDay: // not every day has 24 hours
		noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
		n = int(noon(at).Sub(noon(r.from)) / (24 * time.Hour))
	case UnitMonth:
		n = (at.Year()-r.from.Year())*12 + int(at.Month()) - int(r.from.Month())
	}
	return max(n, 0)
}

// Begin is when the unit with an index begins.
func (t Timeline) Begin(i int, zone *time.Location) time.Time {
	from := t.From.In(zone)
	switch t.Unit {
	case UnitDay:
		return from.AddDate(0, 0, i)
	case UnitMonth:
		return from.AddDate(0, i, 0)
	}
	return from.Add(time.Duration(i) * time.Hour)
}

// Len is how many units there are.
func (t Timeline) Len() int {
	for _, counts := range t.Events {
		return len(counts)
	}
	return 0
}

// lay puts the slots into the ruler's units.
func (r ruler) lay(slots []reconcile.Slot) *Timeline {
	length := r.index(slots[len(slots)-1].Begin) + 1
	t := &Timeline{Unit: r.unit, From: r.from.UTC(), Events: map[reconcile.Bucket][]int{}}
	sums := map[reconcile.Bucket][]reconcile.Money{}
	for _, s := range slots {
		if t.Events[s.Bucket] == nil {
			t.Events[s.Bucket], sums[s.Bucket] = make([]int, length), make([]reconcile.Money, length)
		}
		i := r.index(s.Begin)
		t.Events[s.Bucket][i] += s.Events
		for currency, amount := range s.Money {
			sums[s.Bucket][i], _ = sums[s.Bucket][i].Plus(currency, amount) // the whole was added up before
		}
	}
	for bucket, moneys := range sums {
		t.moneyOf(bucket, moneys)
	}
	return t
}

func (t *Timeline) moneyOf(bucket reconcile.Bucket, moneys []reconcile.Money) {
	for i, money := range moneys {
		for currency, amount := range money {
			if t.Money == nil {
				t.Money = map[string]map[reconcile.Bucket][]string{}
			}
			if t.Money[currency] == nil {
				t.Money[currency] = map[reconcile.Bucket][]string{}
			}
			texts := t.Money[currency][bucket]
			if texts == nil {
				texts = make([]string, len(moneys))
				for j := range texts {
					texts[j] = "0"
				}
				t.Money[currency][bucket] = texts
			}
			texts[i] = canonical(amount)
		}
	}
}
