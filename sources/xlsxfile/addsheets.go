package xlsxfile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The names of what makegood adds to a workbook. Parts of these names come of
// an older copy, and are made anew.
const (
	fixName     = "Rows to fix"
	summaryName = "Summary"
	drawingPart = "xl/drawings/makegood.xml"
	chartPart   = "xl/charts/makegood.xml"
)

const (
	openXML   = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	sheetXML  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	contentOf = "application/vnd.openxmlformats-officedocument."
)

// strict is the edition of the format that has other names for all.
var strict = strings.NewReplacer(
	sheetXML, "http://purl.oclc.org/ooxml/spreadsheetml/main",
	openXML, "http://purl.oclc.org/ooxml/officeDocument/relationships",
	"http://schemas.openxmlformats.org/drawingml/2006/", "http://purl.oclc.org/ooxml/drawingml/",
)

// dialect is the edition that a workbook is written in.
type dialect struct{ strict bool }

func (d dialect) of(text string) string {
	if d.strict {
		return strict.Replace(text)
	}
	return text
}

func (w *markedBook) dialect() dialect {
	text, err := w.whole(w.book.main)
	return dialect{err == nil && bytes.Contains(text, []byte("http://purl.oclc.org/ooxml/"))}
}

// quick packs fast: packing takes most of the time.
func quick(z *zip.Writer) {
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
}

// tell makes the parts that tell of the added sheets: the list of sheets, the
// relations, the kinds of parts, and the chart.
func (w *markedBook) tell() error {
	book, err := w.whole(w.book.main)
	if err != nil {
		return err
	}
	relations, err := w.whole(relationsOf(w.book.main))
	if err != nil {
		return err
	}
	types, err := w.whole("[Content_Types].xml")
	if err != nil {
		return err
	}
	t := &telling{book: book, relations: relations, types: types, dialect: w.dialect()}
	if err := t.readSheets(); err != nil {
		return err
	}
	for i := range w.sheets {
		s := &w.sheets[i]
		if s.part != "" {
			continue
		}
		base := fixName
		if s.fix == nil {
			base = summaryName
		}
		s.name, s.part = t.freeName(base), w.freePart()
		t.add(s.name, s.part)
	}
	if err := w.draw(t); err != nil {
		return err
	}
	w.unchain(t)
	w.made[strings.ToLower(w.book.main)] = t.book
	w.made[strings.ToLower(relationsOf(w.book.main))] = t.relations
	w.made["[content_types].xml"] = t.types
	return nil
}

// chained is what tells of the list of formulas.
var chained = regexp.MustCompile(`<[^<>]*/calcChain"[^<>]*/>|<[^<>]*/calcChain\.xml"[^<>]*/>`)

// unchain leaves out the list of formulas where corrections may have put values
// in the place of some: a list that names them is taken for damage, and
// programs make one anew.
func (w *markedBook) unchain(t *telling) {
	if !slices.ContainsFunc(slices.Collect(maps.Values(w.file.layouts)), func(l layout) bool { return len(l.corrected) > 0 }) {
		return
	}
	for _, part := range w.box.list {
		if name := partName(part); path.Base(name) == "calcchain.xml" {
			w.made[name] = nil
			t.relations, t.types = chained.ReplaceAll(t.relations, nil), chained.ReplaceAll(t.types, nil)
		}
	}
}

// freePart is the name of a part that there is not, as programs expect it.
func (w *markedBook) freePart() string {
	for n := 1; ; n++ {
		name := "xl/worksheets/sheet" + strconv.Itoa(n) + ".xml"
		taken := w.box.parts[name] != nil
		for _, s := range w.sheets {
			taken = taken || s.part == name
		}
		if !taken {
			return name
		}
	}
}

// telling is what is said of the sheets of a workbook, while it is changed.
type telling struct {
	book, relations, types []byte
	dialect
	names  map[string]bool // of sheets, in lower case
	last   int             // of the numbers of sheets
	prefix string          // of the tags of sheets
	end    int             // of the list of sheets in book
}

func (t *telling) readSheets() error {
	in, err := newRaw(bytes.NewReader(t.book))
	if err != nil {
		return err
	}
	t.names = map[string]bool{}
	for at := 0; ; {
		p, err := in.next()
		if err != nil {
			return fmt.Errorf("%w: it has no list of sheets", ErrDamaged)
		}
		switch {
		case p.name == "sheet" && p.begin:
			name, _, _ := p.attribute("name")
			t.names[strings.ToLower(string(name))] = true
			t.last = max(t.last, p.number("sheetId"))
			t.prefix = p.prefix()
		case p.name == "sheets" && !p.begin:
			t.end = at
			return nil
		}
		at += len(p.text)
	}
}

// freeName is a name that no sheet has.
func (t *telling) freeName(base string) string {
	name := base
	for n := 2; t.names[strings.ToLower(name)]; n++ {
		name = base + " " + strconv.Itoa(n)
	}
	t.names[strings.ToLower(name)] = true
	return name
}

// add tells of one more sheet.
func (t *telling) add(name, part string) {
	t.last++
	id := t.relate(part, "worksheet")
	entry := t.of(fmt.Sprintf(`<%ssheet name="%s" sheetId="%d" xmlns:r="%s" r:id="%s"/>`, t.prefix, escape(name), t.last, openXML, id))
	t.book = insert(t.book, t.end, entry)
	t.end += len(entry)
	t.declare(part, contentOf+"spreadsheetml.worksheet+xml")
}

// relate adds a relation of the workbook.
func (t *telling) relate(part, kind string) string {
	id := ""
	for n := 1; id == "" || bytes.Contains(t.relations, []byte(`"`+id+`"`)); n++ {
		id = "makegood" + strconv.Itoa(n)
	}
	end := bytes.LastIndex(t.relations, []byte("</"))
	prefix := piece{text: t.relations[max(end, 0):]}.prefix()
	t.relations = insert(t.relations, end, t.of(relationTag(prefix, id, kind, part)))
	return id
}

func relationTag(prefix, id, kind, part string) string {
	return fmt.Sprintf(`<%sRelationship Id="%s" Type="%s/%s" Target="/%s"/>`, prefix, id, openXML, kind, part)
}

// declare says of which kind a part is, once.
func (t *telling) declare(part, kind string) {
	if bytes.Contains(bytes.ToLower(t.types), []byte(`"/`+strings.ToLower(part)+`"`)) {
		return
	}
	end := bytes.LastIndex(t.types, []byte("</"))
	prefix := piece{text: t.types[max(end, 0):]}.prefix()
	t.types = insert(t.types, end, fmt.Sprintf(`<%sOverride PartName="/%s" ContentType="%s"/>`, prefix, part, kind))
}

func insert(text []byte, at int, more string) []byte {
	at = max(at, 0)
	return append(append(append(make([]byte, 0, len(text)+len(more)), text[:at]...), more...), text[at:]...)
}
