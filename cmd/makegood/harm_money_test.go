package main

import (
	"fmt"
	"testing"
	"time"
)

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
