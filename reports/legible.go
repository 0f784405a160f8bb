package reports

import (
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How many characters of a text people are shown, the mark of the cut included.
const (
	maxName = 100
	maxText = 1000
	cutMark = "…"
)

// sentences are the fields that hold a text; all others are names.
var sentences = []string{"Command", "Error", "Stopped", "Text", "Notes", "Note", "Path", "Accepted"}

// legible is the report as people are shown it, in every form but JSON: what
// files, platforms and persons have written is legible, and cut with a mark
// where it is longer than anybody reads. Doing it twice changes nothing.
func (r Report) legible() Report {
	return legibleValue(reflect.ValueOf(r), maxName).Interface().(Report)
}

// legibleValue copies a value with all its texts made legible.
func legibleValue(v reflect.Value, limit int) reflect.Value {
	made := reflect.New(v.Type()).Elem()
	made.Set(v)
	switch v.Kind() {
	case reflect.String:
		made.SetString(legibleText(v.String(), limit))
	case reflect.Pointer:
		if !v.IsNil() {
			made.Set(reflect.New(v.Type().Elem()))
			made.Elem().Set(legibleValue(v.Elem(), limit))
		}
	case reflect.Slice:
		made.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			made.Index(i).Set(legibleValue(v.Index(i), limit))
		}
		if v.IsNil() {
			made.SetZero()
		}
	case reflect.Map:
		legibleMap(made, v, limit)
	case reflect.Struct:
		legibleStruct(made, v, limit)
	}
	return made
}

func legibleMap(made, v reflect.Value, limit int) {
	if v.IsNil() {
		return
	}
	made.Set(reflect.MakeMap(v.Type()))
	for _, key := range v.MapKeys() {
		made.SetMapIndex(legibleValue(key, maxName), legibleValue(v.MapIndex(key), limit))
	}
}

func legibleStruct(made, v reflect.Value, limit int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		most := limit
		if slices.Contains(sentences, field.Name) {
			most = maxText
		}
		made.Field(i).Set(legibleValue(v.Field(i), most))
	}
}

// legibleText drops what changes how the text around it is shown: control
// characters, among them those of terminals, and signs of direction. It keeps
// at most limit characters.
func legibleText(text string, limit int) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\r', c == '\t', c == '\u2028', c == '\u2029':
			return ' '
		case unicode.IsControl(c), unicode.In(c, unicode.Bidi_Control, unicode.Noncharacter_Code_Point), c == '\ufeff', c >= 0xE0000 && c < 0xE0080:
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + cutMark
}
