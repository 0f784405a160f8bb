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
	most  int                 // orders of one address in one day; 0: any number
	days  map[uint64]dayCount // by person and day
	users map[uint64][]uint64 // by user id: its first people
}

// dayCount is what one person ordered in a day. There are about as many as orders.
type dayCount struct {
	orders   int32
	customer uint64    // the first one; 0: none
	more     *[]uint64 // the next ones; nil: there are none
}

func newCrowd(zone *time.Location, most int) *crowd {
	return &crowd{seed: maphash.MakeSeed(), zone: zone, most: most, days: map[uint64]dayCount{}, users: map[uint64][]uint64{}}
}

func (c *crowd) hash(s string) uint64 { return maphash.String(c.seed, s) }

// dayOf stands for the order's person on its day.
func (c *crowd) dayOf(h Head) uint64 {
	return c.hash(h.CompletedAt.In(c.zone).Format(time.DateOnly) + string(PersonOf(h)))
}

// meet counts an order that would be sent.
func (c *crowd) meet(h Head) {
	if h.Email == "" || c.most == 0 {
		return
	}
	at := c.dayOf(h)
	count := c.days[at]
	count.orders++
	if h.Customer != "" {
		count.note(c.hash(h.Customer))
	}
	c.days[at] = count
	if user := h.Fields["userid"]; user != "" {
		c.users[c.hash(user)] = noteFew(c.users[c.hash(user)], c.hash(string(PersonOf(h))), maxUserPeople)
	}
}

// note keeps a customer id of the day.
func (d *dayCount) note(customer uint64) {
	switch {
	case d.customer == 0 || d.customer == customer:
		d.customer = customer
	case d.more == nil:
		d.more = &[]uint64{customer}
	default:
		*d.more = noteFew(*d.more, customer, maxCustomers-1)
	}
}

// customers counts the ids, up to one more than maxCustomers.
func (d *dayCount) customers() int {
	switch {
	case d.customer == 0:
		return 0
	case d.more == nil:
		return 1
	}
	return 1 + len(*d.more)
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
	return h.Email != "" && (int(count.orders) > c.most || count.customers() > maxCustomers)
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
