package config

import "slices"

// Rokt are the keys of a target of type rokt: confirmations of paid orders to Rokt's cart.
type Rokt struct {
	// TagID is the header rokt-tag-id.
	TagID Secret `yaml:"tag_id" for:"rokt"`
	// RoktSession and RoktCart are fields of orders, such as custom_rokt_session: Rokt's session id, and the cart's id.
	RoktSession string `yaml:"rokt_session" for:"rokt" need:"rokt"`
	RoktCart    string `yaml:"rokt_cart" for:"rokt" need:"rokt"`
	// CartItem is the column of lines that holds Rokt's cartItemId; lines without one are the shop's own.
	CartItem string `yaml:"cart_item" for:"rokt" need:"rokt" enum:"unique_id item line"`
}

func (t *Target) checkRokt(d *document, path string, c *Config) {
	for _, n := range []struct {
		key   string
		wrong bool
		text  string
	}{
		{"url", t.URL == "", "is missing: Rokt tells its partners which host their cart API has"},
		{"send", !t.SendGiven, "is missing: nothing is confirmed by default; write send: [cart_confirm]"},
		{"already_sent", len(t.AlreadySent) == 0,
			"is missing: what was confirmed must be known, and nobody knows that a second confirmation is safe; name evidence of what the shop confirmed"},
		{"merges_repeats", t.MergesRepeats != nil && *t.MergesRepeats, "cannot be true: nobody knows that a second confirmation is safe"},
		{"batch", t.Batch != 1, "must be 1: Rokt takes one order in a request"},
		{"vat", t.Vat != "", "has no effect: a confirmation holds no money"},
	} {
		if at := path + "." + n.key; n.wrong && !d.failed(at) {
			d.fail(at, "%s %s", at, n.text)
		}
	}
	for i, kind := range t.Send {
		if kind != "cart_confirm" && t.SendGiven && !d.failed(at(path+".send", i)) {
			d.fail(at(path+".send", i), "%s.send: %s has no %s; it takes cart_confirm", path, t.Type, kind)
		}
	}
	for _, name := range t.From {
		s := c.Sources[name]
		if s == nil {
			continue
		}
		for key, column := range map[string]string{"rokt_session": t.RoktSession, "rokt_cart": t.RoktCart, "cart_item": t.CartItem} {
			if at := path + "." + key; column != "" && !s.Has(column) && !d.failed(at) {
				d.fail(at, "%s: sources.%s has no column %s", at, name, column)
			}
		}
		if paid := len(s.CompletedWhen) > 0 || s.Has("paid") || slices.Contains([]string{"shopify", "emanage"}, s.Preset); !paid && !d.failed("sources."+name) {
			d.fail("sources."+name, "sources.%s does not say which orders are paid, and targets.%s confirms those; map columns.status and write completed_when: [paid]", name, t.Name)
		}
	}
}

// missingRokt is what a target lacks before it may send.
func (t *Target) missingRokt(ask func(lacking bool, key, why, example string)) {
	const login = "The platform takes nothing without its login."
	ask(t.APIKey == "", "api_key", login, "api_key: ${ROKT_KEY}")
	ask(t.TagID == "", "tag_id", login, "tag_id: ${ROKT_TAG}")
}
