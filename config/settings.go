package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// undecisive are keys that decide nothing of what is sent.
var undecisive = []string{"notify", "metrics", "serve", "ledger", "state_dir"}

// note keeps what the file says at a path, as it is written there: ${NAME} is
// not replaced, and a secret is [secret].
func (d *document) note(path string, n *yaml.Node, v reflect.Value) {
	top, _, _ := strings.Cut(path, ".")
	switch {
	case slices.Contains(undecisive, top):
	case v.Type() == reflect.TypeFor[Secret]():
		d.settings[path] = hidden
	case n.Kind == yaml.ScalarNode:
		d.settings[path] = d.plainly(n)
	case isShaped(v):
		d.noteAll(path, n)
	}
}

// noteAll keeps every value below a node whose form is its own.
func (d *document) noteAll(path string, n *yaml.Node) {
	for i, child := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			at = path + "." + n.Content[i-1].Value
		}
		if child.Kind == yaml.ScalarNode {
			d.settings[at] = d.plainly(child)
			continue
		}
		d.noteAll(at, child)
	}
}

// plainly is a value as it is written, but for a password in a URL.
func (d *document) plainly(n *yaml.Node) string {
	text, expanded := d.written[n]
	if !expanded {
		text = n.Value
	}
	if strings.Contains(text, "://") {
		return PlaceName(text)
	}
	return text
}
