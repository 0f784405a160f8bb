package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// OrderKey names one order: the numbering that the id belongs to, and the id.
// Both are text, case and leading zeros kept.
type OrderKey struct {
	Shop  string `json:"shop"`
	Order string `json:"order"`
}

// Window is a half-open range of completion times in UTC: From is in it, To is
// not. The zero Window is an error everywhere.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Holds reports whether t is in the window.
func (w Window) Holds(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// Check refuses a window that is missing an end or is empty.
func (w Window) Check() error {
	if w.From.IsZero() || w.To.IsZero() {
		return errors.New("a period needs a beginning and an end")
	}
	if !w.From.Before(w.To) {
		return fmt.Errorf("the period ends (%s) before it begins (%s)",
			w.To.Format(time.RFC3339), w.From.Format(time.RFC3339))
	}
	return nil
}

// RowRange is a run of consecutive rows, numbered as a person sees them:
// header row 1, both ends included.
type RowRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Origin says where an order was read. More is set when the order has more
// row ranges than are kept.
type Origin struct {
	File  string     `json:"file,omitempty"`
	Sheet string     `json:"sheet,omitempty"`
	Rows  []RowRange `json:"rows,omitempty"`
	More  bool       `json:"more,omitempty"`
}

// MaxRowRanges is how many row ranges an Origin keeps.
const MaxRowRanges = 4

// AddRow extends the origin by one row.
func (o *Origin) AddRow(row int) {
	if n := len(o.Rows); n > 0 {
		last := &o.Rows[n-1]
		if row >= last.First && row <= last.Last {
			return
		}
		if row == last.Last+1 {
			last.Last = row
			return
		}
		if n == MaxRowRanges {
			o.More = true
			return
		}
	}
	o.Rows = append(o.Rows, RowRange{row, row})
}

// String gives "orders.xlsx, Sales, rows 12-15".
func (o Origin) String() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{o.File, o.Sheet} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if len(o.Rows) == 0 {
		return strings.Join(parts, ", ")
	}
	rows := make([]string, len(o.Rows))
	for i, r := range o.Rows {
		rows[i] = fmt.Sprint(r.First)
		if r.Last > r.First {
			rows[i] = fmt.Sprintf("%d-%d", r.First, r.Last)
		}
	}
	text := "rows " + strings.Join(rows, ", ")
	if len(o.Rows) == 1 && o.Rows[0].First == o.Rows[0].Last {
		text = "row " + rows[0]
	}
	if o.More {
		text += " and more"
	}
	return strings.Join(append(parts, text), ", ")
}

// RowProblem is one thing that is wrong with one row: where it stands and what
// it is, in words for the person who keeps the file. Text never holds an
// address or a secret.
type RowProblem struct {
	File   string `json:"file,omitempty"`
	Sheet  string `json:"sheet,omitempty"`
	Row    int    `json:"row,omitempty"`
	Column string `json:"column,omitempty"`
	Cell   string `json:"cell,omitempty"` // of a workbook, such as F12
	Reason Reason `json:"reason"`
	Text   string `json:"text"`
}

// String gives "orders.csv, row 12, column UnitPrice: "1,2,3" is not ...".
func (p RowProblem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	row := []string{"row ", rowText(p.Row)}
	if p.Cell != "" {
		row = []string{"cell ", p.Cell}
	}
	for _, part := range []struct{ name, value string }{{"", p.Sheet}, {row[0], row[1]}, {"column ", p.Column}} {
		if part.value != "" {
			b.WriteString(", " + part.name + part.value)
		}
	}
	return strings.TrimPrefix(b.String(), ", ") + ": " + p.Text
}

func rowText(row int) string {
	if row == 0 {
		return ""
	}
	return fmt.Sprint(row)
}

// AmountOf says what an order's amount was taken from.
type AmountOf string

// The origins of an amount. Prices and line totals both make "lines" in the
// ledger: they must agree, and the way an order came must not make a change.
const (
	AmountOfPrices     AmountOf = "prices"      // sum of price x quantity
	AmountOfLineTotals AmountOf = "line_totals" // sum of line totals
	AmountOfTotal      AmountOf = "total"       // the order's own total column
	AmountOfDue        AmountOf = "due"         // what is still to be collected
)

