package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/encoding/htmlindex"
)

// Table says where rows are and how they are read. Sources, evidence, carts and joins share it.
type Table struct {
	// Type is csv, xlsx or sql. A join has it from the ending of its path.
	Type string `yaml:"type" enum:"csv xlsx sql emanage rokt"`
	// Path is absolute: a file, a folder or a glob.
	Path string `yaml:"path" for:"csv xlsx rokt" need:"csv xlsx rokt"`
	// DSN names a database; a SQLite file without a scheme is an absolute path.
	DSN Secret `yaml:"dsn" for:"sql" need:"sql"`
	// Query is one SELECT; that of a source may hold :from and :to.
	Query string `yaml:"query" for:"sql"`
	// SQLTable is a table or view to read instead of a query, page by page in the order of Key: columns that are unique
	// together and never empty.
	SQLTable string   `yaml:"table" for:"sql"`
	Key      []string `yaml:"key" for:"sql"`
	// Timeout ends the reading of a database that takes longer.
	Timeout  Duration `yaml:"timeout" for:"sql" default:"1h"`
	Sheet    Sheets   `yaml:"sheet" for:"xlsx"`
	Password Secret   `yaml:"password" for:"xlsx emanage" need:"emanage"`
	// URL is of the public API of a shop system whose orders are exported, Login and Password are what it gives a token for.
	URL   string `yaml:"url" for:"emanage" need:"emanage"`
	Login Secret `yaml:"login" for:"emanage" need:"emanage"`
	// Delimiter is one character; empty: the reader finds out. In the file "tab" is allowed, too.
	Delimiter string `yaml:"delimiter" for:"csv"`
	// Encoding is a name that golang.org/x/text/encoding/htmlindex knows; empty: the reader finds out.
	Encoding string `yaml:"encoding" for:"csv"`
	// Decimal is the decimal sign of numbers, "." or ","; empty: the readers of csv and xlsx find out, that of sql takes ".".
	Decimal string `yaml:"decimal" enum:". ,"`
	// DateFormat is in tokens that Layout translates; empty: the readers take ISO forms, those of csv and xlsx find others out.
	DateFormat string `yaml:"date_format"`
	// HeaderRow is the row with the columns' names, from 1; 0: the reader finds out.
	HeaderRow int `yaml:"header_row" for:"csv xlsx"`
	// Zone is of times that carry none; never nil after loading, Config.Zone by default.
	Zone *Zone `yaml:"zone"`
}

// Sheets are the sheets of a workbook to read. Without All and with an empty Pick it is the first one that has the columns.
type Sheets struct {
	All  bool
	Pick []Sheet
}

// Sheet is one sheet, by name or, when Name is empty, by its position from 1.
type Sheet struct {
	Name   string
	Number int
}

