package xlsxfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"makegood/sources/internal/spill"
)

// book is an open workbook.
type book struct {
	box    *container
	main   string // the part of the workbook itself
	styles string // that of the formats of cells, or ""
	spill  *spill.Folder
	texts  *texts
	is1904 bool
	recalc bool      // its results are to be worked out when it is opened
	sheets []tabInfo // all, in the order of the workbook
}

// tabInfo is what the workbook says of a sheet.
type tabInfo struct {
	name   string
	id     string // of the relation that names its part
	part   string // "" when there is none
	hidden bool
	other  bool // it has no rows: a chart, a dialog
	fixes  int  // makegood wrote it, rows to fix: the row of its header
	sums   bool // makegood wrote it, a summary
}

// own reports whether makegood wrote the sheet.
func (t tabInfo) own() bool { return t.fixes > 0 || t.sums }

func openBook(box *container, tmpDir string) (b *book, err error) {
	s, err := spill.New(tmpDir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a folder to unpack in: %w", err), box.file.Close())
	}
	b = &book{box: box, spill: s, texts: &texts{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	defer catch(&err)
	if err := b.read(); err != nil {
		return b, err
	}
	if len(b.sheets) == 0 {
		return b, fmt.Errorf("%w: it is an archive that holds no workbook", ErrNoWorkbook)
	}
	return b, nil
}

// read finds the workbook, its sheets and its texts.
func (b *book) read() error {
	name := "xl/workbook.xml"
	if b.box.parts["_rels/.rels"] != nil {
		err := b.box.relations("_rels/.rels", func(r relation) {
			if r.kind == "officeDocument" {
				name = r.target
			}
		})
		if err != nil {
			return err
		}
	}
	if b.box.parts[strings.ToLower(name)] == nil {
		return nil
	}
	b.main = name
	if err := b.readSheets(name); err != nil {
		return err
	}
	return b.readRelated(path.Join(path.Dir(name), "_rels", path.Base(name)+".rels"))
}

// readRelated finds the parts of the sheets, and reads the texts.
func (b *book) readRelated(name string) error {
	table := ""
	err := b.box.relations(name, func(r relation) {
		if r.kind == "sharedStrings" && b.box.parts[strings.ToLower(r.target)] != nil {
			table = r.target
		}
		if r.kind == "styles" {
			b.styles = r.target
		}
		for i := range b.sheets {
			if s := &b.sheets[i]; s.id == r.id {
				s.part, s.other = r.target, r.kind != "worksheet"
			}
		}
	})
	if err != nil {
		return err
	}
	t, err := b.box.readTexts(table, b.spill)
	if err == nil {
		b.texts = t
	}
	return err
}

func (b *book) readSheets(name string) error {
	return b.box.each(name, func(e xml.StartElement) {
		switch e.Name.Local {
		case "workbookPr":
			b.is1904 = yes(attribute(e, "date1904"))
		case "calcPr":
			b.recalc = yes(attribute(e, "fullCalcOnLoad"))
		case "sheet":
			state := attribute(e, "state")
			b.sheets = append(b.sheets, tabInfo{name: attribute(e, "name"), id: attribute(e, "id"),
				hidden: state == "hidden" || state == "veryHidden"})
		}
	})
}

// each hands on the elements of a small part.
func (c *container) each(name string, do func(xml.StartElement)) (err error) {
	p, err := c.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for {
		t, err := p.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := t.(xml.StartElement); ok {
			do(start)
		}
	}
}

// relation says what a part is to another. kind is the last word of its type,
// which is the same in both editions of the format.
type relation struct{ id, kind, target string }

// relations reads who is related to the part beside whose folder name stands.
func (c *container) relations(name string, do func(relation)) error {
	folder := path.Dir(path.Dir(name))
	return c.each(name, func(e xml.StartElement) {
		if e.Name.Local != "Relationship" {
			return
		}
		target := strings.ReplaceAll(attribute(e, "Target"), "\\", "/")
		if rest, ok := strings.CutPrefix(target, "/"); ok {
			target = rest
		} else {
			target = path.Join(folder, target)
		}
		do(relation{attribute(e, "Id"), path.Base(attribute(e, "Type")), target})
	})
}

func (b *book) names() []string {
	names := make([]string, len(b.sheets))
	for i, s := range b.sheets {
		names[i] = s.name
	}
	return names
}

// chosen lists the sheets to read; one that is wanted and not there is a
// [*SheetError].
func (b *book) chosen(want []string) ([]tabInfo, error) {
	if len(want) == 0 {
		return slices.DeleteFunc(slices.Clone(b.sheets), func(s tabInfo) bool { return s.hidden }), nil
	}
	if len(want) == 1 && want[0] == All {
		return b.sheets, nil
	}
	var list []tabInfo
	for _, w := range want {
		i := slices.IndexFunc(b.sheets, func(s tabInfo) bool { return strings.EqualFold(s.name, w) })
		if n, err := strconv.Atoi(strings.TrimPrefix(w, "#")); i < 0 && err == nil && strings.HasPrefix(w, "#") && n >= 1 && n <= len(b.sheets) {
			i = n - 1
		}
		if i < 0 {
			return nil, newSheetError(w, b.names())
		}
		list = append(list, b.sheets[i])
	}
	return list, nil
}

func (b *book) close() error {
	return errors.Join(b.texts.close(), b.box.file.Close(), b.spill.Remove())
}
