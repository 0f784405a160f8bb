package simulator

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/govalues/decimal"
)

// adConversion is what Rokt Ads believes about one conversion of one account.
type adConversion struct {
	account string
	item    adItem
	count   int
	first   time.Time
}

type adKey struct {
	account, kind, ref string
	development        bool
}

func (m *memory) keepAd(account string, item adItem, at time.Time, repeats bool) {
	totals := m.totals(RoktAds)
	key := adKey{account, item.kind, item.ref, item.development}
	known := m.ads[key]
	if known == nil {
		known = &adConversion{account: account, item: item, first: at}
		m.ads[key] = known
		m.adOrder = append(m.adOrder, known)
	} else if !item.development {
		totals.repeats++
	}
	if known.count++; item.development {
		return
	}
	if p := m.profile(account, item); known.count == 1 {
		p.conversions = append(p.conversions, item.ref)
	}
	if known.count > 1 && !repeats {
		return
	}
	if known.count == 1 {
		totals.orders++
	}
	totals.money.add(item.currency, item.amount)
}

// AdConversion is what Rokt Ads believes about one conversion: it counts once by its type and reference [C].
type AdConversion struct {
	Account     string          `json:"-"` // the account, or the key of the login, masked
	Type        string          `json:"conversiontype"`
	Ref         string          `json:"confirmationref"`
	Person      string          `json:"person"` // masked
	Amount      decimal.Decimal `json:"amount"`
	Currency    string          `json:"currency"`
	At          time.Time       `json:"at"`
	First       time.Time       `json:"first"`                 // when it was told first
	Count       int             `json:"count"`                 // how often it was told
	Development bool            `json:"development,omitempty"` // it is not counted
}

// AdConversions returns the conversions of an account in the order in which they were first told; "" is all accounts.
func (s *Simulator) AdConversions(account string) []AdConversion {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []AdConversion
	for _, c := range s.memory.adOrder {
		if account == "" || c.account == account {
			views = append(views, c.view())
		}
	}
	return views
}

func (c *adConversion) view() AdConversion {
	i := c.item
	return AdConversion{Account: c.account, Type: i.kind, Ref: i.ref, Person: mask(i.person),
		Amount: i.amount, Currency: i.currency, At: i.at.UTC(), First: c.first.UTC(), Count: c.count, Development: i.development}
}

// adProfile is what Rokt Ads believes about one person of an account: everything that came with one of its identities.
type adProfile struct {
	identities  map[string]string // by the names of the API
	conversions []string          // references, each once
}

// adIdentity is one identity of an account.
type adIdentity struct{ account, value string }

// profile finds the person of an item, and takes in what is new about it. Identities that come together are one
// person's: profiles that were apart until then become one.
func (m *memory) profile(account string, item adItem) *adProfile {
	var p *adProfile
	for _, key := range slices.Sorted(maps.Keys(item.identities)) {
		known := m.adPersons[adIdentity{account, item.identities[key]}]
		switch {
		case known == nil || known == p:
		case p == nil:
			p = known
		default:
			p.conversions = append(p.conversions, known.conversions...)
			maps.Copy(p.identities, known.identities)
			for _, value := range known.identities {
				m.adPersons[adIdentity{account, value}] = p
			}
		}
	}
	if p == nil {
		p = &adProfile{identities: map[string]string{}}
	}
	for key, value := range item.identities {
		p.identities[key] = value
		m.adPersons[adIdentity{account, value}] = p
	}
	return p
}

// AdProfile is what Rokt Ads believes about one person.
type AdProfile struct {
	Identities  map[string]string `json:"identities"` // masked, by the names of the API
	Conversions []string          `json:"conversions"`
}

// AdProfile returns the person that an identity is of, and false when nobody has it. account is as in AdConversion.
func (s *Simulator) AdProfile(account, identity string) (AdProfile, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.memory.adPersons[adIdentity{account, identity}]
	if p == nil {
		return AdProfile{}, false
	}
	view := AdProfile{Identities: map[string]string{}, Conversions: slices.Clone(p.conversions)}
	for key, value := range p.identities {
		view.Identities[key] = mask(value)
	}
	return view, true
}

// AdProfiles returns all persons by account, in the order of their identities.
func (s *Simulator) AdProfiles() map[string][]AdProfile {
	s.mu.Lock()
	persons := slices.SortedFunc(maps.Keys(s.memory.adPersons), func(a, b adIdentity) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.value, b.value))
	})
	seen := map[*adProfile]bool{}
	persons = slices.DeleteFunc(persons, func(id adIdentity) bool {
		p := s.memory.adPersons[id]
		told := seen[p]
		seen[p] = true
		return told
	})
	s.mu.Unlock()
	all := map[string][]AdProfile{}
	for _, id := range persons {
		if p, known := s.AdProfile(id.account, id.value); known {
			all[id.account] = append(all[id.account], p)
		}
	}
	return all
}
