package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"makegood/reports"
)

// checksOf are the checks that a run's report names, by destination.
func (s *shop) checksOf(args ...string) map[string]*reports.PlatformCheck {
	s.Helper()
	code, out, errs := makegood(s.T, append(args, "--json", "-c", s.file())...)
	var said struct {
		Targets []struct {
			Target string
			Check  *reports.PlatformCheck `json:"platform_check"`
		}
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || code > exitPerson {
		s.Fatalf("%v: exit %d, %v\n%s", args, code, err, errs)
	}
	checks := map[string]*reports.PlatformCheck{}
	for _, t := range said.Targets {
		if t.Check != nil {
			checks[t.Target] = t.Check
		}
	}
	return checks
}

// TestTheFirstAcceptedOrderNamesTheCheck: by the platform's numbers, in the run
// that sent it and in its report, and in no other run; a test is no first one.
func TestTheFirstAcceptedOrderNamesTheCheck(t *testing.T) {
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"mode": "shadow", "order_id": `= "W" + order`})
	s.orders("shop", "1,"+ago(40*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(2*time.Hour)+",bob@example.com,MUG,1,5")
	if got := s.checksOf("run"); len(got) > 0 {
		t.Errorf("a shadow names a check: %v", got)
	}
	said := s.sends(exitDone, "--order", "2", "--to-self", "you@example.com")
	s.contains(said, "an event ID of TEST-W2")
	s.activate("activate", fields{"mode": "live", "order_id": `= "W" + order`})
	got := s.checksOf("run", "--from", "2020-01-01")["activate"]
	if got == nil || strings.Join(got.Orders, " ") != "W2" || !strings.Contains(got.Steps[2].Text, "W2") {
		t.Fatalf("the check is %+v", got)
	}
	_, again, _ := makegood(t, "report", "-c", s.file())
	s.contains(again, "on an event ID of W2")
	s.orders("shop", "2,"+ago(2*time.Hour)+",bob@example.com,MUG,1,5", "3,"+ago(time.Hour)+",cas@example.com,MUG,1,5")
	if got := s.checksOf("run", "--from", "2020-01-01"); len(got) > 0 { // the third order is of the time in shadow
		t.Errorf("a later run names the check again: %v", got)
	}
	if n := s.sim.Counts().Platforms["squeezely"].Orders; n != 4 {
		t.Errorf("the platform holds %d orders", n)
	}
}
