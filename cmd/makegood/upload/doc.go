// Package upload is the pages on which people bring a file of orders, say which
// column is what, look at what would be sent of it, and have it sent: sign in,
// upload, columns, preview, approval, report.
//
// The pages decide nothing about orders. What a file holds, what would be sent
// and what was sent they are told by a [Core], whose rules are those of plan and
// apply. They work without script, and show of a file its first rows with
// addresses masked and nothing else.
package upload

import (
	"context"
	"time"

	"makegood/reports"
)

// Mapping says how a file is read: which column each field (config.ColumnNames)
// is read from, or which known export it is.
type Mapping struct {
	Preset  string            `json:"preset,omitempty"`
	Columns map[string]string `json:"columns,omitempty"`
	// Decimal and DateFormat are as in the configuration; "" is found out.
	Decimal    string `json:"decimal,omitempty"`
	DateFormat string `json:"date_format,omitempty"`
	// Own says that the file has the columns of the configured source, whose
	// settings it is read with.
	Own bool `json:"own,omitempty"`
}

// Reading is how a file is read, as somebody said; what is empty is found out.
type Reading struct {
	Sheet     string `json:"sheet,omitempty"`
	HeaderRow int    `json:"header_row,omitempty"`
	Encoding  string `json:"encoding,omitempty"`
	Delimiter string `json:"delimiter,omitempty"`
}

// ReadingFile is JSON: a [Reading]. There is none where nobody said anything.
const ReadingFile = "reading.json"

// PlanFolder is where the plan of an upload is. It holds what would be sent.
const PlanFolder = "plan"

// Rule is a question that has no default: what the configuration answers, and
// what the file suggests.
type Rule struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	File     string `json:"file"`
	// Doubt says that the two do not agree.
	Doubt bool `json:"doubt,omitempty"`
}

// Look is what a file shows before anybody has said what its columns are. No
// text of it holds an address.
type Look struct {
	Columns []string          `json:"columns"`
	Rows    []Row             `json:"rows"` // the first ones
	Mapping Mapping           `json:"mapping"`
	Doubts  map[string]string `json:"doubts,omitempty"` // by field
	Title   string            `json:"title,omitempty"`  // of a known export
	Refused string            `json:"refused,omitempty"`
	// Literal are fields that the configuration says for all orders, Needs those
	// that it decides by.
	Literal map[string]string `json:"literal,omitempty"`
	Needs   []string          `json:"needs,omitempty"`
	// Sheets are those of a workbook, Sheet is the one that was read, HeaderRow
	// where its columns are named. Notes say how the file was read; in doubt it
	// could be read otherwise.
	Sheets    []string `json:"sheets,omitempty"`
	Sheet     string   `json:"sheet,omitempty"`
	HeaderRow int      `json:"header_row,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	Text      bool     `json:"text,omitempty"` // no workbook
	InDoubt   bool     `json:"in_doubt,omitempty"`
	Reading   Reading  `json:"reading,omitzero"`
	Rules     []Rule   `json:"rules,omitempty"`
}

// Row is one row, as a person sees it.
type Row struct {
	Number int      `json:"number"`
	Cells  []string `json:"cells"`
}

// Core looks at a file, makes a plan of it and carries a plan out. The file is
// the one of the folder's subfolder file, the mapping its mapping.json.
//
// An error of type [Refused] says in words what is wrong and what to do; any
// other is a fault, and its text is for the log alone. said hears, now and then,
// how far the work is. What was begun ends in order when ctx ends.
type Core interface {
	Look(ctx context.Context, folder string) (Look, error)
	// Plan sends nothing. It leaves the plan in the folder's subfolder
	// [PlanFolder], which the pages take away when it is of no more use, the file
	// with remarks in the subfolder checked, and in RowsFile where its rows are.
	Plan(ctx context.Context, folder string, said func(string)) (reports.Report, error)
	// Apply sends exactly the plan, and leaves the report as report.html and the
	// file with remarks in the folder's subfolder marked, and RowsFile anew.
	Apply(ctx context.Context, folder string, a Approval, said func(string)) (reports.Report, error)
}

// Approval is on whose word which plan is carried out.
type Approval struct {
	By     string
	Path   string
	Digest string
}

// Refused is an error that is shown.
type Refused struct{ Text string }

func (r *Refused) Error() string { return r.Text }

// Clock tells the time.
type Clock func() time.Time
