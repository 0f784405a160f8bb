package chain

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is what is wrong with a chain.
type Kind int

// What can be wrong.
const (
	Cycle           Kind = iota + 1 // products that replace each other
	MissingParent                   // a parent session without rows
	MissingProduct                  // the replaced product is not in its session
	SeveralProducts                 // the replaced product stands there several times
	TwoUpgrades                     // two rows replace one
	TwoSessions                     // two sessions have one parent
	ReplacesNothing                 // a parent session is named, but no product
	TooDeep                         // more than MaxDepth products
)

var words = map[Kind]string{
	Cycle:           "the upgrades go round in a circle",
	MissingParent:   "the session that this one upgrades is not among the rows",
	MissingProduct:  "the product that is replaced is not in the session where it should be",
	SeveralProducts: "the product that is replaced stands there several times",
	TwoUpgrades:     "two upgrades replace one product",
	TwoSessions:     "two sessions upgrade one session",
	ReplacesNothing: "the row upgrades another session, but says no product that it replaces",
	TooDeep:         "too many products replace each other",
}

// String says it in words.
func (k Kind) String() string { return words[k] }

// Problem is one contradiction and the rows that make it.
type Problem struct {
	Kind Kind
	Rows []int // sorted indexes of the input
}

// Broken says that the rows of an order contradict each other.
type Broken struct {
	Problems []Problem // sorted by their first row and kind
}

// Error lists what is wrong, without a value of a row.
func (b *Broken) Error() string {
	var texts []string
	for _, p := range b.Problems {
		if text := p.Kind.String(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return "follow the upgrades: " + strings.Join(texts, "; ")
}

func (g *graph) broken() error {
	slices.SortFunc(g.problems, func(a, b Problem) int {
		return cmp.Or(slices.Compare(a.Rows, b.Rows), cmp.Compare(a.Kind, b.Kind))
	})
	return &Broken{g.problems}
}
