package reconcile

import (
	"testing"
	"time"
)

var headNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func decimalOf(t *testing.T, text string) Decimal {
	t.Helper()
	d, err := ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// goodHead is a head that nothing speaks against.
func goodHead(t *testing.T) Head {
	return Head{
		Email: "jane@example.com", Currency: "EUR", CompletedAt: headNow.Add(-time.Hour),
		Goods: true, Lines: 2, LinesSum: decimalOf(t, "20.00"), Amount: decimalOf(t, "20.00"), AmountOf: AmountOfPrices,
	}
}

func TestHoldOfAddresses(t *testing.T) {
	for email, want := range map[string]Reason{
		"jane@example.com":                  "",
		" Jane.O'Neil+x@Example.co.uk ":     "",
		"test@example.org":                  "",
		"jörg@bücher.example":               "",
		"noreply2021@example.com":           "",
		"":                                  ReasonNoEmail,
		"  ":                                ReasonNoEmail,
		"jane":                              ReasonBadEmail,
		"jane@example":                      ReasonBadEmail,
		"jane@exa mple.com":                 ReasonBadEmail,
		"jane@example.com.":                 ReasonBadEmail,
		"jane@-example.com":                 ReasonBadEmail,
		"jane@127.0.0.1":                    ReasonBadEmail,
		"jane@example.com; joe@example.com": ReasonBadEmail,
		"jane@example.com,joe@example.com":  ReasonBadEmail,
		"jane@example.com/joe@example.com":  ReasonBadEmail,
		"Jane <jane@example.com>":           ReasonBadEmail,
		"NoReply@example.com":               ReasonPlaceholder,
		"geen@email.example":                ReasonPlaceholder,
		"unknown@example.com":               ReasonPlaceholder,
		"none@example.com":                  ReasonPlaceholder,
		"anonymous-1f3a@example.com":        ReasonAnonymised,
		"deleted_4711@example.com":          ReasonAnonymised,
		"deletedscenes@example.com":         "",
		"anonymousbee@example.com":          "",
		"j***@example.com":                  ReasonAnonymised,
		"a@erased.invalid":                  ReasonAnonymised,
		"abc@marketplace.amazon.de":         ReasonMarketplace,
		"abc@members.ebay.com":              ReasonMarketplace,
	} {
		h := goodHead(t)
		h.Email = email
		if got := HoldOf(h, headNow, HeadRules{}); got != want {
			t.Errorf("%q: got %q, want %q", email, got, want)
		}
	}
}

func TestHoldOfHeads(t *testing.T) {
	some := func(text string) *Decimal { d := decimalOf(t, text); return &d }
	for name, tc := range map[string]struct {
		change func(*Head)
		want   Reason
	}{
		"nothing":                            {func(*Head) {}, ""},
		"the address comes before the goods": {func(h *Head) { h.Email, h.Goods = "", false }, ReasonNoEmail},
		"no goods":                           {func(h *Head) { h.Goods = false }, ReasonNoGoods},
		"exchange":                           {func(h *Head) { h.Negative = true }, ReasonExchange},
		"return":                             {func(h *Head) { h.Negative, h.LinesSum = true, decimalOf(t, "-1") }, ReasonReturn},
		"even exchange":                      {func(h *Head) { h.Negative, h.LinesSum = true, Decimal{} }, ReasonReturn},
		"total met":                          {func(h *Head) { h.Total = some("20") }, ""},
		"total with shipping":                {func(h *Head) { h.Total, h.Shipping, h.Discount = some("22.5"), some("4"), some("1.50") }, ""},
		"half a coin a line":                 {func(h *Head) { h.Total = some("20.01") }, ""},
		"more than half a coin a line":       {func(h *Head) { h.Total = some("20.011") }, ReasonTotalMismatch},
		"doubled by a join":                  {func(h *Head) { h.Total = some("10") }, ReasonTotalMismatch},
		"yen have no smaller coin":           {func(h *Head) { h.Total, h.Currency = some("21"), "JPY" }, ""},
		"money comes before age":             {func(h *Head) { h.Total, h.CompletedAt = some("10"), headNow.AddDate(-1, 0, 0) }, ReasonTotalMismatch},
		"just young enough":                  {func(h *Head) { h.CompletedAt = headNow.Add(-48 * time.Hour) }, ""},
		"too old":                            {func(h *Head) { h.CompletedAt = headNow.Add(-48*time.Hour - time.Second) }, ReasonTooOld},
		"a clock that is a little fast":      {func(h *Head) { h.CompletedAt = headNow.Add(15 * time.Minute) }, ""},
		"future":                             {func(h *Head) { h.CompletedAt = headNow.Add(15*time.Minute + time.Second) }, ReasonFutureTime},
	} {
		h := goodHead(t)
		tc.change(&h)
		if got := HoldOf(h, headNow, HeadRules{MaxAge: 48 * time.Hour}); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	old := goodHead(t)
	old.CompletedAt = headNow.AddDate(-20, 0, 0)
	if got := HoldOf(old, headNow, HeadRules{}); got != "" {
		t.Errorf("without a limit nothing is too old, got %q", got)
	}
}

func TestValueOf(t *testing.T) {
	total := decimalOf(t, "24.95")
	h := goodHead(t)
	h.Total = &total
	withTotal := h
	withTotal.Amount, withTotal.AmountOf = total, AmountOfTotal
	for name, tc := range map[string]struct {
		value  ValueOf
		head   Head
		amount string
		of     AmountOf
	}{
		"as the source has it": {"", withTotal, "24.95", AmountOfTotal},
		"goods of prices":      {ValueGoods, h, "20", AmountOfPrices},
		"goods beside a total": {ValueGoods, withTotal, "20", AmountOfLineTotals},
		"order total":          {ValueOrderTotal, h, "24.95", AmountOfTotal},
	} {
		got := tc.value.Of(tc.head)
		if got.Amount.Cmp(decimalOf(t, tc.amount)) != 0 || got.Of != tc.of || got.Currency != "EUR" {
			t.Errorf("%s: got %s %s of %s", name, got.Amount, got.Currency, got.Of)
		}
	}
}

func TestUnitPrice(t *testing.T) {
	for _, tc := range []struct{ price, total, quantity, want string }{
		{"2.55", "", "6", "2.55"},
		{"2.550", "15.30", "6", "2.55"},
		{"", "9.53", "0.734", "12.9837"},
		{"", "10", "3", "3.3333"},
		{"", "20", "3", "6.6667"},
		{"", "0.0003", "2", "0.0002"}, // 0.00015, half up
		{"", "-10", "-4", "2.5"},
		{"", "10", "0", ""},
		{"", "", "1", ""},
	} {
		l := Line{Quantity: decimalOf(t, tc.quantity)}
		if tc.price != "" {
			d := decimalOf(t, tc.price)
			l.Price = &d
		}
		if tc.total != "" {
			d := decimalOf(t, tc.total)
			l.LineTotal = &d
		}
		got, ok := UnitPrice(l)
		if text := got.String(); ok != (tc.want != "") || ok && text != tc.want {
			t.Errorf("price %q, total %q, quantity %q: got %s %v, want %q", tc.price, tc.total, tc.quantity, text, ok, tc.want)
		}
	}
}

func TestHalfUp(t *testing.T) {
	for _, tc := range []struct {
		in     string
		digits int
		want   string
	}{
		{"2.345", 2, "2.35"}, {"2.344999", 2, "2.34"}, {"-2.345", 2, "-2.35"}, {"2.5", 0, "3"}, {"0.4", 0, "0"},
		{"-0.004", 2, "0"}, {"12.50", 2, "12.5"}, {"9.995", 2, "10"}, {"1.2345", 3, "1.235"}, {"7", 2, "7"},
	} {
		if got := HalfUp(decimalOf(t, tc.in), tc.digits).String(); got != tc.want {
			t.Errorf("%s to %d digits: got %s, want %s", tc.in, tc.digits, got, tc.want)
		}
	}
}