// Head is an order without its lines: everything that is needed to decide.
// Times are UTC. Bad and LeftOut heads carry Key, Origin and, where it could
// be read, CompletedAt; the other fields may be empty. A head of which nothing
// but the order number is damaged carries everything.
type Head struct {
	Key    OrderKey
	Source string
	Origin Origin

	CompletedAt   time.Time // when the order became complete: drives windows and ages
	OrderedAt     time.Time // what the platform gets as the time; zero: CompletedAt
	UpdatedAt     time.Time // zero when not mapped
	DayOnly       bool      // CompletedAt is a date without a time of day
	AmbiguousTime bool      // the wall-clock time occurs twice; the first was taken

	Currency string // ISO 4217, upper case
	Channel  string // RULES R5
	Store    string
	Till     string
	Status   string
	Email    string // as the source has it, trimmed
	Customer string
	Language string
	// Fields holds custom_* and profile fields by their mapped names, only
	// those that are filled.
	Fields map[string]string

	Amount   Decimal  // what the order is worth, exact; see AmountOf
	AmountOf AmountOf // zero for bad heads
	LinesSum Decimal  // sum of the lines kept
	Total    *Decimal // the order's own total, when mapped and filled
	Shipping *Decimal
	Discount *Decimal // as mapped: a positive number lowers the total

	Lines    int  // lines kept (skip_lines and quantity 0 included or not as Goods says)
	Goods    bool // at least one line with a quantity other than 0
	Negative bool // at least one line with a negative quantity
	Undoes   bool // goods, and all of them with negative quantities: a credit note or a return

	Digest         Digest // ContentDigest
	GoodsDigest    Digest
	Cosmetic       Digest
	CosmeticFields string // which cosmetic fields the source maps
	Said           uint64 // a checksum of the cells of its rows that are read; 0: not known

	Permitted bool // may_send says yes
	CartUsed  bool // the source says that this checkout consumed the stored cart

	// Hold is why the source itself says that nothing of this order may go:
	// status_unknown, zero_total; "" otherwise.
	Hold Reason
	// Reverses is the number of the order that this one undoes, as the source
	// has it; "" when it undoes none or nobody says so.
	Reverses string

	// Chain is what the order's carts are made of, in the order of upgrades;
	// empty where the source does not say what is still to be collected.
	Chain []ChainStep
	// PendingUntil is how long a payment that may still come is waited for; Unpaid
	// says that nothing was paid yet.
	PendingUntil time.Time
	Unpaid       bool

	LeftOut Reason       // not counted as an order, and why; "" otherwise
	Bad     []RowProblem // not empty: never sent
	mark    Digest       // Mark, once it was worked out
	Merged  bool         // another file's version of an order that was yielded already; counted only
}

// Line is one product on an order. Quantities and prices are exact. Price is
// nil when only a line total is mapped; LineTotal is nil when only a price is.
type Line struct {
	ID        string
	SKU       string
	Name      string
	Quantity  Decimal
	Price     *Decimal // of one unit
	LineTotal *Decimal // of the line, after its discounts
	UniqueID  string   // Collect's unique_id; "" means the SKU
	Item      string   // Collect's item; "" means the SKU
	Language  string
	// CategoryIDs are the shop's ids of the categories that the product is in.
	CategoryIDs []string
}

// Order is a whole completed order: its head and all its lines, in reading
// order.
type Order struct {
	Head
	Items []Line
}

// Tally counts what the last Heads met. Orders are counted once each:
// read = outside + left out + bad + merged + orders.
type Tally struct {
	Rows             int            `json:"rows"`
	Read             int            `json:"orders_read"`
	OutsideWindow    int            `json:"outside_window"`
	LeftOut          map[Reason]int `json:"left_out"`
	Bad              int            `json:"bad"`
	Merged           int            `json:"merged"`
	Orders           int            `json:"orders"`
	RowsWithoutOrder int            `json:"rows_without_order"`
	// Problems holds the first 100 row problems in reading order.
	Problems []RowProblem `json:"-"`
	// Notes says in words what a person should know of how the source was
	// read: ambiguous times, hidden sheets, a file that is still growing.
	Notes []string `json:"-"`
	// Newest is the newest completion met, in the window or not.
	Newest time.Time `json:"-"`
	// Loose has a digest of the cells of each row without an order, of the first
	// MaxLoose.
	Loose []Digest `json:"-"`
}

// MaxLoose is how many rows without an order a Tally tells apart.
const MaxLoose = 1000

// MaxProblems is how many row problems a Tally keeps.
const MaxProblems = 100

// ErrChanged is returned by Source.Orders when a file is no longer what Heads
// read. The run stops for that source; the next run reads it anew.
var ErrChanged = errors.New("changed while it was being read")

// Source reads completed orders in two passes, so that a night with nothing
// to do never holds or stores lines.
type Source interface {
	// Name identifies the source in the configuration, reports and coverage.
	Name() string
	// Heads yields each order completed in w once: everything but its lines,
	// or the reason why it is left out or bad. Orders outside w are counted,
	// not yielded. A yielded error ends the sequence and fails the source.
	// Nothing stays open when it ends.
	Heads(ctx context.Context, w Window) iter.Seq2[Head, error]
	// Tally counts what the last Heads met.
	Tally() Tally
	// Orders yields the whole orders of keys, which came from the last Heads,
	// each once, in no particular order. A file that changed since gives
	// ErrChanged.
	Orders(ctx context.Context, keys []OrderKey) iter.Seq2[Order, error]
	// Close removes what the source spooled. It is safe to call twice.
	Close() error
}
