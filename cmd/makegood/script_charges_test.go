package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// newPlan sets PLAN to the newest plan, as somebody would copy it.
func newPlan(ts *testscript.TestScript, neg bool, args []string) {
	plans, err := filepath.Glob(ts.MkAbs(".makegood/plans/*.plan"))
	if neg || len(args) > 0 || err != nil || len(plans) == 0 {
		ts.Fatalf("usage: newplan, and there must be one: %v, %v", plans, err)
	}
	ts.Setenv("PLAN", plans[len(plans)-1])
}

// paidCart SESSION PRODUCT PRICE makes a cart at EmanageCRM that the customer
// paid in the shop.
func paidCart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: paidcart SESSION PRODUCT PRICE")
	}
	price, err := reconcile.ParseDecimal(args[2])
	ts.Check(err)
	one, err := reconcile.ParseDecimal("1")
	ts.Check(err)
	ts.Value(simKey{}).(*simulator.Simulator).AddEmanageCart(simulator.EmanageCart{Session: args[0], WebKey: chargeWebKey,
		Products: []simulator.EmanageProduct{{ProductID: args[1], Price: price, Quantity: one}}})
}

// charged WORD... says what EmanageCRM has charged in real carts and what
// ships, cart by cart, and how many test carts there are: "[20 20] 918447; 0
// tests".
func charged(ts *testscript.TestScript, neg bool, args []string) {
	sim := ts.Value(simKey{}).(*simulator.Simulator)
	var parts []string
	for _, c := range sim.EmanageCarts(false) {
		parts = append(parts, fmt.Sprintf("%v %s", c.Charges, c.Ships))
	}
	parts = append(parts, fmt.Sprintf("%d tests", len(sim.EmanageCarts(true))))
	if got := strings.Join(parts, "; "); neg || len(args) != 1 || got != args[0] {
		ts.Fatalf("EmanageCRM has %q, want %q", got, args)
	}
}
