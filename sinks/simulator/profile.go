package simulator

import (
	"maps"
	"slices"
	"time"
)

// Profile is what Squeezely believes about one person of one account: everybody who comes with one address, plain or
// hashed as it came. Fields of a purchase overwrite what was there [P]; a consent that is not sent stays as it was.
type Profile struct {
	Account string            `json:"-"`
	Email   string            `json:"-"` // as it came
	UserID  string            `json:"userid,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`  // firstname, city, ...
	Consent map[string]string `json:"consent,omitempty"` // newsletter, service, marketing: yes or no
	Orders  []string          `json:"orders"`            // orderids, in the order of their first event
	Updated time.Time         `json:"updated"`
}

var profileFields = []string{"firstname", "lastname", "gender", "birthdate", "phone", "postcode", "city", "country"}

var consents = []string{"newsletter", "service", "marketing"}

// keepProfile stores what a purchase says of its person. Without bodies, as in load tests, nothing is kept.
func (m *memory) keepProfile(account string, e event, at time.Time) {
	if e.body == nil {
		return
	}
	root, err := parseObject(e.body)
	if err != nil {
		return // the event was read before
	}
	email, _ := root["email"].(string)
	key := personKey{account, email}
	p := m.profiles[key]
	if p == nil {
		p = &Profile{Account: account, Email: email, Fields: map[string]string{}, Consent: map[string]string{}}
		m.profiles[key] = p
	}
	take := func(into map[string]string, names []string) {
		for _, name := range names {
			if text, ok := root[name].(string); ok {
				into[name] = text
			}
		}
	}
	take(p.Fields, profileFields)
	take(p.Consent, consents)
	if id, ok := root["userid"].(string); ok {
		p.UserID = id
	}
	if id := e.purchase.OrderID; !slices.Contains(p.Orders, id) {
		p.Orders = append(p.Orders, id)
	}
	p.Updated = at
}

func (p *Profile) view() Profile {
	v := *p
	v.Fields, v.Consent, v.Orders = maps.Clone(p.Fields), maps.Clone(p.Consent), slices.Clone(p.Orders)
	return v
}

// Profile returns what Squeezely believes about the person behind an address, or its hash, as it came; false when no
// purchase ever named it.
func (s *Simulator) Profile(account, email string) (Profile, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.memory.profiles[personKey{account, email}]
	if p == nil {
		return Profile{}, false
	}
	return p.view(), true
}
