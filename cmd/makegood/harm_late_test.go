package main

import (
	"testing"
	"time"
)

// TestHarmLateMessagesCarryAMark: what comes a day late says so, what is fresh
// does not, and a repeat of a late one says it, too.
func TestHarmLateMessagesCarryAMark(t *testing.T) {
	t.Parallel()
	s := newShop(t, "drop=100%")
	s.activate("activate", fields{"mark_late": fields{"after": "24h", "field": "custom_sent_late", "value": "yes"}})
	s.source("shop", fields{"columns": columns(fields{"custom_shoe": "shoe"})})
	s.csv("shop.csv", usualHeader+",shoe", "1,"+ago(30*time.Hour)+",ann@example.com,MUG,1,5,42", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5,")
	s.run(exitLeft)
	setFaults(t, s.sim)
	s.run(exitDone)
	if body := s.body("activate", "1"); body["custom_sent_late"] != "yes" || body["custom_shoe"] != "42" {
		t.Errorf("the late one says %v", body)
	}
	if body := s.body("activate", "2"); body["custom_sent_late"] != nil {
		t.Errorf("the fresh one says %v", body)
	}
}
