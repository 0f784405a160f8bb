package reconcile

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// HeadRules are the limits that a target sets on what its orders may be.
type HeadRules struct {
	MaxAge time.Duration // orders completed longer ago are too old; 0: no limit
	// ByCustomer says that the platform knows people by the shop's customer id:
	// that has to be there, and an address need not be.
	ByCustomer bool
	// KnownOtherwise says that the platform knows this order's person by
	// something else, too: then an address is not needed.
	KnownOtherwise bool
}

// FutureSlack is how far ahead of the run an order's completion may lie: as
// much as the clocks of two ordinary machines differ.
const FutureSlack = 15 * time.Minute

// HoldOf says why a purchase with this head must not go to any platform that
// knows people by their address or customer id, or "" when nothing speaks against it. It is
// pure. The first that fits of: the address, the goods, the money, the age
// (RULES R12, R10, R9, R15). Permission, suppression and the identity of the
// number are judged elsewhere, for all targets.
func HoldOf(h Head, asOf time.Time, o HeadRules) Reason {
	if reason := holdIdentity(h, o); reason != "" {
		return reason
	}
	switch {
	case !h.Goods:
		return ReasonNoGoods
	case h.LinesSum.IsNeg() || h.Amount.IsNeg() || h.Negative && !h.LinesSum.IsPos():
		return ReasonReturn
	case h.Negative:
		return ReasonExchange
	case !meetsTotal(h):
		return ReasonTotalMismatch
	case h.CompletedAt.After(asOf.Add(FutureSlack)):
		return ReasonFutureTime
	case o.MaxAge > 0 && h.CompletedAt.Before(asOf.Add(-o.MaxAge)):
		return ReasonTooOld
	}
	return ""
}

// meetsTotal compares an order's own total with lines + shipping - discount.
// Each line may have been rounded to the currency's coins, so half a coin per
// line is no difference. A sum with too many digits meets nothing.
func meetsTotal(h Head) bool {
	if h.Total == nil {
		return true
	}
	sum := h.LinesSum
	var err error
	if h.Shipping != nil {
		sum, err = Add(sum, *h.Shipping)
	}
	if h.Discount != nil && err == nil {
		sum, err = Add(sum, h.Discount.Neg())
	}
	if err != nil {
		return false
	}
	apart, err := Add(*h.Total, sum.Neg())
	if err != nil {
		return false
	}
	slack, err := decimal.New(5*int64(max(h.Lines, 1)), MinorDigits(h.Currency)+1)
	return err == nil && apart.CmpAbs(slack) <= 0
}

// mismatchText says how far lines and total are apart. A whole multiple is what
// a join makes that repeats every line, once for each payment.
func mismatchText(h Head) string {
	text := fmt.Sprintf("the lines come to %s, the total says %s", canonical(h.LinesSum), canonical(*h.Total))
	if h.Total.IsZero() {
		return text
	}
	if times, rest, err := h.LinesSum.QuoRem(*h.Total); err == nil && rest.IsZero() && times.Cmp(decimal.One) > 0 {
		text += fmt.Sprintf(": %s times as much; is every line repeated by a join, as with payments?", times)
	}
	return text
}

func holdIdentity(h Head, o HeadRules) Reason {
	switch {
	case o.ByCustomer && h.Customer == "":
		return ReasonNoContactKey
	case (o.ByCustomer || o.KnownOtherwise) && strings.TrimSpace(h.Email) == "":
		return ""
	}
	return holdAddress(h.Email)
}

// holdAddress judges an address as the source has it.
func holdAddress(email string) Reason {
	email = strings.ToLower(strings.TrimSpace(email))
	local, domain, _ := strings.Cut(email, "@")
	switch {
	case email == "":
		return ReasonNoEmail
	case !isAddress(email):
		return ReasonBadEmail
	case isPlaceholder(local):
		return ReasonPlaceholder
	case isAnonymised(local, domain):
		return ReasonAnonymised
	case isRelay(domain):
		return ReasonMarketplace
	}
	return ""
}

