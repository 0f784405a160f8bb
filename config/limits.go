package config

import "regexp"

var amountText = regexp.MustCompile(`^[0-9]{1,13}(\.[0-9]{1,4})?$`)

// Trial limits what mode trial sends of each kind: so many of the newest orders, and no larger share of those of the
// last 24 hours, or of the period that a person names.
type Trial struct {
	Orders int     `yaml:"orders"`
	Share  Percent `yaml:"share"`
}

// usualTrial is how many orders of each kind a trial sends where nothing else is said.
const usualTrial = 20

// Budget is what one run may send: orders, money by currency, and how large a share may be refused. A zero sets no bound.
type Budget struct {
	Refused Percent           `yaml:"refused"`
	Orders  int               `yaml:"orders"`
	Money   map[string]string `yaml:"money"` // exact decimal text; an event in another currency is held back
}

// checkLimits looks at what one run may send.
func (t *Target) checkLimits(d *document, path string) {
	if d.given(path+".per_run") && t.PerRun < 1 && !d.failed(path+".per_run") {
		d.fail(path+".per_run", "%s.per_run must be 1 or more; take it out for any number", path)
	}
	if tr := t.Trial; tr != nil {
		switch at := path + ".trial"; {
		case d.failed(at + ".orders"), d.failed(at + ".share"):
		case d.given(at+".orders") && tr.Orders < 1:
			d.fail(at+".orders", "%s.orders must be 1 or more; mode: shadow sends nothing", at)
		case d.given(at+".share") && tr.Share == 0:
			d.fail(at+".share", "%s.share must be more than 0%%; mode: shadow sends nothing", at)
		case tr.Orders == 0 && tr.Share == 0:
			d.fail(at, "%s names no bound; write trial: {orders: 20, share: 5%%}", at)
		}
	}
	if t.Budget != nil {
		t.Budget.check(d, path+".budget")
	}
}

func (b *Budget) check(d *document, path string) {
	for key, none := range map[string]bool{"orders": b.Orders < 1, "refused": b.Refused == 0, "money": len(b.Money) == 0} {
		if at := path + "." + key; d.given(at) && none && !d.failed(at) {
			d.fail(at, "%s must be more than 0; take it out for no bound", at)
		}
	}
	if b.Orders == 0 && b.Refused == 0 && len(b.Money) == 0 && !d.given(path+".orders") && !d.given(path+".refused") && !d.given(path+".money") {
		d.fail(path, "%s names no bound; write budget: {orders: 10000, refused: 5%%, money: {EUR: \"50000\"}}", path)
	}
	for _, currency := range sortedKeys(b.Money) {
		switch at := path + ".money." + currency; {
		case !currencyCode.MatchString(currency):
			d.fail(at, "%s: a currency is three capital letters, as in money: {EUR: \"50000\"}", at)
		case !amountText.MatchString(b.Money[currency]) && !d.failed(at):
			d.fail(at, "%s: %s is no amount; write one such as \"50000\" or \"199.95\"", at, d.quote(at))
		}
	}
}
