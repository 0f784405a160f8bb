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

// numberFields are the names that a target's order_id may use: those that
// columns are mapped to.
var numberFields = []string{"order", "channel", "currency", "customer", "language", "shop", "store", "till"}

// OrderNumber compiles a target's order_id: the number that the platform sees
// for an order, "= expression" or the name of a field, over the mapped values
// of the order. The function is safe for concurrent use.
func OrderNumber(text string) (func(reconcile.Head) (string, error), error) {
	source, isExpression := strings.CutPrefix(text, "=")
	if !isExpression {
		source = text
	}
	e, err := compile("order_id", source, reflect.String, numbers{point: '.'})
	if err != nil {
		return nil, err
	}
	for _, name := range e.columns {
		if !slices.Contains(numberFields, name) && !strings.HasPrefix(name, "custom_") {
			return nil, fmt.Errorf("read the expression of order_id: %s is no field of an order; there are %s, custom_*; did you mean %s?",
				name, strings.Join(numberFields, ", "), near.Name(name, numberFields))
		}
	}
	var mu sync.Mutex
	v := newEvaluator(e)
	return func(h reconcile.Head) (string, error) {
		values := make([]string, len(e.columns))
		for i, name := range e.columns {
			values[i] = numberField(h, name)
		}
		mu.Lock()
		defer mu.Unlock()
		return v.text(values)
	}, nil
}

func numberField(h reconcile.Head, name string) string {
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
	case "store":
		return h.Store
	case "till":
		return h.Till
	}
	return h.Fields[name]
}