// isAddress accepts exactly one plain address with a domain that can exist.
func isAddress(email string) bool {
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || strings.ContainsAny(email, "\",;:()<> \t") {
		return false
	}
	_, domain, _ := strings.Cut(email, "@")
	labels := strings.Split(domain, ".")
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(last) > 1 && strings.Trim(last, "0123456789") != "" &&
		!slices.ContainsFunc(labels, func(l string) bool { return !isLabel(l) })
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range label {
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
		if !plain && c < 0x80 {
			return false
		}
	}
	return true
}

// isPlaceholder recognises local parts that a till or a clerk writes where there
// is no address. Only exact ones: noreply2021@ may be somebody.
func isPlaceholder(local string) bool {
	switch local {
	case "noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply",
		"none", "nobody", "unknown", "noemail", "no-email", "no_email", "nomail", "no-mail",
		"geen", "geenemail", "geen-email", "geenmail", "geen-mail", "onbekend", "niemand",
		"keine", "keine-email", "unbekannt", "inconnu", "aucun":
		return true
	}
	return false
}

// isAnonymised recognises addresses that erasing a person leaves behind: a word
// that says so with at most a number after it, a masked address, or the
// top-level domain that is reserved for what does not exist (RFC 2606).
func isAnonymised(local, domain string) bool {
	words := []string{"anonymous", "anonymised", "anonymized", "anonymisiert", "anoniem", "deleted", "redacted", "erased"}
	return slices.ContainsFunc(words, func(w string) bool { return startsWord(local, w) }) ||
		strings.Contains(local, "**") || strings.HasSuffix(domain, ".invalid")
}

// startsWord reports whether local is the word, followed by nothing or by
// separators, digits and a hexadecimal id.
func startsWord(local, word string) bool {
	rest, found := strings.CutPrefix(local, word)
	return found && strings.Trim(rest, "0123456789abcdef-_.+") == "" &&
		(rest == "" || !strings.ContainsAny(rest[:1], "abcdef"))
}

// isRelay recognises the domains from which marketplaces lend addresses: they
// lead to a buyer only about that one order.
func isRelay(domain string) bool {
	for _, start := range []string{"marketplace.amazon.", "members.ebay."} {
		if strings.HasPrefix(domain, start) {
			return true
		}
	}
	return slices.Contains([]string{"verkopen.bol.com", "relay.walmart.com"}, domain)
}

// ValueOf says what a target is told an order is worth (RULES R9).
type ValueOf string

// The ways to value an order. The zero value is as the source has it.
const (
	ValueGoods      ValueOf = "goods"       // the lines alone, also where the order has a total
	ValueOrderTotal ValueOf = "order_total" // the order's own total, where it has one
)

// Of gives the amount of a head, and what it was taken from.
func (v ValueOf) Of(h Head) Value {
	amount, of := h.Amount, h.AmountOf
	switch {
	case v == ValueGoods && of == AmountOfTotal:
		amount, of = h.LinesSum, AmountOfLineTotals
	case v == ValueOrderTotal && h.Total != nil:
		amount, of = *h.Total, AmountOfTotal
	}
	return Value{Amount: &amount, Currency: h.Currency, Of: of}
}

// UnitPrice is a line's price of one unit: its own, or its line total divided by
// its quantity, to 4 digits, half up. ok is false when neither can be had: an
// event then goes without a price.
func UnitPrice(l Line) (price Decimal, ok bool) {
	if l.Price != nil {
		return canonical(*l.Price), true
	}
	if l.LineTotal == nil || l.Quantity.IsZero() {
		return Decimal{}, false
	}
	quotient, err := l.LineTotal.Quo(l.Quantity)
	if err != nil {
		return Decimal{}, false
	}
	return HalfUp(quotient, 4), true
}

// HalfUp rounds to so many digits after the decimal point, halves away from
// zero, as people and tills do.
func HalfUp(d Decimal, digits int) Decimal {
	cut := d.Trunc(digits)
	rest, err := d.Sub(cut) // exact: the digits that were cut off
	if err != nil {
		return canonical(d.Round(digits))
	}
	half, err := decimal.New(5, digits+1)
	if err != nil || rest.CmpAbs(half) < 0 {
		return canonical(cut)
	}
	unit, err := decimal.New(int64(d.Sign()), digits)
	if err != nil {
		return canonical(cut)
	}
	up, err := Add(cut, unit)
	if err != nil {
		return canonical(cut)
	}
	return up
}
