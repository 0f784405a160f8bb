package simulator

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// Counts are the cheap figures of all platforms.
type Counts struct {
	Requests          uint64            `json:"requests"`           // all, those to unknown paths included
	UnknownPaths      uint64            `json:"unknown_paths"`      // requests to paths where no platform lives
	RedirectsFollowed uint64            `json:"redirects_followed"` // fetches of RedirectTarget
	OtherEvents       uint64            `json:"other_events"`       // accepted Squeezely events that are no Purchase
	DroppedLines      uint64            `json:"dropped_lines"`      // Collect lines whose item the catalog lacks
	MixedPersons      uint64            `json:"mixed_persons"`      // Collect calls with the user_id of another person
	Faults            []FaultState      `json:"faults"`
	Platforms         map[string]Totals `json:"platforms"` // always all of them
}

// Totals are the figures of one platform. Requests = those with an accepted event + Refused + Faulted.
type Totals struct {
	Requests uint64            `json:"requests"`
	Refused  uint64            `json:"refused"`  // requests of which the platform accepted nothing
	Faulted  uint64            `json:"faulted"`  // requests of which a fault let nothing be accepted
	Accepted uint64            `json:"accepted"` // events
	Orders   uint64            `json:"orders"`   // distinct purchases or conversions
	Repeats  uint64            `json:"repeats"`  // accepted purchases or conversions of a known order
	Money    map[string]string `json:"money"`    // exact decimal text by currency, NoCurrency where none was named
}

// Counts returns the figures of this moment.
func (s *Simulator) Counts() Counts {
	faults := s.Faults()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.memory
	c := Counts{
		UnknownPaths:      m.totals("").requests,
		RedirectsFollowed: m.redirected,
		OtherEvents:       m.otherEvents,
		DroppedLines:      m.droppedLines,
		MixedPersons:      m.mixedPersons,
		Faults:            faults,
		Platforms:         map[string]Totals{},
	}
	c.Requests = c.UnknownPaths
	for _, name := range platforms {
		c.Platforms[name] = m.totals(name).view()
		c.Requests += c.Platforms[name].Requests
	}
	return c
}

func (t *totals) view() Totals {
	return Totals{Requests: t.requests, Refused: t.refused, Faulted: t.faulted, Accepted: t.accepted,
		Orders: t.orders, Repeats: t.repeats, Money: t.money.texts()}
}

// Purchase is what Squeezely believes about one order: front end and backend merge on the order id [P].
type Purchase struct {
	Account   string          `json:"-"`
	OrderID   string          `json:"orderid"`
	Count     int             `json:"count"` // accepted backend events
	First     time.Time       `json:"first"` // when the first of them came, UTC
	Last      time.Time       `json:"last"`
	Total     decimal.Decimal `json:"total"`    // of the last event: totalvalue, or the sum of price x quantity
	Currency  string          `json:"currency"` // empty when the last event named none
	OrderedAt time.Time       `json:"ordered_at,omitzero"`
	Body      []byte          `json:"-"` // the last event as it came; nil with ForgetBodies; not to be modified
}

func (p *purchase) view() Purchase {
	v := Purchase{Account: p.account, OrderID: p.OrderID, Count: p.Count, First: instant(p.First),
		Last: instant(p.Last), Total: p.Total, Currency: p.Currency, Body: p.body}
	if p.Timestamp != 0 {
		v.OrderedAt = time.Unix(p.Timestamp, 0).UTC()
	}
	return v
}

