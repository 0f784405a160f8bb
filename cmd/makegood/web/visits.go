package web

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"makegood/reconcile/placement"
)

const (
	// keptFor is how long a visit of which nothing is heard is kept in memory;
	// its messages stay on the disk.
	keptFor     = 2 * time.Hour
	maxID       = 500
	maxRefusals = 100
)

// Kept is how far back messages are worth remembering when a service begins.
const Kept = keptFor

// Status counts what a bridge has seen.
type Status struct {
	Messages int                     `json:"messages"`
	Visits   int                     `json:"visits"`
	Dropped  int                     `json:"dropped,omitempty"` // visits that were let go early, for others
	Items    map[placement.Stand]int `json:"items"`             // by where they stand, or stood when their visit ended
	Refused  []placement.Standing    `json:"refused,omitempty"`
}

// visits are the open ones, by session.
type visits struct {
	rules placement.Rules

	mu    sync.Mutex
	open  map[string]*visit
	turns *list.List // of *visit: the one that was silent for longest is the last
	bytes int        // about what the open ones take
	swept time.Time
	past  Status // of visits that are over
	// messages are those that were taken since the service began.
	messages int
}

type visit struct {
	*placement.Visit
	held  held
	bytes int // as counted among those of all
	turn  *list.Element
	heard time.Time
}

// add takes in a message that fits.
func (v *visit) add(m placement.Message) error {
	if err := v.Add(m); err != nil {
		return err
	}
	v.held.add(m)
	return nil
}

func newVisits(rules placement.Rules) *visits {
	return &visits{rules: rules, open: map[string]*visit{}, turns: list.New(), past: Status{Items: map[placement.Stand]int{}}}
}

// take works on one visit, which is made when nobody knows it. Others wait, so
// that a visit's messages have one order, on the disk and in memory. Where that
// is more than is kept, the visits that were silent for longest go: whoever
// makes up visits must not keep customers out.
func (v *visits) take(session string, now time.Time, do func(*visit) error) error {
	if session == "" || len(session) > maxID {
		return errors.New("the session is missing, or longer than 500 bytes")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweep(now)
	known := v.open[session]
	if known == nil {
		known = &visit{Visit: placement.NewVisit(session, v.rules), held: newHeld()}
	}
	if err := do(known); err != nil {
		return err
	}
	known.heard = now
	if known.turn == nil {
		v.open[session], known.turn = known, v.turns.PushFront(known)
	}
	v.turns.MoveToFront(known.turn)
	v.bytes += known.held.size() - known.bytes
	known.bytes = known.held.size()
	for len(v.open) > maxVisits || v.bytes > maxBytes && len(v.open) > 1 {
		silent, _ := v.turns.Back().Value.(*visit)
		v.letGo(silent, now)
		v.past.Dropped++
	}
	return nil
}

// letGo keeps no more of a visit than the counts.
func (v *visits) letGo(known *visit, now time.Time) {
	v.past.count(known.Visit, now)
	v.turns.Remove(known.turn)
	v.bytes -= known.bytes
	delete(v.open, known.ID)
}

// look reads a visit, and reports whether anybody knows it.
func (v *visits) look(session string, do func(*placement.Visit)) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.open[session]
	if known != nil {
		do(known.Visit)
	}
	return known != nil
}

// sweep lets visits go of which nothing was heard for long.
func (v *visits) sweep(now time.Time) {
	if now.Sub(v.swept) < time.Minute {
		return
	}
	v.swept = now
	for _, known := range v.open {
		if now.Sub(known.heard) > keptFor {
			v.letGo(known, now)
		}
	}
}

func (s *Status) count(v *placement.Visit, now time.Time) {
	s.Visits++
	for _, standing := range v.Standings(now) {
		s.Items[standing.Stand]++
		if standing.Stand == placement.Refused && len(s.Refused) < maxRefusals {
			s.Refused = append(s.Refused, standing)
		}
	}
}

func (v *visits) status(now time.Time) Status {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := Status{Messages: v.messages, Visits: v.past.Visits, Dropped: v.past.Dropped, Items: map[placement.Stand]int{}}
	all.Refused = append(all.Refused, v.past.Refused...)
	for stand, n := range v.past.Items {
		all.Items[stand] = n
	}
	for _, known := range v.open {
		all.count(known.Visit, now)
	}
	return all
}
