package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrOtherHeader is returned for a file in which a second header stands whose
// columns are in another order: what follows would be read as something else.
var ErrOtherHeader = errors.New("is another header, whose columns stand in another order; split the file there")

// totalWords begin the rows that spreadsheets and programs put below a table.
var totalWords = []string{"total", "totals", "grand total", "subtotal", "sub total", "sub-total", "sum", "sums", "overall",
	"summe", "gesamt", "gesamtsumme", "endsumme", "zwischensumme", "totaal", "subtotaal", "eindtotaal", "som",
	"totale", "somma", "somme", "total général", "sous-total", "suma", "razem", "summa", "yhteensä", "celkem", "összesen"}

// aside counts the rows of one file that are no orders.
type aside struct{ headers, totals rowCount }

// rowCount is how many rows there are of a kind, and which is the first.
type rowCount struct{ n, first int }

func (c *rowCount) add(row int) {
	if c.n++; c.n == 1 {
		c.first = row
	}
}

func (c rowCount) String() string {
	if c.n == 1 {
		return fmt.Sprintf("row %d", c.first)
	}
	return fmt.Sprintf("row %d and %d more", c.first, c.n-1)
}

// take counts a row that is no order, and reports whether it was one.
func (a *aside) take(b *binding, row Row) (bool, error) {
	switch again, err := b.isHeader(row); {
	case err != nil:
		return true, err
	case again:
		a.headers.add(row.Number)
		return true, nil
	case b.isTotal(row.Cells):
		a.totals.add(row.Number)
		return true, nil
	}
	return false, nil
}

// notes says what was left out of a file.
func (a *aside) notes(file string) (notes []string) {
	if a.headers.n > 0 {
		notes = append(notes, fmt.Sprintf("%s has its header again in %s: left out", file, a.headers))
	}
	if a.totals.n > 0 {
		notes = append(notes, fmt.Sprintf("%s has totals, no orders, in %s: left out", file, a.totals))
	}
	return notes
}

// isHeader reports whether the header stands again in a row, as where files
// were put behind each other.
func (b *binding) isHeader(row Row) (bool, error) {
	if len(b.used) < 2 || row.Cells[b.used[0]] == "" || !b.names[clean(row.Cells[b.used[0]])] {
		return false, nil
	}
	same := true
	for _, at := range b.used {
		text := clean(row.Cells[at])
		if !b.names[text] {
			return false, nil
		}
		same = same && text == clean(b.header.Columns[at])
	}
	if !same {
		return false, fmt.Errorf("read %s: row %d %w", b.header.File, row.Number, ErrOtherHeader)
	}
	return true, nil
}

// isTotal reports whether a row says that it is a sum: it has neither a time
// nor an article, and where its order number should stand, or else in the first
// cell that is no number, stands a word for it.
func (b *binding) isTotal(cells []string) bool {
	for _, field := range []int{rowCompleted, rowSKU} {
		for _, at := range b.slots[field].columns() {
			if cells[at] != "" && clean(cells[at]) != "" {
				return false
			}
		}
	}
	for _, at := range b.slots[rowOrder].columns() {
		if cell := clean(cells[at]); cell != "" {
			return totalWord(cell)
		}
	}
	for _, cell := range cells {
		if cell = clean(cell); cell != "" && (cell[0] < '0' || cell[0] > '9') {
			return totalWord(cell)
		}
	}
	return false
}

func totalWord(cell string) bool {
	return slices.Contains(totalWords, strings.ToLower(strings.Trim(cell, ":= ")))
}

// alone reports whether nothing but the order number stands in the mapped
// columns of a row.
func (b *binding) alone(cells []string) bool {
	for _, at := range b.used {
		if cells[at] != "" && !b.slots[rowOrder].reads([]int{at}) && clean(cells[at]) != "" {
			return false
		}
	}
	return true
}

// numberless finds words for a row without an order number.
func (b *binding) numberless(cells []string) string {
	filled, numbers := 0, 0
	for _, cell := range cells {
		if cell = clean(cell); cell == "" {
			continue
		}
		filled++
		if _, _, ok := bare(cell); ok {
			numbers++
		}
	}
	if filled > 0 && filled == numbers {
		return "the row has no order number, and nothing but numbers; are they totals? leave them out of the export"
	}
	return "the row has no order number"
}
