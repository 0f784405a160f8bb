package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration. Text is a sentence that names the key and, where there is one, the next
// step; it never holds an expanded value.
type Problem struct {
	File   string
	Line   int    // from 1; 0 when the fault has no place of its own
	Column int    // from 1, in characters; 0 with Line
	Key    string // path of the key, such as targets.stores.mid; empty for the file
	Text   string
}

// Error is "file:line:column: text".
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Errors are all faults of one configuration, in the order of the file. It is never empty when it is returned.
type Errors []Problem

// Error is one line for each fault.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each fault as an error of type Problem.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, p := range e {
		all[i] = p
	}
	return all
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return e
}
