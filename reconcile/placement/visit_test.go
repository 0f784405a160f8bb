package placement

import (
	"fmt"
	"testing"
	"time"
)

var rules = Rules{Settle: 3 * time.Second, Answer: 10 * time.Second, Tries: 2}

func at(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }

// look says in one line where every item stands, and what is to be asked.
func look(v *Visit, second int) string {
	text := ""
	for _, s := range v.Standings(at(second)) {
		text += fmt.Sprintf("%s %s %s/%s ", s.Item, s.Stand, s.Rokt, s.Shop)
	}
	for _, c := range v.Changes(at(second)) {
		text += fmt.Sprintf("ask %s=%d ", c.CartItem, c.Quantity)
	}
	return text
}

func cart(lines ...string) (list []Line) {
	for _, l := range order(lines...).Items {
		list = append(list, Line{SKU: l.SKU, Quantity: l.Quantity})
	}
	return list
}

func add(t *testing.T, v *Visit, m Message) {
	t.Helper()
	if err := v.Add(m); err != nil {
		t.Fatal(err)
	}
}

func wantsLook(t *testing.T, v *Visit, second int, want string) {
	t.Helper()
	if got := look(v, second); got != want {
		t.Errorf("after %d s: %q, want %q", second, got, want)
	}
}

// A change is asked for once, and counts as aligned when the placement says so.
func TestVisitAligns(t *testing.T) {
	v := NewVisit("s1", rules)
	add(t, v, said(t, 0, item("c1", "i1", 1), "null"))
	wantsLook(t, v, 1, "c1 unjudged 1/ ")
	v.Cart(cart("MUG:1"), at(2)) // the shop's page may not have reflected it yet
	wantsLook(t, v, 2, "c1 unjudged 1/ ")
	v.Cart(cart("MUG:1", "c1:3"), at(3))
	wantsLook(t, v, 3, "c1 to_ask 1/3 ask i1=3 ")
	add(t, v, asked(t, 4, "i1", 3))
	wantsLook(t, v, 5, "c1 asked 1/3 ")
	add(t, v, said(t, 6, item("c1", "i1", 3), item("c1", "i1", 1)))
	wantsLook(t, v, 6, "c1 aligned 3/3 ")
	v.Cart(cart("c1:3"), at(60))
	wantsLook(t, v, 60, "c1 aligned 3/3 ")
	add(t, v, said(t, 61, item("c1", "i2", 5), item("c1", "i1", 3))) // the customer's own change
	wantsLook(t, v, 61, "c1 unjudged 5/ ")
	v.Cart(cart("c1:5"), at(64))
	wantsLook(t, v, 64, "c1 agrees 5/5 ")
}

// Rokt may refuse: then it is shown, and not asked for again.
func TestVisitRefused(t *testing.T) {
	v := NewVisit("s1", rules)
	add(t, v, said(t, 0, item("c1", "i1", 1), "null"))
	v.Cart(cart(), at(10))
	wantsLook(t, v, 10, "c1 to_ask 1/0 ask i1=0 ")
	add(t, v, asked(t, 11, "i1", 0))
	add(t, v, said(t, 12, item("c1", "i1", 1), item("c1", "i1", 1)))
	wantsLook(t, v, 13, "c1 refused 1/0 ")
	wantsLook(t, v, 1000, "c1 refused 1/0 ")
	v.Cart(cart("c1:2"), at(20)) // another quantity is another question
	wantsLook(t, v, 20, "c1 to_ask 1/2 ask i1=2 ")
}

// A loop that nobody closes is no alignment, whatever the quantities say.
func TestVisitUnanswered(t *testing.T) {
	v := NewVisit("s1", rules)
	add(t, v, said(t, 0, item("c1", "i1", 1), "null"))
	v.Cart(cart(), at(10))
	add(t, v, asked(t, 11, "i1", 0))
	wantsLook(t, v, 20, "c1 asked 1/0 ")
	wantsLook(t, v, 21, "c1 to_ask 1/0 ask i1=0 ")
	add(t, v, asked(t, 21, "i1", 0))
	wantsLook(t, v, 40, "c1 unanswered 1/0 ")
	add(t, v, said(t, 50, "null", item("c1", "i1", 1))) // late, and all the same
	wantsLook(t, v, 50, "c1 aligned 0/0 ")
}

// An item leaves with the product that it goes with.
func TestVisitLinked(t *testing.T) {
	v := NewVisit("s1", rules)
	add(t, v, said(t, 0, `{"cartItemId":"i1","catalogItemId":"care","linkedProductId":"MUG"}`, "null"))
	v.Cart(cart("MUG:1", "care:1"), at(10))
	wantsLook(t, v, 10, "care agrees 1/1 ")
	v.Cart(cart("care:1"), at(20))
	wantsLook(t, v, 20, "care to_ask 1/0 ask i1=0 ")
	add(t, v, asked(t, 20, "nobody", 0)) // an impression that nobody showed
	wantsLook(t, v, 21, "care to_ask 1/0 ask i1=0 ")
}
