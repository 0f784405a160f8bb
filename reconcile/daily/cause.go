package daily

import (
	"maps"
	"time"
)

// What can make a platform count something else than is expected.
const (
	CauseNotOver   = "not_over"   // orders of that day are not all known yet
	CauseZone      = "zone"       // its days begin at another hour
	CauseSentDay   = "sent_day"   // it counts on the day of sending, not of completion
	CauseInDoubt   = "in_doubt"   // what has no known answer arrived
	CauseWouldSend = "would_send" // in shadow: some or all of what would be sent is there without makegood
	CauseLeft      = "left"       // what is still to send is there without makegood
	CauseHeldBack  = "held_back"  // what makegood does not send on purpose is there
	CauseRefused   = "refused"    // what was refused is there
	CauseFrontEnd  = "front_end"  // what others had sent is counted twice
	CauseTwice     = "twice"      // everything is counted twice
	CauseAssumed   = "assumed"    // what was only assumed to be sent is not there
	CauseNowGone   = "now_gone"   // nothing of what makegood sent is there
)

// Cause is a known cause, and how many purchases it explains.
type Cause struct {
	What  string `json:"what"`
	Count int    `json:"count"`
}

// causes lists the causes that equal the difference of a day. sentHere is how many
// makegood sent on that day.
func causes(d Day, c counts, sentHere int) (list []Cause) {
	diff := d.Difference
	if c.Before+sentHere == *d.Platform {
		list = append(list, Cause{CauseSentDay, diff})
	}
	for _, one := range []Cause{{CauseInDoubt, c.InDoubt}, {CauseWouldSend, c.WouldSend}, {CauseLeft, c.Left}, {CauseHeldBack, c.Held},
		{CauseRefused, c.Refused}, {CauseFrontEnd, c.Before}, {CauseTwice, c.expected()}, {CauseAssumed, -c.Assumed}, {CauseNowGone, -c.Now}} {
		same := one.What == CauseTwice && c.Now == 0 // as what others had sent
		if one.Count == diff && !same {
			list = append(list, one)
		}
	}
	if len(list) == 0 && diff > 0 && diff < c.WouldSend {
		list = append(list, Cause{CauseWouldSend, diff})
	}
	return list
}

// maxShift is how many hours a day may begin earlier or later: the zones of the
// world lie within.
const maxShift = 14

// shift looks for other borders of days with which every count is equal: what is
// expected, or all that would be sent in shadow beside it, for then somebody
// else sends it. One day alone proves nothing.
func (t *Tally) shift(platform map[string]int, zone *time.Location) *Shift {
	over := maps.Clone(platform)
	maps.DeleteFunc(over, func(day string, _ int) bool { return t.unfinished(day, zone) })
	if len(over) < 2 {
		return nil
	}
	for _, others := range []int{0, 1} {
		fits := func(zone *time.Location, by time.Duration) bool {
			for day, n := range over {
				from, to := borders(day, zone)
				if c := t.between(from.Add(by), to.Add(by)); c.expected()+others*c.WouldSend != n {
					return false
				}
			}
			return true
		}
		if found := shiftThat(fits, zone); found != nil {
			found.OthersSend = others == 1
			return found
		}
	}
	return nil
}

// shiftThat is the smallest shift that fits.
func shiftThat(fits func(zone *time.Location, by time.Duration) bool, zone *time.Location) *Shift {
	if fits(zone, 0) { // with what would be sent
		return nil
	}
	if fits(time.UTC, 0) {
		return &Shift{UTC: true}
	}
	for hours := 1; hours <= maxShift; hours++ {
		for _, h := range []int{hours, -hours} {
			if fits(zone, time.Duration(h)*time.Hour) {
				return &Shift{Hours: h}
			}
		}
	}
	return nil
}
