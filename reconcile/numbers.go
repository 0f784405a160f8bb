package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// NumberShape is what some of the order numbers of a source look like: letters
// as a, digits as 9, everything else as it is.
type NumberShape struct {
	Shape   string `json:"shape"`
	Example string `json:"example"`
	Orders  int    `json:"orders"`
}

// Bounds of what is kept of the shapes of a source's order numbers.
const (
	maxShapes   = 1000 // that are told apart while reading
	shownShapes = 3
)

// numberShapes counts the shapes of a source's order numbers.
type numberShapes map[string]*NumberShape

func (n numberShapes) add(order string) {
	shape := shapeOf(order)
	known := n[shape]
	if known == nil {
		if len(n) >= maxShapes {
			return
		}
		known = &NumberShape{Shape: shape, Example: order}
		n[shape] = known
	}
	known.Orders++
}

// most lists the most frequent shapes.
func (n numberShapes) most() []NumberShape {
	var list []NumberShape
	for _, s := range n {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b NumberShape) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Shape, b.Shape))
	})
	return list[:min(len(list), shownShapes)]
}

func shapeOf(order string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r):
			return 'a'
		case unicode.IsDigit(r):
			return '9'
		}
		return r
	}, order)
}
