package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// presetFile copies an export of testdata beside the shop's configuration.
func (s *shop) presetFile(name string) {
	s.Helper()
	text, err := os.ReadFile("testdata/presets/" + name)
	if err != nil {
		s.Fatal(err)
	}
	write(s.T, s.dir, name, string(text))
}

// TestPresets reads an export of each kind as it comes, and sends it.
func TestPresets(t *testing.T) {
	for _, c := range []struct {
		preset  string
		over    fields
		exit    int
		ends    string
		leftOut string
		holds   string // at the platform
	}{
		{"shopify", nil, exitDone, "sent 2", "cancelled 1, status_not_complete 1", "#1001 24.95 EUR, #1005 90 EUR"},
		{"woocommerce", nil, exitPerson, "held_back status_unknown 1, sent 2", "status_not_complete 1", "WEB-501 36.3 EUR, WEB-503 12.1 EUR"},
		{"magento2", fields{"zone": "UTC"}, exitDone, "sent 2", "status_not_complete 1", "000000101 20 EUR, 000000103 30 EUR"},
		{"lightspeed", fields{"currency": "EUR", "order_unique": "per_store"}, exitDone, "sent 1", "status_not_complete 1", "Main-M-1001 41 EUR"},
		{"square", fields{"currency": "USD", "zone": "America/New_York", "order_unique": "always",
			"join": []fields{{"path": "square_customers.csv", "on": fields{"customer": "Square Customer ID"}, "take": fields{"email": "Email Address"}}}},
			exitDone, "held_back no_email 1, sent 1", "refund 1", "tX1aaaa 15 USD"},
		{"emanage", fields{"currency": "USD", "zone": "America/New_York", "date_format": "M/d/yyyy H:mm:ss"}, exitPerson, "held_back status_unknown 1, sent 1",
			"status_not_complete 1", "9001 140.5 USD"},
	} {
		t.Run(c.preset, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.presetFile(c.preset + ".csv")
			s.presetFile("square_customers.csv")
			s.activate("activate", nil)
			source := fields{"type": "csv", "path": c.preset + ".csv", "preset": c.preset, "stable_for": "0s", "zone": "Europe/Amsterdam",
				"may_send": fields{"all": true, "reason": "a test"}, "order_unique": "always"}
			s.set("sources", "shop", with(source, c.over))
			if c.preset == "shopify" {
				s.activate("activate", fields{"channels": []string{"online"}})
			}
			got := s.run(c.exit, "--from", "2026-10-01")
			ends := strings.Replace(got.ends(t, "activate"), "not_for_target channel 1, ", "", 1)
			if ends != c.ends {
				t.Errorf("ended as %q, want %q\n%s", ends, c.ends, got.stdout)
			}
			var left []string
			for _, l := range got.source(t, "shop").LeftOut {
				left = append(left, l.Reason+" "+strconv.Itoa(l.Orders))
			}
			if text := strings.Join(left, ", "); text != c.leftOut || got.source(t, "shop").Bad > 0 {
				t.Errorf("left out %q, want %q; %d bad", text, c.leftOut, got.source(t, "shop").Bad)
			}
			if at := s.platform("activate"); at != c.holds {
				t.Errorf("the platform holds %q, want %q", at, c.holds)
			}
		})
	}
}
