package reports

import (
	"strings"
	"unicode/utf8"

	"makegood/reconcile"
)

// cells are the columns of a table after the label; a row may have several
// lines, one for each currency.
type cells struct {
	paint paint
	label string
	cols  [3]string
	more  []string // money of further currencies
}

func (t *terminal) table(target Target) {
	table := []cells{{bold, target.title(), [3]string{"orders", "messages", "money"}, nil}}
	notes := map[int]string{} // text below a row, by its index
	for _, row := range target.rows() {
		sign := "    "
		if row.Mark != "" {
			sign = "  " + row.Mark + " "
		}
		table = append(table, countCells(bucketPaint(row), sign+row.Label, row.Count))
		for _, reason := range row.Reasons {
			c := countCells(dim, "      "+reason.Label, reason.Count)
			if reason.OrdersOnly {
				c.cols[1], c.cols[2] = "", ""
			}
			table = append(table, c)
			if reason.Look && len(reason.Examples) > 0 {
				notes[len(table)-1] = exampleWords(reason.Examples)
			}
		}
	}
	t.align(table, notes)
}

// align writes a table: labels on the left, numbers on the right.
func (t *terminal) align(table []cells, notes map[int]string) {
	label, widths := 0, [3]int{}
	for _, c := range table {
		label = max(label, utf8.RuneCountInString(c.label))
		for i, text := range append(c.cols[:], c.more...) {
			i = min(i, len(widths)-1)
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for i, c := range table {
		line := padded(c.label, -label)
		for j, text := range c.cols {
			line += "  " + padded(text, widths[j])
		}
		t.line(c.paint, strings.TrimRight(line, " "))
		for _, money := range c.more {
			t.line(c.paint, strings.Repeat(" ", label+widths[0]+widths[1]+6)+padded(money, widths[2]))
		}
		if notes[i] != "" {
			t.fold(dim, "        ", notes[i])
		}
	}
}

// padded fills text with blanks to width columns, on its left; on its right
// when width is negative.
func padded(text string, width int) string {
	left := width > 0
	if !left {
		width = -width
	}
	blanks := strings.Repeat(" ", max(width-utf8.RuneCountInString(text), 0))
	if left {
		return blanks + text
	}
	return text + blanks
}

func countCells(p paint, label string, c Count) cells {
	row := cells{p, label, [3]string{number(c.Orders), number(c.Events), "-"}, nil}
	for i, currency := range currencies(c.Money) {
		text := amountText(c.Money[currency], currency)
		if i == 0 {
			row.cols[2] = text
		} else {
			row.more = append(row.more, text)
		}
	}
	return row
}

func bucketPaint(r row) paint {
	if r.Count.Events == 0 {
		return plain
	}
	switch r.Bucket {
	case reconcile.BucketSent:
		return green
	case reconcile.BucketRefused:
		return red
	case reconcile.BucketInDoubt:
		return yellow
	}
	return plain
}
