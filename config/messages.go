package config

import "strings"

// MessageSource is where captured messages of a placement's cart are: what Rokt's placements said, and what the shop
// asked of them, while pages were open. They are compared with completed orders and are no orders themselves.
type MessageSource struct {
	Name string `yaml:"-"` // its key in the file
	// Type is rokt for JSON lines, as makegood serve writes them, else a table with a message in each row.
	Type  string `yaml:"type" enum:"rokt csv xlsx sql" default:"rokt"`
	Table `yaml:",inline"`

	// From names the sources whose orders the messages are about; their shop is the numbering.
	From []string `yaml:"from" required:"the sources whose orders the messages are about, as in [shop]"`
	// Order is the attribute that holds the order's number, or in a table the column order.
	Order string `yaml:"order" for:"rokt"`
	// SessionField is a field of the orders, such as custom_rokt_session, that holds Rokt's session id.
	SessionField string `yaml:"session_field"`
	// Price is the field of a cart item with the price of one.
	Price string `yaml:"price" default:"unitPrice"`
	// Columns of a table are session, at and body, and perhaps order and message.
	Columns map[string]string `yaml:"columns" for:"csv xlsx sql" need:"csv xlsx sql"`
}

const messageColumns = "session at body order message"

// infer hands the type on to the table.
func (m *MessageSource) infer() {
	if m.Table.Type = m.Type; m.Type == "rokt" {
		m.Table.Type = ""
	}
}

func (m *MessageSource) check(d *document, path string, c *Config) {
	refer(d, path+".from", m.From, c.Sources, "source")
	if m.Type != "rokt" {
		m.Table.check(d, path)
		m.checkLocal(d, path)
		d.columns(path+".columns", m.Columns, strings.Fields(messageColumns))
		d.required(path, m.Columns, "session", "at", "body")
	}
	if len(m.From) == 0 && d.given(path+".from") && !d.failed(path+".from") {
		d.fail(path+".from", "%s.from names no source", path)
	}
	if m.Type == "rokt" && m.Order == "" && m.SessionField == "" && !d.failed(path+".order") {
		d.fail(path, "%s.order is missing: the attribute that holds the order's number, or session_field: the field of the orders "+
			"that holds Rokt's session id", path)
	}
	if m.Type != "rokt" && m.Columns["order"] == "" && m.SessionField == "" && !d.failed(path+".columns") {
		d.fail(path, "%s.columns.order is missing, or session_field: the field of the orders that holds Rokt's session id", path)
	}
	for _, name := range m.From {
		if s, first := c.Sources[name], c.Sources[m.From[0]]; s != nil && first != nil && s.Shop != first.Shop && !d.failed(path+".from") {
			d.fail(path+".from", "%s.from: sources.%s and sources.%s number their orders apart (shop); give each its own messages", path, m.From[0], name)
		}
	}
	if m.SessionField == "" || d.failed(path+".session_field") {
		return
	}
	if !customColumn.MatchString(m.SessionField) {
		d.fail(path+".session_field", "%s.session_field: %s is no field of the shop's own; it begins with custom_", path, d.quote(path+".session_field"))
		return
	}
	for _, name := range m.From {
		if s := c.Sources[name]; s != nil && !s.Has(m.SessionField) {
			d.fail(path+".session_field", "%s.session_field: sources.%s has no column %s", path, name, m.SessionField)
		}
	}
}
