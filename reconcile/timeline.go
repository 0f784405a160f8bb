package reconcile

import (
	"cmp"
	"slices"
	"time"
)

// Timeline counts the events of one target by when their orders were completed
// and by the bucket where they ended. It holds at most maxSlots slots: where
// more hours were met, a slot becomes a day of 24 hours, and then 24 days. The
// zero value is an empty one.
type Timeline struct {
	hours int // of one slot: 1, 24 or 576; 0 is 1
	slots map[slot]*Count
}

// slot is the events of one bucket in one slot of time, counted from 1970.
type slot struct {
	at     int64
	bucket Bucket
}

// Slot is what a Timeline holds of one bucket from Begin on.
type Slot struct {
	Begin  time.Time
	Bucket Bucket
	Events int
	Money  Money
}

// maxSlots bounds a timeline: two years of hours, one bucket each.
const maxSlots = 20_000

// foldHours is by how many a slot grows where there are too many.
const foldHours = 24

// add counts one event.
func (t *Timeline) add(at time.Time, b Bucket, v Value) error {
	return t.count(at.Unix(), b, countOf(v, 0))
}

func (t *Timeline) count(unix int64, b Bucket, c Count) error {
	if t.slots == nil {
		t.slots, t.hours = map[slot]*Count{}, 1
	}
	key := slot{floorDiv(unix, int64(t.hours)*3600), b}
	if t.slots[key] == nil {
		t.slots[key] = &Count{}
	}
	err := t.slots[key].Add(c)
	if len(t.slots) > maxSlots && t.hours < foldHours*foldHours {
		err = cmp.Or(err, t.fold())
	}
	return err
}

// fold makes every slot 24 times as long.
func (t *Timeline) fold() error {
	wider := Timeline{hours: t.hours * foldHours, slots: map[slot]*Count{}}
	for key, c := range t.slots {
		if err := wider.count(key.at*int64(t.hours)*3600, key.bucket, *c); err != nil {
			return err
		}
	}
	*t = wider
	return nil
}

// merge adds another timeline; b, unless it is "", is where its events ended.
func (t *Timeline) merge(o Timeline, b Bucket) error {
	if t.slots == nil {
		t.slots, t.hours = map[slot]*Count{}, max(o.hours, 1)
	}
	for o.hours > t.hours {
		if err := t.fold(); err != nil {
			return err
		}
	}
	for key, c := range o.slots {
		if err := t.count(key.at*int64(o.hours)*3600, cmp.Or(b, key.bucket), *c); err != nil {
			return err
		}
	}
	return nil
}

// Hours is how many hours a slot has: 1, 24 or 576, counted from 1970 in UTC.
func (t Timeline) Hours() int { return max(t.hours, 1) }

// Slots lists what it holds, the oldest first.
func (t Timeline) Slots() []Slot {
	list := make([]Slot, 0, len(t.slots))
	for key, c := range t.slots {
		list = append(list, Slot{time.Unix(key.at*int64(t.hours)*3600, 0).UTC(), key.bucket, c.Events, c.Money})
	}
	slices.SortFunc(list, func(a, b Slot) int { return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Bucket, b.Bucket)) })
	return list
}

// timelineLine is how a plan file keeps a timeline.
type timelineLine struct {
	Hours int
	Slots []Slot
}

func (t Timeline) line() *timelineLine {
	if len(t.slots) == 0 {
		return nil
	}
	return &timelineLine{t.hours, t.Slots()}
}

// timeline reads what line wrote.
func (l *timelineLine) timeline() (t Timeline, err error) {
	if l == nil {
		return t, nil
	}
	t.slots, t.hours = map[slot]*Count{}, min(max(l.Hours, 1), foldHours*foldHours)
	for _, s := range l.Slots {
		if err = t.count(s.Begin.Unix(), s.Bucket, Count{Events: s.Events, Money: s.Money}); err != nil {
			return t, err
		}
	}
	return t, nil
}

// floorDiv is a/b, rounded down where a is negative, too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
