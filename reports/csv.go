package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"makegood/reconcile"
)

// flatRow is what one place of a destination holds, in one currency.
type flatRow struct {
	Target, Bucket, Reason, Words string
	Orders, Events                string // "" where another row of the place has them
	Currency, Amount              string
}

var flatHeader = []string{"target", "bucket", "reason", "words", "orders", "events", "currency", "amount"}

func (f flatRow) cells() []string {
	return []string{f.Target, f.Bucket, f.Reason, f.Words, f.Orders, f.Events, f.Currency, f.Amount}
}

// CSV writes a row for each destination, bucket, reason and currency. Each
// column can be summed: only the first row of a place has its orders and
// messages. Of what is not for a destination the reasons are counted in orders,
// and its messages and money stand in a row without a reason. No cell is a
// formula.
func CSV(w io.Writer, r Report) error {
	out := csv.NewWriter(w)
	rows := [][]string{flatHeader}
	for _, row := range r.legible().flat() {
		rows = append(rows, row.cells())
	}
	for _, row := range rows {
		for i := range row {
			row[i] = defused(row[i])
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	return nil
}

// flat lists the places of all destinations.
func (r Report) flat() []flatRow {
	var list []flatRow
	for _, t := range r.Targets {
		list = append(list, t.flatNotFor()...)
		for _, b := range shown {
			if b == reconcile.BucketSent && t.Balance.Sent.Events > 0 {
				list = append(list, t.flatPlace(Reason{b, string(reconcile.ReasonSent), t.Balance.Sent})...)
			}
			for _, reason := range t.Reasons {
				if reason.Bucket == b {
					list = append(list, t.flatPlace(reason)...)
				}
			}
		}
	}
	return list
}

func (t Target) flatPlace(reason Reason) []flatRow {
	first := flatRow{Target: t.Target, Bucket: string(reason.Bucket), Reason: reason.Reason,
		Words:  BucketWords(reason.Bucket) + ": " + ReasonWords(reconcile.Reason(reason.Reason)).Text,
		Orders: strconv.Itoa(reason.Orders), Events: strconv.Itoa(reason.Events)}
	return first.inEach(reason.Money)
}

// inEach repeats a row for each currency.
func (f flatRow) inEach(money map[string]string) []flatRow {
	list := []flatRow{f}
	for i, currency := range currencies(money) {
		if i > 0 {
			list = append(list, f)
			list[i].Orders, list[i].Events = "", ""
		}
		list[i].Currency, list[i].Amount = currency, money[currency]
	}
	return list
}

func (t Target) flatNotFor() []flatRow {
	all := t.Balance.NotForTarget
	if all.Orders == 0 && all.Events == 0 {
		return nil
	}
	row := flatRow{Target: t.Target, Bucket: string(reconcile.BucketNotForTarget), Words: "not for this destination"}
	var list []flatRow
	orders := all.Orders
	for _, n := range t.NotReasons {
		one := row
		one.Reason, one.Orders, one.Words = n.Reason, strconv.Itoa(n.Orders), row.Words+": "+ReasonWords(reconcile.Reason(n.Reason)).Text
		list = append(list, one)
		orders -= n.Orders
	}
	if orders > 0 {
		row.Orders = strconv.Itoa(orders)
	}
	row.Events = strconv.Itoa(all.Events)
	return append(list, row.inEach(all.Money)...)
}

// formulaSigns begin what a spreadsheet carries out, also in the width of
// Chinese and Japanese letters.
var formulaSigns = []string{"=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠"}

// defused is a cell that no spreadsheet carries out: an apostrophe stands before
// what would be a formula. Negative numbers stay.
func defused(cell string) string {
	begins := func(sign string) bool { return strings.HasPrefix(strings.TrimLeft(cell, " \u00a0"), sign) }
	if !slices.ContainsFunc(formulaSigns, begins) {
		return cell
	}
	if _, err := reconcile.ParseDecimal(cell); err == nil && cell[0] == '-' {
		return cell
	}
	return "'" + cell
}
