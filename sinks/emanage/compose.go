package emanage

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"makegood/reconcile"
)

// Compose makes the requests of an order's chain. Their values have the types of
// the document's samples [P]: product, price, quantity and shipping method are
// text, and of what is replaced product and quantity are numbers. Bodies are
// canonical: sorted keys, no spaces.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, _ reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o.Head, w) })
}

func (s *Sink) compose(h reconcile.Head, w reconcile.Want) (reconcile.Event, *reconcile.Held) {
	n := w.ID.Position()
	if n < 1 || n > len(h.Chain) {
		return reconcile.Event{}, &reconcile.Held{Reason: reconcile.ReasonNothingDue}
	}
	l := link{Sink: s, head: h, n: n, step: h.Chain[n-1]}
	if n > 1 {
		l.before = h.Chain[n-2]
	}
	if hold := l.check(); hold != nil {
		return reconcile.Event{}, hold
	}
	e := reconcile.Event{Action: reconcile.Action(w.Kind), ID: w.ID, Kind: w.Kind, Person: w.Person, Value: w.Value, Facts: w.Facts,
		Shown: h.Key.Order}
	if s.options.MaxAge > 0 {
		e.Expiry = h.CompletedAt.Add(s.options.MaxAge)
	}
	body := l.request(&e)
	// json.Marshal escapes < > & as a plan file would, so that the bytes
	// survive it.
	var err error
	if e.Body, err = json.Marshal(body); err != nil {
		return e, cannot("a value is no JSON")
	}
	return e, nil
}

func cannot(why string) *reconcile.Held {
	return &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: why}
}

// link is one step of a chain on its way to becoming a request.
type link struct {
	*Sink
	head         reconcile.Head
	n            int
	step, before reconcile.ChainStep // before: the one that it replaces; zero of the first
}

// ids that are put into bodies as numbers, and sessions that are put into
// addresses.
var (
	numberText  = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)
	sessionText = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
)

// check tells why no request can be made of the step.
func (l link) check() *reconcile.Held {
	for n, step := range l.head.Chain {
		switch {
		case step.Replaces != n:
			return cannot("it has products that replace none, beside each other: the document knows no such cart")
		case step.Discounted:
			return &reconcile.Held{Reason: reconcile.ReasonDiscountedCart}
		}
	}
	offline, first := l.step.Parent != "", l.n == 1
	session := l.session()
	switch {
	case !l.step.Price.IsPos() || !l.step.Quantity.IsPos():
		return cannot("price and quantity have to be more than 0")
	case l.step.Shipping == "":
		return cannot("shipping_method is empty")
	case (first || offline) && l.step.CustomerIP == "":
		return cannot("customer_ip is empty")
	case (first || offline) && l.step.Session != "":
		return cannot("its cart has a session already, and what is due of a cart that is there cannot be collected by this API")
	case !first && !numberText.MatchString(l.before.Product):
		return cannot("the product that is replaced has no number")
	case !first && !numberText.MatchString(l.before.Quantity.String()):
		return cannot("the quantity that is replaced is no whole number")
	case session != "" && !sessionText.MatchString(session):
		return cannot("the session is no id")
	case session != "" && l.options.Use == Test && !l.options.TestSessions:
		return &reconcile.Held{Reason: reconcile.ReasonRealSession}
	}
	return l.checkCharge()
}

// session is the one of the source that the request names, "" where it names
// none, or the one that makegood itself was given.
func (l link) session() string {
	switch {
	case l.n == 1:
		return ""
	case l.step.Parent != "":
		return l.step.Parent
	case l.step.Session != "":
		return l.step.Session
	}
	return l.before.Session
}

// checkCharge compares what is due with what the platform will charge: the
// price, or of an upgrade the price less the one before [P]. Shipping, where
// the source has it, may be part of what is due of a new cart [U].
func (l link) checkCharge() *reconcile.Held {
	charge, err := reconcile.Add(l.step.Cost, l.before.Cost.Neg())
	if err == nil && charge.Cmp(l.step.Due) != 0 && l.n == 1 && l.head.Shipping != nil {
		charge, err = reconcile.Add(charge, *l.head.Shipping)
	}
	if err == nil && charge.Cmp(l.step.Due) == 0 {
		return nil
	}
	return &reconcile.Held{Reason: reconcile.ReasonChargeMismatch,
		Text: fmt.Sprintf("due are %s, the platform would charge %s", l.step.Due, charge)}
}

// request gives the body, and puts path and needs into the event.
func (l link) request(e *reconcile.Event) map[string]any {
	product := map[string]any{"productId": l.step.Product, "price": l.step.Price.String(), "quantity": l.step.Quantity.String(),
		"shippingMethodId": l.step.Shipping}
	if l.n > 1 {
		product["upgradePreviewProductId"] = json.Number(l.before.Product)
		product["upgradePreviewQuantity"] = json.Number(l.before.Quantity.String())
		l.wait(e)
	}
	if l.n > 1 && l.step.Parent == "" {
		l.add(e)
		if l.n == 2 { // the sample of an upgrade has it, that of an upgrade of an upgrade has not [P]
			product["upgradeParentSessionId"] = nil
		}
		return product
	}
	if l.step.Parent != "" {
		product["upgradeParentSessionId"] = l.step.Parent
	}
	e.Path = "new" + l.query("")
	body := map[string]any{"Product": product, "customerIP": l.step.CustomerIP}
	if l.options.Behavior != "" {
		body["behaviorId"] = json.Number(l.options.Behavior)
	}
	return body
}

// wait makes the event need the step before it, where that is still to be
// charged, or has the only session that there is.
func (l link) wait(e *reconcile.Event) {
	if l.before.Due.IsPos() || l.session() == "" {
		e.Needs = []reconcile.EventID{eventID(l.head, l.n-1)}
	}
}

func (l link) add(e *reconcile.Event) {
	session := url.QueryEscape(l.session())
	if session == "" {
		session = reconcile.ReceiptMark(eventID(l.head, l.n-1))
	}
	e.Path = "add" + l.query(session)
}

// query names the session and the behavior, as far as there are any. A mark
// stands in it as it is: it is filled in later.
func (l link) query(session string) string {
	query := ""
	for _, part := range [][2]string{{"sessionId=", session}, {"behaviorId=", url.QueryEscape(l.options.Behavior)}} {
		if part[1] != "" {
			query += "&" + part[0] + part[1]
		}
	}
	if query == "" {
		return ""
	}
	return "?" + query[1:]
}
