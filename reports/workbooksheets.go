package reports

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"makegood/reconcile"
)

// times lists the messages over time, with a chart for each destination.
func (b *workbook) times() {
	head := []any{"destination", "completed"}
	for _, p := range parts {
		head = append(head, p.Label)
	}
	charts := 0
	for _, t := range b.report.Targets {
		list := b.report.columns(t.Timeline)
		if list == nil {
			continue
		}
		if charts == 0 {
			b.sheet(sheetTime, 20, 20, 14, 26, 14, 20)
			b.header(sheetTime, head...)
		}
		first := b.rows[sheetTime] + 1
		for _, c := range list {
			row := []any{t.Target, stamp(c.From, t.Timeline.Unit)}
			for _, n := range c.N {
				row = append(row, n)
			}
			b.add(sheetTime, row...)
		}
		b.chart(drawn{kind: excelize.ColStacked, sheet: sheetTime, title: t.Target, at: fmt.Sprint("H", 2+charts*18),
			head: 1, first: first, last: b.rows[sheetTime], names: 1, column: 2, colours: partColours})
		charts++
	}
}

// orders lists the examples, those that somebody must look at first.
func (b *workbook) orders() {
	b.sheet(sheetOrders, 20, 26, 44, 18, 14, 18, 14, 10, 36, 60)
	b.header(sheetOrders, "destination", "place", "reason", "order", "message", "completed", "amount", "currency", "where it stands", "what was said")
	for _, urgent := range []bool{true, false} {
		for _, t := range b.report.Targets {
			for _, e := range t.Examples {
				reason := reconcile.Reason(e.Reason)
				if needsLook(e.Bucket, reason) == urgent {
					b.add(sheetOrders, t.Target, BucketWords(e.Bucket), ReasonWords(reason).Text, e.Order, kindWords(e.Kind),
						b.report.optional(e.CompletedAt), numeric(e.Amount), e.Currency, e.Origin, e.Text)
				}
			}
		}
	}
	b.add(sheetOrders)
	b.add(sheetOrders, b.report.notShown())
}

// sources lists what each source gave, and the rows of bad orders.
func (b *workbook) sources() {
	b.sheet(sheetSources, 20, 20, 12, 14, 16, 18, 14, 10, 80)
	b.header(sheetSources, "source", "newest order", "rows", "orders read", "in this period", "outside or merged", "not counted", "bad", "notes")
	for _, s := range b.report.Sources {
		b.add(sheetSources, s.Source, b.report.optional(s.Newest), s.Rows, s.OrdersRead, s.Orders, s.OutsideWindow+s.Merged, leftOutOrders(s), s.Bad, s.Error)
		if silent := b.report.silentWords(s, maxSilent); silent != "" {
			b.add(sheetSources, s.Source, "", "", "", "", "", "", "", silent)
		}
		for _, note := range s.Notes {
			b.add(sheetSources, s.Source, "", "", "", "", "", "", "", note)
		}
	}
	for _, s := range b.report.Sources {
		for _, p := range s.Problems {
			b.add(sheetSources, s.Source, "bad order", "", "", "", "", "", "", p.Order+": "+p.where()+": "+p.Text)
		}
	}
}

// days lists the orders that were completed on each day, to lay beside the
// shop's own sales report.
func (b *workbook) days() {
	for _, s := range b.report.Sources {
		if s.Survey == nil {
			continue
		}
		if b.rows[sheetDays] == 0 {
			b.sheet(sheetDays, 20, 16, 12, 14, 10, 14)
			b.header(sheetDays, "source", "completed", "orders", "money", "currency")
		}
		for _, d := range s.Survey.Days {
			part := ""
			if d.Part {
				part = "a part of it"
			}
			for i, currency := range currencies(d.Money) {
				orders := any(d.Orders)
				if i > 0 {
					orders = "" // of all its currencies
				}
				b.add(sheetDays, s.Source, d.Day, orders, numeric(d.Money[currency]), currency, part)
			}
		}
	}
}
