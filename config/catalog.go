package config

// Catalog is a table of the products that a platform knows, such as the product feed that it is given (RULES R18).
type Catalog struct {
	Table    `yaml:",inline"`
	SKU      string `yaml:"sku" required:"the column of the article numbers, as the feed has them"`
	Language string `yaml:"language"` // the column that keeps products of several languages apart; empty: there is one
}

func (c *Catalog) infer() { c.Type = typeByEnding(c.Table) }

func (c *Catalog) check(d *document, path string) {
	switch {
	case c.Type != "" || d.given(path+".type"):
		c.Table.check(d, path)
	case !d.given(path + ".path"):
		d.fail(path, "%s.path is missing: the file of the products that the platform knows", path)
	}
}

// checkCatalog looks at what a target knows of products and custom fields.
func (t *Target) checkCatalog(d *document, path string) {
	if d.given(path + ".catalog") {
		t.Catalog.check(d, path+".catalog")
	}
	if t.Catalog == nil && d.given(path+".unknown_sku") && !d.failed(path+".unknown_sku") {
		d.fail(path+".unknown_sku", "%s.unknown_sku says what becomes of products that a catalog does not know, and there is none", path)
	}
	for i, field := range t.ConfirmedFields {
		if !customColumn.MatchString(field) {
			d.fail(at(path+".confirmed_fields", i), "%s.confirmed_fields: %s is no custom field; write names such as custom_shoe", path, quoted(field))
		}
	}
}
