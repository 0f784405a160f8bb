package customers

import "time"

// Lost is what was taken out of an address's cart at the platform although it
// was wanted: the goods that the cart held before and does not hold after, of
// those that lie in a cart of the shop and were not bought since that cart was
// last touched. With ever set, whatever was bought at any time counts as bought.
func Lost(a *Address, before, after Goods, ever bool) Goods {
	bought := Goods{}
	for _, c := range a.Checkouts {
		if ever || !c.At.Before(a.Used()) {
			bought = bought.Plus(c.Goods)
		}
	}
	lost := Goods{}
	for sku, n := range a.Wanted().Minus(bought) {
		if had := min(n, before[sku]); had > after[sku] {
			lost.add(sku, had-after[sku])
		}
	}
	return lost
}

// Conditions say which carts of bought goods must be gone.
type Conditions struct {
	Margin time.Duration // how far clocks of tills and shop may be apart
	MaxAge time.Duration // of a checkout
}

// Stays reports whether a cart of nothing but bought goods lies at the platform
// that should be gone: all of it was bought in stores whose exports had it when
// a run looked, by checkouts that were young enough and recorded more than the
// margin after the cart was last touched. It says so only where everything that
// matters was in order: the platform heard of what was last done in the shop and
// holds no more than the shop's carts, and no other checkout lies near the last touch, is too old or is yet to be exported.
func Stays(a *Address, platform Goods, looked time.Time, c Conditions) bool {
	if len(platform) == 0 || a.Unheard || !platform.Within(a.Wanted()) {
		return false
	}
	bought := Goods{}
	for _, k := range a.Checkouts {
		switch after := k.Recorded.Sub(a.Used()); {
		case after < -c.Margin:
			continue // in the cart's lines already
		case after <= c.Margin, k.Exported.After(looked), k.Recorded.After(looked), looked.Sub(k.Recorded) >= c.MaxAge:
			return false
		}
		bought = bought.Plus(k.Goods)
	}
	for sku := range platform {
		if bought[sku] < a.Wanted()[sku] {
			return false
		}
	}
	return true
}

// Bought is what a cart at the platform holds of goods that were bought in a
// store since the address last touched a cart: what a mail about that cart
// would be wrong about.
func Bought(a *Address, platform Goods) Goods {
	bought := Goods{}
	for _, c := range a.Checkouts {
		if !c.At.Before(a.Used()) {
			bought = bought.Plus(c.Goods)
		}
	}
	wrong := Goods{}
	for sku, n := range platform {
		wrong.add(sku, min(n, bought[sku]))
	}
	return wrong
}
