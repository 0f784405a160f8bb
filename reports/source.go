package reports

import (
	"time"

	"makegood/reconcile"
)

// Source is what one source gave:
// orders_read = outside_window + left_out + bad + merged + orders.
type Source struct {
	Source           string    `json:"source"`
	Rows             int       `json:"rows"`
	OrdersRead       int       `json:"orders_read"`
	OutsideWindow    int       `json:"outside_window"`
	LeftOut          []LeftOut `json:"left_out"` // most orders first
	Bad              int       `json:"bad"`
	Merged           int       `json:"merged"`
	Orders           int       `json:"orders"`
	RowsWithoutOrder int       `json:"rows_without_order"`
	Loose            []string  `json:"loose,omitempty"` // marks of these rows, by which later runs know them

	NoDestination int           `json:"no_destination,omitempty"` // orders that are for none of the targets
	Stray         []Example     `json:"stray,omitempty"`          // some of them
	Numbers       []NumberShape `json:"numbers,omitempty"`        // the most frequent first

	Custom []CustomField `json:"custom,omitempty"` // of check
	Survey *Survey       `json:"survey,omitempty"` // of check

	Newest   time.Time            `json:"newest,omitzero"`         // the newest completion met
	Stores   []Store              `json:"stores,omitempty"`        // the silent ones, the longest silence first; at most 100
	StoresOf int                  `json:"stores_met,omitempty"`    // of how many
	Quiet    []reconcile.QuietDay `json:"quiet,omitempty"`         // far fewer orders than usual
	Without  []reconcile.QuietDay `json:"silent_stores,omitempty"` // stores without any, although they usually have some; at most 100
	SeenLate *SeenLate            `json:"seen_late,omitempty"`     // nil: no order became visible late
	Error    string               `json:"error,omitempty"`
	Problems []Problem            `json:"problems,omitempty"` // examples of bad rows
	Notes    []string             `json:"notes,omitempty"`
}

// SeenLate counts the orders that became visible in a source after a run had read
// their time, and how long after their completion at most (as Go writes durations).
type SeenLate struct {
	Orders  int    `json:"orders"`
	Longest string `json:"longest"`
}

// NumberShape is what some order numbers look like: letters as a, digits as 9.
type NumberShape struct {
	Shape   string `json:"shape"`
	Example string `json:"example"`
	Orders  int    `json:"orders"`
}

// CustomField is a custom field that orders have, and what stands in it: masked
// where it may be personal.
type CustomField struct {
	Name   string `json:"name"`
	Filled int    `json:"filled"`
	Sample string `json:"sample"`
}

// LeftOut is how many orders were not counted for one reason.
type LeftOut struct {
	Reason string `json:"reason"`
	Orders int    `json:"orders"`
}

// Problem is what is wrong with one row of a bad order.
type Problem struct {
	Shop   string `json:"shop,omitempty"`
	Order  string `json:"order,omitempty"`
	File   string `json:"file,omitempty"`
	Sheet  string `json:"sheet,omitempty"`
	Row    int    `json:"row,omitempty"`
	Column string `json:"column,omitempty"`
	Cell   string `json:"cell,omitempty"` // of a workbook
	Reason string `json:"reason"`
	Text   string `json:"text"`
}
