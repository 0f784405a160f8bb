package reconcile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"makegood/reconcile"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.00": "0", ".0": "0", "00": "0", "12": "12", "+12.50": "12.5", "-3.10": "-3.1", "007": "7", ".5": "0.5", "5.": "5",
		"9999999999999999999": "9999999999999999999", "0.0000000000000000001": "0.0000000000000000001",
		"12.50000000000000000000000000": "12.5", "1.00000000000000000000": "1", "0.00000000000000000000000": "0",
		"1000.0": "1000", "100": "100",
	} {
		if d, err := reconcile.ParseDecimal(text); err != nil || d.String() != want {
			t.Errorf("%q gave %s, %v, want %s", text, d, err, want)
		}
	}
	for text, want := range map[string]error{
		"": reconcile.ErrNotDecimal, "-": reconcile.ErrNotDecimal, ".": reconcile.ErrNotDecimal, "+-1": reconcile.ErrNotDecimal,
		"1e5": reconcile.ErrNotDecimal, "1,5": reconcile.ErrNotDecimal, "1.2.3": reconcile.ErrNotDecimal, " 1": reconcile.ErrNotDecimal,
		"NaN": reconcile.ErrNotDecimal, "0x1": reconcile.ErrNotDecimal, "1 000": reconcile.ErrNotDecimal, "1-": reconcile.ErrNotDecimal,
		"12345678901234567890": reconcile.ErrTooManyDigits, "0.12345678901234567890123": reconcile.ErrTooManyDigits,
		"0.00000000000000000001": reconcile.ErrTooManyDigits, "1234567890.12345678901": reconcile.ErrTooManyDigits,
	} {
		if d, err := reconcile.ParseDecimal(text); !errors.Is(err, want) {
			t.Errorf("%q gave %s, %v, want %v", text, d, err, want)
		}
	}
}

func drawDecimal(r *rapid.T, label string) (reconcile.Decimal, *big.Rat) {
	text := rapid.StringMatching(`-?[0-9]{1,13}(\.[0-9]{1,6})?`).Draw(r, label)
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		r.Fatalf("parse %q: %v", text, err)
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		r.Fatalf("big.Rat does not read %q", text)
	}
	return d, exact
}

func TestArithmeticIsExactOrRefused(t *testing.T) {
	for name, op := range map[string]struct {
		ours  func(a, b reconcile.Decimal) (reconcile.Decimal, error)
		exact func(z, a, b *big.Rat) *big.Rat
	}{
		"add": {reconcile.Add, (*big.Rat).Add}, "mul": {reconcile.Mul, (*big.Rat).Mul},
	} {
		t.Run(name, rapid.MakeCheck(func(r *rapid.T) {
			a, x := drawDecimal(r, "a")
			b, y := drawDecimal(r, "b")
			want := op.exact(new(big.Rat), x, y)
			got, err := op.ours(a, b)
			digits := len(strings.Trim(strings.Replace(want.FloatString(12), ".", "", 1), "-0"))
			if err != nil {
				if !errors.Is(err, reconcile.ErrTooManyDigits) || digits < 10 {
					r.Fatalf("%s and %s: %v", a, b, err)
				}
				return
			}
			if have, _ := new(big.Rat).SetString(got.String()); have.Cmp(want) != 0 {
				r.Fatalf("%s and %s give %s, want %s", a, b, got, want.FloatString(20))
			}
			if text := got.String(); strings.Contains(text, ".") && strings.HasSuffix(text, "0") || text == "-0" {
				r.Fatalf("%s is not canonical", text)
			}
		}))
	}
}

func TestMoney(t *testing.T) {
	var m reconcile.Money
	for _, c := range []struct{ currency, amount string }{{"SEK", "1.10"}, {"EUR", "0.1"}, {"EUR", "0.2"}, {"GBP", "5"}, {"GBP", "-5"}} {
		var err error
		if m, err = m.Plus(c.currency, dec(c.amount)); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.String(); got != "0.3 EUR + 0 GBP + 1.1 SEK" {
		t.Errorf("money is %q", got)
	}
	if _, err := m.Plus("EUR", dec("9999999999999999999")); !errors.Is(err, reconcile.ErrTooManyDigits) {
		t.Errorf("an amount that does not fit gave %v", err)
	}
	if m["EUR"].String() != "0.3" {
		t.Errorf("a refused amount changed the sum to %s", m["EUR"])
	}
	for currency, digits := range map[string]int{"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "XXX": 2} {
		if got := reconcile.MinorDigits(currency); got != digits {
			t.Errorf("%s has %d digits, want %d", currency, got, digits)
		}
	}
}

func TestDigestSum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.SliceOfN(rapid.StringN(0, 3, -1), 1, 3), 0, 6).Draw(r, "lines")
		var sum, shuffled, left, right reconcile.DigestSum
		for i, l := range lines {
			sum.Add(l...)
			if i%2 == 0 {
				left.Add(l...)
			} else {
				right.Add(l...)
			}
		}
		for _, i := range rand.Perm(len(lines)) {
			shuffled.Add(lines[i]...)
		}
		left.Merge(right)
		if sum != shuffled || sum != left {
			r.Fatalf("the order of %q matters", lines)
		}
		if len(lines) == 0 {
			return
		}
		twice := sum
		twice.Add(lines[0]...)
		if twice == sum {
			r.Fatalf("%q once more changes nothing", lines[0])
		}
		twice.Add(lines[0]...)
		if twice == sum {
			r.Fatalf("%q twice more cancels out", lines[0])
		}
	})
}

