package xlsxfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"makegood/sources/table"
)

// looks are the formats that makegood adds behind those of the workbook; "":
// the plain one.
type looks struct{ bold, fix string }

// of is the format of a mark.
func (l looks) of(m table.Mark) string {
	if m.Here {
		return l.fix
	}
	return ""
}

// addLooks adds formats to those of the workbook, whose numbers stay. A
// workbook without any, or whose formats are written in another way, is marked
// in the plain one.
func (w *markedBook) addLooks() error {
	if w.box.parts[strings.ToLower(w.styles)] == nil {
		return nil
	}
	text, err := w.whole(w.styles)
	if err != nil {
		return err
	}
	var n [3]int
	for i, add := range [...]struct{ list, item, more string }{
		{"fonts", "font", `<font><b/><sz val="11"/><name val="Calibri"/></font>`},
		{"fills", "fill", `<fill><patternFill patternType="solid"><fgColor rgb="FFFFE699"/><bgColor indexed="64"/></patternFill></fill>`},
		{"cellXfs", "xf", ""},
	} {
		if add.more == "" {
			add.more = fmt.Sprintf(`<xf numFmtId="0" fontId="%d" fillId="0" borderId="0" xfId="0" applyFont="1"/>`+
				`<xf numFmtId="0" fontId="0" fillId="%d" borderId="0" xfId="0" applyFill="1"/>`, n[0], n[1])
		}
		if text, n[i], err = appended(text, add.list, add.item, add.more); err != nil || n[i] == 0 {
			return err
		}
	}
	w.look = looks{bold: strconv.Itoa(n[2]), fix: strconv.Itoa(n[2] + 1)}
	w.made[strings.ToLower(w.styles)] = text
	return nil
}

// appended adds items to a list, and tells how many it had; 0: there is no
// such list with items.
func appended(text []byte, list, item, more string) (longer []byte, had int, err error) {
	in, err := newRaw(bytes.NewReader(text))
	if err != nil {
		return nil, 0, err
	}
	var begin piece
	for at, depth, inside := 0, 0, 0; ; {
		p, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return text, 0, nil
		case err != nil:
			return nil, 0, err
		case p.name == list && p.begin && !p.end:
			begin = piece{text: bytes.Clone(p.text)}
			inside, depth = at, 0
		case inside > 0 && p.name == list && p.end:
			if had == 0 {
				return text, 0, nil
			}
			more = prefixed(more, p.prefix())
			longer = insert(text, at, more)
			if _, from, to := begin.attribute("count"); from > 0 {
				count := fmt.Sprintf(` count="%d"`, had+strings.Count(more, "<"+p.prefix()+item+" ")+strings.Count(more, "<"+p.prefix()+item+">"))
				longer = append(append(bytes.Clone(longer[:inside+from]), count...), longer[inside+to:]...)
			}
			return longer, had, nil
		case inside > 0 && p.begin:
			if depth == 0 && p.name == item {
				had++
			}
			if !p.end {
				depth++
			}
		case inside > 0 && p.end:
			depth--
		}
		at += len(p.text)
	}
}

// prefixed gives the tags of a text the prefix of their namespace.
func prefixed(text, prefix string) string {
	if prefix == "" {
		return text
	}
	return strings.NewReplacer("</", "</"+prefix, "<", "<"+prefix).Replace(text)
}
