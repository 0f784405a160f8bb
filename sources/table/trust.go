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
func (b *binding) distrust(row Row, add func(at int, use Use, text string)) {
	for _, f := range row.Faults {
		if !slices.Contains(b.usedAs(f.For), f.At) {
			continue
		}
		text := f.Text
		if value := clean(row.Cells[f.At]); value != "" {
			text = shape(value) + " " + text
		}
		add(f.At, f.For, text)
	}
	for _, at := range b.used {
		if cell := row.Cells[at]; cell != "" && cell[0] == '#' && cellError(clean(cell)) {
			add(at, AnyUse, fmt.Sprintf("%q is an error of a spreadsheet; mend its formula, or empty the cell", clean(cell)))
		}
	}
}

// usedAs lists the columns that are read in a way.
func (b *binding) usedAs(use Use) []int {
	switch use {
	case AsNumber:
		return b.numeric
	case AsID:
		return b.ids
	}
	return b.used
}

// distrust notes what is wrong with cells of the row at hand, and whether the
// row's values can be read nevertheless.
func (p *pass) distrust(row Row) (trusted bool) {
	p.spoiled = p.spoiled[:0]
	p.bound.distrust(row, func(at int, use Use, text string) {
		reason := reconcile.ReasonDamagedID // the order is known by it all the same
		if use != AsID {
			reason, p.spoiled = reconcile.ReasonBadValue, append(p.spoiled, at)
		}
		p.row.add(clean(row.Header.Columns[at]), reason, text)
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
