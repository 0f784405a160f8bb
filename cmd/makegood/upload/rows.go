package upload

import (
	"encoding/json"
	"os"
	"path/filepath"

	"makegood/reconcile"
)

// RowsFile is JSON: a [Rows].
const RowsFile = "rows.json"

// Rows is where the rows of a file are, at each destination: all of them, each
// once.
type Rows struct {
	Rows     int                    `json:"rows"`
	Money    map[string]string      `json:"money,omitempty"`
	Unpriced int                    `json:"unpriced,omitempty"`
	Targets  map[string][]RowsPlace `json:"targets,omitempty"`
}

// RowsPlace is the rows of one place.
type RowsPlace struct {
	Bucket reconcile.Bucket `json:"bucket"`
	Reason reconcile.Reason `json:"reason,omitempty"`
	Rows   int              `json:"rows"`
	Orders int              `json:"orders"`
	// Money is what stands in the rows, by currency, and Unpriced how many rows
	// have no amount that can be read.
	Money    map[string]string `json:"money,omitempty"`
	Unpriced int               `json:"unpriced,omitempty"`
	// At names the first rows, and More counts the others.
	At   string `json:"at"`
	More int    `json:"more,omitempty"`
}

// Buckets of rows, beside those of reconcile.
const (
	BucketLoose reconcile.Bucket = "loose" // of no order that is known
	BucketRest  reconcile.Bucket = "rest"  // of an order that nothing was told of
)

// rowsOf reads where the rows are. Only the sums of orders are needed: without
// the rows the page shows less.
func rowsOf(folder string) Rows {
	var rows Rows
	text, err := os.ReadFile(filepath.Join(folder, RowsFile))
	if err != nil || json.Unmarshal(text, &rows) != nil {
		return Rows{}
	}
	return rows
}
