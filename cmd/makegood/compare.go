package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/placement"
	"makegood/reports"
	"makegood/sources"
	"makegood/sources/rokt"
)

// compareFlags are what compare can be told.
type compareFlags struct {
	name     string // of the messages
	from, to string
	json     bool
	rows     int
	counts   countsFlags
	export   string // of the platform
	// columns of the export
	orderColumn, amountColumn string
}

func (a *app) compareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare [NAME]",
		Short: "Lay a platform's daily counts, its export, or what a placement's cart said beside the completed orders",
		Long: `With --counts, a CSV file with a day and a count in each row is laid beside the
ledger: how many orders of each day were completed for the destination, how many
others had sent, makegood sent, does not send on purpose, are in doubt, refused or
still to send, what the platform should show, what it does show, and the known
cause that equals the difference, such as days of another zone. In shadow, what
would be sent is counted too. Only the ledger and that file are read.

With --export, a CSV or XLSX table of the orders that the platform has, each of them
is looked for in the sources, which are read as a plan reads them, and in the
ledger. It says what is at the platform and was completed here: sent by makegood
or by others, or not sent, and by whom then; what is at the platform and is no
completed order here: cancelled, unpaid, a test, bad, unknown; what is there more
than once or with another amount; and what the platform has accepted and the
export lacks. Columns are found by their names. In shadow, too.

With NAME it reads the captured messages NAME of the configuration, works out what each
visit's placement had in its cart in the end, and compares that with the
completed order of the visit:

  accepted at Rokt, and not on the order
  on the order, and removed at Rokt
  another quantity
  the product that the item goes with is not on the order
  a quantity was asked for, and Rokt never answered
  accepted under an order number that no completed order has

What is worth most comes first. Items are matched by catalogItemId with the
order's sku. Lines that cannot be read are named, and the rest goes on. Nothing
is sent and nothing is changed: no placement is left to hear of it.

Exit 0: they agree; 1: something differs, or a line could not be read.`,
		GroupID: "questions",
		Args:    arguments(cobra.MaximumNArgs(1)),
		Example: `  makegood compare --target activate --counts counts.csv
  makegood compare --target activate --counts counts.csv --zone UTC --json
  makegood compare --target activate --export orders.csv
  makegood compare --target activate --export orders.xlsx --order-column "Transaction ID" --json
  makegood compare rokt_cart
  makegood compare rokt_cart --from 2026-11-01 --to 2026-11-08
  makegood compare rokt_cart --json`,
		RunE: func(c *cobra.Command, args []string) error {
			f.name = strings.Join(args, "")
			if err := f.which(); err != nil {
				return &usageError{command: c.CommandPath(), err: err}
			}
			if f.counts.path != "" {
				return a.compareCounts(c.Context(), &f)
			}
			if f.export != "" {
				return a.compareExport(c.Context(), &f)
			}
			return a.compare(c.Context(), &f)
		},
	}
	c.Flags().StringVar(&f.from, "from", "", "only visits, or days, from this date on, such as 2026-11-01, in the configured zone")
	c.Flags().StringVar(&f.to, "to", "", "only visits, or days, before this date")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON, with all differences")
	c.Flags().IntVar(&f.rows, "rows", 50, "how many differences are shown")
	f.counts.add(c)
	c.Flags().StringVar(&f.export, "export", "", "the orders that the platform has, a CSV or XLSX `FILE`")
	c.Flags().StringVar(&f.orderColumn, "order-column", "", "the column of the export with the order's number (default: order_id, transaction_id and the like)")
	c.Flags().StringVar(&f.amountColumn, "amount-column", "", "the column of the export with the order's amount (default: total, value and the like)")
	return c
}

// comparison is what compare tells.
type comparison struct {
	Schema  int        `json:"schema"`
	Name    string     `json:"name"`
	Tally   rokt.Tally `json:"read"`
	Outside int        `json:"outside_period"` // messages of other visits
	Orders  int        `json:"orders"`         // looked through
	placement.Result
	Money map[placement.Difference]sumOf `json:"money"`
	zone  *time.Location
}

type sumOf struct {
	Items int             `json:"items"`
	Money reconcile.Money `json:"money"`
}

func (a *app) compare(ctx context.Context, f *compareFlags) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	c, err := a.comparer(cfg, f)
	if err != nil {
		return err
	}
	got, err := c.compare(ctx)
	if err != nil {
		return err
	}
	if len(got.Findings) > 0 || got.Tally.Unreadable > 0 {
		a.code = exitLeft
	}
	if f.json {
		enc := json.NewEncoder(a.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(got)
	}
	return a.tellCompared(got, f.rows)
}

