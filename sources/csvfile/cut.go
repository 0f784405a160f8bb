package csvfile

import (
	"bytes"
	"strings"

	"makegood/sources/table"
)

// cutter cuts a record into its cells as they are written.
type cutter struct {
	delimiter string
	equals    bool // values are written as ="0012"
	defused   bool // apostrophes stand before formulas already
}

// cut gives the cells of a record, quotes and all.
func (c cutter) cut(record []byte) (cells [][]byte) {
	delimiter := []byte(c.delimiter)
	for {
		end := c.end(record)
		next := bytes.Index(record[end:], delimiter)
		if next < 0 {
			return append(cells, record)
		}
		cells = append(cells, record[:end+next])
		record = record[end+next+len(delimiter):]
	}
}

// end is where the quoted part at the begin of a cell ends; 0: there is none.
func (c cutter) end(cell []byte) int {
	at := 0
	if c.equals && bytes.HasPrefix(cell, []byte(`="`)) {
		at = 1
	}
	if at >= len(cell) || cell[at] != '"' {
		return 0
	}
	for at++; at < len(cell); at++ {
		if cell[at] != '"' {
			continue
		}
		if at++; at == len(cell) || cell[at] != '"' {
			return at
		}
	}
	return len(cell)
}

// harmless gives a cell that no spreadsheet executes. ="0012", a text that
// keeps its zeros, stays where the file is written so.
func (c cutter) harmless(cell []byte) []byte {
	if len(cell) == 0 {
		return cell
	}
	if c.equals && bytes.HasPrefix(cell, []byte(`="`)) && c.end(cell) == len(cell) {
		return cell
	}
	value, quote := string(cell), ""
	if cell[0] == '"' {
		value, quote = strings.ReplaceAll(strings.TrimSuffix(value[1:], `"`), `""`, `"`), `"`
	}
	if table.Defuse(value) == value || c.defused && table.Restore(value) != value {
		return cell
	}
	return append([]byte(quote+"'"), cell[len(quote):]...)
}

// quoted writes a cell.
func (c cutter) quoted(text string) []byte {
	if strings.Contains(text, c.delimiter) || strings.ContainsAny(text, "\"\r\n") {
		text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return []byte(text)
}
