package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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
		name: "click-and-collect: a till ticket that names a web order nobody has seen",
		play: func(s *shop) {
			s.source("shop", fields{"shop": "main"})
			s.orders("shop", "1002,"+at+",ann@example.com,MUG,1,5")
			s.tills("tills", fields{"shop": "tills", "columns": columns(fields{"refers_to": "web"})})
			s.csv("tills.csv", usualHeader+",web", "77,"+at+",ann@example.com,KETTLE,1,40,1001")
		},
		want: "sent 1",
		has:  "1002 5 EUR",
	}, {
		name: "click-and-collect: nobody says which web order a till ticket belongs to",
		play: func(s *shop) {
			s.source("shop", fields{"shop": "main"})
			s.orders("shop", "1001,"+ago(30*time.Hour)+",ann@example.com,MUG,2,5.00", "1002,"+at+",bob@example.com,MUG,2,5")
			s.tills("tills", fields{"shop": "tills", "columns": fields{"order": "id", "completed_at": "paid", "email": "email", "sku": "sku", "quantity": "n", "line_total": "price"}})
			s.csv("tills.csv", usualHeader, "77,"+at+",Ann@example.com,MUG,2,10", "78,"+at+",bob@example.com,MUG,1,5")
		},
		code: exitPerson,
		want: "held_back possible_twin 1, sent 3",
		has:  "1001 10 EUR, 1002 10 EUR, 78 5 EUR",
		more: func(s *shop, got told) {
			for _, e := range got.target(s.T, "activate").Examples {
				if e.Order != "77" || e.Text != "like 1001 of shop" {
					s.Errorf("named is %+v", e)
				}
			}
			s.orders("shop", "1003,"+at+",cas@example.com,MUG,1,5")                                             // the next night's export no longer has the others
			s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, held_back possible_twin 1, sent 1") // the twin was told of
			s.activate("activate", fields{"possible_twins": "send"})
			s.wants(s.run(exitDone), "activate", "already_sent sent_here 2, sent 1")
		},
	}, {
		name: "order edited, new number with -1",
		play: func(s *shop) {
			s.source("shop", nil)
			s.orders("shop", "1001,"+ago(5*time.Hour)+",ann@example.com,MUG,1,5", "7-1,"+at+",bob@example.com,MUG,1,5")
		},
		want: "sent 2",
		has:  "1001 5 EUR, 7-1 5 EUR",
		more: func(s *shop, _ told) {
			s.orders("shop", "1001-1,"+at+",ann@example.com,MUG,2,5", "7-1,"+at+",bob@example.com,MUG,1,5")
			got := s.run(exitPerson)
			s.wants(got, "activate", "already_sent sent_here 1, held_back edited_suffix 1")
			s.contains(got.errs+got.stdout, "edited_suffix")
			s.source("shop", fields{"edited_suffix": "same_order"})
			got = s.run(exitDone)
			s.wants(got, "activate", "already_sent sent_here 1, held_back edited 1")
			if c := got.target(s.T, "activate").Corrections; len(c) != 1 || c[0].Order != "1001" || c[0].Before != "5" || c[0].After != "10" {
				s.Errorf("corrections: %+v", c)
			}
			s.wantsPlatform("activate", "1001 5 EUR, 7-1 5 EUR")
			s.source("shop", fields{"edited_suffix": "other_order"})
			s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, sent 1")
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
		{"in the same store the next day", "30d", usualHeader + ",store", "7," + ago(26*time.Hour) + ",ann@example.com,MUG,1,5,S1", "7," + ago(3*time.Hour) + ",ann@example.com,MUG,1,5,S1"},
		{"in the same store the same day", "30d", usualHeader + ",store", "7," + ago(4*time.Hour) + ",ann@example.com,MUG,1,5,S1", "7," + ago(2*time.Hour) + ",ann@example.com,KETTLE,1,40,S1"},
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
	source := got.source(t, "tills")
	if source.Rows != 5 || source.NoDestination != 1 || len(source.Stray) != 1 || source.Stray[0].Order != "FR%2D1-7" || source.Stray[0].Reason != "no_destination" {
		t.Errorf("%d rows, %d orders for no destination: %v", source.Rows, source.NoDestination, source.Stray)
	}
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 4 || p.Accepted != 4 || fmt.Sprint(p.Money) != "map[EUR:46]" {
		t.Errorf("the platforms hold %+v", p)
	}
	_, text, _ := makegood(t, "plan", "-c", s.file())
	s.contains(strings.Join(strings.Fields(text), " "), "1 order for no destination, by their channel or rule (for example FR%2D1-7)")
	s.contains(strings.Join(strings.Fields(text), " "), "Order numbers look like NL%2D1-7 (5).")
}
