package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Emanage are the keys of a target of type emanage: carts that EmanageCRM charges.
type Emanage struct {
	// CID is the header X_CID, WebKey the GUID of the campaign.
	CID    Secret `yaml:"cid" for:"emanage"`
	WebKey Secret `yaml:"webkey" for:"emanage"`
	// BehaviorID is the behaviorId of real carts, empty: they have none. Mode trial sends 2, which marks test carts [P].
	BehaviorID string `yaml:"behavior_id" for:"emanage"`
	// TestSessions says that the sessions of the sources are those of test carts, which mode trial may touch.
	TestSessions bool `yaml:"test_sessions" for:"emanage"`
	// MaxCharge is what one order may be charged in all, by currency.
	MaxCharge map[string]Amount `yaml:"max_charge" for:"emanage"`
	// SessionField is where a new cart's answer has its session, where it is no bare text.
	SessionField string `yaml:"session_field" for:"emanage" default:"sessionId"`
	// TextAnswers takes a text that is no JSON, in answer to an upgrade, as accepted. Such answers were seen [C], but a text
	// could as well say that the charge was declined: without this they leave the charge in doubt.
	TextAnswers bool `yaml:"text_answers" for:"emanage"`
}

// Amount is an amount of money of more than 0, in exact decimal text.
type Amount string

var behaviorText = regexp.MustCompile(`^[0-9]{1,9}$`)

// UnmarshalText takes 150 and 149.95.
func (a *Amount) UnmarshalText(text []byte) error {
	if !amountText.Match(text) || strings.Trim(string(text), "0.") == "" {
		return errors.New("no amount of more than 0; write one such as 150 or 149.95")
	}
	*a = Amount(text)
	return nil
}

// fillEmanage: carts and upgrades, one at a time.
func (t *Target) fillEmanage(given func(key string) bool) {
	if !t.SendGiven {
		t.Send = []string{"cart_create", "cart_upgrade"}
	}
	if !given("concurrency") {
		t.Concurrency = 1
	}
	t.MailAfter = 0 // no mail hangs on its carts
}

func (t *Target) checkEmanage(d *document, path string, c *Config) {
	for _, n := range []struct {
		key   string
		wrong bool
		text  string
	}{
		{"concurrency", t.Concurrency != 1, "must be 1: each charge is looked at before the next one"},
		{"batch", t.Batch != 1, "must be 1: EmanageCRM takes one cart in a request"},
		{"merges_repeats", t.MergesRepeats != nil && *t.MergesRepeats, "cannot be true: a cart that is made twice is charged twice"},
		{"behavior_id", t.BehaviorID != "" && !behaviorText.MatchString(t.BehaviorID), "is no number"},
		{"behavior_id", t.BehaviorID == "2", "cannot be 2, which marks test carts; mode: trial sends those"},
		{"from", len(t.From) > 1, "must name one source: a cart that two of them show would be charged twice"},
		{"max_charge", len(t.MaxCharge) > 1, "must name one currency: a request says none, so a campaign charges in its own [U]; give each currency " +
			"a target of its own, with when"},
		{"vat", t.Vat != "", "has no effect: what is due is charged as the source has it"},
	} {
		if at := path + "." + n.key; n.wrong && !d.failed(at) {
			d.fail(at, "%s %s", at, n.text)
		}
	}
	for i, kind := range t.Send {
		if kind != "cart_create" && kind != "cart_upgrade" && !d.failed(at(path+".send", i)) {
			d.fail(at(path+".send", i), "%s.send: %s has no %s; it takes cart_create and cart_upgrade", path, t.Type, kind)
		}
	}
	for _, currency := range sortedKeys(t.MaxCharge) {
		if at := path + ".max_charge." + currency; !currencyCode.MatchString(currency) && !d.failed(at) {
			d.fail(at, "%s: write the currency as a code of ISO 4217, such as EUR", at)
		}
	}
	t.checkNeighbours(d, path, c)
	due := func(name string) bool { s := c.Sources[name]; return s != nil && s.Has("charge_due") }
	if len(t.From) > 0 && !slices.ContainsFunc(t.From, due) && !d.failed(path+".from") {
		d.fail(path, "%s: no source of the target says what is still to be collected; map columns.charge_due there, without which nothing is charged", path)
	}
}

// checkNeighbours refuses two targets that could charge one cart twice.
func (t *Target) checkNeighbours(d *document, path string, c *Config) {
	for _, name := range sortedKeys(c.Targets) {
		o := c.Targets[name]
		if name >= t.Name || o.Type != "emanage" || !t.Sending() || !o.Sending() || t.Mode != o.Mode ||
			!slices.ContainsFunc(t.From, func(source string) bool { return slices.Contains(o.From, source) }) {
			continue
		}
		if t.When != "" && o.When != "" && t.WebKey != o.WebKey {
			continue
		}
		d.fail(path, "%s and targets.%s read one source, and each would charge its carts; give each a webkey of its own, and say with when whose carts are whose", path, name)
	}
}

// checkCarts refuses events that only EmanageCRM and Rokt know.
func (t *Target) checkCarts(d *document, path string) {
	for i, kind := range t.Send {
		if strings.HasPrefix(kind, "cart_c") && kind != "cart_clear" || kind == "cart_upgrade" {
			if at := at(path+".send", i); !d.failed(at) {
				d.fail(at, "%s.send: %s has no %s", path, t.Type, kind)
			}
		}
	}
}

// missingEmanage is what a target lacks before it may send.
func (t *Target) missingEmanage(ask func(lacking bool, key, why, example string)) {
	ask(t.CID == "", "cid", "The platform takes nothing without its X_CID.", "cid: ${EMANAGE_CID}")
	ask(t.WebKey == "", "webkey", "Nobody says for which campaign carts are made.", "webkey: ${EMANAGE_WEBKEY}")
	ask(t.Mode == ModeLive && len(t.MaxCharge) == 0, "max_charge", "Customers are charged: somebody has to say how much one order may be at most.",
		"max_charge: {EUR: 150}")
}
