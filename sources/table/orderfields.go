package table

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"makegood/reconcile"
	"makegood/sources/internal/near"
)

// orderFields are the names that a target's expressions may use: what columns
// are mapped to. Names, addresses and the like are not among them.
var orderFields = []string{"order", "shop", "channel", "country", "currency", "customer", "language", "postcode", "status", "store", "till"}

// OrderNumber compiles a target's order_id: the number that the platform sees
// for an order, "= expression" or the name of a field, over the mapped values
// of the order. The function is safe for concurrent use.
func OrderNumber(text string) (func(reconcile.Head) (string, error), error) {
	source, _ := strings.CutPrefix(text, "=")
	v, err := overOrder("order_id", source, reflect.String)
	if err != nil {
		return nil, err
	}
	return func(h reconcile.Head) (string, error) { return judge(v, h, v.text) }, nil
}

// OrderRule compiles a target's when: which orders are for it, over the mapped
// values of the order. The function is safe for concurrent use.
func OrderRule(text string) (func(reconcile.Head) (bool, error), error) {
	v, err := overOrder("when", text, reflect.Bool)
	if err != nil {
		return nil, err
	}
	return func(h reconcile.Head) (bool, error) { return judge(v, h, v.holds) }, nil
}

// orderEvaluator judges one order at a time.
type orderEvaluator struct {
	*evaluator
	columns []string
	mu      sync.Mutex
}

func overOrder(key, source string, result reflect.Kind) (*orderEvaluator, error) {
	e, err := compile(key, source, result, numbers{point: '.'})
	if err != nil {
		return nil, err
	}
	for _, name := range e.columns {
		if !slices.Contains(orderFields, name) && !strings.HasPrefix(name, "custom_") {
			return nil, fmt.Errorf("read the expression of %s: %s is no field of an order; there are %s, and custom_*; did you mean %s?",
				key, name, strings.Join(orderFields, ", "), near.Name(name, orderFields))
		}
	}
	return &orderEvaluator{evaluator: newEvaluator(e), columns: e.columns}, nil
}

func judge[T any](v *orderEvaluator, h reconcile.Head, run func([]string) (T, error)) (T, error) {
	values := make([]string, len(v.columns))
	for i, name := range v.columns {
		values[i] = fieldOf(h, name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return run(values)
}

func fieldOf(h reconcile.Head, name string) string {
	switch name {
	case "order":
		return h.Key.Order
	case "shop":
		return h.Key.Shop
	case "channel":
		return h.Channel
	case "currency":
		return h.Currency
	case "customer":
		return h.Customer
	case "language":
		return h.Language
	case "status":
		return h.Status
	case "store":
		return h.Store
	case "till":
		return h.Till
	}
	return h.Fields[name]
}