// comparer compares the messages of one name with the orders of their sources.
type comparer struct {
	cfg    *config.Config
	msg    *config.MessageSource
	opener sources.Opener
	period reconcile.Window // of visits; an end that nobody named is zero
	now    time.Time
}

func (a *app) comparer(cfg *config.Config, f *compareFlags) (*comparer, error) {
	m := cfg.Messages[f.name]
	if m == nil {
		there := strings.Join(slices.Sorted(maps.Keys(cfg.Messages)), ", ")
		return nil, &usageError{command: "makegood compare", err: fmt.Errorf("there are no messages %q; there is %s", f.name, cmp.Or(there, "none at all"))}
	}
	req, err := (&runFlags{from: f.from, to: f.to}).request("compare", cfg)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state_dir: %w: correct the key state_dir, or who owns its folder", err)
	}
	return &comparer{cfg: cfg, msg: m, opener: sources.Opener{StateDir: cfg.StateDir}, now: a.clock().UTC(),
		period: reconcile.Window{From: req.From.UTC(), To: req.To.UTC()}}, nil
}

func (c *comparer) compare(ctx context.Context) (got comparison, err error) {
	got = comparison{Schema: 1, Name: c.msg.Name, Money: map[placement.Difference]sumOf{}, zone: c.cfg.Zone.Location}
	messages, err := c.opener.Messages(c.msg)
	if err != nil {
		return got, &configError{err}
	}
	fold := &placement.Fold{}
	got.Tally, err = messages.Read(ctx, func(m placement.Message) error {
		if !c.within(m.At) {
			got.Outside++
			return nil
		}
		return fold.Add(m)
	})
	if err != nil {
		return got, err
	}
	sessions := fold.Sessions()
	orders := orderBook{order: messages.Order, session: c.msg.SessionField, sessions: map[string]bool{}, numbers: map[string]bool{}}
	orders.want(sessions)
	if len(sessions) > 0 {
		if err := c.read(ctx, fold, &orders); err != nil {
			return got, err
		}
	}
	got.Orders, got.Result = orders.seen, placement.Compare(sessions, orders.of)
	for _, d := range placement.Differences {
		if n, money := got.Result.Money(d); n > 0 {
			got.Money[d] = sumOf{n, money}
		}
	}
	got.mask()
	return got, nil
}

// mask hides addresses that slipped into ids and names.
func (got *comparison) mask() {
	if got.Findings == nil {
		got.Findings = []placement.Finding{}
	}
	for i := range got.Findings {
		f := &got.Findings[i]
		for _, text := range []*string{&f.Order, &f.Session, &f.Item, &f.Name, &f.Linked, &f.Currency, &f.Message.File, &f.Row.File} {
			*text = reports.Mask(*text)
		}
	}
	for i := range got.Tally.Problems {
		got.Tally.Problems[i].Text = reports.Mask(got.Tally.Problems[i].Text)
	}
}

func (c *comparer) within(at time.Time) bool {
	return (c.period.From.IsZero() || !at.Before(c.period.From)) && (c.period.To.IsZero() || at.Before(c.period.To))
}

// afterVisit is how long after a visit its order may be completed.
const afterVisit = 30 * 24 * time.Hour

