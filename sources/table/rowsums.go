package table

import (
	"fmt"
	"strconv"
	"strings"
)

// RowSums are checksums over the texts of a row: over all columns with names,
// and over those that are read; 0: these are not known. Blanks around texts,
// blank cells at the end, formulas without a result and the form of line ends
// make no difference. They stand in files and stay the same for ever.
type RowSums struct{ All, Read uint64 }

// Sums are those of a row with these columns.
func (h *Header) Sums(cells []string) (s RowSums) {
	n := len(h.Columns)
	for n > 0 && strings.TrimSpace(h.Columns[n-1]) == "" {
		n--
	}
	all := newRowSum()
	for _, cell := range cells[:min(n, len(cells))] {
		all.add(cell)
	}
	if s.All = all.hash; h.Read == nil {
		return s
	}
	read := newRowSum()
	for _, at := range h.Read {
		if at < len(cells) {
			read.add(cells[at])
		}
	}
	s.Read = read.hash
	return s
}

// Same reports whether a row is the same: another value in a column that is not
// read, such as that of a formula about today, does not make it another one.
func (s RowSums) Same(o RowSums) bool {
	return s.All == o.All || s.Read != 0 && s.Read == o.Read
}

// String is how sums stand in files: no program takes it for a number.
func (s RowSums) String() string { return fmt.Sprintf("k%x-%x", s.All, s.Read) }

// ParseSums reads what String gives.
func ParseSums(text string) (s RowSums, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "k")
	all, read, cut := strings.Cut(rest, "-")
	var err1, err2 error
	s.All, err1 = strconv.ParseUint(all, 16, 64)
	s.Read, err2 = strconv.ParseUint(read, 16, 64)
	return s, ok && cut && err1 == nil && err2 == nil
}

// Untouched reports whether a row to fix, with these cells, is still as it was
// written: check is what stands in its column.
func (h *Header) Untouched(check string, cells []string) bool {
	before, ok := ParseSums(check)
	return ok && before.Same(h.Sums(cells))
}

// rowSum is FNV-1a over texts, with a zero byte before each but those at the
// end that are blank.
type rowSum struct {
	hash   uint64
	blanks int
}

func newRowSum() rowSum { return rowSum{hash: 14695981039346656037} }

func (s *rowSum) add(cell string) {
	if cell = strings.TrimSpace(cell); cell == "" || cell == Unresolved {
		s.blanks++
		return
	}
	for ; s.blanks > 0; s.blanks-- {
		s.byte(0)
	}
	s.blanks = 1
	for i := range len(cell) {
		if cell[i] != '\r' || i+1 == len(cell) || cell[i+1] != '\n' {
			s.byte(cell[i])
		}
	}
}

func (s *rowSum) byte(b byte) { s.hash = (s.hash ^ uint64(b)) * 1099511628211 }
