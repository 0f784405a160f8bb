package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"makegood/reconcile"
)

// OrderLine is one message, or one order that became none, as the ledger has
// it: the line of an auditor's list. Target is "" for what its source left out.
type OrderLine struct {
	Target    string
	Source    string
	ID        reconcile.EventID
	Place     reconcile.Place
	Completed time.Time
	Value     reconcile.Value
	At        time.Time // since when it is there
	Run       reconcile.RunID
	Requests  int
	Who, Note string // who said so, where somebody did
	Person    bool   // a person did
}

// OrderLines writes order lines as CSV: times in one zone, nothing that a
// spreadsheet executes, no address.
type OrderLines struct {
	out  *csv.Writer
	zone *time.Location
}

// NewOrderLines writes the header.
func NewOrderLines(w io.Writer, zone *time.Location) (*OrderLines, error) {
	l := &OrderLines{csv.NewWriter(w), zone}
	return l, l.write([]string{"order", "shop", "source", "completed_at", "destination", "message", "status", "reason", "words",
		"amount", "currency", "since", "run", "requests", "said_by", "note"})
}

// Write writes one line.
func (l *OrderLines) Write(o OrderLine) error {
	shop := ""
	if key, err := o.ID.Key(); err == nil {
		shop = key.Shop
	}
	message := kindWords(string(o.ID.Kind()))
	if o.ID.Kind() == reconcile.KindOrder {
		message = ""
	}
	return l.write([]string{orderOf(o.ID), shop, o.Source, l.time(o.Completed), o.Target, message, string(o.Place.Bucket), string(o.Place.Reason),
		PlaceWords(o.Place), amount(o.Value), o.Value.Currency, l.time(o.At), string(o.Run), strconv.Itoa(o.Requests), o.Who, o.Note})
}

func (l *OrderLines) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.zone).Format(time.RFC3339)
}

func (l *OrderLines) write(cells []string) error {
	for i, cell := range cells {
		cells[i] = defused(Mask(cell))
	}
	if err := l.out.Write(cells); err != nil {
		return fmt.Errorf("write an order line: %w", err)
	}
	return nil
}

// Close writes what is left.
func (l *OrderLines) Close() error {
	l.out.Flush()
	if err := l.out.Error(); err != nil {
		return fmt.Errorf("write order lines: %w", err)
	}
	return nil
}
