package config

import "slices"

func (t *Target) checkCollect(d *document, path string, c *Config) {
	sends := func(kind string) bool { return slices.Contains(t.Send, kind) }
	carts := sends("cart_update") || sends("cart_clear")
	front := func(name string) bool { e := c.Evidence[name]; return e != nil && e.Side == "front_end" }
	for _, n := range []struct {
		key     string
		missing bool
		text    string
	}{
		{"max_age", sends("purchase") && t.MaxAge == 0,
			"Collect has no time field, so an old purchase counts as made now; 48h is usual"},
		{"cart_url", sends("cart_update") && t.CartURL == "", "cart_update names the page of the cart"},
		{"clear_url", sends("cart_clear") && t.ClearURL == "", "cart_clear names the page that empties the cart"},
		{"cart", carts && !slices.ContainsFunc(t.Channels, func(ch string) bool { return t.Cart[ch].KnownBy != "" }),
			"cart events need to know what a checkout did to the cart, as in cart: {in_store: {known_by: carts, source: open_carts}}"},
	} {
		if at := path + "." + n.key; n.missing && !d.failed(at) {
			d.fail(at, "%s is missing: %s", at, n.text)
		}
	}
	if i := slices.Index(t.Channels, "online"); i >= 0 && !slices.ContainsFunc(t.AlreadySent, front) {
		d.fail(at(path+".channels", i), "%s.channels: online goes to Collect only with evidence of side front_end in already_sent, "+
			"because the page sends most of these purchases itself", path)
	}
	if t.MergesRepeats != nil && *t.MergesRepeats {
		d.fail(path+".merges_repeats", "%s.merges_repeats: a purchase that Collect gets twice counts twice", path)
	}
	if t.Batch > 1 {
		d.fail(path+".batch", "%s.batch: Collect takes one event in a request", path)
	}
	for _, channel := range sortedKeys(t.Cart) {
		t.checkCart(d, path+".cart."+channel, channel, c)
	}
}

func (t *Target) checkCart(d *document, path, channel string, c *Config) {
	rule := t.Cart[channel]
	switch {
	case channel != "in_store" && channel != "mobile":
		d.fail(path, "%s: carts are touched for in_store and mobile only", path)
		return
	case rule.KnownBy == "always" && channel != "mobile":
		d.fail(path+".known_by", "%s.known_by: always is for mobile only, where the checkout is the cart; use carts or column", path)
	case rule.KnownBy == "carts" && !d.given(path+".source"):
		d.fail(path, "%s.source is missing: it names an entry of carts", path)
	case rule.KnownBy == "column" && !slices.ContainsFunc(t.From, func(name string) bool {
		s := c.Sources[name]
		return s != nil && s.Has(rule.Column)
	}):
		d.fail(path+".column", "%s.column must name a column that a source of the target has, such as cart_used", path)
	}
	if d.given(path + ".source") {
		refer(d, path+".source", []string{rule.Source}, c.Carts, "carts")
	}
	if d.given(path+".column") && rule.KnownBy != "column" && !d.failed(path+".known_by") {
		d.fail(path+".column", "%s.column goes with known_by: column", path)
	}
}
