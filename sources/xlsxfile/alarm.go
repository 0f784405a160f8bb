package xlsxfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/xuri/excelize/v2"
)

// alarm tells the end of a sheet from a fault in it. The library's iterator
// stops at both without an error, and gives the cells before the fault as a
// whole row: half an order would pass for an order. Its XML decoder remembers
// the fault in fields that only reflection reaches; they are read, never set.
type alarm struct {
	err  reflect.Value // of the decoder: nil until it stops
	open reflect.Value // of the decoder: the innermost element not yet closed
}

var errNoAlarm = errors.New("find the decoder of this version of the workbook library")

func newAlarm(rows *excelize.Rows) (alarm, error) {
	decoder := reflect.ValueOf(rows).Elem().FieldByName("decoder")
	if !decoder.IsValid() || decoder.Type() != reflect.TypeFor[*xml.Decoder]() || decoder.IsNil() {
		return alarm{}, errNoAlarm
	}
	a := alarm{err: decoder.Elem().FieldByName("err"), open: decoder.Elem().FieldByName("stk")}
	if !a.err.IsValid() || a.err.Kind() != reflect.Interface || !a.open.IsValid() || a.open.Kind() != reflect.Pointer {
		return alarm{}, errNoAlarm
	}
	return a, nil
}

// fault is what stopped the decoder, nil when nothing did or the sheet was
// read to its end.
func (a alarm) fault() error {
	if a.err.IsNil() {
		return nil
	}
	cause := a.err.Elem()
	switch {
	case cause.Type() == reflect.TypeFor[*xml.SyntaxError]():
		return fmt.Errorf("%w: its content cannot be read on: %s", ErrDamaged, cause.Elem().FieldByName("Msg"))
	case cause.Type() == reflect.TypeOf(io.EOF) && cause.Pointer() == reflect.ValueOf(io.EOF).Pointer():
		if a.open.IsNil() {
			return nil
		}
		return fmt.Errorf("%w: its content ends in the middle", ErrDamaged)
	}
	return fmt.Errorf("%w: its content cannot be read on", ErrDamaged)
}
