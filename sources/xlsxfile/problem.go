package xlsxfile

import (
	"errors"
	"fmt"
	"strings"

	"makegood/sources/internal/near"
)

// What can be wrong with a workbook as a whole. The errors of this package
// wrap them and say more.
var (
	// ErrPassword is returned when a workbook is protected and no password,
	// or the wrong one, was given.
	ErrPassword = errors.New("is protected with a password")
	// ErrNoWorkbook is returned for a file that is something else.
	ErrNoWorkbook = errors.New("is not an XLSX workbook")
	// ErrTooLarge is returned before anything that is larger than a workbook
	// can sensibly be is unpacked or kept.
	ErrTooLarge = errors.New("is too large")
	// ErrDamaged is returned when a part of the workbook cannot be read, so
	// that rows would be missing.
	ErrDamaged = errors.New("is damaged")
	// ErrEmpty is returned for a file of no bytes and for sheets of no rows.
	ErrEmpty = errors.New("is empty")
)

// SheetError says that a wanted sheet is not in the workbook.
type SheetError struct {
	Want    string
	Have    []string // all sheets, in the order of the workbook
	Nearest string   // the one that was probably meant, or ""
}

func newSheetError(want string, have []string) *SheetError {
	return &SheetError{Want: want, Have: have, Nearest: near.Name(want, have)}
}

// Error names the sheets that there are, and the nearest.
func (e *SheetError) Error() string {
	quoted := make([]string, len(e.Have))
	for i, name := range e.Have {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	text := fmt.Sprintf("has no sheet %q; its sheets are %s", e.Want, strings.Join(quoted, ", "))
	if e.Nearest != "" {
		text += fmt.Sprintf(" (did you mean %q?)", e.Nearest)
	}
	return text
}

// catch turns a panic of the library, which foreign files can cause, into an
// error. It is deferred.
func catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: reading it stopped with: %v", ErrDamaged, p)
	}
}
