package reconcile

import (
	"hash/maphash"
	"maps"
	"slices"
	"time"
)

// Bounds of RULES R12: an address, or a user id, that more people share than
// one person can be.
const (
	maxCustomers  = 3 // customer ids of one address in one day
	maxUserPeople = 3 // addresses of one user id
)

// crowd counts, among the orders that would be sent to one target, how many
// one address has in a day, under how many customer ids, and how many
// addresses one user id has. It keeps hashes only.
type crowd struct {
	seed  maphash.Seed
	zone  *time.Location
	most  int // orders of one address in one day; 0: any number
	days  map[personDay]*dayCount
	users map[uint64][]uint64 // by user id: its first people
}

type personDay struct {
	person uint64
	day    int32
}

type dayCount struct {
	orders    int
	customers []uint64 // the first ones
}

func newCrowd(zone *time.Location, most int) *crowd {
	return &crowd{seed: maphash.MakeSeed(), zone: zone, most: most, days: map[personDay]*dayCount{}, users: map[uint64][]uint64{}}
}

func (c *crowd) hash(s string) uint64 { return maphash.String(c.seed, s) }

func (c *crowd) dayOf(h Head) personDay {
	year, month, day := h.CompletedAt.In(c.zone).Date()
	return personDay{c.hash(string(PersonOf(h))), int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)}
}

// meet counts an order that would be sent.
func (c *crowd) meet(h Head) {
	if h.Email == "" || c.most == 0 {
		return
	}
	at := c.dayOf(h)
	count := c.days[at]
	if count == nil {
		count = &dayCount{}
		c.days[at] = count
	}
	count.orders++
	if h.Customer != "" {
		count.customers = noteFew(count.customers, c.hash(h.Customer), maxCustomers)
	}
	if user := h.Fields["userid"]; user != "" {
		c.users[c.hash(user)] = noteFew(c.users[c.hash(user)], at.person, maxUserPeople)
	}
}

// noteFew keeps distinct values up to one more than few.
func noteFew(list []uint64, v uint64, few int) []uint64 {
	if len(list) > few || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// shared reports whether an order's address has, on its day, more orders or
// more customer ids than one person has.
func (c *crowd) shared(h Head) bool {
	count := c.days[c.dayOf(h)]
	return h.Email != "" && count != nil && (count.orders > c.most || len(count.customers) > maxCustomers)
}

// without takes a user id off an order when too many people have it: the
// platform would make one profile of strangers.
func (c *crowd) without(o Order) Order {
	if user := o.Fields["userid"]; user != "" && len(c.users[c.hash(user)]) > maxUserPeople {
		o.Fields = maps.Clone(o.Fields)
		delete(o.Fields, "userid")
	}
	return o
}
