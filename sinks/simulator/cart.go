package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// person is what Collect believes about one person of one MID.
type person struct {
	mid, key               string
	userID, sessionID      string
	lines                  []CartLine
	updates, clears        int
	conversions            int
	changed, converted     uint64 // positions in the order of all changes
	changedAt, convertedAt int64  // nanoseconds since 1970, 0 for never
}

// mailDue: a conversion or an empty cart blocks the abandoned-cart mail [C]. A conversion does not empty the cart here,
// and a cart that changes after it is abandoned anew.
func (p *person) mailDue() bool {
	return len(p.lines) > 0 && p.converted < p.changed
}

func (m *memory) personOf(mid, key string) *person {
	known := m.persons[personKey{mid, key}]
	if known == nil {
		known = &person{mid: mid, key: key, userID: derive("user", mid, key), sessionID: derive("session", mid, key)}
		m.persons[personKey{mid, key}] = known
		m.personOrder = append(m.personOrder, known)
		m.users[known.userID] = known
	}
	return known
}

// derive makes ids that are the same for the same person in every run.
func derive(parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(digest[:16])
}

// noticeMixed counts calls that carry the user_id of somebody else: the platform would merge two strangers' profiles.
func (m *memory) noticeMixed(userID string, p *person) {
	if owner := m.users[userID]; owner != nil && owner != p {
		m.mixedPersons++
	}
}

// conversion is what Collect believes about one order number of one MID.
type conversion struct {
	mid, person, order string
	count              int
	first, last        int64
	lines              []CartLine
	total              decimal.Decimal
}

func (m *memory) keepConversion(t *tracking, lines []CartLine, at time.Time, rules CollectRules) {
	totals := m.totals(Collect)
	key := orderKey{t.mid, t.order}
	known := m.conversions[key]
	if known == nil {
		known = &conversion{mid: t.mid, order: t.order, first: at.UnixNano()}
		m.conversions[key] = known
		m.conversionOrder = append(m.conversionOrder, known)
		totals.orders++
	} else {
		totals.repeats++
		if rules.MergeConversions {
			totals.money.remove("", known.total)
		}
	}
	known.count++
	known.last = at.UnixNano()
	known.person, known.lines, known.total = t.person, lines, t.worth
	totals.money.add("", t.worth)
}
