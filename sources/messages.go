package sources

import (
	"context"
	"fmt"
	"strings"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/placement"
	"makegood/sources/rokt"
	"makegood/sources/table"
)

// Messages reads captured messages of a placement's cart.
type Messages struct {
	// Order is the attribute of a session that holds its order's number; "" when
	// none does.
	Order string
	read  func(ctx context.Context, visit func(placement.Message) error) (rokt.Tally, error)
}

// Read gives every message to visit. Lines and rows that cannot be read are
// counted and named; an error of visit ends it.
func (m *Messages) Read(ctx context.Context, visit func(placement.Message) error) (rokt.Tally, error) {
	return m.read(ctx, visit)
}

// Messages opens captured messages. It opens no file.
func (o Opener) Messages(cfg *config.MessageSource) (*Messages, error) {
	if cfg.Type == "rokt" {
		parser := placement.Parser{Price: cfg.Price}
		if cfg.Order != "" {
			parser.Attributes = []string{cfg.Order}
		}
		return &Messages{Order: cfg.Order, read: func(ctx context.Context, visit func(placement.Message) error) (rokt.Tally, error) {
			files, err := paths{local{}, endings["rokt"]}.find(strings.ReplaceAll(cfg.Path, "{date}", "*"))
			if err != nil {
				return rokt.Tally{}, fmt.Errorf("read messages %s: %w", cfg.Name, err)
			}
			return rokt.Read(ctx, files, parser, visit)
		}}, nil
	}
	r := &rows{name: cfg.Name, table: &cfg.Table, opener: o, wanted: wanted(cfg.Columns)}
	if err := r.check(); err != nil {
		return nil, err
	}
	t, err := table.NewMessages(cfg, r.files)
	if err != nil {
		return nil, err
	}
	return &Messages{Order: table.OrderAttribute, read: func(ctx context.Context, visit func(placement.Message) error) (tally rokt.Tally, err error) {
		err = t.Read(ctx, func(m placement.Message) error {
			if err := tally.Take(); err != nil {
				return err
			}
			return visit(m)
		}, func(p reconcile.RowProblem) { tally.Blame(p) })
		if err != nil {
			err = fmt.Errorf("read messages %s: %w", cfg.Name, err)
		}
		return tally, err
	}}, nil
}
