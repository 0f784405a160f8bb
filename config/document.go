package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxDepth is more levels than any key needs.
const maxDepth = 16

// document is the file while it is read: where each key stands, and what is wrong with it.
type document struct {
	file, dir string
	env       func(string) (string, bool)
	values    map[string]*yaml.Node // by path: targets.stores.from[0]
	keys      map[string]*yaml.Node // the key in front of it, where there is one
	written   map[*yaml.Node]string // the text of a value before it was expanded
	broken    map[*yaml.Node]bool   // already reported: nothing more is said about it
	settings  map[string]string     // by path: what is written there, without secrets
	faulty    map[string]bool       // by path: has a problem, or an element of it has
	problems  Errors
}

func newDocument(file, dir string, env func(string) (string, bool)) *document {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	return &document{
		file: file, dir: dir, env: env,
		values:  map[string]*yaml.Node{},
		keys:    map[string]*yaml.Node{},
		written: map[*yaml.Node]string{},
		broken:  map[*yaml.Node]bool{},
		faulty:  map[string]bool{},

		settings: map[string]string{},
	}
}

// parse returns the root mapping with its values expanded, or nil and a problem.
func (d *document) parse(data []byte) *yaml.Node {
	if len(data) > maxFile {
		return d.unreadable("is larger than 1 MiB, which no configuration is")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false))
	if err != nil {
		return d.unreadable("cannot be read as YAML: " + err.Error())
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return d.unreadable("is empty; makegood demo makes one to start from")
	case err != nil:
		return d.malformed(err)
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return d.unreadable("holds more than one YAML document; one file is one configuration")
	case !errors.Is(err, io.EOF):
		return d.malformed(err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return d.unreadable("is not a list of keys; it starts with zone:, sources: and targets:")
	}
	d.prepare(doc.Content[0], 0)
	return doc.Content[0]
}

func (d *document) unreadable(text string) *yaml.Node {
	d.problems = append(d.problems, Problem{File: d.file, Text: "the file " + text})
	return nil
}

// malformed reports what the parser found. Its messages hold no text of the file, except about an unknown anchor,
// which is a composer's error: a secret that begins with * would be repeated there.
func (d *document) malformed(err error) *yaml.Node {
	p := Problem{File: d.file, Text: "cannot be read as YAML"}
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		p.Line, p.Column = max(e.Mark.Line, 0), max(e.Mark.Column, 0)
		p.Text = strings.TrimSpace("cannot be read as YAML: " + e.ContextMsg + " " + e.Message)
		if e.Stage == yaml.ComposerStage {
			p.Text = noAliases
		}
	}
	d.problems = append(d.problems, p)
	return nil
}

const noAliases = "anchors (&name) and aliases (*name) are not allowed; put a value that begins with & or * in quotes"

// prepare refuses the parts of YAML that a configuration does not need and that can hide or multiply values, and
// expands every value.
func (d *document) prepare(n *yaml.Node, depth int) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.breakAt(n, noAliases)
		return
	case n.Style&yaml.TaggedStyle != 0:
		d.breakAt(n, "tags are not allowed; put a value that begins with ! in quotes")
		return
	case depth > maxDepth:
		d.breakAt(n, fmt.Sprintf("more than %d levels of keys and lists", maxDepth))
		return
	case n.Kind == yaml.ScalarNode:
		d.expand(n)
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			d.prepare(child, depth+1)
		} else if child.Kind != yaml.ScalarNode || child.Anchor != "" || child.Style&yaml.TaggedStyle != 0 {
			d.breakAt(child, "a key must be plain text")
		}
	}
}

func (d *document) breakAt(n *yaml.Node, text string) {
	d.broken[n] = true
	d.failAt(n, "", "%s", text)
}

// fail reports a problem of the key at path, which need not exist: then it stands at the nearest key above it.
func (d *document) fail(path, format string, args ...any) {
	d.failAt(d.place(path), path, format, args...)
}

// failAt is fail with a place of its own, nil for none.
func (d *document) failAt(n *yaml.Node, path, format string, args ...any) {
	p := Problem{File: d.file, Key: path, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	d.problems = append(d.problems, p)
	list, _, _ := strings.Cut(path, "[")
	d.faulty[path], d.faulty[list] = true, true
}

// place is the value at path when it is one value, else the key in front of it, else that of the path above.
func (d *document) place(path string) *yaml.Node {
	for {
		if n := d.values[path]; n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			return n
		}
		if n := d.keys[path]; n != nil {
			return n
		}
		if n := d.values[path]; n != nil {
			return n
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return nil
		}
		path = path[:cut]
	}
}

// given says whether the file has the key at path.
func (d *document) given(path string) bool { return d.values[path] != nil }

// quote is the value at path as the file has it, never as it was expanded.
func (d *document) quote(path string) string {
	n := d.values[path]
	if n == nil {
		return `""`
	}
	text, expanded := d.written[n]
	if !expanded {
		text = n.Value
	}
	return quoted(text)
}

// quoted is text in quotes, cut to a length that fits into a message.
func quoted(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
