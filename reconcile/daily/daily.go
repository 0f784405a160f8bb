// Package daily lays the purchases that a platform counted on each day beside
// those that the ledger knows of, and names the known cause of a difference
// where one equals it. Nothing here reads or writes anything.
package daily

import (
	"time"

	"makegood/reconcile"
)

// Purchase is one order's message at the destination, as the ledger has it.
type Purchase struct {
	Place     reconcile.Place
	Completed time.Time
	At        time.Time // since when it is there: of one sent here, when it was sent
}

// Tally counts purchases by when their orders were completed, and those that
// makegood sent by when it did. The zero Tally is ready to use.
type Tally struct {
	// Until is up to when orders can be known: a day that ends later is not over.
	// Zero: every day is.
	Until time.Time

	slots map[int64]*counts
	sent  map[int64]int
}

// slot is the length of time that is counted together: days of every zone begin
// at one.
const slot = 15 * time.Minute

func slotOf(t time.Time) int64 { return t.Unix() / int64(slot/time.Second) }

// counts are purchases by what became of them.
type counts struct {
	Orders, Before, Assumed, Now, Held, WouldSend, InDoubt, Refused, Left int
}

func (c *counts) add(o counts) {
	c.Orders += o.Orders
	c.Before += o.Before
	c.Assumed += o.Assumed
	c.Now += o.Now
	c.Held += o.Held
	c.WouldSend += o.WouldSend
	c.InDoubt += o.InDoubt
	c.Refused += o.Refused
	c.Left += o.Left
}

// Add counts a purchase. What is not for the destination, or became no message,
// is none.
func (t *Tally) Add(p Purchase) {
	if t.slots == nil {
		t.slots, t.sent = map[int64]*counts{}, map[int64]int{}
	}
	var one counts
	switch p.Place.Bucket {
	case reconcile.BucketAlreadySent, reconcile.BucketSent:
		switch p.Place.Reason {
		case reconcile.ReasonProven:
			one.Before = 1
		case reconcile.ReasonAssumed:
			one.Before, one.Assumed = 1, 1
		default:
			one.Now = 1
			t.sent[slotOf(p.At)]++
		}
	case reconcile.BucketHeldBack:
		one.Held = 1
	case reconcile.BucketRefused:
		one.Refused = 1
	case reconcile.BucketInDoubt:
		one.InDoubt = 1
	case reconcile.BucketLeft:
		one.Left = 1
		if p.Place.Reason == reconcile.ReasonShadow {
			one.Left, one.WouldSend = 0, 1
		}
	default:
		return
	}
	one.Orders = 1
	at := slotOf(p.Completed)
	if t.slots[at] == nil {
		t.slots[at] = &counts{}
	}
	t.slots[at].add(one)
}

// between adds up what was completed in [from, to).
func (t *Tally) between(from, to time.Time) (sum counts) {
	for at := slotOf(from); at < slotOf(to); at++ {
		if c := t.slots[at]; c != nil {
			sum.add(*c)
		}
	}
	return sum
}

// sentBetween counts what makegood sent in [from, to), whenever it was completed.
func (t *Tally) sentBetween(from, to time.Time) (n int) {
	for at := slotOf(from); at < slotOf(to); at++ {
		n += t.sent[at]
	}
	return n
}

// expected is what the platform's screen should show.
func (c counts) expected() int { return c.Before + c.Now }

// Day is one day. Its JSON form is stable:
// orders = before + now + held_back + would_send + in_doubt + refused + left,
// expected = before + now, difference = platform - expected.
type Day struct {
	Day        string `json:"day"`
	Orders     int    `json:"orders"`     // completed, and for this destination
	Before     int    `json:"before"`     // others had sent them
	Now        int    `json:"now"`        // makegood has
	HeldBack   int    `json:"held_back"`  // not sent on purpose
	WouldSend  int    `json:"would_send"` // in shadow
	InDoubt    int    `json:"in_doubt"`
	Refused    int    `json:"refused"`
	Left       int    `json:"left"`
	Expected   int    `json:"expected"` // on the platform's screen
	Platform   *int   `json:"platform"` // null: the platform's counts do not say
	Difference int    `json:"difference"`
	// Causes are known causes that equal the difference, the likeliest first.
	Causes []Cause `json:"causes,omitempty"`
}

// Comparison is what Compare found.
type Comparison struct {
	Days []Day `json:"days"`
	// Shift is set when the platform's days are those of another zone: then all
	// of them are equal.
	Shift *Shift `json:"shift,omitempty"`
	Sum   Day    `json:"sum"` // of the days that the platform counted; Day is ""
}