func instant(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

// Custom returns the custom_* fields of the last event, numbers as json.Number; empty without a body.
func (p Purchase) Custom() map[string]any {
	event, err := parseObject(p.Body)
	if err != nil {
		return nil
	}
	custom := map[string]any{}
	for key, value := range event {
		if strings.HasPrefix(key, "custom_") {
			custom[key] = value
		}
	}
	return custom
}

// MarshalJSON adds the custom fields.
func (p Purchase) MarshalJSON() ([]byte, error) {
	type plain Purchase
	return json.Marshal(struct {
		plain
		Custom map[string]any `json:"custom,omitempty"`
	}{plain(p), p.Custom()})
}

// Purchases returns the purchases of an account in the order of their first event; "" is all accounts.
func (s *Simulator) Purchases(account string) []Purchase {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []Purchase
	for _, p := range s.memory.purchaseOrder {
		if account == "" || p.account == account {
			views = append(views, p.view())
		}
	}
	return views
}

// Purchase returns one purchase, and false when the platform never accepted it.
func (s *Simulator) Purchase(account, orderID string) (Purchase, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.memory.purchases[orderKey{account, orderID}]
	if !ok {
		return Purchase{}, false
	}
	return p.view(), true
}

// CartLine is one line of a cart or of a conversion at Collect, as it came: every value is text.
type CartLine struct {
	Item     string `json:"item"`
	Quantity string `json:"quantity,omitempty"`
	Price    string `json:"price,omitempty"` // of one unit [P]
	UniqueID string `json:"unique_id"`
}

// Cart is what Collect believes about one person of one MID.
type Cart struct {
	MID            string     `json:"-"`
	Person         string     `json:"-"` // user_info.email, exactly as it came
	UserID         string     `json:"user_id"`
	SessionID      string     `json:"session_id"`
	Lines          []CartLine `json:"lines"` // the whole stored cart; not to be modified
	ChangedAt      time.Time  `json:"changed_at,omitzero"`
	Updates        int        `json:"updates"`
	Clears         int        `json:"clears"`
	Conversions    int        `json:"conversions"`
	LastConversion time.Time  `json:"last_conversion,omitzero"`
	// MailDue: an abandoned-cart mail would go out, for the cart is not empty and no conversion came since its last
	// change [C].
	MailDue bool `json:"mail_due"`
}

func (p *person) view() Cart {
	return Cart{MID: p.mid, Person: p.key, UserID: p.userID, SessionID: p.sessionID, Lines: p.lines,
		ChangedAt: instant(p.changedAt), Updates: p.updates, Clears: p.clears, Conversions: p.conversions,
		LastConversion: instant(p.convertedAt), MailDue: p.mailDue()}
}

// Cart returns the cart of one person, and false when no call ever named that person.
func (s *Simulator) Cart(mid, person string) (Cart, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.memory.persons[personKey{mid, person}]
	if !ok {
		return Cart{}, false
	}
	return p.view(), true
}

// Carts returns the carts of all persons of a MID in the order in which they were first named; "" is every MID.
func (s *Simulator) Carts(mid string) []Cart {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []Cart
	for _, p := range s.memory.personOrder {
		if mid == "" || p.mid == mid {
			views = append(views, p.view())
		}
	}
	return views
}

// Conversion is what Collect believes about one order number of one MID.
type Conversion struct {
	MID         string          `json:"-"`
	OrderNumber string          `json:"order_number"`
	Person      string          `json:"person"` // of the last call
	Count       int             `json:"count"`  // accepted calls
	First       time.Time       `json:"first"`
	Last        time.Time       `json:"last"`
	Lines       []CartLine      `json:"lines"` // of the last call; not to be modified
	Total       decimal.Decimal `json:"total"` // of the last call: price x quantity, plus shipping, less discount
}

func (c *conversion) view() Conversion {
	return Conversion{MID: c.mid, OrderNumber: c.order, Person: c.person, Count: c.count, First: instant(c.first),
		Last: instant(c.last), Lines: c.lines, Total: c.total}
}

// Conversions returns the conversions of a MID in the order of their first call; "" is every MID.
func (s *Simulator) Conversions(mid string) []Conversion {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []Conversion
	for _, c := range s.memory.conversionOrder {
		if mid == "" || c.mid == mid {
			views = append(views, c.view())
		}
	}
	return views
}

// State is everything that the platforms believe, as GET /_sim/state tells it.
type State struct {
	Counts      Counts                     `json:"counts"`
	Purchases   map[string][]Purchase      `json:"purchases"`        // by account
	Carts       map[string]map[string]Cart `json:"carts"`            // by MID and person
	Conversions map[string][]Conversion    `json:"conversions"`      // by MID
	RoktAds     map[string][]AdConversion  `json:"rokt_ads"`         // by account
	RoktPersons map[string][]AdProfile     `json:"rokt_ads_persons"` // by account
	Rokt        []RoktConfirmation         `json:"rokt"`             // confirmed orders
	Emanage     []EmanageCart              `json:"emanage"`
	EmanageTest []EmanageCart              `json:"emanage_test"` // test carts, which charge nobody
}

// State returns everything that the platforms believe. Its parts are read one after the other: while requests come in
// they may be some requests apart.
func (s *Simulator) State() State {
	state := State{Counts: s.Counts(), Purchases: map[string][]Purchase{}, Carts: map[string]map[string]Cart{},
		Conversions: map[string][]Conversion{}, RoktAds: map[string][]AdConversion{}, RoktPersons: s.AdProfiles(), Rokt: s.RoktConfirmations(),
		Emanage: s.EmanageCarts(false), EmanageTest: s.EmanageCarts(true)}
	for _, p := range s.Purchases("") {
		state.Purchases[p.Account] = append(state.Purchases[p.Account], p)
	}
	for _, c := range s.Carts("") {
		if state.Carts[c.MID] == nil {
			state.Carts[c.MID] = map[string]Cart{}
		}
		state.Carts[c.MID][c.Person] = c
	}
	for _, c := range s.Conversions("") {
		state.Conversions[c.MID] = append(state.Conversions[c.MID], c)
	}
	for _, c := range s.AdConversions("") {
		state.RoktAds[c.Account] = append(state.RoktAds[c.Account], c)
	}
	return state
}
