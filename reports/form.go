package reports

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Form is one of the forms that a report is written in.
type Form struct {
	Name    string
	Endings []string // of files in it, such as ".html"
	Binary  bool     // it is nothing for a terminal
	Write   func(io.Writer, Report) error
}

// Forms lists all forms.
func Forms() []Form {
	return []Form{
		{"terminal", []string{".txt"}, false, func(w io.Writer, r Report) error { return Terminal(w, r, TerminalOptions{}) }},
		{"html", []string{".html", ".htm"}, false, HTML},
		{"json", []string{".json"}, false, JSON},
		{"csv", []string{".csv"}, false, CSV},
		{"md", []string{".md"}, false, Markdown},
		{"junit", []string{".xml"}, false, JUnit},
		{"xlsx", []string{".xlsx"}, true, XLSX},
	}
}

// FormNamed finds a form by its name.
func FormNamed(name string) (Form, bool) {
	return find(func(f Form) bool { return f.Name == name })
}

// FormOf finds the form of a file by how its name ends.
func FormOf(path string) (Form, bool) {
	return find(func(f Form) bool { return slices.Contains(f.Endings, strings.ToLower(filepath.Ext(path))) })
}

func find(is func(Form) bool) (Form, bool) {
	all := Forms()
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	return Form{}, false
}
