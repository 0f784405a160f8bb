package roktads

import (
	"encoding/json"
	"errors"
	"time"

	"makegood/reconcile"
	"makegood/sinks/outfile"
)

// Columns of the file for the manual import, as it names its fields [P]. The
// columns of a file are given their meaning there, so the order is ours.
var columns = []string{"Email", "Date/time", "Value", "Currency", "Transaction reference", "Conversion type"}

// clickColumn is the seventh column, where click ids are sent.
const (
	clickColumn     = "Passback Conversion Tracking ID"
	referenceColumn = 4
)

// row is an order as a line of the file. Its fields stand in the order of their
// keys.
type row struct {
	ClickID   string `json:"click_id,omitempty"`
	Currency  string `json:"currency,omitempty"`
	Email     string `json:"email,omitempty"`
	Reference string `json:"reference"`
	Time      string `json:"time"` // UTC, RFC 3339: how the import reads times is [U]
	Type      string `json:"type"`
	Value     string `json:"value,omitempty"`
}

func (s *Sink) row(o reconcile.Order, amount, shown string, at time.Time) row {
	known := s.identities(o.Head)
	return row{ClickID: known["click_id"], Currency: o.Currency, Email: known["email"], Reference: shown,
		Time: at.UTC().Format(time.RFC3339), Type: s.options.Type, Value: amount}
}

func (r row) cells(clicks bool) []string {
	cells := []string{r.Email, r.Time, r.Value, r.Currency, r.Reference, r.Type}
	if clicks {
		cells = append(cells, r.ClickID)
	}
	return cells
}

// changed reports a value that stands in a CSV file as another one: what a
// spreadsheet would work out gets a sign in front, and is then no address and
// no number any more.
func (r row) changed() bool {
	line := outfile.CSVLine(r.cells(true))
	for i, want := range r.cells(true) {
		if outfile.CSVCell(line, i) != want {
			return true
		}
	}
	return false
}

// openFile makes the file that lines are written to; nothing is opened.
func (s *Sink) openFile() *outfile.Sender {
	header := columns
	if s.sends(ClickID) {
		header = append(header[:len(header):len(header)], clickColumn)
	}
	return &outfile.Sender{
		File: outfile.New(outfile.Options{
			Path: s.options.Path, Zone: s.options.Zone, Header: header, Clock: s.options.HTTP.Clock,
			ID: func(line []byte) string { return outfile.CSVCell(line, referenceColumn) },
		}),
		Line: s.line,
		Key:  func(e reconcile.Event) string { return e.Shown },
	}
}

func (s *Sink) line(body []byte) ([]byte, error) {
	var r row
	if err := json.Unmarshal(body, &r); err != nil || r.Reference == "" {
		return nil, errors.New("the body is no line of the file")
	}
	return outfile.CSVLine(r.cells(s.sends(ClickID))), nil
}
