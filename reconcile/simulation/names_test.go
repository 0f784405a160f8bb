package simulation

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"makegood/reconcile"
)

// TestDigestsTellOrdersApart compares orders of few and equal lines: what is
// bought twice is not what is not bought at all, and no two orders differ in
// nothing but that.
func TestDigestsTellOrdersApart(t *testing.T) {
	sku := rapid.SampledFrom([]string{"tea", "cup", "pot"})
	lines := rapid.SliceOfN(sku, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		one, other := lines.Draw(t, "one"), lines.Draw(t, "other")
		if rapid.Bool().Draw(t, "alike but for what is there twice") {
			a, b := sku.Draw(t, "twice in one"), sku.Draw(t, "twice in the other")
			one, other = append(slices.Clone(one), a, a), append(slices.Clone(one), b, b)
		}
		same := maps.Equal(times(one), times(other))
		if got := digestOf(one) == digestOf(other); got != same {
			t.Errorf("%v and %v: digests are equal: %v", one, other, got)
		}
	})
}

func times(skus []string) map[string]int {
	n := map[string]int{}
	for _, sku := range skus {
		n[sku]++
	}
	return n
}

func digestOf(skus []string) reconcile.Digest {
	var sum reconcile.DigestSum
	for _, sku := range skus {
		sum.Add(sku, "1", "2.5")
	}
	return reconcile.ContentDigest(reconcile.OrderKey{Shop: "main", Order: "1"}, "EUR", len(skus), sum)
}

// TestEventIDsTellOrdersApart wants no order's id to be another one's, nor that
// of a place in another one's chain of upgrades or of a correction.
func TestEventIDsTellOrdersApart(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("12/~%aF")), 1, 5, -1)
	rapid.Check(t, func(t *rapid.T) {
		key := func(name string) reconcile.OrderKey {
			return reconcile.OrderKey{Shop: text.Draw(t, name+"'s shop"), Order: text.Draw(t, name)}
		}
		one, other := key("one"), key("other")
		id := reconcile.NewEventID(reconcile.KindPurchase, one)
		if back, err := id.Key(); err != nil || back != one {
			t.Errorf("%v has the id %s, which is %v, %v", one, id, back, err)
		}
		if one == other {
			return
		}
		its := reconcile.NewEventID(reconcile.KindPurchase, other)
		for _, taken := range []reconcile.EventID{its, its + "/1", its + "/2", its + "~2", its + "/1~2"} {
			if id == taken {
				t.Errorf("%v has the id %s of %v", one, id, other)
			}
		}
	})
	if a, b := reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: "7/1"}),
		reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: "7"})+"/1"; a == b {
		t.Errorf("order 7/1 and the first upgrade of order 7 are both %s", fmt.Sprint(a))
	}
}
