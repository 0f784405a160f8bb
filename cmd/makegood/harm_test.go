package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reports"
	"makegood/sinks/simulator"
	"makegood/sources/sqldb"
	"makegood/sources/xlsxfile"
)

// These tests play what happens in real shops (the table at the end of the
// rules of the trade), one by one: a small shop, its platforms, a night. Each
// test is named after its situation. They are spread over harm_*_test.go.

// fields are a part of a configuration. JSON is YAML.
type fields = map[string]any

// with gives a part of a configuration in which some fields are others; nil
// takes one out.
func with(base, over fields) fields {
	all := maps.Clone(base)
	maps.Copy(all, over)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// shop is a small shop: files in a folder, a configuration, and the platforms
// it sends to.
type shop struct {
	*testing.T
	dir  string
	url  string
	sim  *simulator.Simulator
	conf fields
	hook *listening // what notices tell; nil where nobody is told
}

func newShop(t *testing.T, faults ...string) *shop {
	t.Helper()
	sim, url := simulate(t, faults...)
	return &shop{T: t, dir: t.TempDir(), url: url, sim: sim, conf: fields{
		"zone": "Europe/Amsterdam", "environment": "test",
		"sources": fields{}, "targets": fields{}, "evidence": fields{}, "carts": fields{}, "messages": fields{},
	}}
}

// set adds a named part, such as a source, to the configuration.
func (s *shop) set(part, name string, f fields) { s.conf[part].(fields)[name] = f }

// The columns that a shop's files have in these tests.
var usual = fields{"order": "id", "completed_at": "paid", "email": "email", "sku": "sku", "quantity": "n", "price": "price"}

const usualHeader = "id,paid,email,sku,n,price"

// source adds a CSV source of the given name, in the file of that name.
func (s *shop) source(name string, over fields) {
	s.set("sources", name, with(fields{
		"type": "csv", "path": name + ".csv", "zone": "UTC", "currency": "EUR", "channel": "online", "stable_for": "0s",
		"may_send": fields{"all": true, "reason": "a test"}, "columns": usual,
	}, over))
}

// tills adds a source of in-store checkouts.
func (s *shop) tills(name string, over fields) {
	all := fields{"channel": "in_store", "order_unique": "always"}
	maps.Copy(all, over)
	s.source(name, all)
}

// activate adds a live destination of type squeezely for purchases.
func (s *shop) activate(name string, over fields) {
	s.set("targets", name, with(fields{
		"type": "squeezely", "mode": "live", "url": s.url + "/v1/track", "account": name, "api_key": "key",
		"since": "2020-01-01", "nothing_else_sends": true, "channels": []string{"online", "in_store", "mobile"},
		"rate": "10000/s", "probe_after": []string{"1ms", "2ms", "4ms"},
	}, over))
}

// collect adds a live destination of type collect for purchases and carts.
func (s *shop) collect(name string, over fields) {
	s.set("targets", name, with(fields{
		"type": "collect", "mode": "live", "url": s.url, "mid": "123456", "max_age": "48h",
		"cart_url": "https://www.example.com/cart", "clear_url": "https://www.example.com/cart/empty",
		"from": []string{"tills"}, "channels": []string{"in_store", "mobile"}, "send": []string{"purchase", "cart_update", "cart_clear"},
		"cart":  fields{"in_store": fields{"known_by": "carts", "source": "open"}},
		"since": "2020-01-01", "nothing_else_sends": true, "rate": "10000/s", "probe_after": []string{"1ms", "2ms", "4ms"},
	}, over))
	s.set("carts", "open", fields{"type": "csv", "path": "carts.csv", "zone": "UTC",
		"columns": fields{"email": "email", "sku": "sku", "quantity": "n", "price": "price", "last_activity": "at"}})
}

// evidence adds a record of what the live integration sent, in sent.csv.
func (s *shop) evidence(over fields) {
	s.set("evidence", "live_log", with(fields{"type": "csv", "path": "sent.csv", "zone": "UTC",
		"columns": fields{"order": "order_id", "at": "sent_at"}, "side": "backend", "trust": "proven",
		"covers_from": "2020-01-01", "fresh_within": "2h"}, over))
}

// csv writes a file of a header and rows.
func (s *shop) csv(name, header string, rows ...string) {
	write(s.T, s.dir, name, header+"\n"+strings.Join(rows, "\n")+"\n")
}

// orders writes the file of a source with the usual columns.
func (s *shop) orders(source string, rows ...string) { s.csv(source+".csv", usualHeader, rows...) }

// book writes a workbook of one sheet.
func (s *shop) book(name string, rows ...[]any) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	_ = os.Remove(path) // it may not be there
	if err := xlsxfile.Create(path, "Orders", rows); err != nil {
		s.Fatal(err)
	}
}

