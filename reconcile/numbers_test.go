package reconcile_test

import (
	"fmt"
	"testing"

	"makegood/reconcile"
)

// A source says what its numbers look like, the most frequent shapes first,
// each with a number that has it.
func TestWhatOrderNumbersLookLike(t *testing.T) {
	orders := append(many(5), order("C123", oneTea), order("D999", oneTea), order("A/1", oneTea),
		order("x y", oneTea), order("9", oneTea, func(o *reconcile.Order) { o.LeftOut = "test" }))
	h := newHouse(t, orders...)
	planned := h.plan().Sources[0].Numbers
	if got := fmt.Sprint(planned); got != "[{9999 0000 5} {a999 C123 2} {a a x y 1}]" {
		t.Errorf("the numbers look like %s", got)
	}
	if got := h.run().Sources[0].Numbers; fmt.Sprint(got) != fmt.Sprint(planned) {
		t.Errorf("planned %v, a run says %v", planned, got)
	}
}