// Shift says where the platform's days begin: at midnight in UTC, or so many hours
// after midnight in the zone that was compared (before it, when negative).
type Shift struct {
	UTC   bool `json:"utc,omitempty"`
	Hours int  `json:"hours,omitempty"`
	// OthersSend says that all that would be sent in shadow is there, too.
	OthersSend bool `json:"others_send,omitempty"`
}

// Differs reports whether any day that the platform counted differs.
func (c Comparison) Differs() bool {
	for _, d := range c.Days {
		if d.Platform != nil && d.Difference != 0 {
			return true
		}
	}
	return false
}

// OthersSend reports whether all that would be sent in shadow is at the platform
// already, on every day that it counted.
func (c Comparison) OthersSend() bool {
	if c.Shift != nil {
		return c.Shift.OthersSend
	}
	for _, d := range c.Days {
		if d.Platform != nil && d.Difference != d.WouldSend {
			return false
		}
	}
	return c.Sum.WouldSend > 0
}

// Compare lays the platform's counts, by day (2006-01-02) in zone, beside the
// tally. Days of a gap in the counts are listed without a count, where there were
// orders. The tally should hold a day more at either end, and older orders that
// were sent late.
func (t *Tally) Compare(platform map[string]int, zone *time.Location) Comparison {
	got := Comparison{Days: []Day{}}
	first, last := ends(platform)
	for day := first; day != "" && day <= last; day = after(day) {
		c := t.between(borders(day, zone))
		one := Day{Day: day, Orders: c.Orders, Before: c.Before, Now: c.Now, HeldBack: c.Held, WouldSend: c.WouldSend, InDoubt: c.InDoubt,
			Refused: c.Refused, Left: c.Left, Expected: c.expected()}
		if n, is := platform[day]; is {
			one.Platform, one.Difference = &n, n-one.Expected
			if one.Difference != 0 && t.unfinished(day, zone) {
				one.Causes = []Cause{{CauseNotOver, one.Difference}}
			} else if one.Difference != 0 {
				one.Causes = causes(one, c, t.sentBetween(borders(day, zone)))
			}
		}
		if one.Platform != nil || one.Orders > 0 {
			got.Days = append(got.Days, one)
		}
	}
	if got.Differs() {
		got.Shift = t.shift(platform, zone)
	}
	for i := range got.Days {
		if d := &got.Days[i]; got.Shift != nil && d.Difference != 0 && !t.unfinished(d.Day, zone) {
			d.Causes = []Cause{{What: CauseZone, Count: d.Difference}}
		}
		got.Sum.count(got.Days[i])
	}
	return got
}

// unfinished reports whether a day is not over.
func (t *Tally) unfinished(day string, zone *time.Location) bool {
	_, to := borders(day, zone)
	return !t.Until.IsZero() && to.After(t.Until)
}

// count adds a day that the platform counted.
func (d *Day) count(o Day) {
	if o.Platform == nil {
		return
	}
	n := *o.Platform
	if d.Platform != nil {
		n += *d.Platform
	}
	d.Platform = &n
	d.Orders += o.Orders
	d.Before += o.Before
	d.Now += o.Now
	d.HeldBack += o.HeldBack
	d.WouldSend += o.WouldSend
	d.InDoubt += o.InDoubt
	d.Refused += o.Refused
	d.Left += o.Left
	d.Expected += o.Expected
	d.Difference += o.Difference
}

// Period is what a tally for these counts should hold by completion: a day more
// at either end.
func Period(platform map[string]int, zone *time.Location) reconcile.Window {
	first, last := ends(platform)
	from, _ := borders(first, zone)
	_, to := borders(last, zone)
	return reconcile.Window{From: from.AddDate(0, 0, -1).UTC(), To: to.AddDate(0, 0, 1).UTC()}
}

func ends(platform map[string]int) (first, last string) {
	for day := range platform {
		if first == "" || day < first {
			first = day
		}
		last = max(last, day)
	}
	return first, last
}

// borders are when a day of the zone begins and ends.
func borders(day string, zone *time.Location) (from, to time.Time) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return at, at // a day of no purchases
	}
	begin := func(n int) time.Time { return time.Date(at.Year(), at.Month(), at.Day()+n, 0, 0, 0, 0, zone) }
	return begin(0), begin(1)
}

func after(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "~" // behind every day
	}
	return at.AddDate(0, 0, 1).Format(time.DateOnly)
}
