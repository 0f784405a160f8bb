package ledger

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// A change is what the journal keeps of one row that was written: a line of
// JSON. Values are text: numbers in decimal, truth as 1, bytes in hexadecimal;
// what is zero, empty or absent is left out.
type change struct {
	Table string            `json:"t"`
	Key   []string          `json:"k"`
	Whole map[string]string `json:"w,omitempty"` // the row, where it is new or replaced
	Set   map[string]string `json:"s,omitempty"` // what is different; empty text: gone
	Gone  bool              `json:"d,omitempty"` // the row was deleted
}

// The rows of every table are structs whose fields carry the column's name as
// `db`, and where it matters how the journal sees it:
//
//	journal:"key"    part of the row's key
//	journal:"sealed" kept as a keyed hash: it must be forgotten in time
//	journal:"hash"   kept as a hash: it is long
//	journal:"-"      not kept
type column struct {
	name  string
	index int
	how   string
}

// shapes holds the columns of every table's row.
var shapes = shapesOf(metaRow{}, runRow{}, row{}, attempt{}, coverageRow{}, evidenceRow{}, shopRow{}, decisionRow{}, prunedRow{}, wordRow{}, sourceDayRow{}, slotRow{}, journalRow{})

func shapesOf(rows ...any) map[reflect.Type][]column {
	all := map[reflect.Type][]column{}
	for _, r := range rows {
		t := reflect.TypeOf(r)
		for i := range t.NumField() {
			tag := t.Field(i).Tag
			all[t] = append(all[t], column{tag.Get("db"), i, tag.Get("journal")})
		}
	}
	return all
}

// tableOf names the table that a row belongs to.
func tableOf(row any) string { return row.(interface{ table() string }).table() }

// changed tells how before, the zero value where there was nothing, became
// after. ok is false when nothing did.
func (s seal) changed(before, after any) (c change, ok bool) {
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	c = change{Table: tableOf(after)}
	columns := shapes[is.Type()]
	fresh := was.IsZero()
	set := make(map[string]string, len(columns))
	for _, col := range columns {
		switch col.how {
		case "key":
			c.Key = append(c.Key, textOf(is.Field(col.index)))
			continue
		case "-":
			continue
		}
		now := s.journalled(col, is.Field(col.index))
		if fresh && now != "" || !fresh && now != s.journalled(col, was.Field(col.index)) {
			set[col.name] = now
		}
	}
	if fresh {
		c.Whole = set
		return c, true
	}
	c.Set = set
	return c, len(set) > 0
}

// gone is the change that deletes a row.
func (s seal) gone(row any) change {
	c := change{Table: tableOf(row), Gone: true}
	v := reflect.ValueOf(row)
	for _, col := range shapes[v.Type()] {
		if col.how == "key" {
			c.Key = append(c.Key, textOf(v.Field(col.index)))
		}
	}
	return c
}

// journalled is a value as the journal keeps it.
func (s seal) journalled(col column, v reflect.Value) string {
	text := textOf(v)
	switch {
	case text == "":
	case col.how == "sealed":
		return hex.EncodeToString(s.sum([]byte(col.name + "\x00" + text))[:hashSize])
	case col.how == "hash":
		return hashText(text)
	}
	return text
}

// textOf is a value's one text, empty for what is zero.
func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
		if v.Kind() == reflect.Int64 && v.Int() == 0 {
			return "0" // something else than absent
		}
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int64:
		if v.Int() == 0 {
			return ""
		}
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		if v.Bool() {
			return "1"
		}
		return ""
	case reflect.Slice:
		return hex.EncodeToString(v.Bytes())
	}
	panic(fmt.Sprintf("the journal has no text for %s", v.Type()))
}

// zeroOf is the zero value of a row's type.
func zeroOf(row any) any { return reflect.Zero(reflect.TypeOf(row)).Interface() }

// line is the change as a line of the journal.
func (c change) line() ([]byte, error) {
	text, err := json.Marshal(c)
	return append(text, '\n'), err
}
