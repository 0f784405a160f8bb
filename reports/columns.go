package reports

import (
	"cmp"
	"slices"
	"time"

	"makegood/reconcile"
)

// part is one colour of a timeline: what was the matter with messages when the
// run began, and what became of them.
type part struct {
	Class, Label string
	buckets      []reconcile.Bucket
}

// parts stack in this order. The second and the third were missing.
var parts = [...]part{
	{"before", "sent before", []reconcile.Bucket{reconcile.BucketAlreadySent}},
	{"now", "missing, and accepted now", []reconcile.Bucket{reconcile.BucketSent}},
	{"gap", "still missing", []reconcile.Bucket{reconcile.BucketRefused, reconcile.BucketInDoubt, reconcile.BucketLeft}},
	{"held", "not sent on purpose", []reconcile.Bucket{reconcile.BucketHeldBack}},
}

const (
	partBefore = iota
	partNow
	partGap
	partHeld
)

// column is a stretch of time: how many messages each part has in it, and
// their money by currency.
type column struct {
	From, To time.Time
	N        [len(parts)]int
	Money    map[string]*[len(parts)]reconcile.Decimal
}

func (c column) found() int  { return c.N[partBefore] + c.N[partNow] + c.N[partGap] + c.N[partHeld] }
func (c column) lacked() int { return c.N[partNow] + c.N[partGap] }
func (c column) due() int    { return c.N[partBefore] + c.lacked() }

// How many stretches a chart and its table have; units of time that are more
// are joined. Reports of many destinations share the columns of all.
const (
	maxColumns = maxHours
	allColumns = 1200
	minColumns = 24
)

// columns gives a timeline as people are shown it, nil when it has less than
// two units.
func (r Report) columns(t *Timeline) []column {
	if t == nil {
		return nil
	}
	units := 0
	for _, counts := range t.Events {
		units = max(units, len(counts))
	}
	if units < 2 {
		return nil
	}
	most := max(min(maxColumns, allColumns/len(r.Targets)), minColumns)
	each := (units + most - 1) / most
	var list []column
	for first := 0; first < units; first += each {
		list = append(list, t.column(first, min(first+each, units), r.location()))
	}
	return list
}

func (t *Timeline) column(from, to int, zone *time.Location) column {
	c := column{From: t.Begin(from, zone), To: t.Begin(to, zone), Money: map[string]*[len(parts)]reconcile.Decimal{}}
	for p, part := range parts {
		for _, b := range part.buckets {
			for _, n := range within(t.Events[b], from, to) {
				c.N[p] += n
			}
			for currency, money := range t.Money {
				for _, text := range within(money[b], from, to) {
					c.add(currency, p, text)
				}
			}
		}
	}
	return c
}

// add counts an amount; text that is none, which only a report from elsewhere
// can hold, counts nothing.
func (c *column) add(currency string, p int, text string) {
	amount, err := reconcile.ParseDecimal(text)
	if err != nil {
		return
	}
	if c.Money[currency] == nil {
		c.Money[currency] = &[len(parts)]reconcile.Decimal{}
	}
	if total, err := c.Money[currency][p].Add(amount); err == nil {
		c.Money[currency][p] = total
	}
}

func within[T any](list []T, from, to int) []T { return list[min(from, len(list)):min(to, len(list))] }

// outage is a stretch in which the platform lacked at least half of what it
// should have had.
type outage struct {
	First, Last int // columns
	column
}

const (
	maxOutages  = 3
	leastOutage = 5 // messages: fewer are no outage
)

// outages finds the largest of them, in the order of time. Times in which
// hardly anything was due, such as nights, end none.
func outages(list []column) []outage {
	var found []outage
	open := false
	for i, c := range list {
		switch lacking := 2*c.lacked() >= c.due(); {
		case c.due() == 0, open && !lacking && c.due() < leastOutage:
		case !lacking:
			open = false
		case !open:
			found, open = append(found, outage{First: i, Last: i}), true
		default:
			found[len(found)-1].Last = i
		}
	}
	for i := range found {
		o := &found[i]
		o.From, o.To = list[o.First].From, list[o.Last].To
		for _, c := range list[o.First : o.Last+1] {
			for p, n := range c.N {
				o.N[p] += n
			}
		}
	}
	found = slices.DeleteFunc(found, func(o outage) bool { return o.lacked() < leastOutage })
	slices.SortStableFunc(found, func(a, b outage) int { return cmp.Compare(b.lacked(), a.lacked()) })
	found = found[:min(len(found), maxOutages)]
	slices.SortFunc(found, func(a, b outage) int { return cmp.Compare(a.First, b.First) })
	return found
}

// words say "From 18 Nov 2026 09:00 to 18 Nov 2026 17:00 the platform lacked
// 212 of 230 messages; 200 of them are accepted now".
func (o outage) words(unit string) string {
	lacked := number(o.lacked()) + " of " + plural(o.due(), "message")
	if o.lacked() == o.due() {
		lacked = "all " + plural(o.due(), "message")
		if o.due() == 1 {
			lacked = "the only message"
		}
	}
	text := o.when(unit) + " the platform lacked " + lacked
	switch o.N[partGap] {
	case 0:
		return text + ", which it has now"
	case o.lacked():
		return text + ", and still does"
	}
	return text + "; it has " + number(o.N[partNow]) + " of them now"
}

// when gives "From 18 Nov 2026 09:00 to 18 Nov 2026 17:00", and days and months
// with the last of them.
func (o outage) when(unit string) string {
	if unit == UnitHour {
		return "From " + stamp(o.From, unit) + " to " + stamp(o.To, unit)
	}
	first, last := stamp(o.From, unit), stamp(o.To.Add(-time.Second), unit)
	switch {
	case first != last:
		return "From " + first + " to " + last
	case unit == UnitMonth:
		return "In " + first
	}
	return "On " + first
}

// outageWords tell of the outages of a destination, one sentence each.
func (r Report) outageWords(t Target) []string {
	if t.Timeline == nil {
		return nil
	}
	var list []string
	for _, o := range outages(r.columns(t.Timeline)) {
		list = append(list, o.words(t.Timeline.Unit))
	}
	return list
}

// stamp gives a time as exactly as its unit is.
func stamp(t time.Time, unit string) string {
	switch unit {
	case UnitHour:
		return t.Format("2 Jan 2006 15:04")
	case UnitMonth:
		return t.Format("Jan 2006")
	}
	return t.Format("2 Jan 2006")
}
