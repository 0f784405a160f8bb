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

// difference is a change on its way into the journal: the columns of a row, or
// those of them that are different, with their texts.
type difference struct {
	table   string
	key     []string
	whole   bool
	columns []column
	texts   []string
}

// changed tells how before, the zero value where there was nothing, became
// after. ok is false when nothing did.
func (s seal) changed(before, after any) (d difference, ok bool) {
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	columns := shapes[is.Type()]
	d = difference{table: tableOf(after), whole: was.IsZero(), columns: make([]column, 0, len(columns)), texts: make([]string, 0, len(columns))}
	for _, col := range columns {
		switch col.how {
		case "key":
			d.key = append(d.key, textOf(is.Field(col.index)))
			continue
		case "-":
			continue
		}
		now := s.journalled(col, is.Field(col.index))
		if d.whole && now != "" || !d.whole && now != s.journalled(col, was.Field(col.index)) {
			d.columns, d.texts = append(d.columns, col), append(d.texts, now)
		}
	}
	return d, d.whole || len(d.columns) > 0
}

// row is a whole row as the journal would read it.
func (d difference) row() change {
	c := change{Table: d.table, Key: d.key, Whole: make(map[string]string, len(d.columns))}
	for i, col := range d.columns {
		c.Whole[col.name] = d.texts[i]
	}
	return c
}

// line is the difference as a line of the journal, which reads as a change.
func (d difference) line() []byte {
	b := append(appendText(append(make([]byte, 0, 512), `{"t":`...), d.table), `,"k":[`...)
	for i, text := range d.key {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, text)
	}
	b = append(b, ']')
	for i, col := range d.columns {
		switch {
		case i > 0:
			b = append(b, ',')
		case d.whole:
			b = append(b, `,"w":{`...)
		default:
			b = append(b, `,"s":{`...)
		}
		b = appendText(append(appendText(b, col.name), ':'), d.texts[i])
	}
	if len(d.columns) > 0 {
		b = append(b, '}')
	}
	return append(b, "}\n"...)
}

// appendText writes a text as JSON.
func appendText(b []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // of a text it cannot fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
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
		return valid(v.String())
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
