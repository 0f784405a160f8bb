package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// undecisive are keys that decide nothing of what is sent.
var undecisive = []string{"notify", "metrics", "serve", "ledger", "state_dir"}

// note keeps what the file says at a path, as it is written there, and a secret
// as [secret]. Beside ${NAME} stands what tells whether its value has changed:
// the value itself where only a few are possible, and else a mark of it.
func (d *document) note(path string, n *yaml.Node, v reflect.Value, tag reflect.StructTag) {
	top, _, _ := strings.Cut(path, ".")
	switch {
	case slices.Contains(undecisive, top):
	case v.Type() == reflect.TypeFor[Secret]():
		d.settings[path] = hidden
	case n.Kind == yaml.ScalarNode:
		d.settings[path] = d.plainly(n, tag.Get("enum") != "")
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
			d.settings[at] = d.plainly(child, false)
			continue
		}
		d.noteAll(at, child)
	}
}

// plainly is a value as it is written, but for a password in a URL.
func (d *document) plainly(n *yaml.Node, public bool) string {
	text, expanded := d.written[n]
	switch {
	case !expanded && strings.Contains(n.Value, "://") && strings.Contains(n.Value, "@"):
		return PlaceName(n.Value)
	case !expanded:
		return n.Value
	case public:
		return text + " = " + n.Value
	}
	sum := sha256.Sum256([]byte(n.Value))
	return text + " = #" + hex.EncodeToString(sum[:3])
}
