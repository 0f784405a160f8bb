package table

import (
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

// cellErrors are what spreadsheets show where a formula came to nothing. As
// texts they are found in what was exported, too.
var cellErrors = []string{"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!",
	"#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#GETTING_DATA", "#PYTHON!", "#EXTERNAL!",
	"#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#VERW!", "#WAARDE!", "#GETAL!", "#N/B", "#DEEL/0!", "#NAAM?"}

// cellError reports whether a cell holds one of them, in the words of English,
// German or Dutch programs.
func cellError(text string) bool {
	return text != "" && text[0] == '#' && slices.Contains(cellErrors, strings.ToUpper(text))
}

// distrust names the mapped cells of a row that are not what they seem to be.
func (b *binding) distrust(row Row, add func(at int, text string)) {
	for _, f := range row.Faults {
		if _, mapped := slices.BinarySearch(b.used, f.At); mapped && (!f.Number || slices.Contains(b.numeric, f.At)) {
			text := f.Text
			if value := clean(row.Cells[f.At]); value != "" {
				text = shape(value) + ": " + text
			}
			add(f.At, text)
		}
	}
	for _, at := range b.used {
		if cell := row.Cells[at]; cell != "" && cell[0] == '#' && cellError(clean(cell)) {
			add(at, fmt.Sprintf("%q is an error of a spreadsheet; mend its formula, or empty the cell", clean(cell)))
		}
	}
}

// distrust notes what is wrong with cells of the row at hand, and whether the
// row's values can be read nevertheless.
func (p *pass) distrust(row Row) (trusted bool) {
	p.spoiled = p.spoiled[:0]
	p.bound.distrust(row, func(at int, text string) {
		p.spoiled = append(p.spoiled, at)
		p.row.add(clean(row.Header.Columns[at]), reconcile.ReasonBadValue, text)
	})
	return len(p.spoiled) == 0
}

// reads reports whether a field is made of one of the columns.
func (s *slot) reads(columns []int) bool {
	return slices.Contains(columns, s.at) || slices.ContainsFunc(s.args, func(at int) bool { return slices.Contains(columns, at) })
}

// nameless reports whether cells of the row that cannot be trusted say which
// order it is of.
func (p *pass) nameless() bool {
	fields := []int{rowOrder}
	if p.m.composed() {
		fields = append(fields, rowStore, rowTill, rowCompleted)
	}
	return slices.ContainsFunc(fields, func(field int) bool { return p.bound.slots[field].reads(p.spoiled) })
}
