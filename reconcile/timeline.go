package reconcile

import (
	"cmp"
	"slices"
	"time"
)

// Timeline counts the events of one target by when their orders were completed
// and by the bucket where they ended. It holds about maxSlots slots: where more
// hours were met, a slot becomes a day of the zone, and then a month. The zero
// value is an empty one, in UTC.
type Timeline struct {
	unit  Unit
	zone  *time.Location // nil is UTC
	slots map[slot]*Count
}

// Unit is how long the slots of a timeline are.
type Unit int

// The units, from the shortest on.
const (
	Hours Unit = iota
	Days
	Months
)

// slot is the events of one bucket from a moment on, in Unix seconds.
type slot struct {
	begin  int64
	bucket Bucket
}

// Slot is what a Timeline holds of one bucket from Begin on.
type Slot struct {
	Begin  time.Time
	Bucket Bucket
	Events int
	Money  Money
}

// maxSlots bounds a timeline: five months of hours, one bucket each.
const maxSlots = 4000

// NewTimeline is empty, and has the days and months of a zone.
func NewTimeline(zone *time.Location) Timeline { return Timeline{zone: zone} }

// begin is when the slot of a moment begins.
func (t *Timeline) begin(at time.Time) int64 {
	if t.unit == Hours {
		return at.Truncate(time.Hour).Unix()
	}
	if t.zone != nil {
		at = at.In(t.zone)
	}
	year, month, day := at.Date()
	if t.unit == Months {
		day = 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, at.Location()).Unix()
}

// add counts one event.
func (t *Timeline) add(at time.Time, b Bucket, v Value) error {
	return t.count(at.UTC(), b, countOf(v, 0))
}

func (t *Timeline) count(at time.Time, b Bucket, c Count) error {
	if t.slots == nil {
		t.slots = map[slot]*Count{}
	}
	key := slot{t.begin(at), b}
	if t.slots[key] == nil {
		t.slots[key] = &Count{}
	}
	err := t.slots[key].Add(c)
	if len(t.slots) > maxSlots && t.unit < Months {
		err = cmp.Or(err, t.fold())
	}
	return err
}

// fold makes every slot as long as the next unit.
func (t *Timeline) fold() error {
	wider := Timeline{unit: t.unit + 1, zone: t.zone, slots: map[slot]*Count{}}
	for key, c := range t.slots {
		if err := wider.count(time.Unix(key.begin, 0).UTC(), key.bucket, *c); err != nil {
			return err
		}
	}
	*t = wider
	return nil
}

// merge adds another timeline; b, unless it is "", is where its events ended.
func (t *Timeline) merge(o Timeline, b Bucket) error {
	if t.slots == nil {
		t.slots, t.unit = map[slot]*Count{}, o.unit
		if t.zone == nil {
			t.zone = o.zone
		}
	}
	for o.unit > t.unit {
		if err := t.fold(); err != nil {
			return err
		}
	}
	for key, c := range o.slots {
		if err := t.count(time.Unix(key.begin, 0).UTC(), cmp.Or(b, key.bucket), *c); err != nil {
			return err
		}
	}
	return nil
}

// Unit is how long a slot is.
func (t Timeline) Unit() Unit { return t.unit }

// Slots lists what it holds, the oldest first.
func (t Timeline) Slots() []Slot {
	list := make([]Slot, 0, len(t.slots))
	for key, c := range t.slots {
		list = append(list, Slot{time.Unix(key.begin, 0).UTC(), key.bucket, c.Events, c.Money})
	}
	slices.SortFunc(list, func(a, b Slot) int { return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Bucket, b.Bucket)) })
	return list
}

// timelineLine is how a plan file keeps a timeline.
type timelineLine struct {
	Unit  Unit
	Slots []Slot
}

func (t Timeline) line() *timelineLine {
	if len(t.slots) == 0 {
		return nil
	}
	return &timelineLine{t.unit, t.Slots()}
}

// timeline reads what line wrote.
func (l *timelineLine) timeline() (t Timeline, err error) {
	if l == nil {
		return t, nil
	}
	t.slots, t.unit = make(map[slot]*Count, len(l.Slots)), min(max(l.Unit, Hours), Months)
	for _, s := range l.Slots {
		key := slot{s.Begin.Unix(), s.Bucket} // as it was counted, in the zone of then
		if t.slots[key] == nil {
			t.slots[key] = &Count{}
		}
		if err = t.slots[key].Add(Count{Events: s.Events, Money: s.Money}); err != nil {
			return t, err
		}
	}
	return t, nil
}
