package table

import (
	"context"
	"errors"
	"fmt"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/placement"
)

// Messages reads a table with a placement's message in each row.
type Messages struct {
	cfg    *config.MessageSource
	files  Files
	parser placement.Parser
}

// OrderAttribute is the attribute under which a table's order numbers are kept.
const OrderAttribute = "order"

// NewMessages compiles the mapping of a table of messages.
func NewMessages(cfg *config.MessageSource, files Files) (*Messages, error) {
	m := &Messages{cfg: cfg, files: files, parser: placement.Parser{Price: cfg.Price}}
	if _, err := m.records(); err != nil {
		return nil, fmt.Errorf("prepare messages %s: %w", cfg.Name, err)
	}
	return m, nil
}

const (
	messageSession = iota
	messageAt
	messageBody
	messageOrder
	messageKind
)

func (m *Messages) records() (*records, error) {
	return newRecords(&m.cfg.Table, "columns", m.cfg.Columns, []string{"session", "at", "body", "order", "message"})
}

// Read gives every message of the table to visit, and to blame each row that
// cannot be read; the rest goes on. An error of visit ends it.
func (m *Messages) Read(ctx context.Context, visit func(placement.Message) error, blame func(reconcile.RowProblem)) error {
	files, err := m.files(ctx, reconcile.Window{})
	if err != nil {
		return err
	}
	r, err := m.records()
	if err != nil {
		return err
	}
	r.blame = blame
	return r.each(ctx, files, func(rec record) error {
		message, err := m.message(rec)
		if err != nil {
			return err
		}
		return visit(message)
	})
}

func (m *Messages) message(rec record) (placement.Message, error) {
	message := placement.Message{Session: rec.texts[messageSession], Kind: placement.Kind(rec.texts[messageKind]),
		Attributes: map[string]string{OrderAttribute: rec.texts[messageOrder]},
		Origin:     reconcile.Origin{File: rec.header.File, Sheet: rec.header.Sheet}}
	message.Origin.AddRow(rec.row)
	if damaged(rec.texts[messageOrder]) {
		return message, rec.fault("order", damageText("order"))
	}
	at := rec.clock.read(rec.texts[messageAt])
	switch {
	case rec.texts[messageAt] == "":
		return message, rec.fault("at", "the row has no time")
	case at.err != nil:
		return message, rec.fault("at", shape(rec.texts[messageAt])+" "+at.err.Error())
	}
	message.At = at.at
	if err := m.parser.ParseBody(&message, []byte(rec.texts[messageBody])); err != nil {
		return message, rec.fault("body", "the message "+err.Error())
	}
	return message, nil
}

// blamed hands a row that cannot be read on, where somebody takes it.
func (r *records) blamed(err error) error {
	var row *RowError
	if r.blame == nil || !errors.As(err, &row) {
		return err
	}
	r.blame(row.RowProblem)
	return nil
}
