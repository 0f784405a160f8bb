package reconcile

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Earlier says how many events, or orders of a source, earlier runs told of in
// the same place, and when the first of them was told of. Accepted of them a
// person said are known.
type Earlier struct {
	Count    int       `json:"count"`
	Since    time.Time `json:"since,omitzero"`
	Accepted int       `json:"accepted,omitempty"`
}

func (e *Earlier) add(o Earlier) {
	e.Count += o.Count
	e.Accepted += o.Accepted
	if e.Since.IsZero() || !o.Since.IsZero() && o.Since.Before(e.Since) {
		e.Since = o.Since
	}
}

// problem is what a person has to look at, of one source: a place at a target,
// or bad orders, whose target is "".
type problem struct {
	target, source string
	place          Place
}

// inShadow is where everything ends that shadow does not send.
var inShadow = Place{BucketLeft, ReasonShadow}

// firstSeen finds out which of a plan's problems the ledger knows of already:
// only new ones call a person (RULES R15).
type firstSeen struct {
	led     Reader
	now     time.Time
	ask     map[problem][]EventID
	waiting int // ids in ask
	found   map[problem]Earlier
	ended   map[RunID]bool // of runs that decided something
}

// seenAtOnce is after how many decisions they are looked up.
const seenAtOnce = 500

func newFirstSeen(led Reader, now time.Time) *firstSeen {
	return &firstSeen{led: led, now: now, ask: map[problem][]EventID{}, found: map[problem]Earlier{}, ended: map[RunID]bool{}}
}

// note keeps a decision that is a problem, to be looked up. Without anybody who
// asks, nothing is kept.
func (f *firstSeen) note(d Decision) {
	backlog := d.Place == Place{BucketLeft, ReasonShadowPeriod}
	if f == nil || !backlog && d.Place.Bucket != BucketBad && (d.Place.Bucket != BucketHeldBack || !d.Place.Reason.NeedsLook()) {
		return
	}
	f.await(problem{d.Target, d.Source, d.Place}, d.ID)
}

// await keeps an event in a place, to be looked up.
func (f *firstSeen) await(of problem, id EventID) {
	f.ask[of] = append(f.ask[of], id)
	f.waiting++
}

// catchUp looks up what was noted, once it is much.
func (f *firstSeen) catchUp(ctx context.Context) error {
	if f == nil || f.waiting < seenAtOnce {
		return nil
	}
	return f.finish(ctx)
}

// look counts what runs told of that came to their end: what a run wrote down
// that was cut off afterwards, nobody has heard of.
func (f *firstSeen) look(ctx context.Context, of problem) error {
	for part := range slices.Chunk(f.ask[of], seenAtOnce) {
		known, err := f.led.Decided(ctx, of.target, part)
		if err == nil {
			err = f.learnEnds(ctx, known)
		}
		var accepted int
		if err == nil {
			accepted, err = f.acceptedOf(ctx, of, part)
		}
		if err != nil {
			return fmt.Errorf("look up what earlier runs told of: %w", err)
		}
		sum := f.found[of]
		sum.Accepted += accepted
		for _, d := range known {
			there := d.Place == of.place || of.place == inShadow && d.Place.Bucket == BucketLeft // whatever kept it
			if d.Source == of.source && there && f.ended[d.Run] {
				sum.add(Earlier{Count: 1, Since: d.At})
			}
		}
		f.found[of] = sum
	}
	return nil
}

// acceptedOf counts what a person accepted in that place.
func (f *firstSeen) acceptedOf(ctx context.Context, of problem, ids []EventID) (n int, err error) {
	words, err := f.led.Accepted(ctx, of.target, ids)
	for _, w := range words {
		if w.Value == AcceptedPlace(of.place) && w.Holds(f.now) {
			n++
		}
	}
	return n, err
}

// learnEnds asks which of the runs that decided came to their end.
func (f *firstSeen) learnEnds(ctx context.Context, decisions []Decision) error {
	var ask []RunID
	for _, d := range decisions {
		if _, known := f.ended[d.Run]; !known {
			f.ended[d.Run] = false
			ask = append(ask, d.Run)
		}
	}
	ended, err := f.led.RunsEnded(ctx, ask)
	for _, run := range ended {
		f.ended[run] = true
	}
	return err
}

// finish looks up what is left.
func (f *firstSeen) finish(ctx context.Context) error {
	defer func() { clear(f.ask); f.waiting = 0 }()
	for of := range f.ask {
		if err := f.look(ctx, of); err != nil {
			return err
		}
	}
	return nil
}

// entry notes an event that the ledger has as refused, or in doubt.
func (f *firstSeen) entry(target, source string, s Step) {
	if s.Place.Bucket == BucketRefused || s.Place.Bucket == BucketInDoubt {
		of := problem{target, source, s.Place}
		sum := f.found[of]
		sum.add(Earlier{Count: 1, Since: s.Entry.At})
		f.found[of] = sum
		f.await(of, s.Want.ID) // whether it was accepted
	}
}

// at gives what was known of a target's sources, by place.
func (f *firstSeen) at(target string, sources map[string]*feed) []EarlierAt {
	byPlace := map[Place]Earlier{}
	for of, e := range f.found {
		if of.target == target && sources[of.source] != nil && e.Count > 0 {
			sum := byPlace[of.place]
			sum.add(e)
			byPlace[of.place] = sum
		}
	}
	var list []EarlierAt
	for place, e := range byPlace {
		list = append(list, EarlierAt{place, e})
	}
	return list
}

// bad gives what was known of a source's bad orders.
func (f *firstSeen) bad(source string) (sum Earlier) {
	for of, e := range f.found {
		if of.target == "" && of.source == source && of.place.Bucket == BucketBad {
			sum.add(e)
		}
	}
	return sum
}

// EarlierAt is what earlier runs told of one place.
type EarlierAt struct {
	Place
	Earlier
}

// earlier sums what is known of the places that a function names.
func (t *TargetResult) earlier(is func(Place) bool) (sum Earlier) {
	for _, e := range t.Earlier {
		if is(e.Place) {
			sum.add(e.Earlier)
		}
	}
	return sum
}

// looseMarks gives the marks of rows without an order, and how many of them
// are among those of before.
func (r *Runner) looseMarks(rows []Digest, before map[string]bool) (marks []string, earlier int) {
	for _, row := range rows {
		mac := hmac.New(sha256.New, r.Key)
		mac.Write([]byte("makegood row without an order\x00"))
		mac.Write(row[:])
		mark := hex.EncodeToString(mac.Sum(nil)[:8])
		marks = append(marks, mark)
		if before[mark] {
			earlier++
		}
	}
	return marks, earlier
}