func TestDigestsTellFieldsApart(t *testing.T) {
	seen := map[reconcile.Digest]string{}
	for _, fields := range [][]string{{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"1:a"}, {"a", "1:a"}, {"2:ab1:c"}} {
		d := reconcile.HashFields(fields...)
		if other, known := seen[d]; known {
			t.Errorf("%q and %s have one digest", fields, other)
		}
		seen[d] = fmt.Sprintf("%q", fields)
	}
	key := reconcile.OrderKey{Shop: "main", Order: "1"}
	var sum reconcile.DigestSum
	content := reconcile.ContentDigest(key, "EUR", 0, sum)
	for name, other := range map[string]reconcile.Digest{
		"shop":     reconcile.ContentDigest(reconcile.OrderKey{Shop: "mai", Order: "n1"}, "EUR", 0, sum),
		"currency": reconcile.ContentDigest(key, "SEK", 0, sum),
		"lines":    reconcile.ContentDigest(key, "EUR", 1, sum),
		"goods":    reconcile.GoodsDigest(sum),
		"names":    reconcile.CosmeticDigest("", sum, "", "", 0),
	} {
		if other == content {
			t.Errorf("another %s makes no other digest", name)
		}
	}
}

func TestDigestText(t *testing.T) {
	want := reconcile.HashFields("x")
	var got reconcile.Digest
	if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
		t.Errorf("%s came back as %s, %v", want, got, err)
	}
	if err := got.UnmarshalText(nil); err != nil || got != (reconcile.Digest{}) || got.String() != "" {
		t.Errorf("no digest came back as %q, %v", got, err)
	}
	for _, text := range []string{"ab", strings.Repeat("g", 64), strings.Repeat("a", 66)} {
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as a digest", text)
		}
	}
}