// read looks for the orders of the visits, from a day before the first one.
func (c *comparer) read(ctx context.Context, fold *placement.Fold, orders *orderBook) error {
	w := reconcile.Window{From: fold.First.Add(-24 * time.Hour), To: fold.Last.Add(afterVisit)}
	if end := c.now.Add(reconcile.FutureSlack); w.To.After(end) {
		w.To = end
	}
	if w.Check() != nil {
		return errors.New("read the orders: the messages are from the future; see whether at is in the right zone")
	}
	for _, name := range c.msg.From {
		if err := c.readSource(ctx, name, w, orders); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) readSource(ctx context.Context, name string, w reconcile.Window, orders *orderBook) (err error) {
	source, err := c.opener.Source(c.cfg.Sources[name])
	if err != nil {
		return &configError{fmt.Errorf("open source %s: %w", name, err)}
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	var keys []reconcile.OrderKey
	for h, err := range source.Heads(ctx, w) {
		if err != nil {
			return fmt.Errorf("read source %s: %w", name, err)
		}
		if orders.meet(h) {
			keys = append(keys, h.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	for o, err := range source.Orders(ctx, keys) {
		if err != nil {
			return fmt.Errorf("read source %s: %w", name, err)
		}
		orders.keep(o)
	}
	return nil
}

// orderBook finds the order of a visit: by the number that the visit names,
// else by the session that the order names.
type orderBook struct {
	order, session    string // the attribute, and the field of orders
	numbers, sessions map[string]bool
	byNumber          map[string]*placement.Order
	bySession         map[string]*placement.Order
	seen              int
}

func (b *orderBook) want(sessions []*placement.Session) {
	b.byNumber, b.bySession = map[string]*placement.Order{}, map[string]*placement.Order{}
	for _, s := range sessions {
		b.sessions[s.ID] = true
		if number := s.Attributes[b.order]; number != "" {
			b.numbers[number] = true
		}
	}
}

// meet notes an order that somebody asks for, and reports whether its lines
// are needed.
func (b *orderBook) meet(h reconcile.Head) bool {
	b.seen++
	session := h.Fields[b.session]
	if !b.numbers[h.Key.Order] && (session == "" || !b.sessions[session]) {
		return false
	}
	left := h.LeftOut
	if len(h.Bad) > 0 {
		left = h.Bad[0].Reason
	}
	b.put(&placement.Order{Order: reconcile.Order{Head: h}, Left: left})
	return left == "" && !h.Merged
}

func (b *orderBook) keep(o reconcile.Order) { b.put(&placement.Order{Order: o}) }

func (b *orderBook) put(o *placement.Order) {
	if old := b.byNumber[o.Key.Order]; old == nil || old.Left != "" || len(o.Items) > 0 {
		b.byNumber[o.Key.Order] = o
	}
	if session := o.Fields[b.session]; session != "" {
		b.bySession[session] = o
	}
}

func (b *orderBook) of(s *placement.Session) (number string, order *placement.Order) {
	if number = s.Attributes[b.order]; number != "" {
		return number, b.byNumber[number]
	}
	if order = b.bySession[s.ID]; order != nil {
		return order.Key.Order, order
	}
	return "", nil
}

// differenceWords are what people read.
var differenceWords = map[placement.Difference]string{
	placement.NotOnOrder:    "accepted at Rokt, not on the order",
	placement.StillOnOrder:  "on the order, removed at Rokt",
	placement.WrongQuantity: "another quantity",
	placement.LinkedGone:    "the product that it goes with is gone",
	placement.LoopOpen:      "asked for, never answered",
	placement.OrderUnknown:  "accepted, and no completed order has the number",
}

func (a *app) tellCompared(got comparison, rows int) error {
	out := a.io.out
	fmt.Fprintf(out, "%s: %d messages of %d visits with items; %d have a completed order, %d name none; %d orders were looked through\n",
		got.Name, got.Tally.Messages-got.Outside, got.Sessions, got.WithOrder, got.NoOrder, got.Orders)
	if got.Tally.Unreadable > 0 {
		fmt.Fprintf(out, "%d lines could not be read:\n", got.Tally.Unreadable)
		for _, p := range got.Tally.Problems[:min(len(got.Tally.Problems), max(rows, 0))] {
			fmt.Fprintf(out, "  %s\n", p)
		}
	}
	if len(got.Findings) == 0 {
		fmt.Fprintf(out, "no difference; %d items are the same on both sides\n", got.Agreed)
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nthe same on both sides\t%d\t\n", got.Agreed)
	for _, d := range placement.Differences {
		if sum, is := got.Money[d]; is {
			fmt.Fprintf(w, "%s\t%d\t%s\n", differenceWords[d], sum.Items, reports.Money(sum.Money))
		}
	}
	fmt.Fprintf(w, "\norder\titem\tat Rokt\ton the order\tworth\twhat\twhere\n")
	for _, f := range got.Findings[:min(len(got.Findings), max(rows, 0))] {
		worth := ""
		if f.Amount != nil {
			worth = strings.TrimSpace(f.Amount.String() + " " + f.Currency)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Order, strings.TrimSpace(f.Item+" "+f.Name),
			f.AtRokt, f.OnOrder, worth, whatDiffers(f), f.Message)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more := len(got.Findings) - max(rows, 0); more > 0 {
		fmt.Fprintf(out, "and %d more; --rows shows them, --json has all\n", more)
	}
	return nil
}

func whatDiffers(f placement.Finding) string {
	text := differenceWords[f.Difference]
	switch {
	case f.Left != "":
		text += ": the order is left out, " + reports.ReasonWords(f.Left).Text
	case f.Difference == placement.LinkedGone:
		text += ": " + f.Linked
	case f.Difference == placement.LoopOpen:
		text += ": " + f.Asked
	}
	return text
}
