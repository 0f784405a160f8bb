package outfile

import (
	"bytes"
	"encoding/csv"
	"strings"
)

// CSVLine is one line of a CSV file, with its line end. Each value becomes one
// cell of that line: line ends and other control characters are blanks in it.
// What a spreadsheet would work out as a formula gets an apostrophe in front,
// as spreadsheets themselves write text; plain numbers stay as they are.
func CSVLine(values []string) []byte {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = harmless(v)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(cells) // a buffer takes everything
	w.Flush()
	return b.Bytes()
}

// CSVCell reads one cell of a line that CSVLine made; "" where there is none.
func CSVCell(line []byte, column int) string {
	r := csv.NewReader(bytes.NewReader(line))
	r.FieldsPerRecord = -1
	cells, err := r.Read()
	if err != nil || column >= len(cells) {
		return ""
	}
	return cells[column]
}

func harmless(value string) string {
	begins := value
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, value)
	// A spreadsheet skips blanks before it looks for a formula.
	first := strings.TrimLeft(value, " \u00a0\ufeff")
	formula := first != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(first)[0])
	if strings.HasPrefix(begins, "\t") || strings.HasPrefix(begins, "\r") || formula && !isNumber(value) {
		return "'" + value
	}
	return value
}

// isNumber takes a plain decimal, as amounts are written.
func isNumber(text string) bool {
	text = strings.TrimPrefix(text, "-")
	whole, rest, point := strings.Cut(text, ".")
	return isDigits(whole) && (!point || isDigits(rest))
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
