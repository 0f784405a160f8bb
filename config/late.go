package config

// MarkLate names the field that messages carry about orders completed longer than After ago.
type MarkLate struct {
	After Duration `yaml:"after" required:"how old an order is that counts as late, such as after: 24h"`
	Field string   `yaml:"field" required:"a custom field that exists at the platform, such as field: custom_sent_late"`
	Value string   `yaml:"value" default:"yes"`
}

func (t *Target) checkLate(d *document, path string, c *Config) {
	m := t.MarkLate
	if m == nil {
		return
	}
	at := path + ".mark_late"
	if m.After == 0 && d.given(at+".after") && !d.failed(at+".after") {
		d.fail(at+".after", "%s.after must be more than 0", at)
	}
	if m.Field == "" || d.failed(at+".field") {
		return
	}
	if !customColumn.MatchString(m.Field) {
		d.fail(at+".field", "%s.field: %s is no custom field; write one such as custom_sent_late, and make it at the platform", at, d.quote(at+".field"))
	}
	for _, name := range t.From {
		if s := c.Sources[name]; s != nil && s.Has(m.Field) {
			d.fail(at+".field", "%s.field: sources.%s fills %s already; choose another name", at, name, m.Field)
		}
	}
}
