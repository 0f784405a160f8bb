package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The fields of the structs say with tags what the file may hold:
//
//	yaml      the key; "-" and fields without it are not in the file
//	default   the text that stands for a missing key (of a list: its elements, separated by blanks)
//	required  the key must be there; the text says what to write
//	enum      the values that are allowed, separated by blanks
//	later     values that are known but not built yet
//	for       the values of the key type that the key goes with
//	need      the values of the key type that cannot do without the key

// planned are keys of later versions. Without them somebody who follows the documents is told of a slip.
const planned = "mail_after edited_suffix " +
	"sheets keep_plans keep_uploads"

// shaped is a value that the file writes in more than one form.
type shaped interface {
	shape(d *document, path string, n *yaml.Node)
}

// inferred is a struct that works out missing keys from others.
type inferred interface{ infer() }

// decode puts n into v. What does not fit is reported and leaves v as it was.
func (d *document) decode(path string, n *yaml.Node, v reflect.Value, tag reflect.StructTag) {
	d.values[path] = n
	d.note(path, n, v, tag)
	switch {
	case d.broken[n]:
	case n.Tag == "!!null":
		d.fail(path, "%s has no value; write one or take the key out", path)
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.decode(path, n, p.Elem(), tag)
		if n.Kind == yaml.MappingNode || !d.failed(path) {
			v.Set(p)
		}
	case isShaped(v):
		v.Addr().Interface().(shaped).shape(d, path, n)
	case isText(v):
		d.text(path, n, v, tag)
	case v.Kind() == reflect.Struct && d.is(path, n, yaml.MappingNode):
		d.structure(path, n, v)
	case v.Kind() == reflect.Map && d.is(path, n, yaml.MappingNode):
		d.table(path, n, v)
	case v.Kind() == reflect.Slice && d.is(path, n, yaml.SequenceNode):
		d.list(path, n, v, tag)
	}
}

// is reports a value of the wrong shape, without showing it.
func (d *document) is(path string, n *yaml.Node, want yaml.Kind) bool {
	if n.Kind == want {
		return true
	}
	d.fail(path, "%s must be %s, not %s", path, shapes[want], shapes[n.Kind])
	return false
}

var shapes = map[yaml.Kind]string{
	yaml.ScalarNode:   "one value",
	yaml.SequenceNode: "a list, as in [a, b]",
	yaml.MappingNode:  "keys with values, as in {a: b}",
}

// text fills one value.
func (d *document) text(path string, n *yaml.Node, v reflect.Value, tag reflect.StructTag) {
	switch {
	case !d.is(path, n, yaml.ScalarNode):
	case n.Value == "":
		d.fail(path, "%s is empty; write a value or take the key out", path)
	case !d.allowed(path, n.Value, tag):
	default:
		if err := setText(v, n.Value); err != nil {
			d.fail(path, "%s: %s is %v", path, d.quote(path), err)
		}
	}
}

// allowed reports a value that is not in the enumeration of its key.
func (d *document) allowed(path, value string, tag reflect.StructTag) bool {
	if tag.Get("enum") == "" {
		return true
	}
	known := strings.Fields(tag.Get("enum"))
	if slices.Contains(known, value) {
		return true
	}
	if slices.Contains(strings.Fields(tag.Get("later")), value) {
		d.fail(path, "%s: %q is not built yet; use one of %s", path, value, listed(known))
		return false
	}
	hint := ""
	if k, ok := nearest(value, known); ok {
		hint = fmt.Sprintf(" did you mean %q?", k)
	}
	d.fail(path, "%s: %s is not known;%s allowed are %s", path, d.quote(path), hint, listed(known))
	return false
}

// list fills a slice; an element that stands twice is a slip.
func (d *document) list(path string, n *yaml.Node, v reflect.Value, tag reflect.StructTag) {
	out := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	seen := map[string]bool{}
	for i, child := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(at, child, element, tag)
		if element.Kind() == reflect.String && seen[child.Value] {
			d.fail(at, "%s: %s stands twice in the list", path, d.quote(at))
		}
		seen[child.Value] = true
		out = reflect.Append(out, element)
	}
	v.Set(out)
}

// table fills a map from names to values.
func (d *document) table(path string, n *yaml.Node, v reflect.Value) {
	out := reflect.MakeMap(v.Type())
	d.entries(path, n, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(under(path, key.Value), value, element, "")
		if element.Kind() != reflect.Pointer || !element.IsNil() {
			out.SetMapIndex(reflect.ValueOf(key.Value), element)
		}
	})
	v.Set(out)
}

