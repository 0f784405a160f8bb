package table

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/expr-lang/expr"

	"makegood/reconcile"
)

// arithmetic names the functions that are exact on the texts of numbers. They
// read and write numbers with the source's decimal sign, and an empty text is
// not a number: whoever wants a zero says so.
var arithmetic = map[string]int{"add": 2, "sub": 2, "mul": 2, "div": 3, "round": 2, "compare": 2}

// functions are what expressions have beside those of expr-lang:
//
//	add(a, b), sub(a, b), mul(a, b)  exact
//	div(a, b, scale), round(a, scale) half away from zero
//	compare(a, b)                    -1, 0 or 1
func (n numbers) functions() []expr.Option {
	two := func(f func(a, b reconcile.Decimal) (reconcile.Decimal, error)) func(...any) (any, error) {
		return func(args ...any) (any, error) {
			a, b, err := n.pair(args)
			if err != nil {
				return nil, err
			}
			d, err := f(a, b)
			if err != nil {
				return nil, refusal{fmt.Errorf("the result %w", err)}
			}
			return n.format(d), nil
		}
	}
	text2, scaled := new(func(string, string) string), new(func(string, int) string)
	return []expr.Option{
		expr.Function("add", two(reconcile.Add), text2),
		expr.Function("sub", two(func(a, b reconcile.Decimal) (reconcile.Decimal, error) { return reconcile.Add(a, b.Neg()) }), text2),
		expr.Function("mul", two(reconcile.Mul), text2),
		expr.Function("div", n.div, new(func(string, string, int) string)),
		expr.Function("round", n.round, scaled),
		expr.Function("compare", n.compare, new(func(string, string) int)),
	}
}

func (n numbers) pair(args []any) (a, b reconcile.Decimal, err error) {
	if a, err = n.argument(args[0]); err == nil {
		b, err = n.argument(args[1])
	}
	return a, b, err
}

func (n numbers) argument(arg any) (reconcile.Decimal, error) {
	text, _ := arg.(string)
	d, err := n.parse(clean(text))
	if err != nil {
		return d, refusal{fmt.Errorf("%s %w", shape(text), err)}
	}
	return d, nil
}

func (n numbers) div(args ...any) (any, error) {
	a, b, err := n.pair(args)
	if err != nil {
		return nil, err
	}
	if b.IsZero() {
		return nil, refusal{errors.New("the expression divides by zero")}
	}
	return n.quotient(a, b, args[2])
}

func (n numbers) round(args ...any) (any, error) {
	a, err := n.argument(args[0])
	if err != nil {
		return nil, err
	}
	return n.quotient(a, reconcile.Decimal{}.One(), args[1])
}

func (n numbers) quotient(a, b reconcile.Decimal, scale any) (any, error) {
	digits, ok := scale.(int)
	if !ok || digits < 0 || digits > 18 {
		return nil, refusal{errors.New("the expression rounds to less than 0 or more than 18 digits")}
	}
	d, err := quotient(a, b, digits)
	if err != nil {
		return nil, refusal{fmt.Errorf("the result %w", err)}
	}
	return n.format(d), nil
}

func (n numbers) compare(args ...any) (any, error) {
	a, b, err := n.pair(args)
	return a.Cmp(b), err
}

// quotient gives a / b with scale digits, at most 18, half away from zero.
func quotient(a, b reconcile.Decimal, scale int) (reconcile.Decimal, error) {
	over := new(big.Int).SetUint64(a.Coef())
	under := new(big.Int).SetUint64(b.Coef())
	over.Mul(over, tenTo(scale+b.Scale()))
	under.Mul(under, tenTo(a.Scale()))
	half := new(big.Int).Rsh(under, 1)
	if under.Bit(0) == 1 { // an odd divisor has no exact half: the next above it decides
		half.Add(half, big.NewInt(1))
	}
	whole, rest := over.QuoRem(over, under, new(big.Int))
	if rest.Sign() != 0 && rest.Cmp(half) >= 0 {
		whole.Add(whole, big.NewInt(1))
	}
	text := whole.String()
	if scale > 0 {
		text = strings.Repeat("0", max(scale+1-len(text), 0)) + text
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	}
	if a.IsNeg() != b.IsNeg() {
		text = "-" + text
	}
	return reconcile.ParseDecimal(text)
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
