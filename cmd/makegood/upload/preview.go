package upload

import (
	"slices"
	"strings"
	"time"

	"makegood/reports"
)

// Preview is what a report says, in the analyst's arithmetic: all orders of the
// file are to send, not to send now, without an answer, sent before, not sendable
// or filtered out.
type Preview struct {
	Run      string    `json:"run"`
	Path     string    `json:"path"`
	Digest   string    `json:"digest"`
	Expires  time.Time `json:"expires"`
	Rows     int       `json:"rows"`
	Loose    int       `json:"loose"` // rows without an order
	Orders   int       `json:"orders"`
	Targets  []Sum     `json:"targets"`
	Problems []BadRow  `json:"problems,omitempty"`
	More     int       `json:"more,omitempty"` // bad orders, beside those of Problems
	Notes    []string  `json:"notes,omitempty"`
	Needed   string    `json:"needed,omitempty"` // what a person is needed for, of a plan that was carried out
	Failed   string    `json:"failed,omitempty"` // why nothing of it counts
	Counted  Rows      `json:"counted"`          // where its rows are
}

// Sum is the sum of one destination. Lines are the places, and Total is
// what the file has: they hold when they agree in rows, orders and money.
type Sum struct {
	Target string `json:"target"`
	Mode   string `json:"mode"`
	// Applied says that the plan was carried out.
	Applied bool `json:"applied,omitempty"`
	// Counted says that the rows were counted, and that Money is what stands in
	// them; else it is that of the messages.
	Counted bool   `json:"counted"`
	Lines   []Line `json:"lines"`
	Total   Line   `json:"total"`
	Holds   bool   `json:"holds"`
	Send    Line   `json:"send"` // the first of Lines
	Stopped string `json:"stopped,omitempty"`
	// Worth is the money of the messages to send, in exact decimals.
	Worth map[string]string `json:"worth,omitempty"`
	// Messages of three of the lines: those that go later, those whose answer
	// nobody knows, and those that were sent before.
	Unsent  int `json:"unsent,omitempty"`
	Unknown int `json:"unknown,omitempty"`
	Before  int `json:"before,omitempty"`
}

// BadRow is one row that keeps its order from being sent.
type BadRow struct {
	Row    int    `json:"row"`
	Sheet  string `json:"sheet,omitempty"`
	Column string `json:"column,omitempty"`
	Order  string `json:"order,omitempty"`
	Text   string `json:"text"`
}

// maxBadRows is how many bad rows are shown; the file with remarks has all.
const maxBadRows = 100

// preview reads a report of a plan over one source, or of a plan that was carried
// out: then planned is what was said of that, otherwise nil. Orders are those of
// the report, rows and their money were counted beside it.
func preview(r reports.Report, rows Rows, planned *Preview) *Preview {
	p := &Preview{Run: r.Run, Counted: rows}
	switch {
	case len(r.PersonNeeded) > 0:
		p.Needed = reports.FirstLine(r)
	case r.NewLedger:
		p.Needed = "A new ledger was begun."
	}
	if r.Plan != nil {
		p.Path, p.Digest, p.Expires = r.Plan.Path, r.Plan.Digest, r.Plan.Expires
	}
	if len(r.Sources) != 1 {
		p.Failed = "The file was not read."
		return p
	}
	s := r.Sources[0]
	p.Rows, p.Loose, p.Orders, p.Failed, p.Notes = s.Rows, s.RowsWithoutOrder, s.OrdersRead, s.Error, s.Notes
	p.Notes = slices.Clone(p.Notes[:min(len(p.Notes), 8)])
	for i := range p.Notes {
		p.Notes[i] = noName.Replace(p.Notes[i])
	}
	orders := map[string]bool{}
	for _, bad := range s.Problems {
		orders[bad.Order] = true
		if len(p.Problems) < maxBadRows {
			p.Problems = append(p.Problems, BadRow{bad.Row, bad.Sheet, bad.Column, bad.Order, bad.Text})
		}
	}
	p.More = max(s.Bad-len(orders), 0)
	for _, t := range r.Targets {
		sum := newSum(s, t, r.Command)
		sum.count(rows, planned)
		p.Targets = append(p.Targets, sum.done(s, t.Balance.Holds, rows))
		if t.Error != "" {
			p.Failed = t.Target + ": " + t.Error
		}
	}
	return p
}

// noName takes out what an uploaded file is called here, which nobody knows.
var noName = strings.NewReplacer("orders.xlsx", "the file", "orders.csv", "the file")

// thin puts thin spaces between thousands.
func thin(number string) string {
	whole, cents, _ := strings.Cut(number, ".")
	digits := strings.TrimPrefix(whole, "-")
	var groups []string
	for len(digits) > 3 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	text := strings.Join(groups, "\u202f")
	if strings.HasPrefix(whole, "-") {
		text = "-" + text
	}
	if cents != "" {
		text += "." + cents
	}
	return text
}

// sends reports whether there is something to approve: a plan that is whole,
// whose sums hold, and that sends something.
func (p *Preview) sends() bool {
	return p != nil && p.Digest != "" && p.Failed == "" && p.events() > 0 &&
		!slices.ContainsFunc(p.Targets, func(s Sum) bool { return !s.Holds })
}

func (p *Preview) events() (n int) {
	for _, t := range p.Targets {
		n += t.Send.Events
	}
	return n
}
