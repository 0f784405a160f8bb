// Package chain follows upgrades: a customer bought a product and then took a
// dearer one in its place, perhaps several times, perhaps in another session.
// Of every chain one product is left, the last one that was paid.
package chain

import (
	"cmp"
	"slices"

	"makegood/reconcile"
)

// MaxDepth is how many products may replace each other: more are no upgrades.
const MaxDepth = reconcile.MaxChain

// Payment says what became of the money for a row.
type Payment = reconcile.Payment

// What a payment can be.
const (
	Unpaid  = reconcile.Unpaid
	Pending = reconcile.Pending
	Paid    = reconcile.Paid
)

// Fallback says what is left of a chain whose last upgrade was not paid.
type Fallback int

// The zero value is what a shop ships when a later upgrade comes to nothing.
const (
	LastPaid Fallback = iota // the last product of the chain that was paid
	Main                     // the product that it began with, when that was paid
)

// Row is one product of a cart.
type Row struct {
	Session string
	// Parent is the session that Replaces is looked for in; "": this one.
	Parent   string
	Product  string
	Replaces string // the product that this one is taken for; "": it is none's upgrade
	Amount   reconcile.Decimal
	Payment  Payment
}

// Result is what an order comes to.
type Result struct {
	Kept    []int // the rows that count, in the order of the input
	Pending []int // the rows that would count in place of others were they paid
	Amount  reconcile.Decimal
	// Steps are all rows: chain by chain in the order of their beginnings,
	// and in each what was replaced before what replaces it.
	Steps []Step
}

// Step is a row, and the place among the steps, from 1, of the one that it
// replaces; 0: of none.
type Step struct{ Row, Replaces int }

// Resolve gives what is left of the rows of one order, which are all rows of
// its sessions in any order. Rows that contradict each other are *Broken, and
// then there is no result: nothing is guessed. A sum with too many digits is an
// error, too.
func Resolve(rows []Row, fallback Fallback) (Result, error) {
	g := newGraph(rows)
	g.link()
	g.follow()
	if len(g.problems) > 0 {
		return Result{}, g.broken()
	}
	var r Result
	for tip := range rows {
		if g.upgrade[tip] == none {
			g.settle(tip, fallback, &r)
		}
	}
	for begin := range rows {
		if g.replaced[begin] == none {
			r.Steps = g.upwards(begin, r.Steps)
		}
	}
	slices.Sort(r.Kept)
	slices.Sort(r.Pending)
	for _, at := range r.Kept {
		sum, err := reconcile.Add(r.Amount, rows[at].Amount)
		if err != nil {
			return Result{}, err
		}
		r.Amount = sum
	}
	return r, nil
}

const none = -1

// graph is the rows with the links between them.
type graph struct {
	rows     []Row
	sessions map[string][]int
	products map[product][]int
	replaced []int // by row: the row that it replaces, or none
	upgrade  []int // by row: the row that replaces it, or none
	problems []Problem
}

type product struct{ session, product string }

func newGraph(rows []Row) *graph {
	g := &graph{rows: rows, sessions: map[string][]int{}, products: map[product][]int{}}
	for at, r := range rows {
		g.sessions[r.Session] = append(g.sessions[r.Session], at)
		one := product{r.Session, r.Product}
		g.products[one] = append(g.products[one], at)
		g.replaced, g.upgrade = append(g.replaced, none), append(g.upgrade, none)
	}
	return g
}

func (g *graph) fail(kind Kind, rows ...int) {
	slices.Sort(rows)
	g.problems = append(g.problems, Problem{kind, slices.Compact(rows)})
}

// link finds for each upgrade the row that it replaces.
func (g *graph) link() {
	several := map[product][]int{}                       // products that stand there several times, with the rows that replace them
	takers, heirs := map[int][]int{}, map[string][]int{} // by replaced row, by parent session
	for at, r := range g.rows {
		if r.Parent != "" && r.Parent != r.Session {
			heirs[r.Parent] = append(heirs[r.Parent], at)
		}
		if old := g.find(at, several); old != none {
			g.replaced[at] = old
			takers[old] = append(takers[old], at)
		}
	}
	for old, list := range takers {
		g.upgrade[old] = list[0]
		if len(list) > 1 {
			g.fail(TwoUpgrades, append(list, old)...)
		}
	}
	for one, list := range several {
		g.fail(SeveralProducts, append(list, g.products[one]...)...)
	}
	for _, list := range heirs {
		first := g.rows[list[0]].Session
		if slices.ContainsFunc(list, func(at int) bool { return g.rows[at].Session != first }) {
			g.fail(TwoSessions, list...)
		}
	}
}

// find gives the row that another one replaces, when there is one only.
func (g *graph) find(at int, several map[product][]int) int {
	r := g.rows[at]
	switch {
	case r.Parent != "" && len(g.sessions[r.Parent]) == 0:
		g.fail(MissingParent, at)
		return none
	case r.Replaces == "" && r.Parent != "" && r.Parent != r.Session:
		g.fail(ReplacesNothing, at)
		return none
	case r.Replaces == "":
		return none
	}
	one := product{cmp.Or(r.Parent, r.Session), r.Replaces}
	found := none
	for _, other := range g.products[one] {
		switch {
		case other == at:
		case found != none:
			several[one] = append(several[one], at)
			return none
		default:
			found = other
		}
	}
	if found == none {
		g.fail(MissingProduct, at)
	}
	return found
}

// follow walks from every row to the beginning of its chain.
func (g *graph) follow() {
	var deep []int
	for at := range g.rows {
		walked := []int{at}
		old := g.replaced[at]
		for old != none && !slices.Contains(walked, old) && len(walked) <= MaxDepth {
			walked = append(walked, old)
			old = g.replaced[old]
		}
		switch {
		case len(walked) > MaxDepth:
			deep = append(deep, walked...)
		case old == at && slices.Min(walked) == at:
			g.fail(Cycle, walked...)
		}
	}
	if len(deep) > 0 {
		g.fail(TooDeep, deep...)
	}
}

// upwards adds the chain that begins with a row.
func (g *graph) upwards(begin int, steps []Step) []Step {
	for at, replaces := begin, 0; at != none; at = g.upgrade[at] {
		steps = append(steps, Step{at, replaces})
		replaces = len(steps)
	}
	return steps
}

// settle decides on the chain that ends with a row.
func (g *graph) settle(tip int, fallback Fallback, r *Result) {
	var behind []int // what is pending and newer than what is kept
	for at := tip; at != none; at = g.replaced[at] {
		skip := fallback == Main && at != tip && g.replaced[at] != none
		switch payment := g.rows[at].Payment; {
		case payment == Paid && !skip:
			r.Kept = append(r.Kept, at)
			r.Pending = append(r.Pending, behind...)
			return
		case payment == Pending:
			behind = append(behind, at)
		}
	}
	r.Pending = append(r.Pending, behind...)
}