// database makes an SQLite database by a script.
func (s *shop) database(name, script string) {
	s.Helper()
	if err := sqldb.Create(s.Context(), filepath.Join(s.dir, name), script); err != nil {
		s.Fatal(err)
	}
}

// ago is a wall-clock time in UTC that lies in the past.
func ago(d time.Duration) string { return time.Now().UTC().Add(-d).Format(time.DateTime) }

// told is what a command said.
type told struct {
	reports.Report
	code         int
	stdout, errs string
}

// file writes the configuration and returns its path.
func (s *shop) file() string {
	s.Helper()
	text, err := json.MarshalIndent(s.conf, "", " ")
	if err != nil {
		s.Fatal(err)
	}
	return write(s.T, s.dir, "makegood.yaml", string(text))
}

// makegood runs a command with --json, wants an exit code, and reads the
// report, whose balances must hold.
func (s *shop) makegood(code int, args ...string) told {
	s.Helper()
	got := told{}
	got.code, got.stdout, got.errs = makegood(s.T, append(args, "--json", "-c", s.file())...)
	if got.code != code {
		s.Fatalf("makegood %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got.code, code, got.errs, got.stdout)
	}
	readReport(s.T, got.stdout)
	if err := json.Unmarshal([]byte(got.stdout), &got.Report); err != nil {
		s.Fatal(err)
	}
	return got
}

// run is an ordinary night.
func (s *shop) run(code int, args ...string) told {
	s.Helper()
	return s.makegood(code, append([]string{"run"}, args...)...)
}

func (g told) target(t *testing.T, name string) reports.Target {
	t.Helper()
	for _, target := range g.Targets {
		if target.Target == name {
			return target
		}
	}
	t.Fatalf("the report has no target %s", name)
	return reports.Target{}
}

func (g told) source(t *testing.T, name string) reports.Source {
	t.Helper()
	for _, source := range g.Sources {
		if source.Source == name {
			return source
		}
	}
	t.Fatalf("the report has no source %s", name)
	return reports.Source{}
}

// ends says in one line where every message of a target ended, and every
// order that is not for it: "held_back cart_newer 1, sent 1".
func (g told) ends(t *testing.T, name string) string {
	t.Helper()
	target := g.target(t, name)
	var parts []string
	for _, r := range target.Reasons {
		parts = append(parts, fmt.Sprintf("%s %s %d", r.Bucket, r.Reason, r.Events))
	}
	for _, r := range target.NotReasons {
		parts = append(parts, fmt.Sprintf("not_for_target %s %d", r.Reason, r.Orders))
	}
	if n := target.Balance.Sent.Events; n > 0 {
		parts = append(parts, fmt.Sprintf("sent %d", n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// wants compares where the messages of a target ended.
func (s *shop) wants(g told, target, want string) {
	s.Helper()
	if got := g.ends(s.T, target); got != want {
		s.Errorf("%s ended as %q, want %q\n%s", target, got, want, g.stdout)
	}
}

// platform says in one line what Squeezely holds of an account: order ids with
// their amounts, sorted.
func (s *shop) platform(account string) string {
	var parts []string
	for _, p := range s.sim.Purchases(account) {
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s", p.OrderID, p.Total.Trim(0), p.Currency))
		if p.Count > 1 {
			text += fmt.Sprintf(" (%d times)", p.Count)
		}
		parts = append(parts, text)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (s *shop) wantsPlatform(account, want string) {
	s.Helper()
	if got := s.platform(account); got != want {
		s.Errorf("the platform holds %q of %s, want %q", got, account, want)
	}
}

// body is the last message about an order that Squeezely holds.
func (s *shop) body(account, order string) map[string]any {
	s.Helper()
	p, known := s.sim.Purchase(account, order)
	if !known {
		s.Fatalf("the platform does not know %s", order)
	}
	var body map[string]any
	if err := json.Unmarshal(p.Body, &body); err != nil {
		s.Fatal(err)
	}
	return body
}

// conversions says in one line what Collect holds, none of it twice.
func (s *shop) conversions() string {
	var parts []string
	for _, c := range s.sim.Conversions("123456") {
		if c.Count != 1 {
			s.Errorf("Collect received %s %d times", c.OrderNumber, c.Count)
		}
		parts = append(parts, c.OrderNumber+" "+c.Total.Trim(0).String())
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// requests counts what the platforms were asked, and must be 0 where nothing
// may be sent.
func (s *shop) requests() int { return int(s.sim.Counts().Requests) }

// fill puts things into a person's cart at Collect, as the shop's page does.
func (s *shop) fill(person string, skus ...string) {
	s.Helper()
	var lines []string
	for _, sku := range skus {
		lines = append(lines, fmt.Sprintf(`{"item":%q,"quantity":"1","price":"10","unique_id":%[1]q}`, sku))
	}
	body := fmt.Sprintf(`{"payload":{"cart":[%s],"url":"https://www.example.com/cart","user_info":{"email":%q}}}`, strings.Join(lines, ","), person)
	res, err := http.Post(s.url+"/c2/123456/track_cart", "application/json", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		s.Fatalf("fill a cart: status %d, %v", res.StatusCode, err)
	}
}

// cart is what a person's cart at Collect holds: "KETTLE:1 MUG:1".
func (s *shop) cart(person string) string {
	c, _ := s.sim.Cart("123456", person)
	var lines []string
	for _, l := range c.Lines {
		lines = append(lines, l.Item+":"+l.Quantity)
	}
	return strings.Join(lines, " ")
}

func (s *shop) wantsCart(person, want string) {
	s.Helper()
	if got := s.cart(person); got != want {
		s.Errorf("the cart of %s holds %q, want %q", person, got, want)
	}
}

// entries counts the ledger's entries that fit a condition.
func (s *shop) entries(where string, args ...any) (n int) {
	s.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro")
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	if err := db.Get(&n, "SELECT count(*) FROM entries WHERE "+where, args...); err != nil {
		s.Fatal(err)
	}
	return n
}

// contains wants a text in what a command said.
func (s *shop) contains(what, text string) {
	s.Helper()
	if !strings.Contains(what, text) {
		s.Errorf("%q is not said in:\n%s", text, what)
	}
}

// alter changes a database of the shop's.
func (s *shop) alter(name, statement string, args ...any) {
	s.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, name))
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		s.Fatal(err)
	}
}

// situation is one night at one destination, activate.
type situation struct {
	name string
	play func(s *shop) // files and configuration
	code int
	want string // where every message ended
	has  string // what the platform holds of the account activate; "*": more looks
	more func(s *shop, got told)
}

func playAll(t *testing.T, all []situation) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			c.play(s)
			got := s.run(c.code)
			s.wants(got, "activate", c.want)
			if c.has != "*" {
				s.wantsPlatform("activate", c.has)
			}
			if c.has == "" && s.requests() != 0 {
				s.Errorf("the platforms were asked %d times", s.requests())
			}
			if c.more != nil {
				c.more(s, got)
			}
		})
	}
}

// columns gives the usual columns with others.
func columns(over fields) fields { return with(usual, over) }
