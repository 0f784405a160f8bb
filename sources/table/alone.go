package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"makegood/reconcile"
)

// Habits are how the files of a source write numbers and dates, where the
// settings do not say it: "" where nobody had to know. They go with rows to
// fix, which alone may not show them.
type Habits struct {
	Decimal, DateFormat string
	// Rows is how many rows to fix were written; 0: nobody knows.
	Rows int
}

// The check column's name is followed by the habits of the table.
const (
	habitRows    = "; rows "
	habitDecimal = "; decimal "
	habitDates   = "; dates "
)

// FixColumns are the names of the columns behind MarkColumns among rows to fix.
func FixColumns(h Habits) []string {
	check := CheckColumn
	if h.Rows > 0 {
		check += habitRows + strconv.Itoa(h.Rows)
	}
	if h.Decimal != "" {
		check += habitDecimal + h.Decimal
	}
	if h.DateFormat != "" {
		check += habitDates + h.DateFormat
	}
	return []string{RowColumn, check}
}

// FixCells go into FixColumns.
func (m RowMark) FixCells() []string {
	return []string{strconv.Itoa(m.Row), m.Sums.String()}
}

// Gone says that rows to fix were deleted, of which so many are left; "" where
// none were.
func (h *Habits) Gone(left int) string {
	if h == nil || left >= h.Rows {
		return ""
	}
	return fmt.Sprintf("%d of %d rows to fix were deleted; what they say is still read from the table where it is there, "+
		"and their orders lack them where it is not", h.Rows-left, h.Rows)
}

// isCheck reports whether a column has checksums.
func isCheck(name string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(name), CheckColumn)
	return ok && (rest == "" || rest[0] == ';')
}

// Unresolved stands among rows to fix in the place of a formula that has no
// result: the text of an error of spreadsheets, which is never read as a value.
const Unresolved = "#GETTING_DATA"

// CheckAt is where the column of checksums is, -1: there is none.
func CheckAt(columns []string) int { return slices.IndexFunc(columns, isCheck) }

// ToFix gives how the table was read that rows to fix are from; nil where the
// columns are those of no rows to fix.
func ToFix(columns []string) *Habits {
	at := CheckAt(columns)
	if at < 0 && !HasColumn(columns, RowColumn) {
		return nil
	}
	h := &Habits{}
	if at >= 0 {
		rest := strings.TrimPrefix(strings.TrimSpace(columns[at]), CheckColumn)
		rest, h.DateFormat, _ = strings.Cut(rest, habitDates)
		rest, h.Decimal, _ = strings.Cut(rest, habitDecimal)
		h.Rows, _ = strconv.Atoi(strings.TrimPrefix(rest, habitRows)) // 0 where it is not said
	}
	return h
}

// corrected fails an order of rows to fix that nobody has touched. What was
// wrong with it may not be seen in its rows alone.
func (p *pass) corrected(part *partial) {
	if !part.touched && len(part.faults) == 0 {
		part.fail(problem{part.place0(), fault{"", reconcile.ReasonNotCorrected,
			"none of the rows of this order was corrected here; correct it, or give the whole file back"}})
	}
}

// wholeOnly says why an order is corrected in its whole file alone, because its
// rows by themselves would not mean the same; "" where they do.
func (s *Source) wholeOnly(t Told, several map[reconcile.OrderKey]bool) string {
	_, tainted := s.taints[t.number]
	switch {
	case t.Met != MetOrder:
		return "nobody knows which order the row belongs to"
	case t.Damaged:
		return "nobody knows which order the row belongs to"
	case several[t.Key]:
		return "its rows stand in several files or sheets"
	case tainted && s.mapping.composed():
		return "another row with this number does not say which order it belongs to"
	case s.reversed[t.Key.Order], s.reversed[t.number]:
		return "another order undoes it"
	case s.cfg.MatchReversals == "hold":
		return "a credit note there may undo it (match_reversals: hold)"
	}
	return ""
}

// aloneAmong refuses rows to fix beside the files that they are from, where
// the rows of an order are added up over files.
func (s *Source) aloneAmong(h *Header) error {
	if h.Alone == nil || !s.parts() || len(s.of) < 2 {
		return nil
	}
	return fmt.Errorf("%s holds rows to fix, and stands among files whose orders are added up (files: parts): its rows would count twice; "+
		"correct them in their own file, and take this one away", h.File)
}
