package main

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// harmfulParts are parts of workbooks that no table of orders needs, and that do
// something on the machine of whoever opens the file that comes back: by their
// names, and by the types of relationships that lead to them, in small letters.
// Programs go by the types alone. What types of content a workbook may have says
// nothing: some libraries name more than there are.
var harmfulParts = []struct{ within, says string }{
	{"vbaproject", holdsMacros}, {"xl/macrosheets/", holdsMacros}, {"macrosheet", holdsMacros},
	{"activex", "holds controls that run programs: save the table alone in a new workbook, or as CSV, and upload that"},
	{"xl/embeddings/", holdsFiles}, {"oleobject", holdsFiles}, {"relationships/package", holdsFiles},
	{"externallink", hasLinks},
	{"xl/connections", fetchesData}, {"relationships/connections", fetchesData}, {"querytable", fetchesData},
}

const (
	holdsMacros = "holds macros: save it as an Excel workbook without macros (.xlsx), or as CSV, and upload that"
	holdsFiles  = "holds other files inside it: save the table alone in a new workbook, or as CSV, and upload that"
	hasLinks    = "has links to other files: save the table in a new workbook as values, or as CSV, and upload that"
	fetchesData = "fetches data when it is opened: save the table in a new workbook as values, or as CSV, and upload that"
)

// prologue is how far into a part a declaration is looked for.
const prologue = 4 << 10

// harmlessBook refuses a workbook with parts that do something, or that declare
// entities. One that cannot be opened is for whoever reads it.
func harmlessBook(path string) error {
	book, err := zip.OpenReader(path)
	if err != nil {
		return nil //nolint:nilerr // an older or a protected one, or none at all: reading it says so
	}
	defer func() { _ = book.Close() }()
	for _, part := range book.File {
		name := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/"))
		why := harm(name)
		if why == "" && strings.HasSuffix(name, ".rels") {
			why = leadsTo(part)
		}
		if why != "" {
			return errors.New("the workbook " + why)
		}
		if strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") {
			if declares(part) {
				return errors.New("the workbook declares entities, which no spreadsheet program writes: save the table in a new workbook, or as CSV, and upload that")
			}
		}
	}
	return nil
}

// harm says what a part with such a name or type does, "" when it is harmless.
func harm(name string) string {
	for _, one := range harmfulParts {
		if strings.Contains(name, one.within) {
			return one.says
		}
	}
	return ""
}

// mapped bounds a part that says which parts there are, in bytes.
const mapped = 4 << 20

// leadsTo looks, in a part that says which parts there are, for harmful ones. One
// that cannot be read is for whoever reads the workbook.
func leadsTo(part *zip.File) string {
	in, err := part.Open()
	if err != nil {
		return ""
	}
	defer func() { _ = in.Close() }()
	for tokens := xml.NewDecoder(io.LimitReader(in, mapped)); ; {
		token, err := tokens.RawToken()
		if err != nil {
			return ""
		}
		start, is := token.(xml.StartElement)
		if !is {
			continue
		}
		kind, elsewhere := "", false // of a relationship
		for _, a := range start.Attr {
			switch a.Name.Local {
			case "Type":
				kind = strings.ToLower(a.Value)
			case "TargetMode":
				elsewhere = strings.EqualFold(a.Value, "External")
			}
		}
		if why := harm(kind); why != "" {
			return why
		}
		// A link to be clicked is no harm, and a sheet that lies elsewhere is none.
		if elsewhere && !strings.HasSuffix(kind, "/hyperlink") && !strings.HasSuffix(kind, "/worksheet") {
			return hasLinks
		}
	}
}

// declares reports whether a part begins with a declaration of a document type.
func declares(part *zip.File) bool {
	in, err := part.Open()
	if err != nil {
		return false // reading it says so
	}
	defer func() { _ = in.Close() }()
	head := make([]byte, prologue)
	n, _ := io.ReadFull(in, head)                     // a shorter part is as good
	head = bytes.ReplaceAll(head[:n], []byte{0}, nil) // as UTF-16 is
	return bytes.Contains(head, []byte("<!DOCTYPE")) || bytes.Contains(head, []byte("<!ENTITY"))
}
