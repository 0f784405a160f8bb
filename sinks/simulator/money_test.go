package simulator

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/govalues/decimal"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "12.50": "12.5", "-3": "-3", "007": "7", "0.0000000000000000001": "0.0000000000000000001",
		"9999999999999999999": "9999999999999999999", "000000000000000000000001": "1",
		"": "", "-": "", ".5": "", "5.": "", "+5": "", "1e3": "", "1,5": "", "--1": "", "1.2.3": "", "٣": "",
		"99999999999999999999": "", "1.00000000000000000001": "", "12345678901234567.891": "",
	} {
		d, ok := parseDecimal(text)
		if ok != (want != "") || ok && d.String() != want {
			t.Errorf("parseDecimal(%q) = %v, %v; want %q", text, d, ok, want)
		}
	}
}

func TestProductAndSumRefuseToRound(t *testing.T) {
	a, b := decimal.MustParse("1.0000000001"), decimal.MustParse("1.0000000001")
	if d, ok := product(a, b); ok {
		t.Errorf("product %v passed for exact", d)
	}
	if d, ok := product(decimal.MustParse("2.5"), decimal.MustParse("4")); !ok || d.String() != "10" {
		t.Errorf("product %v, %v", d, ok)
	}
	if d, ok := sum(decimal.MustParse("9999999999999999999"), decimal.MustParse("0.1")); ok {
		t.Errorf("sum %v passed for exact", d)
	}
	if d, ok := sum(decimal.MustParse("0.7"), decimal.MustParse("0.3")); !ok || d.String() != "1" {
		t.Errorf("sum %v, %v", d, ok)
	}
}

func TestTallyAgainstFractions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	money, want := tally{}, new(big.Rat)
	for range 2000 {
		d := decimal.MustNew(random.Int64N(1e12)-5e11, random.IntN(20))
		exact, _ := new(big.Rat).SetString(d.String())
		money.add("EUR", d)
		want.Add(want, exact)
		if random.IntN(3) == 0 {
			money.remove("EUR", d)
			want.Sub(want, exact)
		}
		if got, _ := new(big.Rat).SetString(money.texts()["EUR"]); got.Cmp(want) != 0 {
			t.Fatalf("total %s, want %s", money.texts()["EUR"], want.FloatString(19))
		}
	}
}

func TestTallyTexts(t *testing.T) {
	for _, tt := range []struct{ amounts, want string }{{"0", "0"}, {"-0.5", "-0.5"}, {"1200", "1200"}, {"0.30", "0.3"}} {
		money := tally{}
		money.add("", decimal.MustParse(tt.amounts))
		if got := money.texts()[NoCurrency]; got != tt.want {
			t.Errorf("%s reads %s", tt.amounts, got)
		}
		money.remove("", decimal.MustParse(tt.amounts))
		if len(money) != 0 {
			t.Errorf("a currency without amounts stays: %v", money.texts())
		}
	}
}

func TestMask(t *testing.T) {
	for person, want := range map[string]string{"": "", "jo@example.com": "j***@example.com", "Ø@example.com": "Ø***@example.com",
		"0031234": "0***", "@example.com": "***@example.com"} {
		if got := mask(person); got != want {
			t.Errorf("mask(%s) = %s, want %s", strconv.Quote(person), got, want)
		}
	}
}