// structure fills the fields of v, reports unknown and missing keys, and sets defaults.
func (d *document) structure(path string, n *yaml.Node, v reflect.Value) {
	fields := fieldsOf(v.Type())
	d.entries(path, n, func(key, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag.Get("yaml") == key.Value })
		if i < 0 {
			d.unknown(path, key, fields)
			return
		}
		d.decode(under(path, key.Value), value, v.FieldByIndex(fields[i].Index), fields[i].Tag)
	})
	for _, f := range fields {
		if !d.given(under(path, f.Tag.Get("yaml"))) {
			d.missing(path, f, v.FieldByIndex(f.Index))
		}
	}
	if s, ok := v.Addr().Interface().(inferred); ok {
		s.infer()
	}
	d.fitting(path, v, fields)
}

// entries calls visit for each key of a mapping, once.
func (d *document) entries(path string, n *yaml.Node, visit func(key, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if d.broken[key] {
			continue
		}
		at := under(path, key.Value)
		if line, twice := first[key.Value]; twice {
			d.failAt(key, at, "duplicate key %s; it is in line %d already", quoted(key.Value), line)
			continue
		}
		first[key.Value] = key.Line
		d.keys[at] = key
		visit(key, n.Content[i+1])
	}
}

func (d *document) unknown(path string, key *yaml.Node, fields []reflect.StructField) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.Tag.Get("yaml")
	}
	at := under(path, key.Value)
	if slices.Contains(strings.Fields(planned), key.Value) {
		d.fail(at, "key %q is planned but not built yet; take it out", key.Value)
		return
	}
	d.fail(at, "unknown key %s; %s", quoted(key.Value), instead(key.Value, known))
	d.slip(path, key.Value, known)
}

// missing sets the default of a key that is not in the file, or reports that it has to be.
func (d *document) missing(path string, f reflect.StructField, v reflect.Value) {
	if what := f.Tag.Get("required"); what != "" {
		if d.failed(under(path, f.Tag.Get("yaml"))) {
			return
		}
		d.fail(path, "%s is missing: %s", under(path, f.Tag.Get("yaml")), what)
		return
	}
	text, ok := f.Tag.Lookup("default")
	if !ok {
		return
	}
	texts := []string{text}
	if v.Kind() == reflect.Slice {
		texts = strings.Fields(text)
		v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
	}
	for i, text := range texts {
		to := v
		if v.Kind() == reflect.Slice {
			to = v.Index(i)
		}
		if err := setText(to, text); err != nil {
			panic(fmt.Sprintf("config: default %q of %s: %v", text, f.Name, err)) // a fault of this package
		}
	}
}

// fitting compares the keys that are given with the value of the key type beside them.
func (d *document) fitting(path string, v reflect.Value, fields []reflect.StructField) {
	i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag.Get("yaml") == "type" })
	if i < 0 || v.FieldByIndex(fields[i].Index).String() == "" {
		return
	}
	kind := v.FieldByIndex(fields[i].Index).String()
	for _, f := range fields {
		at := under(path, f.Tag.Get("yaml"))
		with, limited := f.Tag.Lookup("for")
		if d.given(at) && limited && !slices.Contains(strings.Fields(with), kind) {
			d.fail(at, "%s has no effect with type %s; it goes with %s", at, kind, listed(strings.Fields(with)))
		}
		if !d.given(at) && slices.Contains(strings.Fields(f.Tag.Get("need")), kind) {
			d.fail(path, "%s is missing: type %s cannot do without", at, kind)
		}
	}
}

// fieldsOf are the fields that a file can set, those of embedded structs included.
func fieldsOf(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		key := f.Tag.Get("yaml")
		return key == "" || key == "-" || strings.HasPrefix(key, ",")
	})
}

func isShaped(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(shaped)
	return ok
}

func isText(v reflect.Value) bool {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return true
	}
	return v.Kind() == reflect.String || v.Kind() == reflect.Bool || v.Kind() == reflect.Int
}

// setText reads text into v, for which isText holds. The error is a phrase that goes on from "is".
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("neither true nor false")
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("no whole number")
		}
		v.SetInt(int64(n))
	default:
		v.SetString(text)
	}
	return nil
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
