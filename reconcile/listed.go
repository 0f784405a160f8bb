package reconcile

import (
	"maps"
	"slices"
	"strings"
)

// Listed is what became of a list of order numbers that a person gave (RULES
// R21): so many numbers, of which so many were met in a source.
type Listed struct {
	Asked   int
	Found   int
	Missing []MissingOrder
}

// MissingOrder is a number that no source holds, and the one that is most like
// it, "" when none is.
type MissingOrder struct {
	Order   string
	Nearest string
}

// maxNumbersMet bounds how many numbers are kept to find the nearest among.
const maxNumbersMet = 2_000_000

// list are the order numbers that alone are worked on, or that are left alone.
type list struct {
	asked  map[string]bool // whether a source holds it; nil: all orders
	except map[string]bool
	met    []string        // all numbers, while some are asked for
	here   map[string]bool // of except, and of met where it is asked: those that a source holds
}

func newList(req Request) *list {
	l := &list{except: map[string]bool{}, here: map[string]bool{}}
	if req.Orders != nil {
		l.asked = map[string]bool{}
	}
	for _, order := range req.Orders {
		l.asked[strings.TrimSpace(order)] = false
	}
	for _, order := range req.Except {
		l.except[strings.TrimSpace(order)] = true
	}
	delete(l.asked, "")
	return l
}

// meet notes that a source holds an order.
func (l *list) meet(order string) {
	if l != nil && l.except[order] {
		l.here[order] = true
	}
	if l == nil || l.asked == nil {
		return
	}
	if _, asked := l.asked[order]; asked {
		l.asked[order] = true
	}
	if len(l.met) < maxNumbersMet {
		l.met = append(l.met, order)
	}
}

// excludes gives the reason why an order is not worked on, or "".
func (l *list) excludes(order string) Reason {
	if l == nil {
		return ""
	}
	if _, asked := l.asked[order]; l.asked != nil && !asked {
		return ReasonNotListed
	}
	if l.except[order] {
		return ReasonExcepted
	}
	return ""
}

// leaves names the first of some numbers that a source holds and that the list
// leaves out.
func (l *list) leaves(kin []OrderKey) (OrderKey, bool) {
	if l == nil || len(kin) == 0 || l.asked == nil && len(l.except) == 0 {
		return OrderKey{}, false
	}
	if len(l.here) < len(l.met) {
		for _, order := range l.met {
			l.here[order] = true
		}
		l.met = slices.Sorted(maps.Keys(l.here)) // each once, so that this is done once
	}
	for _, key := range kin {
		if l.here[key.Order] && l.excludes(key.Order) != "" {
			return key, true
		}
	}
	return OrderKey{}, false
}

// listed tells which numbers no source holds. nearest finds the most alike among
// known ones; nil: nobody looks.
func (l *list) listed(nearest func(known []string) func(string) string) *Listed {
	if l.asked == nil {
		return nil
	}
	res := &Listed{Asked: len(l.asked)}
	alike := func(string) string { return "" }
	for order, found := range l.asked {
		if found {
			res.Found++
			continue
		}
		if len(res.Missing) == 0 && nearest != nil {
			alike = nearest(l.met)
		}
		res.Missing = append(res.Missing, MissingOrder{Order: order})
	}
	slices.SortFunc(res.Missing, func(a, b MissingOrder) int { return strings.Compare(a.Order, b.Order) })
	for i := range res.Missing[:min(len(res.Missing), MaxProblems)] {
		res.Missing[i].Nearest = alike(res.Missing[i].Order)
	}
	return res
}
