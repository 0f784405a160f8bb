package upload

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
)

// What letters and delimiters can be, in the words of people.
var (
	encodings = []Field{{"", "found out"}, {"utf-8", "UTF-8"}, {"windows-1252", "Windows, western Europe (1252)"}, {"windows-1250", "Windows, central Europe (1250)"},
		{"iso-8859-15", "ISO 8859-15"}, {"macintosh", "older Macs"}, {"utf-16le", "UTF-16, as Excel saves Unicode text"}}
	delimiters = []Field{{"", "found out"}, {",", "comma"}, {";", "semicolon"}, {"\t", "tab"}, {"|", "vertical bar"}}
)

// maxHeaderRow is how far down columns can be named.
const maxHeaderRow = 1_000

// reread has the file looked at anew, as somebody says that it is to be read.
func (p *Pages) reread(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, http.StatusBadRequest, "The form was not understood. Go back and try again.")
		return
	}
	how := Reading{Sheet: r.PostForm.Get("sheet"), Encoding: r.PostForm.Get("encoding"), Delimiter: r.PostForm.Get("delimiter")}
	row := r.PostForm.Get("header_row")
	n, err := strconv.Atoi(row)
	is := func(list []Field, name string) bool {
		return slices.ContainsFunc(list, func(f Field) bool { return f.Name == name })
	}
	if how.HeaderRow = n; row != "" && (err != nil || n < 1 || n > maxHeaderRow) || how.Sheet != "" && !slices.Contains(upload.Look.Sheets, how.Sheet) ||
		!is(encodings, how.Encoding) || !is(delimiters, how.Delimiter) {
		p.columnsPage(w, http.StatusUnprocessableEntity, u, upload, "That is no way to read this file. Choose from the lists, and write the row as a number from 1 to 1000.")
		return
	}
	_, err = p.store.change(upload.ID, func(one *Upload) error {
		if one.State.Busy() || one.State == Unusable {
			return errChanged
		}
		if err := writeJSON(filepath.Join(p.store.folder(one.ID), ReadingFile), how); err != nil {
			return err
		}
		one.State, one.Planned, one.PlannedBy, one.Problem = Looking, nil, "", ""
		return nil
	})
	if err != nil {
		p.fault(w, err)
		return
	}
	p.look(upload.ID)
	http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
}
