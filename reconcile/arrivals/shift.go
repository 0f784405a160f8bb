package arrivals

import "math"

// What it takes to say that an export's times are of another zone.
const (
	quarter    = 15 * 60 // seconds
	maxShift   = 14      // hours: the zones of the world lie within
	shiftKnown = 5       // orders
	shiftShare = 0.8     // of them
)

// shift is by how many whole hours nearly all times of the export lie later than
// those here, of completion or of the order itself; 0 where they do not.
func (b *Book) shift() int {
	if b.days {
		return 0
	}
	var completed, ordered drift
	for i := range b.lines.n {
		if l := b.lines.at(i); l.at != 0 {
			completed.add(l.at, l.completed)
			ordered.add(l.at, l.ordered)
		}
	}
	if hours, clear := ordered.hours(); clear {
		return hours
	}
	hours, _ := completed.hours()
	return hours
}

// drift counts how far times lie apart, in quarters of an hour.
type drift struct {
	met   int
	apart map[int]int
}

func (d *drift) add(there, here int64) {
	if here == 0 {
		return
	}
	if d.apart == nil {
		d.apart = map[int]int{}
	}
	d.met++
	if by := int(math.Round(float64(there-here) / quarter)); by >= -4*maxShift && by <= 4*maxShift {
		d.apart[by]++
	}
}

// hours gives what nearly all of them are apart by. clear says that there is such
// a distance.
func (d *drift) hours() (hours int, clear bool) {
	for by, n := range d.apart {
		if d.met >= shiftKnown && float64(n) >= shiftShare*float64(d.met) {
			return by / 4, by%4 == 0
		}
	}
	return 0, false
}
