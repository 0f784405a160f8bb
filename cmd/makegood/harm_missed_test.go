package main

import (
	"fmt"
	"testing"
	"time"
)

// TestHarmTenMissedNights: cron was off, or the machine. The next run goes back
// to where the last one ended, whatever lookback says.
func TestHarmTenMissedNights(t *testing.T) {
	for name, lookback := range map[string]string{"a short lookback": "1d", "the usual one": "7d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.conf["lookback"] = lookback
			s.source("shop", nil)
			s.activate("activate", fields{"since": time.Now().UTC().AddDate(0, 0, -30).Format(time.DateOnly)})
			var rows []string
			for ago := 14; ago > 0; ago-- {
				rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", 1000+ago, day(ago), ago))
			}
			s.orders("shop", rows[:3]...)
			s.wants(s.run(exitDone, night(11)...), "activate", "sent 3")
			s.orders("shop", rows...)
			if sent := s.run(exitDone).target(t, "activate").Balance.Sent.Events; sent != 11 {
				t.Errorf("%d were sent after ten nights, want 11", sent)
			}
			s.run(exitDone)
			if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 14 || p.Repeats != 0 {
				t.Errorf("the platform holds %+v", p)
			}
		})
	}
}

// TestHarmKeyBrokenForTwelveNights: the platform takes nobody's word for the
// key, night after night, while orders come in; with the new key all of them
// go, each once.
func TestHarmKeyBrokenForTwelveNights(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.conf["lookback"] = "1d"
	s.source("shop", nil)
	s.activate("activate", fields{"since": time.Now().UTC().AddDate(0, 0, -30).Format(time.DateOnly)})
	var rows []string
	come := func(ago int) {
		rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", 1000+ago, day(ago), ago))
		s.orders("shop", rows...)
	}
	come(15)
	come(14)
	s.wants(s.run(exitDone, night(13)...), "activate", "sent 2")
	setFaults(t, s.sim, "status=403")
	for ago := 13; ago > 1; ago-- {
		come(ago)
		got := s.run(exitPerson, night(ago-1)...)
		s.contains(got.target(t, "activate").Stopped, "403")
		if left := got.target(t, "activate").Balance.Left.Events; left != 14-ago {
			t.Errorf("%d days ago: %d are left, want %d", ago, left, 14-ago)
		}
	}
	setFaults(t, s.sim)
	if sent := s.run(exitDone).target(t, "activate").Balance.Sent.Events; sent != 12 {
		t.Errorf("%d were sent with the new key, want 12", sent)
	}
	s.run(exitDone)
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 14 || p.Repeats != 0 {
		t.Errorf("the platform holds %+v", p)
	}
}
