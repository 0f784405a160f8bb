package placement

import (
	"errors"
	"maps"
	"slices"
	"time"

	"makegood/reconcile"
)

// Bounds on what is kept of messages.
const (
	MaxSessions = 500_000
	maxItems    = 200 // of one session
)

// ErrTooMany says that there are more sessions, or items in one, than are kept.
var ErrTooMany = errors.New("more sessions, or more items in one, than can be kept; name a shorter period")

// State is an item as a session left it.
type State struct {
	Item   Item              // as it was shown last
	Taken  bool              // it is in the placement's cart
	At     time.Time         // of the last message about it
	Origin reconcile.Origin  // of that message
	Asked  *Asked            // the last thing asked of it that nobody has answered
	Has    reconcile.Decimal // how many the placement has: 0 when it is not taken
}

// Asked is a request of the shop's for another quantity.
type Asked struct {
	Quantity reconcile.Decimal
	At       time.Time
}

// Session is what is known of one visit.
type Session struct {
	ID         string
	First      time.Time
	Last       time.Time
	Attributes map[string]string // the newest values of those that are kept

	items map[string]*State // by catalogItemId
	// impressions lead from cartItemIds to catalogItemIds; asked are requests
	// whose impression nobody has seen yet.
	impressions map[string]string
	asked       map[string]Asked
	attributeAt map[string]time.Time
}

// Fold takes in messages, in any order: what counts is their time, and of equal
// times the later one that is added.
type Fold struct {
	Messages int
	First    time.Time
	Last     time.Time
	sessions map[string]*Session
}

// Add takes in one message.
func (f *Fold) Add(m Message) error {
	if f.sessions == nil {
		f.sessions = map[string]*Session{}
	}
	s := f.sessions[m.Session]
	if s == nil {
		if len(f.sessions) == MaxSessions {
			return ErrTooMany
		}
		s = NewSession(m.Session)
		f.sessions[m.Session] = s
	}
	f.Messages++
	f.First, f.Last = earlier(f.First, m.At), later(f.Last, m.At)
	return s.Add(m)
}

// Sessions lists all sessions by their ids.
func (f *Fold) Sessions() []*Session {
	list := make([]*Session, 0, len(f.sessions))
	for _, id := range slices.Sorted(maps.Keys(f.sessions)) {
		list = append(list, f.sessions[id])
	}
	return list
}

// NewSession is a session of which nothing is known yet.
func NewSession(id string) *Session {
	return &Session{ID: id, Attributes: map[string]string{}, items: map[string]*State{}, impressions: map[string]string{},
		asked: map[string]Asked{}, attributeAt: map[string]time.Time{}}
}

// Items lists the items by their ids in Rokt's catalog.
func (s *Session) Items() []State {
	list := make([]State, 0, len(s.items))
	for _, id := range slices.Sorted(maps.Keys(s.items)) {
		list = append(list, *s.items[id])
	}
	return list
}

// Add takes in one message of this session.
func (s *Session) Add(m Message) error {
	if len(s.impressions)+len(s.asked) > 4*maxItems {
		return ErrTooMany
	}
	s.First, s.Last = earlier(s.First, m.At), later(s.Last, m.At)
	for name, value := range m.Attributes {
		if value != "" && !m.At.Before(s.attributeAt[name]) {
			s.Attributes[name], s.attributeAt[name] = value, m.At
		}
	}
	if m.Kind == Update {
		s.ask(m)
		return nil
	}
	// A change from one catalog item to another takes the first one away.
	if m.Old != nil && (m.Item == nil || m.Old.Catalog != m.Item.Catalog) {
		if err := s.set(*m.Old, false, m); err != nil {
			return err
		}
	}
	if m.Item != nil {
		if m.Old != nil { // an old impression of the same item is answered, too [P]
			s.see(*m.Old)
		}
		return s.set(*m.Item, true, m)
	}
	return nil
}

// see remembers which item an impression shows.
func (s *Session) see(i Item) { s.impressions[i.CartItem] = i.Catalog }

func (s *Session) set(i Item, taken bool, m Message) error {
	s.see(i)
	state := s.items[i.Catalog]
	if state == nil {
		if len(s.items) == maxItems {
			return ErrTooMany
		}
		state = &State{}
		s.items[i.Catalog] = state
	}
	if !m.At.Before(state.At) {
		state.Item, state.Taken, state.At, state.Origin = i, taken && !i.Quantity.IsZero(), m.At, m.Origin
		state.Has = reconcile.Decimal{}
		if state.Taken {
			state.Has = i.Quantity
		}
	}
	s.settle()
	return nil
}

func (s *Session) ask(m Message) {
	if known, ok := s.asked[m.CartItem]; !ok || !known.At.After(m.At) {
		s.asked[m.CartItem] = Asked{m.Quantity, m.At}
	}
	s.settle()
}

// settle forgets the requests that a later message about their item has
// answered, which closes the loop [P], and notes the others with their items.
func (s *Session) settle() {
	for _, state := range s.items {
		state.Asked = nil
	}
	for id, asked := range s.asked {
		state := s.items[s.impressions[id]]
		switch {
		case state == nil:
		case !asked.At.After(state.At):
			delete(s.asked, id)
		case state.Asked == nil || asked.At.After(state.Asked.At):
			state.Asked = &asked
		}
	}
}

// Unknown is how many requests name an impression that no message showed.
func (s *Session) Unknown() (n int) {
	for id := range s.asked {
		if s.impressions[id] == "" {
			n++
		}
	}
	return n
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
