package upload

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// Preview is what a report says, in the analyst's arithmetic: all orders of the
// file are to send, sent before, not sendable or filtered out.
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
	Lead     string    `json:"lead"`
	Failed   string    `json:"failed,omitempty"` // why nothing of it counts
	// RowsBy is how many rows became what, the most first; none where nobody
	// counted them.
	RowsBy []RowCount `json:"rows_by,omitempty"`
}

// RowCount is how many rows became what.
type RowCount struct {
	What string `json:"what"`
	Rows int    `json:"rows"`
}

// rowsOf reads how many rows became what. Only the number of rows in all is
// needed: without the others the page shows less.
func rowsOf(folder string) (list []RowCount) {
	path := filepath.Join(folder, RowsFile)
	text, err := os.ReadFile(path)
	var rows map[string]int
	if err != nil || json.Unmarshal(text, &rows) != nil {
		return nil
	}
	for what, n := range rows {
		list = append(list, RowCount{what, n})
	}
	slices.SortFunc(list, func(a, b RowCount) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), strings.Compare(a.What, b.What)) })
	return list
}

// Sum is the sum of one destination. Lines are the four places, and Total is
// what the file has: they hold when they agree.
type Sum struct {
	Target  string `json:"target"`
	Mode    string `json:"mode"`
	Lines   []Line `json:"lines"`
	Total   Line   `json:"total"`
	Holds   bool   `json:"holds"`
	Send    Line   `json:"send"` // the first of Lines
	Stopped string `json:"stopped,omitempty"`
}

// Line is so many orders, messages and money, and why.
type Line struct {
	Label  string   `json:"label"`
	Orders int      `json:"orders"`
	Events int      `json:"events"`
	Money  []string `json:"money,omitempty"`
	Why    []Line   `json:"why,omitempty"`

	sum reconcile.Count
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

// preview reads a report of a plan, or of a plan that was carried out, over one
// source.
func preview(r reports.Report) *Preview {
	p := &Preview{Run: r.Run, Lead: reports.FirstLine(r)}
	if r.Plan != nil {
		p.Path, p.Digest, p.Expires = r.Plan.Path, r.Plan.Digest, r.Plan.Expires
	}
	if len(r.Sources) != 1 {
		p.Failed = "The file was not read."
		return p
	}
	s := r.Sources[0]
	p.Rows, p.Loose, p.Orders, p.Failed, p.Notes = s.Rows, s.RowsWithoutOrder, s.OrdersRead, s.Error, s.Notes
	p.Notes = p.Notes[:min(len(p.Notes), 8)]
	orders := map[string]bool{}
	for _, bad := range s.Problems {
		orders[bad.Order] = true
		if len(p.Problems) < maxBadRows {
			p.Problems = append(p.Problems, BadRow{bad.Row, bad.Sheet, bad.Column, bad.Order, bad.Text})
		}
	}
	p.More = max(s.Bad-len(orders), 0)
	for _, t := range r.Targets {
		p.Targets = append(p.Targets, sumOf(s, t, r.Command))
		if t.Error != "" {
			p.Failed = t.Target + ": " + t.Error
		}
	}
	return p
}

func sumOf(s reports.Source, t reports.Target, command string) Sum {
	send, before := line("to send"), line("sent before")
	not, out := line("not sendable"), line("filtered out")
	if command == "apply" {
		send.Label = "sent"
	}
	send.add("", t.Balance.Sent)
	for _, reason := range t.Reasons {
		words := reports.ReasonWords(reconcile.Reason(reason.Reason)).Text
		switch {
		case reason.Bucket == reconcile.BucketLeft && reason.Reason == string(reconcile.ReasonPlanned):
			send.add("", reason.Count)
		case reason.Bucket == reconcile.BucketAlreadySent:
			before.add(words, reason.Count)
		case reason.Bucket != reconcile.BucketSent:
			not.add(words, reason.Count)
		}
	}
	not.orders("rows that cannot be read", s.Bad)
	for _, left := range s.LeftOut {
		out.orders(reports.ReasonWords(reconcile.Reason(left.Reason)).Text, left.Orders)
	}
	out.orders("completed before 2000, or in the future", s.OutsideWindow)
	out.orders("versions of one order", s.Merged)
	other := t.Balance.NotForTarget
	for _, why := range t.NotReasons {
		out.Why = append(out.Why, Line{Label: reports.ReasonWords(reconcile.Reason(why.Reason)).Text, Orders: why.Orders})
	}
	out.add("", other)
	total := line("in the file")
	for _, part := range []*Line{&send, &before, &not, &out} {
		total.add("", reports.Count{Orders: part.Orders, Events: part.Events, Money: texts(part.sum.Money)})
	}
	holds := t.Balance.Holds && total.Orders == s.OrdersRead
	return Sum{Target: t.Target, Mode: t.Mode, Lines: []Line{send, before, not, out}, Total: total, Holds: holds, Send: send, Stopped: t.Stopped}
}

func line(label string) Line { return Line{Label: label} }

// add counts what a balance says; with a reason it is listed.
func (l *Line) add(why string, c reports.Count) {
	part := reconcile.Count{Orders: c.Orders, Events: c.Events}
	for currency, text := range c.Money {
		if amount, err := reconcile.ParseDecimal(text); err == nil {
			part.Money, _ = part.Money.Plus(currency, amount) // it fitted into the report
		}
	}
	_ = l.sum.Add(part)
	l.Orders, l.Events, l.Money = l.sum.Orders, l.sum.Events, amounts(l.sum.Money)
	if why != "" && (c.Orders > 0 || c.Events > 0) {
		l.Why = append(l.Why, Line{Label: why, Orders: c.Orders, Events: c.Events, Money: amounts(part.Money)})
	}
}

// orders counts orders of whose worth nobody knows.
func (l *Line) orders(why string, n int) {
	if n > 0 {
		l.add(why, reports.Count{Orders: n})
	}
}

func texts(m reconcile.Money) map[string]string {
	list := map[string]string{}
	for currency, amount := range m {
		list[currency] = amount.String()
	}
	return list
}

// amounts writes money as people do, with the digits of its currency at least.
func amounts(m reconcile.Money) []string {
	var list []string
	for _, currency := range m.Currencies() {
		amount := m[currency].Trim(reconcile.MinorDigits(currency)).Pad(reconcile.MinorDigits(currency)).String()
		list = append(list, thin(amount)+" "+currency)
	}
	return list
}

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
