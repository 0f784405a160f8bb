package reconcile

import "strings"

// Beside a target's own name the ledger knows names for what a person tried at
// it: T.test for messages about the person's own address, or test carts; T.again
// and T.test.again for the one repeat of a message that may be. No configured
// target has a dot in its name. What stands there is about no customer's order.
const (
	suffixTest  = ".test"
	suffixAgain = ".again"
)

// TestName is where a target's tests are kept.
func TestName(target string) string { return strings.TrimSuffix(target, suffixTest) + suffixTest }

// AgainName is where the repeats of what stands under a name are kept.
func AgainName(name string) string { return name + suffixAgain }

// TriedAt gives the target that was tried under a name of the ledger; of a
// target's own name tried is false.
func TriedAt(name string) (target string, tried bool) {
	target, _, tried = strings.Cut(name, ".")
	return target, tried
}

// Tried reports whether what the ledger has of an event under a name is a test to
// somebody's own address, or a repeat: no order of a customer.
func Tried(name string, id EventID) bool {
	key, err := id.Key()
	return strings.HasSuffix(name, suffixAgain) || strings.HasSuffix(name, suffixTest) && err == nil && strings.HasPrefix(key.Order, testMark)
}

// testMark begins the number of an order of which a test is made.
const testMark = "TEST-"

// TestNumber is the number that a test of an order has.
func TestNumber(order string) string { return testMark + order }

// ToSelf is an order as a test tells of it: its goods and money under a number
// of its own, with the address of whoever tries. Nothing else that could name
// the customer goes along: what is taken is spelled out here, so that a new
// field stays behind.
func ToSelf(h Head, address string) Head {
	return Head{
		Key: OrderKey{Shop: h.Key.Shop, Order: TestNumber(h.Key.Order)}, Source: h.Source, Origin: h.Origin,
		CompletedAt: h.CompletedAt, OrderedAt: h.OrderedAt, DayOnly: h.DayOnly,
		Currency: h.Currency, Channel: h.Channel, Language: h.Language, Email: address,
		Amount: h.Amount, AmountOf: h.AmountOf, LinesSum: h.LinesSum, Total: h.Total, Shipping: h.Shipping, Discount: h.Discount,
		Lines: h.Lines, Goods: h.Goods, Negative: h.Negative, Undoes: h.Undoes, Digest: h.Digest, GoodsDigest: h.GoodsDigest,
		Permitted: h.Permitted, CartUsed: h.CartUsed, Hold: h.Hold, PendingUntil: h.PendingUntil, Unpaid: h.Unpaid,
		LeftOut: h.LeftOut, Bad: h.Bad, Merged: h.Merged,
	}
}
