package table

import (
	"fmt"
	"strings"

	"makegood/sources/internal/near"
)

// MissingColumn says that something in the configuration names a column that
// a file does not have.
type MissingColumn struct {
	File, Sheet string
	Column      string   // the name that is not there
	UsedBy      string   // the key that names it, such as columns.sku
	Columns     []string // those that are there
}

// Error names the column, the nearest one and those that exist.
func (e *MissingColumn) Error() string {
	place := e.File
	if e.Sheet != "" {
		place += ", " + e.Sheet
	}
	text := fmt.Sprintf("%s has no column %q, which %s names", place, e.Column, e.UsedBy)
	if k := near.Name(e.Column, e.Columns); k != "" {
		text += fmt.Sprintf(" (did you mean %q?)", k)
	}
	shown := e.Columns[:min(len(e.Columns), 100)]
	text += "; it has: " + strings.Join(shown, ", ")
	if len(shown) < len(e.Columns) {
		text += fmt.Sprintf(" and %d more", len(e.Columns)-len(shown))
	}
	return text
}

// RepeatedColumn says that a column is wanted whose name stands twice in a
// header: nobody can know which is meant.
type RepeatedColumn struct {
	File, Sheet, Column, UsedBy string
}

// Error names the column.
func (e *RepeatedColumn) Error() string {
	place := e.File
	if e.Sheet != "" {
		place += ", " + e.Sheet
	}
	return fmt.Sprintf("%s has the column %q twice, which %s names; rename one of them", place, e.Column, e.UsedBy)
}
