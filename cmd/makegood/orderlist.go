package main

import (
	"context"
	"fmt"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
)

// allTime is where a list of orders is looked up from.
var allTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// readLists reads the lists of order numbers that a person gave: those to work
// on are looked up outside of any period, unless one was named.
func (a *app) readLists(ctx context.Context, cfg *config.Config, f *runFlags, req *reconcile.Request) (err error) {
	if req.Orders, err = a.orderNumbers(ctx, cfg, f.orders); err != nil {
		return err
	}
	if req.Except, err = a.orderNumbers(ctx, cfg, f.except); err != nil {
		return err
	}
	if req.Orders == nil {
		return nil
	}
	req.Nearest = sources.NearestNumber
	if req.From.IsZero() {
		req.From = allTime
	}
	return nil
}

// orderNumbers reads one list; nil where none was named.
func (a *app) orderNumbers(ctx context.Context, cfg *config.Config, path string) (numbers []string, err error) {
	if path == "" {
		return nil, nil
	}
	column := ""
	if path == "-" {
		numbers, err = sources.OrderLines(a.io.in)
	} else {
		numbers, column, err = sources.Opener{StateDir: cfg.StateDir}.OrderNumbers(ctx, path)
	}
	switch {
	case err != nil:
		return nil, &usageError{command: "makegood run", err: err}
	case len(numbers) == 0:
		return nil, &usageError{command: "makegood run", err: fmt.Errorf("read the list of orders: %s holds no number", path)}
	case column != "":
		fmt.Fprintf(a.io.err, "makegood: the order numbers of %s are read from its column %q\n", path, column)
	}
	return numbers, nil
}
