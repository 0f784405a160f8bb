package capture

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Sign is how a field of two payloads compares.
type Sign string

// The signs.
const (
	Same      Sign = "same"       // in both, with one value
	OtherText Sign = "value"      // in both, with two values
	OtherType Sign = "type"       // in both, as different types: text and number, say
	OnlyThere Sign = "only_there" // in the captured one alone
	OnlyHere  Sign = "only_here"  // in ours alone
)

// Field is one field of two payloads. Values are JSON, "" where it is missing.
type Field struct {
	Path        string // payload.cart[].item: what lists hold stands under one path
	Sign        Sign
	There, Here string
}

// Compare puts two payloads side by side, each field once, sorted by path. Lists
// are compared whatever their order: by the texts of what they hold.
func Compare(there, here any) []Field {
	a, b := flatten(there), flatten(here)
	all := maps.Clone(a)
	maps.Copy(all, b)
	var fields []Field
	for _, path := range slices.Sorted(maps.Keys(all)) {
		fields = append(fields, compare(path, a[path], b[path]))
	}
	return fields
}

func compare(path string, there, here []any) Field {
	f := Field{Path: path, There: texts(there), Here: texts(here)}
	switch {
	case here == nil:
		f.Sign = OnlyThere
	case there == nil:
		f.Sign = OnlyHere
	case kind(there) != kind(here):
		f.Sign = OtherType
	case f.There == f.Here:
		f.Sign = Same
	default:
		f.Sign = OtherText
	}
	return f
}

// flatten lists the values under each path.
func flatten(value any) map[string][]any {
	found := map[string][]any{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), inner)
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
		default:
			found[path] = append(found[path], v)
		}
	}
	walk("", value)
	return found
}

// texts are values as JSON, sorted, one after the other.
func texts(values []any) string {
	var list []string
	for _, v := range values {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			continue
		}
		list = append(list, strings.TrimSpace(text.String()))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// kind names the JSON type of values; of several types, the first.
func kind(values []any) string {
	switch values[0].(type) {
	case string:
		return "text"
	case json.Number, float64:
		return "number"
	case bool:
		return "bool"
	}
	return "null"
}
