package table

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"makegood/config"
	"makegood/reconcile"
)

// Evidence reads what others recorded as sent. It implements
// reconcile.EvidenceReader.
type Evidence struct {
	cfg   *config.Evidence
	files Files
	said
}

var (
	_ reconcile.EvidenceReader = (*Evidence)(nil)
	_ reconcile.Noted          = (*Evidence)(nil)
)

// NewEvidence compiles the mapping of an evidence table.
func NewEvidence(cfg *config.Evidence, files Files) (*Evidence, error) {
	e := &Evidence{cfg: cfg, files: files}
	if _, err := e.records(); err != nil {
		return nil, fmt.Errorf("prepare evidence %s: %w", cfg.Name, err)
	}
	return e, nil
}

const (
	evidenceOrder = iota
	evidenceAt
	evidenceShop
	evidenceReceipt
	evidencePosition
)

func (e *Evidence) records() (*records, error) {
	return newRecords(&e.cfg.Table, "columns", e.cfg.Columns, []string{"order", "at", "shop", "receipt", "position"})
}

// Name is the table's key in the configuration.
func (e *Evidence) Name() string { return e.cfg.Name }

// Read yields the rows whose time lies in w, and those without a time. A row
// that cannot be read is an error: evidence with holes would let things go
// twice.
func (e *Evidence) Read(ctx context.Context, w reconcile.Window) iter.Seq2[reconcile.EvidenceRow, error] {
	return func(yield func(reconcile.EvidenceRow, error) bool) {
		err := e.read(ctx, w, func(row reconcile.EvidenceRow) bool { return yield(row, nil) })
		if err != nil && !errors.Is(err, errStop) {
			yield(reconcile.EvidenceRow{}, err)
		}
	}
}

func (e *Evidence) read(ctx context.Context, w reconcile.Window, yield func(reconcile.EvidenceRow) bool) error {
	if err := w.Check(); err != nil {
		return err
	}
	files, err := e.files(ctx, w)
	if err != nil {
		return err
	}
	r, err := e.records()
	if err != nil {
		return err
	}
	defer e.say(r)
	return r.each(ctx, files, func(rec record) error {
		row, err := e.row(rec)
		if err != nil || !row.At.IsZero() && !w.Holds(row.At) {
			return err
		}
		if !yield(row) {
			return errStop
		}
		return nil
	})
}

func (e *Evidence) row(rec record) (row reconcile.EvidenceRow, err error) {
	row.Receipt = rec.texts[evidenceReceipt]
	row.Key = reconcile.OrderKey{Shop: e.cfg.Shop, Order: rec.texts[evidenceOrder]}
	if shop := rec.texts[evidenceShop]; shop != "" {
		row.Key.Shop = shop
	}
	switch {
	case row.Key.Order == "":
		return row, rec.fault("order", "the row has no order number")
	case damaged(row.Key.Order):
		return row, rec.fault("order", damageText("order"))
	case len(row.Key.Order) > reconcile.MaxOrderID:
		return row, rec.fault("order", "the order number is longer than 200 bytes")
	}
	if text := rec.texts[evidencePosition]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > reconcile.MaxChain {
			return row, rec.fault("position", fmt.Sprintf("%s is no position in a chain of upgrades, which are 1 to %d", shape(text), reconcile.MaxChain))
		}
		row.Position = n
	}
	if text := rec.texts[evidenceAt]; text != "" {
		m := rec.clock.read(text)
		if m.err != nil {
			return row, rec.fault("at", shape(text)+" "+m.err.Error())
		}
		row.At = m.at
	}
	return row, nil
}