// shape takes a name, a number, a list of both, or all.
func (s *Sheets) shape(d *document, path string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Value == "all" {
		s.All = true
		return
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, one := range list {
		switch number, err := strconv.Atoi(one.Value); {
		case d.broken[one]:
		case one.Kind != yaml.ScalarNode || one.Value == "":
			d.fail(path, "%s must be a sheet's name or number, a list of them, or all", path)
		case one.Tag != "!!int":
			s.Pick = append(s.Pick, Sheet{Name: one.Value})
		case err != nil || number < 1:
			d.fail(path, "%s: sheets are counted from 1; put a name that looks like a number in quotes", path)
		default:
			s.Pick = append(s.Pick, Sheet{Number: number})
		}
	}
}

func (t *Table) inherit(zone *Zone) {
	if t.Zone == nil {
		t.Zone = zone
	}
}

func (t *Table) anchor(c *Config) {
	t.Path = c.absolute(t.Path)
	if t.Type == "sql" && isFile(string(t.DSN)) {
		t.DSN = Secret(c.absolute(string(t.DSN)))
	}
}

// isFile tells the path of a SQLite file, perhaps with ?options, from the forms that drivers give to server addresses.
func isFile(dsn string) bool {
	path, _, _ := strings.Cut(dsn, "?")
	return !strings.Contains(path, "://") && !strings.ContainsAny(path, "@=(;") && !strings.HasPrefix(path, ":") &&
		!strings.HasPrefix(path, "sqlite:")
}

// check looks at what tags cannot say.
func (t *Table) check(d *document, path string) {
	if t.Type == "" && !d.given(path+".type") {
		d.fail(path, "%s.type is missing: csv, xlsx or sql", path)
	}
	if t.Type == "sql" {
		t.checkDatabase(d, path)
	}
	if t.Type == "emanage" {
		t.checkExport(d, path)
	}
	if t.Type == "rokt" && !d.failed(path+".type") {
		d.fail(path+".type", "%s.type: what Rokt's placements said are no orders; name the file under messages", path)
	}
	if d.given(path + ".delimiter") {
		t.checkDelimiter(d, path+".delimiter")
	}
	if t.Encoding != "" && !d.failed(path+".encoding") {
		t.checkEncoding(d, path+".encoding")
	}
	if t.DateFormat != "" {
		if _, err := Layout(t.DateFormat); err != nil {
			d.fail(path+".date_format", "%s.date_format: %s is %v", path, d.quote(path+".date_format"), err)
		}
	}
	if t.HeaderRow < 1 && d.given(path+".header_row") && !d.failed(path+".header_row") {
		d.fail(path+".header_row", "%s.header_row: rows are counted from 1", path)
	}
}

// checkExport wants what nobody can know of an export of orders.
func (t *Table) checkExport(d *document, path string) {
	switch {
	case !strings.HasPrefix(path, "sources.") || strings.Contains(path, ".join"):
		d.fail(path+".type", "%s.type: an export of EmanageCRM holds orders; it goes with a source", path)
	case !d.given(path + ".zone"):
		d.fail(path, "%s.zone is missing: the export does not say which zone its times are in; ask whoever runs the shop", path)
	case t.URL != "" && !isAddress(t.URL, true):
		d.fail(path+".url", "%s.url is no usable address; it must be https", path)
	}
}

// checkDatabase wants either a query or a table with its key.
func (t *Table) checkDatabase(d *document, path string) {
	switch {
	case t.Query != "" && t.SQLTable != "":
		d.fail(path+".table", "%s has both query and table; write one of them", path)
	case d.given(path+".query") || d.failed(path+".query") || d.failed(path+".table"):
	case t.SQLTable == "":
		d.fail(path, "%s.query is missing: one SELECT, or table and key", path)
	case len(t.Key) == 0 && !d.failed(path+".key"):
		d.fail(path+".table", "%s.key is missing: the columns of the table that are unique together, such as [order_id, line_id]", path)
	}
	if len(t.Key) > 0 && t.SQLTable == "" && !d.failed(path+".table") {
		d.fail(path+".key", "%s.key goes with table; a query is read as it stands", path)
	}
	if t.Timeout == 0 && d.given(path+".timeout") && !d.failed(path+".timeout") {
		d.fail(path+".timeout", "%s.timeout must be longer than 0s", path)
	}
}

func (t *Table) checkEncoding(d *document, path string) {
	enc, err := htmlindex.Get(t.Encoding)
	if err != nil {
		d.fail(path, "%s: %s is not known; %s", path, d.quote(path),
			instead(t.Encoding, strings.Fields("utf-8 utf-16 utf-16le utf-16be windows-1252 iso-8859-1 iso-8859-15")))
		return
	}
	if name, err := htmlindex.Name(enc); err != nil || name == "replacement" || name == "x-user-defined" {
		d.fail(path, "%s: %s has no decoder; save the file as utf-8", path, d.quote(path))
	}
}

func (t *Table) checkDelimiter(d *document, path string) {
	if t.Delimiter == "tab" {
		t.Delimiter = "\t"
	}
	if r := []rune(t.Delimiter); len(r) > 1 || len(r) == 1 && strings.ContainsRune("\"\r\n\x00\uFFFD", r[0]) {
		d.fail(path, "%s: %s is not usable; write one character, or tab", path, d.quote(path))
	}
}

// Join adds columns of a second file to the rows of a source. It reads csv and xlsx.
type Join struct {
	Table `yaml:",inline"`
	// On has one entry: a column of the source and the column of the file that it is looked up in.
	On map[string]string `yaml:"on" required:"on: {customer: customer_id} says which column meets which"`
	// Take are names of columns (ColumnNames), and the column of the file that each is read from.
	Take map[string]string `yaml:"take" required:"take: {email: email} says what is read from the file"`
}

func (j *Join) infer() { j.Type = typeByEnding(j.Table) }

// typeByEnding is a table's type, by the ending of its path where it is not said.
func typeByEnding(t Table) string {
	switch {
	case t.Type != "" || t.Path == "":
		return t.Type
	case strings.EqualFold(filepath.Ext(t.Path), ".xlsx"), strings.EqualFold(filepath.Ext(t.Path), ".xlsm"):
		return "xlsx"
	}
	return "csv"
}

func (j *Join) check(d *document, path string) {
	switch {
	case j.Type != "" || d.given(path+".type"):
		j.Table.check(d, path)
	case !d.given(path + ".path"):
		d.fail(path, "%s.path is missing: the file to look up in", path)
	}
	if j.Type == "sql" {
		d.fail(path+".type", "%s.type: a join reads csv or xlsx; join tables in the source's query", path)
	}
	if d.given(path+".on") && len(j.On) != 1 {
		d.fail(path+".on", "%s.on must have one entry, as in {customer: customer_id}", path)
	}
	d.columns(path+".take", j.Take, strings.Fields(sourceColumns))
}
