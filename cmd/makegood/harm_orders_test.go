package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

// situation is one night at one destination, activate.
type situation struct {
	name string
	play func(s *shop) // files and configuration
	args []string
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
			got := s.run(c.code, c.args...)
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

// TestHarmToPeople wants nothing sent whom nobody stands for.
func TestHarmToPeople(t *testing.T) {
	at := ago(3 * time.Hour)
	playAll(t, []situation{{
		name: "1,000 till orders with geen@email.nl",
		play: func(s *shop) {
			s.tills("tills", nil)
			var rows []string
			for i := range 1000 {
				rows = append(rows, fmt.Sprintf("%d,%s,geen@email.nl,MUG,1,5", i, at))
			}
			s.orders("tills", rows...)
		},
		want: "held_back placeholder 1000",
		more: func(s *shop, _ told) {
			_, out, _ := makegood(s.T, "plan", "-c", s.file())
			if n := strings.Count(out, "a placeholder instead of an address"); n != 1 {
				s.Errorf("the report says it %d times:\n%s", n, out)
			}
		},
	}, {
		name: "several addresses in one cell",
		play: func(s *shop) {
			s.source("shop", fields{"delimiter": "|"})
			var rows []string
			for i, cell := range []string{"ann@example.com;bob@example.com", "ann@example.com, bob@example.com", "ann@example.com bob@example.com",
				"ann@example.com/bob@example.com", "Ann <ann@example.com>", "ann@@example.com", "ann@example"} {
				rows = append(rows, fmt.Sprintf("%d|%s|%s|MUG|1|5", i, at, cell))
			}
			s.csv("shop.csv", strings.ReplaceAll(usualHeader, ",", "|"), rows...)
		},
		want: "held_back bad_email 7",
	}, {
		name: "nobody stands for these people",
		play: func(s *shop) {
			s.source("shop", fields{"may_send": `consent == "yes"`})
			s.csv("shop.csv", usualHeader+",consent", "1,"+at+",ann@example.com,MUG,1,5,yes", "2,"+at+",bob@example.com,MUG,1,5,no",
				"3,"+at+",cas@example.com,MUG,1,5,", "4,"+at+",dee@example.com,MUG,1,5,YES")
		},
		want: "held_back not_permitted 3, sent 1",
		has:  "1 5 EUR",
	}, {
		name: "on the list: an address, its hash, a customer, an order number",
		play: func(s *shop) {
			s.source("shop", fields{"columns": columns(fields{"customer": "customer"})})
			sum := sha256.Sum256([]byte("bob@example.com"))
			write(s.T, s.dir, "erased.csv", "address\nANN@example.com\n"+strings.ToUpper(hex.EncodeToString(sum[:]))+"\nc3\n4\n")
			s.conf["suppress"] = []string{"erased.csv"}
			s.csv("shop.csv", usualHeader+",customer", "1,"+at+",Ann@Example.com,MUG,1,5,c1", "2,"+at+",Bob@example.com,MUG,1,5,c2",
				"3,"+at+",cas@example.com,MUG,1,5,C3", "4,"+at+",dee@example.com,MUG,1,5,c4", "5,"+at+",eve@example.com,MUG,1,5,c5")
		},
		want: "held_back suppressed 4, sent 1",
		has:  "5 5 EUR",
	}, {
		name: "erased people and relays of marketplaces",
		play: func(s *shop) {
			s.source("shop", nil)
			s.orders("shop", "1,"+at+",deleted-4711@example.com,MUG,1,5", "2,"+at+",x7f3@marketplace.amazon.de,MUG,1,5",
				"3,"+at+",a@anything.invalid,MUG,1,5", "4,"+at+",,MUG,1,5")
		},
		want: "held_back anonymised 2, held_back marketplace 1, held_back no_email 1",
	}, {
		name: "a list of erased people that is gone",
		play: func(s *shop) {
			s.source("shop", nil)
			s.orders("shop", "1,"+at+",ann@example.com,MUG,1,5")
			s.conf["suppress"] = []string{"erased.csv"}
			if code, _, errs := makegood(s.T, "run", "-c", s.file()); code != exitFailed || !strings.Contains(errs, "erased.csv") {
				s.Errorf("exit %d: %s", code, errs)
			}
			if s.requests() != 0 {
				s.Error("something was sent")
			}
			write(s.T, s.dir, "erased.csv", "")
		},
		want: "sent 1",
		has:  "1 5 EUR",
	}, {
		name: "addresses as hashes",
		play: func(s *shop) {
			s.activate("activate", fields{"email": "sha256"})
			s.source("shop", nil)
			s.orders("shop", "1,"+at+", Ann@Example.com ,MUG,1,5")
		},
		want: "sent 1",
		has:  "1 5 EUR",
		more: func(s *shop, _ told) {
			sum := sha256.Sum256([]byte("ann@example.com"))
			if got := s.body("activate", "1")["email"]; got != hex.EncodeToString(sum[:]) {
				s.Errorf("the address went as %v", got)
			}
		},
	}, {
		name: "consent is said only where it is known",
		play: func(s *shop) {
			s.source("shop", fields{"columns": columns(fields{"newsletter": "news", "firstname": "first"})})
			old := ago(72 * time.Hour)
			s.csv("shop.csv", usualHeader+",news,first", "1,"+at+",ann@example.com,MUG,1,5,yes,Ann", "2,"+at+",bob@example.com,MUG,1,5,No,Bob",
				"3,"+at+",cas@example.com,MUG,1,5,,Cas", "4,"+at+",dee@example.com,MUG,1,5,perhaps,Dee", "5,"+old+",eve@example.com,MUG,1,5,no,Eve")
		},
		want: "sent 5",
		has:  "1 5 EUR, 2 5 EUR, 3 5 EUR, 4 5 EUR, 5 5 EUR",
		more: func(s *shop, _ told) {
			for order, want := range map[string]any{"1": "yes", "2": "no", "3": nil, "4": nil, "5": nil} {
				body := s.body("activate", order)
				if body["newsletter"] != want {
					s.Errorf("order %s says newsletter %v, want %v", order, body["newsletter"], want)
				}
				if _, said := body["firstname"]; said {
					s.Errorf("order %s overwrites the profile", order)
				}
			}
		},
	}})
}

// TestHarmToMoney wants the platform to show what the shop took, to the cent.
func TestHarmToMoney(t *testing.T) {
	at := ago(3 * time.Hour)
	lineTotals := columns(fields{"price": nil, "line_total": "total"})
	playAll(t, []situation{{
		name: "weighed goods 0.734 kg x 12.99",
		play: func(s *shop) {
			s.tills("tills", fields{"columns": lineTotals})
			s.csv("tills.csv", "id,paid,email,sku,n,total", "1,"+at+",ann@example.com,CHEESE,0.734,9.53", "1,"+at+",ann@example.com,MUG,3,10")
		},
		want: "sent 1",
		has:  "1 19.53 EUR",
		more: func(s *shop, got told) {
			if m := got.target(s.T, "activate").Balance.Sent.Money["EUR"]; m != "19.53" {
				s.Errorf("the report says %s", m)
			}
		},
	}, {
		name: "weighed goods with price and line total",
		play: func(s *shop) {
			s.tills("tills", fields{"columns": columns(fields{"line_total": "total"})})
			s.csv("tills.csv", usualHeader+",total", "1,"+at+",ann@example.com,CHEESE,0.734,12.99,9.53")
		},
		want: "sent 1",
		has:  "1 9.53 EUR",
	}, {
		name: "1,000 SEK from last month in a EUR shop",
		play: func(s *shop) {
			s.source("shop", fields{"currency": nil, "columns": columns(fields{"currency": "cur"})})
			s.csv("shop.csv", usualHeader+",cur", "1,"+ago(31*24*time.Hour)+",ann@example.com,MUG,4,250.00,SEK", "2,"+at+",ann@example.com,MUG,1,5,EUR")
		},
		want: "sent 2",
		has:  "1 1000 SEK, 2 5 EUR",
		more: func(s *shop, got told) {
			if m := got.target(s.T, "activate").Balance.Sent.Money; m["SEK"] != "1000" || m["EUR"] != "5" {
				s.Errorf("the report says %v", m)
			}
		},
	}, {
		name: "a row without a currency",
		play: func(s *shop) {
			s.source("shop", fields{"currency": nil, "columns": columns(fields{"currency": "cur"})})
			s.csv("shop.csv", usualHeader+",cur", "1,"+at+",ann@example.com,MUG,4,250.00,", "2,"+at+",ann@example.com,MUG,1,5,EUR")
		},
		code: exitPerson,
		want: "sent 1",
		has:  "2 5 EUR",
	}, {
		name: "exchange ticket (-1, +1), and a return",
		play: func(s *shop) {
			s.tills("tills", nil)
			s.orders("tills", "1,"+at+",ann@example.com,MUG,-1,5", "1,"+at+",ann@example.com,KETTLE,1,39.95", "2,"+at+",bob@example.com,MUG,-2,5",
				"3,"+at+",cas@example.com,MUG,-1,5", "3,"+at+",cas@example.com,TOWEL,1,5")
		},
		want: "held_back exchange 1, held_back return 2",
	}, {
		name: "join with two payments per order",
		play: func(s *shop) { payments(s, columns(fields{"total": "total"})) },
		code: exitPerson,
		want: "held_back total_mismatch 1, sent 1",
		has:  "2 7 EUR",
	}, {
		name: "join with two payments per order, lines with ids",
		play: func(s *shop) { payments(s, columns(fields{"total": "total", "line": "line"})) },
		want: "sent 2",
		has:  "1 25 EUR, 2 7 EUR",
		more: func(s *shop, _ told) {
			if lines := s.body("activate", "1")["products"].([]any); len(lines) != 2 {
				s.Errorf("the platform got %d lines, want 2", len(lines))
			}
		},
	}, {
		name: "fees among the goods (POST, DOT)",
		play: func(s *shop) {
			s.source("shop", fields{"skip_lines": []fields{{"reason": "fees", "when": `sku in ["POST", "DOT"]`}}})
			s.orders("shop", "1,"+at+",ann@example.com,MUG,2,5", "1,"+at+",ann@example.com,POST,1,4.95", "2,"+at+",bob@example.com,POST,1,4.95",
				"2,"+at+",bob@example.com,DOT,1,1")
		},
		want: "held_back no_goods 1, sent 1",
		has:  "1 10 EUR",
	}, {
		name: "fees among the goods, their money kept",
		play: func(s *shop) {
			s.source("shop", fields{"skip_lines": []fields{{"reason": "fees", "when": `sku == "POST"`, "keep_money": true}},
				"columns": columns(fields{"price": nil, "line_total": "price"})})
			s.orders("shop", "1,"+at+",ann@example.com,MUG,2,10", "1,"+at+",ann@example.com,POST,1,4.95")
		},
		want: "sent 1",
		has:  "1 14.95 EUR",
		more: func(s *shop, _ told) {
			if lines := s.body("activate", "1")["products"].([]any); len(lines) != 1 {
				s.Errorf("the platform got %d lines, want 1", len(lines))
			}
		},
	}, {
		name: "fees among the goods, their money kept, unit prices",
		play: func(s *shop) {
			s.source("shop", fields{"skip_lines": []fields{{"reason": "fees", "when": `sku == "POST"`, "keep_money": true}}})
			s.orders("shop", "1,"+at+",ann@example.com,MUG,2,5", "1,"+at+",ann@example.com,POST,1,4.95")
		},
		want: "sent 1",
		has:  "1 14.95 EUR",
	}, {
		name: "an order's total with shipping and discount",
		play: func(s *shop) {
			s.source("shop", fields{"columns": columns(fields{"total": "total", "shipping": "ship", "discount": "off"})})
			s.activate("activate", fields{"value": "order_total"})
			s.csv("shop.csv", usualHeader+",total,ship,off", "1,"+at+",ann@example.com,MUG,2,5,12.45,4.95,2.5", "2,"+at+",ann@example.com,MUG,2,5,13,0,0")
		},
		code: exitPerson,
		want: "held_back total_mismatch 1, sent 1",
		has:  "1 12.45 EUR",
	}})
}

// payments makes a database whose query joins lines with payments: the first
// order was paid twice, so each of its lines comes twice.
func payments(s *shop, columns fields) {
	s.database("erp.db", fmt.Sprintf(`
CREATE TABLE orders (id TEXT, paid TEXT, email TEXT, total DECIMAL(10,2));
CREATE TABLE lines (line INTEGER, id TEXT, sku TEXT, n INTEGER, price DECIMAL(10,2));
CREATE TABLE payments (id TEXT, amount DECIMAL(10,2));
INSERT INTO orders VALUES ('1', '%[1]s', 'ann@example.com', 25), ('2', '%[1]s', 'bob@example.com', 7);
INSERT INTO lines VALUES (11, '1', 'MUG', 1, 5), (12, '1', 'TOWEL', 2, 10), (13, '2', 'MUG', 1, 7);
INSERT INTO payments VALUES ('1', 20), ('1', 5), ('2', 7);
`, ago(3*time.Hour)))
	s.source("shop", fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": "erp.db", "columns": columns, "query": `
SELECT o.id, o.paid, o.email, o.total, l.line, l.sku, l.n, l.price FROM orders o JOIN lines l ON l.id = o.id
JOIN payments p ON p.id = o.id WHERE o.paid >= :from AND o.paid < :to`})
}

// TestHarmByNumbers wants each order once, whatever its number.
func TestHarmByNumbers(t *testing.T) {
	at := ago(3 * time.Hour)
	playAll(t, []situation{{
		name: "till restarts its numbers daily: per_store_and_day",
		play: func(s *shop) { restartingTills(s, "per_store_and_day") },
		want: "sent 49",
		has:  "*",
		more: func(s *shop, _ told) {
			if n := len(s.sim.Purchases("activate")); n != 49 {
				s.Errorf("the platform holds %d orders, want 49", n)
			}
		},
	}, {
		name: "web number 100012345, ERP number SO-100012345",
		play: func(s *shop) {
			s.activate("activate", fields{"order_id": `= trimPrefix(order, "SO-")`})
			s.source("shop", nil)
			s.orders("shop", "SO-100012345,"+at+",ann@example.com,MUG,1,5")
		},
		want: "sent 1",
		has:  "100012345 5 EUR",
		more: func(s *shop, _ told) {
			if n := s.entries("event = 'purchase/main/SO-100012345' AND shown = '100012345'"); n != 1 {
				s.Error("the ledger does not hold both numbers")
			}
			s.activate("activate", nil) // the mapping is lost: the order is known all the same
			s.wants(s.run(exitDone), "activate", "already_sent sent_here 1")
		},
	}, {
		name: `order_id: '= "W" + order'`,
		play: func(s *shop) {
			s.activate("activate", fields{"order_id": `= "W" + order`})
			s.source("shop", nil)
			s.orders("shop", "0042,"+at+",ann@example.com,MUG,1,5")
		},
		want: "sent 1",
		has:  "W0042 5 EUR",
	}, {
		name: "click-and-collect: web order and till ticket",
		play: func(s *shop) {
			s.source("shop", fields{"shop": "main"})
			s.orders("shop", "1001,"+at+",ann@example.com,MUG,1,5")
			s.tills("tills", fields{"shop": "tills", "columns": columns(fields{"refers_to": "web"})})
			s.csv("tills.csv", usualHeader+",web", "77,"+at+",ann@example.com,MUG,1,5,1001", "78,"+at+",bob@example.com,MUG,1,5,")
		},
		want: "sent 2",
		has:  "1001 5 EUR, 78 5 EUR",
		more: func(s *shop, got told) {
			if left := got.source(s.T, "tills").LeftOut; len(left) != 1 || left[0].Reason != "click_and_collect" || left[0].Orders != 1 {
				s.Errorf("left out: %v", left)
			}
		},
	}, {
		name: "two sources with one numbering, and equal orders",
		play: func(s *shop) {
			s.source("erp", fields{"shop": "main"})
			s.source("web", fields{"shop": "main", "type": "xlsx", "path": "web.xlsx"})
			s.orders("erp", "1,"+at+",ann@example.com,MUG,1,5.00", "2,"+at+",bob@example.com,MUG,1,5.00")
			s.book("web.xlsx", []any{"id", "paid", "email", "sku", "n", "price"}, []any{1, at, "Ann@example.com", "MUG", 1, 5}, []any{3, at, "cas@example.com", "MUG", 2, 5.5})
		},
		want: "sent 3",
		has:  "1 5 EUR, 2 5 EUR, 3 11 EUR",
	}, {
		name: "two sources with one numbering, and different orders",
		play: func(s *shop) {
			s.source("erp", fields{"shop": "main"})
			s.source("web", fields{"shop": "main"})
			s.orders("erp", "1,"+at+",ann@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,1,5", "4,"+at+",dee@example.com,MUG,1,5")
			s.orders("web", "1,"+at+",eve@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,2,5", "3,"+at+",cas@example.com,MUG,1,5")
		},
		code: exitPerson,
		want: "held_back id_collision 4, sent 2",
		has:  "3 5 EUR, 4 5 EUR",
		more: func(s *shop, got told) {
			named := map[string]int{}
			for _, e := range got.target(s.T, "activate").Examples {
				named[e.Order]++
			}
			if named["1"] != 2 || named["2"] != 2 {
				s.Errorf("both are not named: %v", named)
			}
		},
	}, {
		name: "more than one purchase in a request",
		play: func(s *shop) {
			s.activate("activate", fields{"batch": 10, "concurrency": 1})
			s.source("shop", nil)
			var rows []string
			for i := range 40 {
				rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", i, at, i))
			}
			s.orders("shop", rows...)
		},
		want: "sent 40",
		has:  "*",
		more: func(s *shop, _ told) {
			if n := s.requests(); n < 4 || n > 20 {
				s.Errorf("%d requests for 40 orders in batches of 10", n)
			}
			if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 40 || p.Repeats != 0 {
				s.Errorf("the platform holds %+v", p)
			}
		},
	}, {
		name: "languages and custom fields",
		play: func(s *shop) {
			s.activate("activate", fields{"language": "nl-NL"})
			s.source("shop", fields{"columns": columns(fields{"language": "lang", "custom_store": `= "Store " + place`, "custom_points": "points"})})
			s.csv("shop.csv", usualHeader+",lang,place,points", "1,"+at+",ann@example.com,MUG,1,5,nl_NL,Utrecht,12", "2,"+at+",bob@example.com,MUG,1,5,nl,Delft,",
				"3,"+at+",cas@example.com,MUG,1,5,,Delft,", "4,"+at+",dee@example.com,MUG,1,5,FR-be,Delft,", "5,"+at+",eve@example.com,MUG,1,5,Dutch,Delft,")
		},
		code: exitPerson,
		want: "held_back no_language 1, sent 4",
		has:  "1 5 EUR, 2 5 EUR, 3 5 EUR, 4 5 EUR",
		more: func(s *shop, _ told) {
			for order, want := range map[string]string{"1": "nl-NL", "2": "nl-NL", "3": "nl-NL", "4": "fr-BE"} {
				body := s.body("activate", order)
				line := body["products"].([]any)[0].(map[string]any)
				if body["language"] != want || line["language"] != want {
					s.Errorf("order %s is in %v, its line in %v; want %s", order, body["language"], line["language"], want)
				}
			}
			p, _ := s.sim.Purchase("activate", "1")
			if c := p.Custom(); c["custom_store"] != "Store Utrecht" || c["custom_points"] != "12" {
				s.Errorf("custom fields %v", c)
			}
			if p, _ := s.sim.Purchase("activate", "2"); len(p.Custom()) != 1 {
				s.Errorf("an empty custom field was sent: %v", p.Custom())
			}
		},
	}})
}

// restartingTills writes the tickets of four stores and three days, each of
// which begins its numbers anew. One number is met only once.
func restartingTills(s *shop, unique string) {
	s.tills("tills", fields{"order_unique": unique, "columns": columns(fields{"store": "store"})})
	var rows []string
	for store := range 4 {
		for day := range 3 {
			for ticket := range 4 {
				at := time.Now().UTC().Add(-time.Duration(24*day+1) * time.Hour).Format(time.DateTime)
				rows = append(rows, fmt.Sprintf("%d,%s,visitor%d-%d-%d@example.com,MUG,1,5,S%d", 1+ticket, at, store, day, ticket, store))
			}
		}
	}
	rows = append(rows, "99,"+ago(time.Hour)+",late@example.com,MUG,1,5,S1")
	s.csv("tills.csv", usualHeader+",store", rows...)
}

func TestHarmTillRestartsItsNumbersDailyAlways(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	restartingTills(s, "always")
	got := s.run(exitPerson)
	s.wants(got, "activate", "held_back order_not_unique 1") // number 99; the others are no orders at all
	if s.requests() != 0 {
		t.Errorf("sent: %s", s.platform("activate"))
	}
	source := got.source(t, "tills")
	named := map[string]bool{}
	for _, p := range source.Problems {
		named[p.Order] = p.Reason == "order_not_unique"
	}
	if source.Bad != 4 || !named["1"] || !named["2"] || !named["3"] || !named["4"] {
		t.Errorf("%d bad orders, named %v", source.Bad, named)
	}
}

// TestHarmTillRestartsItsNumbersInAnotherFile: each day has a file of its own,
// and on both days somebody bought the same thing under the same number.
func TestHarmTillRestartsItsNumbersInAnotherFile(t *testing.T) {
	for unique, want := range map[string]string{"always": "", "per_store_and_day": "sent 2"} {
		t.Run(unique, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			s.tills("tills", fields{"path": "tills-*.csv", "order_unique": unique, "columns": columns(fields{"store": "store"})})
			s.csv("tills-1.csv", usualHeader+",store", "7,"+ago(26*time.Hour)+",ann@example.com,MUG,1,5,S1")
			s.csv("tills-2.csv", usualHeader+",store", "7,"+ago(2*time.Hour)+",bob@example.com,MUG,1,5,S1")
			code := exitDone
			if want == "" {
				code = exitPerson
			}
			s.wants(s.run(code), "activate", want)
		})
	}
}

func TestHarmNumberComesBackOnAnotherOrder(t *testing.T) {
	for _, c := range []struct{ name, window, header, first, second string }{
		{"in another store", "30d", usualHeader + ",store", "7," + ago(50*time.Hour) + ",ann@example.com,MUG,1,5,S1", "7," + ago(2*time.Hour) + ",bob@example.com,KETTLE,1,40,S2"},
		{"long after the first", "24h", usualHeader + ",store", "7," + ago(50*time.Hour) + ",ann@example.com,MUG,1,5,S1", "7," + ago(2*time.Hour) + ",bob@example.com,KETTLE,1,40,S1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			s.tills("tills", fields{"edit_window": c.window, "columns": columns(fields{"store": "store"})})
			s.csv("tills.csv", c.header, c.first)
			s.wants(s.run(exitDone), "activate", "sent 1")
			s.csv("tills.csv", c.header, c.second)
			got := s.run(exitPerson)
			s.wants(got, "activate", "held_back id_reused 1")
			if n := got.target(t, "activate").CorrectionsFound; n != 0 {
				t.Error("another order is taken for a correction of the first")
			}
			s.wantsPlatform("activate", "7 5 EUR")
		})
	}
}

func TestHarmTwoAccountsSideBySide(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at := ago(time.Hour)
	s.source("nl", nil)
	s.source("be", fields{"path": "be.xlsx", "type": "xlsx"})
	s.orders("nl", "1,"+at+",ann@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,1,6")
	s.book("be.xlsx", []any{"id", "paid", "email", "sku", "n", "price"}, []any{1, at, "cas@example.com", "MUG", 1, 7.5})
	s.activate("dutch", fields{"from": []string{"nl"}})
	s.activate("belgian", fields{"from": []string{"be"}})
	got := s.run(exitDone)
	s.wants(got, "dutch", "sent 2")
	s.wants(got, "belgian", "sent 1")
	s.wantsPlatform("dutch", "1 5 EUR, 2 6 EUR")
	s.wantsPlatform("belgian", "1 7.5 EUR")
	got = s.run(exitDone)
	s.wants(got, "dutch", "already_sent sent_here 2")
	s.wants(got, "belgian", "already_sent sent_here 1")
}

// TestHarmThreeAccountsFromOneExport reads one file for three accounts; an
// order that fits none of them is told.
func TestHarmThreeAccountsFromOneExport(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.tills("tills", fields{"order_unique": "per_store", "columns": columns(fields{"store": "store"})})
	var rows []string
	for i, store := range []string{"NL-1", "NL-2", "BE-1", "DE-1", "FR-1"} {
		rows = append(rows, fmt.Sprintf("7,%s,visitor%d@example.com,MUG,1,%d,%s", ago(time.Hour), i, 10+i, store))
	}
	s.csv("tills.csv", usualHeader+",store", rows...)
	for _, country := range []string{"NL", "BE", "DE"} {
		s.activate(country, fields{"when": fmt.Sprintf(`store startsWith "%s-"`, country)})
	}
	got := s.run(exitDone)
	s.wants(got, "NL", "not_for_target when 3, sent 2")
	s.wants(got, "BE", "not_for_target when 4, sent 1")
	s.wants(got, "DE", "not_for_target when 4, sent 1")
	s.wantsPlatform("NL", "NL%2D1-7 10 EUR, NL%2D2-7 11 EUR")
	s.wantsPlatform("BE", "BE%2D1-7 12 EUR")
	s.wantsPlatform("DE", "DE%2D1-7 13 EUR")
	if source := got.source(t, "tills"); source.Rows != 5 || source.NoDestination != 1 {
		t.Errorf("%d rows, %d orders for no destination", source.Rows, source.NoDestination)
	}
}

func TestHarmOneAddressForEverybody(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.tills("tills", nil)
	rows := []string{"900," + ago(time.Hour) + ",ann@example.com,MUG,1,5"}
	for i := range 45 {
		rows = append(rows, fmt.Sprintf("%d,%s,counter@example.com,MUG,1,5", i, day(1)))
	}
	s.orders("tills", rows...)
	s.wants(s.run(exitPerson), "activate", "held_back shared_address 45, sent 1")
	s.wantsPlatform("activate", "900 5 EUR")
}
