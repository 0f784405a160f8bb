package simulator

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// Customer is what all platforms believe about whoever is named: by an address (its hash is looked for, too), by what a
// platform calls a person, by an order number, or by a session of EmanageCRM.
type Customer struct {
	Profiles    []Profile      `json:"profiles"`    // at Squeezely
	Purchases   []Purchase     `json:"purchases"`   // at Squeezely
	Carts       []Cart         `json:"carts"`       // at Collect
	Conversions []Conversion   `json:"conversions"` // at Collect
	RoktAds     []AdConversion `json:"rokt_ads"`
	Emanage     []EmanageCart  `json:"emanage"` // real and test carts
}

// Known reports whether any platform ever heard of the customer.
func (c Customer) Known() bool {
	return len(c.Profiles)+len(c.Purchases)+len(c.Carts)+len(c.Conversions)+len(c.RoktAds)+len(c.Emanage) > 0
}

// MailDue reports whether an abandoned-cart mail would go out.
func (c Customer) MailDue() bool {
	return slices.ContainsFunc(c.Carts, func(c Cart) bool { return c.MailDue })
}

// Customer looks for whoever is named.
func (s *Simulator) Customer(who string) Customer {
	var c Customer
	who = strings.TrimSpace(who)
	if who == "" {
		return c
	}
	names := namesOf(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.memory
	orders := map[orderKey]bool{}
	for key, p := range m.profiles {
		if names[key.person] {
			c.Profiles = append(c.Profiles, p.view())
			for _, id := range p.Orders {
				orders[orderKey{key.mid, id}] = true
			}
		}
	}
	slices.SortFunc(c.Profiles, func(a, b Profile) int { return strings.Compare(a.Account, b.Account) })
	for _, p := range m.purchaseOrder {
		if p.OrderID == who || orders[orderKey{p.account, p.OrderID}] {
			c.Purchases = append(c.Purchases, p.view())
		}
	}
	for _, p := range m.personOrder {
		if names[p.key] {
			c.Carts = append(c.Carts, p.view())
		}
	}
	for _, v := range m.conversionOrder {
		if v.order == who || names[v.person] {
			c.Conversions = append(c.Conversions, v.view())
		}
	}
	for _, a := range m.adOrder {
		if a.item.ref == who || names[a.item.person] {
			c.RoktAds = append(c.RoktAds, a.view())
		}
	}
	for _, cart := range m.cartOrder {
		if cart.Session == who || cart.Parent == who {
			c.Emanage = append(c.Emanage, cart.view())
		}
	}
	return c
}

// namesOf are the names by which platforms may know a person: as written, and the hash of the trimmed lower-case
// address.
func namesOf(who string) map[string]bool {
	sum := sha256.Sum256([]byte(strings.ToLower(who)))
	return map[string]bool{who: true, strings.ToLower(who): true, hex.EncodeToString(sum[:]): true}
}

//go:embed customer.html
var customerText string

var customerTemplate = template.Must(template.Must(pageTemplate.Clone()).New("customer").Parse(customerText))

const maxCustomerForm = 4 << 10

// serveCustomer answers the form of the page. The name comes in the body, so that it stands in no address.
func (s *Simulator) serveCustomer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxCustomerForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	who := r.PostForm.Get("who")
	var text bytes.Buffer
	if err := customerTemplate.Execute(&text, struct {
		Who string
		Customer
	}{who, s.Customer(who)}); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	writePage(w, text.Bytes())
}