func TestEventIDs(t *testing.T) {
	for key, want := range map[reconcile.OrderKey]reconcile.EventID{
		{Shop: "main", Order: "100012345"}: "purchase/main/100012345",
		{Shop: "main", Order: "SO/1~2"}:    "purchase/main/SO%2F1%7E2",
		{Shop: "a%b", Order: "é\n"}:        "purchase/a%25b/é%0A",
		{Shop: "", Order: "007"}:           "purchase//007",
	} {
		if got := reconcile.NewEventID(reconcile.KindPurchase, key); got != want {
			t.Errorf("%+v is named %s, want %s", key, got, want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.OneOf(rapid.String(), rapid.StringMatching(`[%/~0-9A-F\x00-\x1f]{0,8}`))
		key := reconcile.OrderKey{Shop: part.Draw(r, "shop"), Order: part.Draw(r, "order")}
		id := reconcile.NewEventID(reconcile.KindCart, key)
		if got, err := id.Key(); err != nil || got != key || id.Kind() != reconcile.KindCart {
			r.Fatalf("%+v became %s and came back as %+v, %v", key, id, got, err)
		}
		if strings.Count(string(id), "/") != 2 || strings.ContainsAny(string(id), "~\x00\n\x7f") {
			r.Fatalf("%q is no clean id", string(id))
		}
		correction := id + "~2"
		if got, err := correction.Key(); err != nil || got != key {
			r.Fatalf("the correction %s is of %+v, %v", correction, got, err)
		}
	})
	for _, id := range []reconcile.EventID{"", "purchase", "purchase/main"} {
		if _, err := id.Key(); err == nil {
			t.Errorf("%q was read as an event", id)
		}
	}
}

func TestOriginText(t *testing.T) {
	rows := func(file, sheet string, list ...int) reconcile.Origin {
		o := reconcile.Origin{File: file, Sheet: sheet}
		for _, row := range list {
			o.AddRow(row)
		}
		return o
	}
	for want, o := range map[string]reconcile.Origin{
		"orders.xlsx, Sales, rows 12-15":       rows("orders.xlsx", "Sales", 12, 13, 14, 15),
		"orders.csv, row 12":                   rows("orders.csv", "", 12, 12),
		"orders.csv, rows 2, 5-6":              rows("orders.csv", "", 2, 5, 6, 5),
		"orders.csv, rows 2, 4, 6, 8 and more": rows("orders.csv", "", 2, 4, 6, 8, 10),
		"orders.csv, rows 2, 4, 6, 8-9":        rows("orders.csv", "", 2, 4, 6, 8, 9),
		"orders.csv":                           rows("orders.csv", ""),
		"":                                     {},
	} {
		if got := o.String(); got != want {
			t.Errorf("origin reads %q, want %q", got, want)
		}
	}
}

func TestRowProblemText(t *testing.T) {
	for want, p := range map[string]reconcile.RowProblem{
		"orders.csv, row 12, column UnitPrice: is no number": {File: "orders.csv", Row: 12, Column: "UnitPrice", Text: "is no number"},
		"a.xlsx, Sales: has no header":                       {File: "a.xlsx", Sheet: "Sales", Text: "has no header"},
		"row 3: is empty":                                    {Row: 3, Text: "is empty"},
	} {
		if got := p.String(); got != want {
			t.Errorf("problem reads %q, want %q", got, want)
		}
	}
}

func TestBalance(t *testing.T) {
	amount := dec("2.50")
	value := reconcile.Value{Amount: &amount, Currency: "EUR"}
	sent := reconcile.Place{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}
	held := reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoCart}
	var b reconcile.Balance
	if !b.Holds() {
		t.Error("nothing does not add up")
	}
	if err := b.Meet([]reconcile.Want{{Value: value}, {}}); err != nil {
		t.Fatal(err)
	}
	for name, step := range map[string]func() error{
		"an event is missing":  func() error { return b.CountEvent(sent, noon, value) },
		"its order is missing": func() error { return b.CountEvent(held, noon, reconcile.Value{}) },
	} {
		_ = name
		if b.Holds() {
			t.Errorf("it adds up although %s", name)
		}
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	b.CountOrder(reconcile.Worse(sent, held))
	if !b.Holds() {
		t.Errorf("%+v does not add up", b)
	}
	if got := b.Of(reconcile.BucketHeldBack); got.Orders != 1 || got.Events != 1 || got.Money.String() != "" {
		t.Errorf("held back are %+v: an order is counted by its worst event", got)
	}
	if got := b.Of(reconcile.BucketSent); got.Orders != 0 || got.Events != 1 || got.Money.String() != "2.5 EUR" {
		t.Errorf("sent are %+v", got)
	}
	if err := b.Exclude(reconcile.Head{Amount: amount, Currency: "SEK"}, reconcile.ReasonChannel); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var back reconcile.Balance
	if err := json.Unmarshal(text, &back); err != nil || !back.Holds() || fmt.Sprint(back.Eligible, back.NotForTarget, back.NotReasons) != fmt.Sprint(b.Eligible, b.NotForTarget, b.NotReasons) {
		t.Errorf("the balance came back as %+v, %v", back, err)
	}
	if err := b.Merge(back); err != nil || !b.Holds() || b.Eligible.Orders != 2 || b.Eligible.Money.String() != "5 EUR" {
		t.Errorf("two balances together are %+v, %v", b.Eligible, err)
	}
	wrong := value
	wrong.Currency = "SEK"
	if err := errors.Join(b.Meet([]reconcile.Want{{Value: value}}), b.CountEvent(sent, noon, wrong)); err != nil {
		t.Fatal(err)
	}
	if b.CountOrder(sent); b.Holds() {
		t.Error("it adds up although money changed its currency")
	}
}

func TestWorse(t *testing.T) {
	ranked := []reconcile.Bucket{"", reconcile.BucketAlreadySent, reconcile.BucketSent, reconcile.BucketHeldBack,
		reconcile.BucketLeft, reconcile.BucketRefused, reconcile.BucketInDoubt}
	for i, a := range ranked {
		for j, b := range ranked {
			got := reconcile.Worse(reconcile.Place{Bucket: a, Reason: "a"}, reconcile.Place{Bucket: b, Reason: "b"})
			if want := ranked[max(i, j)]; got.Bucket != want || i == j && got.Reason != "a" {
				t.Errorf("of %q and %q the worse is %+v", a, b, got)
			}
		}
	}
}

func TestBalanceRefusesWhatItCannotCount(t *testing.T) {
	huge := dec("9999999999999999999")
	value := reconcile.Value{Amount: &huge, Currency: "EUR"}
	var b reconcile.Balance
	if err := b.Meet([]reconcile.Want{{Value: value}, {Value: value}}); !errors.Is(err, reconcile.ErrTooManyDigits) {
		t.Errorf("a sum that does not fit gave %v", err)
	}
}
