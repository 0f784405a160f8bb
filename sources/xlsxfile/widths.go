package xlsxfile

import (
	"fmt"
	"strings"
)

// widths of the columns of marks, in characters.
var widths = [...]int{26, 60, 60}

// colWidth is one entry of the widths of columns.
type colWidth struct {
	from, to int // from 1
	text     string
}

// around gives the widths of all columns, those of marks among them: others
// about these are cut, for two about one column are an error to spreadsheets,
// and marks in hidden columns are of no use.
func (w *rewriter) around() string {
	first, last := w.marks+1, w.marks+len(widths)
	before, behind := "", ""
	for _, c := range w.cols {
		if c.from < first {
			before += c.cut(c.from, min(c.to, first-1))
		}
		if c.to > last {
			behind += c.cut(max(c.from, last+1), c.to)
		}
	}
	return before + w.widths(w.marks) + behind
}

// cut gives the entry for some of its columns.
func (c colWidth) cut(from, to int) string {
	text := strings.TrimRight(c.text, "/>") + "/>"
	for _, a := range []struct {
		name string
		n    int
	}{{"min", from}, {"max", to}} {
		if _, begin, end := (piece{text: []byte(text)}).attribute(a.name); end > 0 {
			text = fmt.Sprintf(`%s %s="%d"%s`, text[:begin], a.name, a.n, text[end:])
		}
	}
	return text
}

func (w *rewriter) widths(at int) string {
	var b strings.Builder
	for i, width := range widths {
		fmt.Fprintf(&b, `<%scol min="%d" max="%[2]d" width="%d" customWidth="1"/>`, w.prefix, at+i+1, width)
	}
	return b.String()
}

func (w *rewriter) fixWidths() string {
	text := ""
	for _, c := range w.cols {
		if c.to <= w.behind {
			text += strings.TrimRight(c.text, "/>") + "/>"
		}
	}
	at := w.behind + len(widths) + 1
	return w.tag("cols") + text + w.widths(w.behind) + fmt.Sprintf(`<%[1]scol min="%[2]d" max="%[2]d" width="14" customWidth="1"/>`+
		`<%[1]scol min="%[3]d" max="%[3]d" width="18" hidden="1" customWidth="1"/>`, w.prefix, at, at+1) + w.tag("/cols")
}
