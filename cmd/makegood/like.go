package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
	"makegood/sinks/capture"
	"makegood/sources/table"
)

// maxLike is how many requests of a session are compared.
const maxLike = 20

// likeness is what check --like tells of one request and one destination.
type likeness struct {
	Target  string      `json:"target"`
	Request string      `json:"request,omitempty"` // which of several
	Call    string      `json:"call"`
	Order   string      `json:"order,omitempty"` // both speak of it; empty: any order was composed, and values are not compared
	Fields  []likeField `json:"fields"`
	Advice  []string    `json:"advice,omitempty"` // what differs and what to set
}

type likeField struct {
	Path  string       `json:"path"`
	Sign  capture.Sign `json:"sign"`
	Page  string       `json:"page,omitempty"`
	Makes string       `json:"makegood,omitempty"`
}

// collectCall is the path of a call to Collect: MID, call and ending.
var collectCall = regexp.MustCompile(`^/c2/([^/]+)/(track_cart|track_conversion)(\.json)?$`)

// like compares requests that a page sent with what makegood would send. It
// reads the sources for an order to compare with, and no ledger.
func (a *app) like(ctx context.Context, path string, f *runFlags) (err error) {
	requests, err := readCapture(path)
	if err != nil {
		return &usageError{command: "makegood check", err: err}
	}
	s, err := a.begin(ctx, f, "check")
	if err != nil {
		return err
	}
	defer s.end(&err)
	var all []likeness
	for _, t := range s.Targets {
		if t.Type != "collect" {
			continue
		}
		for _, r := range requests {
			l, err := s.likeOne(ctx, t, r)
			if err != nil {
				return fmt.Errorf("compare with %s: %w", t.Name(), err)
			}
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return &usageError{command: "makegood check", err: errors.New("--like compares with destinations of type collect, and none is configured")}
	}
	s.stop()
	if slices.ContainsFunc(all, func(l likeness) bool { return len(l.Advice) > 0 }) {
		a.code = exitLeft
	}
	if f.json {
		e := json.NewEncoder(a.io.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(all)
	}
	for _, l := range all {
		a.tellLike(l)
	}
	return nil
}

func readCapture(path string) ([]capture.Request, error) {
	name := filepath.Base(path)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--like %s: %w", name, errors.Unwrap(err))
	}
	defer file.Close()
	requests, err := capture.Read(file)
	if err != nil {
		return nil, fmt.Errorf("--like %s: %w", name, err)
	}
	calls := slices.DeleteFunc(requests, func(r capture.Request) bool { return r.Payload == nil || !collectCall.MatchString(r.URL.Path) })
	if len(calls) == 0 {
		return nil, fmt.Errorf("--like %s: it holds no call of Collect (path /c2/MID/track_cart or track_conversion, with a payload); "+
			"open the shop's cart page, search the network tab for igodigital, and copy that request", name)
	}
	return calls[:min(len(calls), maxLike)], nil
}

// likeOne compares one request with what one destination would be sent.
func (s *session) likeOne(ctx context.Context, t *reconcile.Target, r capture.Request) (likeness, error) {
	cfg := s.cfg.Targets[t.Name()]
	call := collectCall.FindStringSubmatch(r.URL.Path)
	l := likeness{Target: t.Name(), Request: r.Where, Call: call[2]}
	there := r.Payload
	if root, ok := there.(map[string]any); !ok || root["payload"] == nil {
		there = map[string]any{"payload": there} // the browser's library sends the payload alone [C]
	}
	payload, _ := there.(map[string]any)["payload"].(map[string]any)
	if text, _ := payload["clear_cart"].(bool); text {
		l.Call = "track_cart, clear_cart"
	}
	l.Advice = append(l.Advice, addressAdvice(cfg, r, call)...)
	body, order, same, err := s.composeLike(ctx, t, cfg, l.Call, payload)
	if err != nil {
		return l, err
	}
	if body == nil {
		l.Advice = append(l.Advice, "nothing could be composed to compare with: no order of the last "+fmt.Sprint(s.ReachBack)+
			" days gives this call; look at send, channels and cart")
		return l, nil
	}
	if same {
		l.Order = order
	}
	l.compare(there, body, same)
	if text := identityAdvice(cfg, payload); text != "" {
		l.Advice = append(l.Advice, text)
	}
	return l, nil
}

// addressAdvice compares where the page sends with where makegood would.
func addressAdvice(cfg *config.Target, r capture.Request, call []string) []string {
	var list []string
	if _, rest, _ := strings.Cut(cfg.URL, "://"); strings.TrimSuffix(rest, "/") != r.URL.Host {
		list = append(list, fmt.Sprintf("the page sends to %s, makegood to %s: set url: %s://%s", r.URL.Host, rest, cmp.Or(r.URL.Scheme, "https"), r.URL.Host))
	}
	if call[1] != cfg.MID {
		list = append(list, fmt.Sprintf("the page's MID is %s, makegood's %s: one of them is another business unit's", call[1], cfg.MID))
	}
	return list
}

var hex64 = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// identityAdvice compares how a person is named.
func identityAdvice(cfg *config.Target, payload map[string]any) string {
	info, _ := payload["user_info"].(map[string]any)
	text, _ := info["email"].(string)
	form := "contact_key"
	switch {
	case text == "":
		return "the page names nobody here (user_info.email is empty): copy a request of a customer who is logged in, to see how people are named"
	case strings.Contains(text, "@"):
		form = "email"
	case hex64.MatchString(text):
		form = "email_sha256"
	}
	if form == cfg.Identity {
		return ""
	}
	return fmt.Sprintf("the page names people by what looks like %s, makegood by %s: set identity: %s, or carts and purchases get profiles of their own",
		form, cfg.Identity, form)
}

// shown are the fields whose values may be told, and payload.url in part; of
// others only the type is.
var shown = regexp.MustCompile(`^payload\.(cart\[\]\.(item|unique_id|quantity|price)|order_number|clear_cart|cart\.clear_cart|shipping|discount)$`)

// compare fills in the fields. Without an order that both speak of, values say
// nothing.
func (l *likeness) compare(there any, body json.RawMessage, same bool) {
	var here any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if decoder.Decode(&here) != nil {
		return // bodies are JSON
	}
	for _, f := range capture.Compare(there, here) {
		if f.Sign == capture.OtherText && !same && f.Path != "payload.url" {
			f.Sign = capture.Same // as a type
		}
		f.Path = reports.Mask(f.Path) // whatever the page calls its fields
		field := likeField{Path: f.Path, Sign: f.Sign, Page: reports.Mask(f.There), Makes: reports.Mask(f.Here)}
		switch {
		case f.Path == "payload.url":
			field.Page, field.Makes = pageShown(f.There), pageShown(f.Here)
		case !shown.MatchString(f.Path):
			field.Page, field.Makes = hidden(f.There), hidden(f.Here)
		}
		l.Fields = append(l.Fields, field)
		if text := fieldAdvice(f); text != "" {
			l.Advice = append(l.Advice, text)
		}
	}
}

// parameter is the name of one in a page's address.
var parameter = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]{1,40}=$`)

// pageShown is a page's address, as JSON, without what its parameters say: shops
// put names, telephone numbers and tokens there. "" stays "".
func pageShown(value string) string {
	var text string
	if value == "" || json.Unmarshal([]byte(value), &text) != nil {
		return hidden(value)
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return hidden(value)
	}
	address, mark := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String(), "?"
	for _, part := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, named := strings.Cut(part, "=")
		if name += "="; !named || !parameter.MatchString(name) {
			name = ""
		}
		address, mark = address+mark+name+"…", "&"
	}
	return `"` + reports.Mask(address) + `"`
}

func hidden(text string) string {
	if text == "" {
		return ""
	}
	return "(not shown)"
}

// fieldAdvice says what a difference means, "" for what is no matter: a page
// sends more than a backend has to.
func fieldAdvice(f capture.Field) string {
	switch {
	case f.Sign == capture.OtherText && f.Path == "payload.user_info.email":
		return "the person is named in another way for the same order: look at identity, and whether the page changes the address before it hashes it"
	case f.Sign == capture.OtherType:
		return f.Path + " is of another type on the page"
	case f.Sign == capture.OtherText && f.Path == "payload.url":
		return "payload.url is another page: look at cart_url and clear_url"
	case f.Sign == capture.OtherText && strings.HasSuffix(f.Path, ".item"), f.Sign == capture.OtherText && strings.HasSuffix(f.Path, ".unique_id"):
		name := f.Path[strings.LastIndex(f.Path, ".")+1:]
		return fmt.Sprintf("%s differs for the same order: map the column that the page uses as columns.%s", f.Path, name)
	case f.Sign == capture.OtherText:
		return f.Path + " differs for the same order"
	case f.Sign == capture.OnlyHere && (strings.HasSuffix(f.Path, ".item") || strings.HasSuffix(f.Path, ".unique_id")):
		return f.Path + " is missing on the page"
	}
	return ""
}

// composeLike makes the body of a call for the order that the page speaks of,
// or, when it names none that is known, for any. The order may be of any
// source and channel: a page speaks of online orders, which may go elsewhere.
func (s *session) composeLike(ctx context.Context, t *reconcile.Target, cfg *config.Target, call string, payload map[string]any) (body json.RawMessage, order string, same bool, err error) {
	number, _ := payload["order_number"].(string)
	numberOf := func(h reconcile.Head) string { return h.Key.Order }
	if cfg.OrderID != "" {
		rule, err := table.OrderNumber(cfg.OrderID)
		if err != nil {
			return nil, "", false, err
		}
		numberOf = func(h reconcile.Head) string {
			shown, err := rule(h)
			if err != nil {
				return ""
			}
			return shown
		}
	}
	window := reconcile.Window{From: s.Clock().AddDate(0, 0, -s.ReachBack), To: s.Clock().Add(time.Second)}
	for _, source := range s.Sources {
		key, found, err := pickHead(ctx, source, window, func(h reconcile.Head) (fits, exact bool) {
			return h.Goods && h.Email+h.Customer != "", number != "" && numberOf(h) == number
		})
		if err != nil {
			return nil, "", false, err
		}
		if key == (reconcile.OrderKey{}) {
			continue
		}
		for o, err := range source.Orders(ctx, []reconcile.OrderKey{key}) {
			if err != nil {
				return nil, "", false, err
			}
			if body = composeCall(t, cfg, call, o, s.Clock()); body != nil {
				return body, o.Key.Order, found, nil
			}
		}
	}
	return nil, "", false, nil
}

// pickHead walks a source for the head that is meant, else one that fits.
func pickHead(ctx context.Context, source reconcile.Source, w reconcile.Window, judge func(reconcile.Head) (fits, exact bool)) (key reconcile.OrderKey, exact bool, err error) {
	for h, err := range source.Heads(ctx, w) {
		if err != nil {
			return key, false, err
		}
		if h.LeftOut != "" || len(h.Bad) > 0 {
			continue
		}
		fits, is := judge(h)
		if is {
			key, exact = h.Key, true
		}
		if fits && key == (reconcile.OrderKey{}) {
			key = h.Key
		}
	}
	return key, exact, nil
}

// composeCall makes the body of a call about an order as if it were due now.
func composeCall(t *reconcile.Target, cfg *config.Target, call string, o reconcile.Order, now time.Time) json.RawMessage {
	kind := reconcile.KindCart
	if call == "track_conversion" {
		kind = reconcile.KindPurchase
	}
	o.CartUsed, o.CompletedAt = true, now
	person := reconcile.PersonOf(o.Head)
	cart := reconcile.Cart{LastActivity: now.Add(-24 * time.Hour)}
	for _, l := range o.Items {
		if l.Quantity.IsPos() {
			price, _ := reconcile.UnitPrice(l)
			cart.Lines = append(cart.Lines, reconcile.CartLine{SKU: l.SKU, Quantity: l.Quantity, Price: &price, UniqueID: l.UniqueID, Item: l.Item})
		}
	}
	if call == "track_cart" { // an update: the order took something else
		taken := reconcile.Line{SKU: "\x00taken", Quantity: reconcile.Decimal{}}
		if len(o.Items) > 0 {
			taken.Quantity = o.Items[0].Quantity
		}
		cart.Lines = append(cart.Lines, reconcile.CartLine{SKU: taken.SKU, Quantity: taken.Quantity})
		o.Items = []reconcile.Line{taken}
	}
	known := reconcile.Carts{ReadAt: map[string]time.Time{}, ByName: map[string]map[reconcile.Person]reconcile.Cart{}}
	for channel, rule := range cfg.Cart {
		if kind == reconcile.KindCart {
			o.Channel = channel // of those whose carts are touched
		}
		if rule.Source != "" {
			known.ReadAt[rule.Source] = now
			known.ByName[rule.Source] = map[reconcile.Person]reconcile.Cart{person: cart}
		}
	}
	for _, w := range t.Expect(o.Head, now) {
		if w.Kind != kind {
			continue
		}
		if events, _ := t.Compose(o, []reconcile.Want{w}, known, now); len(events) == 1 {
			return events[0].Body
		}
	}
	return nil
}

func (a *app) tellLike(l likeness) {
	what := l.Call
	if l.Request != "" {
		what += ", " + l.Request
	}
	fmt.Fprintf(a.io.out, "%s: %s\n", l.Target, what)
	switch {
	case len(l.Fields) == 0:
	case l.Order != "":
		fmt.Fprintf(a.io.out, "  compared with order %s\n", reports.Mask(l.Order))
	default:
		fmt.Fprintln(a.io.out, "  compared by its fields alone, with any order: the page's order is in no source")
	}
	w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', 0)
	for _, f := range l.Fields {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", f.Path, signWords[f.Sign], cmp.Or(reports.Mask(f.Page), "-"), cmp.Or(reports.Mask(f.Makes), "-"))
	}
	_ = w.Flush() // to standard output, like everything here
	for _, text := range l.Advice {
		fmt.Fprintf(a.io.out, "  ! %s\n", reports.Mask(text))
	}
	if len(l.Advice) == 0 {
		fmt.Fprintln(a.io.out, "  makegood would send the same")
	}
	fmt.Fprintln(a.io.out)
}

var signWords = map[capture.Sign]string{
	capture.Same: "same", capture.OtherText: "other value", capture.OtherType: "other type",
	capture.OnlyThere: "page only", capture.OnlyHere: "makegood only",
}
