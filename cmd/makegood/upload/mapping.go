package upload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/config"
)

// Field is what a column can be.
type Field struct{ Name, Words string }

// fieldWords are the fields that most files have, in the order in which people
// look for them.
var fieldWords = []Field{
	{"order", "order number"}, {"completed_at", "paid or completed at"}, {"ordered_at", "ordered at"}, {"email", "e-mail address"},
	{"customer", "customer number"}, {"sku", "product number (SKU)"}, {"name", "product name"}, {"quantity", "quantity"},
	{"price", "price of one"}, {"line_total", "total of the line"}, {"total", "total of the order"}, {"shipping", "shipping costs"},
	{"discount", "discount"}, {"currency", "currency"}, {"status", "status"}, {"channel", "channel"}, {"store", "store"}, {"till", "till"},
	{"refers_to", "order that a credit note refers to"}, {"language", "language"}, {"newsletter", "newsletter"}, {"line", "number of the line"},
}

// Fields lists what a column can be.
func Fields() []Field {
	list := slices.Clone(fieldWords)
	for _, name := range config.ColumnNames() {
		if !slices.ContainsFunc(list, func(f Field) bool { return f.Name == name }) {
			list = append(list, Field{name, strings.ReplaceAll(name, "_", " ")})
		}
	}
	return list
}

func wordsOf(field string) string {
	for _, f := range fieldWords {
		if f.Name == field {
			return f.Words
		}
	}
	return strings.ReplaceAll(field, "_", " ")
}

// choice is the field that a column is, "" for none.
func (m Mapping) choice(column string) string {
	for _, name := range config.ColumnNames() {
		if m.Columns[name] == column {
			return name
		}
	}
	for name, from := range m.Columns { // custom_ ones of the configuration
		if from == column {
			return name
		}
	}
	return ""
}

// chosen reads the form: the column at position n is the field of "column-n".
func chosen(form url.Values, look Look, before Mapping) (Mapping, error) {
	m := Mapping{Columns: map[string]string{}, Decimal: form.Get("decimal"), DateFormat: strings.TrimSpace(form.Get("date_format")), Own: before.Own}
	if form.Get("preset") != "" && form.Get("preset") == look.Mapping.Preset {
		m.Preset, m.Own, m.Columns = look.Mapping.Preset, look.Mapping.Own, look.Mapping.Columns
		return m, m.checkForms()
	}
	if before.Own {
		for field, from := range before.Columns {
			if strings.HasPrefix(strings.TrimSpace(from), "=") {
				m.Columns[field] = from // what the configuration reckons
			}
		}
	}
	for n, column := range look.Columns {
		field := form.Get("column-" + strconv.Itoa(n))
		if field == "" {
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(column), "=") { // it would be read as an expression
			return before, &Refused{fmt.Sprintf("The column %q begins with =. Give it a name in the file, and upload it again.", column)}
		}
		known := slices.Contains(config.ColumnNames(), field) || before.choice(column) == field
		if !known {
			return before, &Refused{"One of the columns was given a meaning that does not exist. Choose from the list."}
		}
		if twice, is := m.Columns[field]; is && !strings.HasPrefix(twice, "=") {
			return before, &Refused{fmt.Sprintf("Two columns were chosen as %s: %q and %q. Choose one of them.", wordsOf(field), twice, column)}
		}
		m.Columns[field] = column
	}
	return m, errors.Join(m.checkForms(), m.lacks(look))
}

func (m Mapping) checkForms() error {
	if !slices.Contains([]string{"", ".", ","}, m.Decimal) {
		return &Refused{"The decimal sign is a point or a comma."}
	}
	if m.DateFormat == "" {
		return nil
	}
	if _, err := config.Layout(m.DateFormat); err != nil || len(m.DateFormat) > 40 {
		return &Refused{"The form of dates is not understood. Write one such as d-M-yyyy H:mm or M/d/yyyy, or leave it empty."}
	}
	return nil
}

// lacks says which columns are still to be chosen.
func (m Mapping) lacks(look Look) error {
	var missing []string
	need := append([]string{"order", "completed_at", "sku", "quantity"}, look.Needs...)
	for _, field := range append(need, "currency", "channel") {
		if m.Columns[field] == "" && look.Literal[field] == "" && !slices.Contains(missing, wordsOf(field)) {
			missing = append(missing, wordsOf(field))
		}
	}
	if m.Columns["price"] == "" && m.Columns["line_total"] == "" {
		missing = append(missing, "price of one, or total of the line")
	}
	if len(missing) == 0 {
		return nil
	}
	return &Refused{"No column was chosen as: " + strings.Join(missing, "; ") + ". Without it no order can be read."}
}

// maxShapes is how many shapes of files are remembered.
const maxShapes = 1_000

// shape is a remembered mapping.
type shape struct {
	Mapping Mapping   `json:"mapping"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// shapeOf is the same for files with the same columns in the same order.
func shapeOf(columns []string) string {
	sum := sha256.New()
	for _, c := range columns {
		fmt.Fprintf(sum, "%d:%s", len(c), c)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// remembered gives how files of this shape were read last.
func (p *Pages) remembered(look Look) (shape, bool) {
	p.shapes.Lock()
	defer p.shapes.Unlock()
	all, err := readShapes(p.shapesFile())
	if err != nil {
		p.o.Log.Warn("what the columns of earlier files were cannot be read", "error", err)
	}
	known, is := all[shapeOf(look.Columns)]
	return known, is && (!known.Mapping.Own || look.Mapping.Own)
}

// remember keeps how files of this shape are read.
func (p *Pages) remember(look Look, m Mapping, user string) {
	p.shapes.Lock()
	defer p.shapes.Unlock()
	all, err := readShapes(p.shapesFile())
	if err == nil {
		all[shapeOf(look.Columns)] = shape{m, user, p.o.Clock().UTC()}
		for len(all) > maxShapes {
			oldest := ""
			for key, one := range all {
				if oldest == "" || one.At.Before(all[oldest].At) {
					oldest = key
				}
			}
			delete(all, oldest)
		}
		err = writeJSON(p.shapesFile(), all)
	}
	if err != nil {
		p.o.Log.Warn("what the columns of this file are cannot be remembered", "error", err)
	}
}

func (p *Pages) shapesFile() string { return filepath.Join(p.store.dir, "shapes.json") }

func readShapes(path string) (map[string]shape, error) {
	all := map[string]shape{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
}
