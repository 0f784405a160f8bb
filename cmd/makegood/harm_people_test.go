package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

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
				if _, said := body["firstname"]; said == (order == "5") {
					s.Errorf("order %s: that it tells the profile is %v; old orders must not overwrite it", order, said)
				}
			}
		},
	}})
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
