package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// clockedAt runs makegood as if it were another time by so much.
func (s *shop) clockedAt(shift time.Duration, args ...string) (code int, stdout, stderr string) {
	s.Helper()
	var out, errs bytes.Buffer
	a := &app{env: os.LookupEnv, io: stdio{strings.NewReader(""), &out, &errs}, clock: func() time.Time { return time.Now().Add(shift) }}
	code = a.carryOut(context.Background(), append(args, "-c", s.file()))
	return code, out.String(), errs.String()
}

// nightAt is a run as if it were another time by so much, which must end as is
// wanted.
func (s *shop) nightAt(shift time.Duration, want string, args ...string) {
	s.Helper()
	code, out, errs := s.clockedAt(shift, append([]string{"run", "--json"}, args...)...)
	if code != exitDone {
		s.Fatalf("%s from now: exit %d\n%s%s", shift, code, errs, out)
	}
	if b := readReport(s.T, out).balance(s.T, "stores"); fmt.Sprintf("sent %d, before %d", b.Sent.Events, b.AlreadySent.Events) != want {
		s.Errorf("%s from now: ended with %+v, want %s", shift, b, want)
	}
}

// clockShop has sent ticket 1 to a platform that counts repeats.
func clockShop(t *testing.T) *shop {
	s := newShop(t)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.tickets(1)
	s.nightAt(0, "sent 1, before 0")
	return s
}

// TestHarmClockThatJumpsBack: nothing is sent until it is right again.
func TestHarmClockThatJumpsBack(t *testing.T) {
	for _, by := range []time.Duration{time.Minute, 2 * time.Hour, 400 * 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			s := clockShop(t)
			s.tickets(3)
			for range 2 {
				code, out, errs := s.clockedAt(-by, "run")
				if code != exitFailed || out != "" {
					t.Errorf("exit %d\n%s", code, out)
				}
				s.contains(errs, "set this machine's clock")
			}
			s.onePurchaseEach(1)
			s.nightAt(time.Second, "sent 2, before 1")
			s.nightAt(2*time.Second, "sent 0, before 3")
			s.onePurchaseEach(3)
		})
	}
}

// TestHarmClockThatJumpsForward: a night was made with a clock that was days
// ahead. When it is right again a person has to say so, and no order falls
// into what the wrong night took for read.
func TestHarmClockThatJumpsForward(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, 30 * time.Hour, 400 * 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			s := clockShop(t)
			s.conf["lookback"] = "1d"
			s.activate("merging", nil)
			s.nightAt(0, "sent 0, before 1")
			if code, out, errs := s.clockedAt(by, "run"); code > exitPerson {
				t.Fatalf("the wrong night: exit %d\n%s%s", code, errs, out)
			}
			s.tickets(3)
			code, _, errs := s.clockedAt(time.Second, "run")
			if code != exitFailed {
				t.Errorf("back in time: exit %d", code)
			}
			s.contains(errs, "if it was wrong then and is right now, say --clock-is-right")
			s.onePurchaseEach(1)
			s.nightAt(2*time.Second, "sent 2, before 1", "--clock-is-right")
			s.nightAt(3*time.Second, "sent 0, before 3", "--clock-is-right")
			s.onePurchaseEach(3)
			if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 3 || p.Repeats != 0 {
				t.Errorf("the platform holds %+v", p)
			}
		})
	}
}

// TestHarmClocksOfManyMachines: with a ledger in PostgreSQL the machine whose clock
// is wrong sends nothing, and stops no other one. When the database's own clock
// was wrong a person has to say so, as on one machine.
func TestHarmClocksOfManyMachines(t *testing.T) {
	t.Parallel()
	owner, place := ownSchema(t, "postgres")
	if place == "" {
		t.Skip("there is no such server")
	}
	s := newShop(t)
	s.conf["ledger"] = place
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.tickets(1)
	s.nightAt(0, "sent 1, before 0")
	s.tickets(3)
	for by, want := range map[time.Duration]string{time.Hour: "1h0m0s ahead of it: set it", -time.Hour: "1h0m0s behind it: set it"} {
		for _, command := range [][]string{{"run"}, {"worker", "--until-empty"}} {
			code, out, errs := s.clockedAt(by, command...)
			if code != exitFailed || out != "" {
				t.Errorf("%s from now, %v: exit %d\n%s", by, command, code, out)
			}
			s.contains(errs, want)
		}
	}
	s.onePurchaseEach(1)
	s.nightAt(time.Hour, "sent 2, before 1", "--clock-is-right")
	s.nightAt(0, "sent 0, before 3") // another machine, whose clock is right
	s.tickets(4)
	s.nightAt(time.Hour, "sent 1, before 3", "--clock-is-right")
	_, err := owner.Exec(`UPDATE runs SET beat = beat + 3600000000`) // the database's clock was as wrong
	check(t, err)
	code, _, errs := s.clockedAt(0, "run")
	if code != exitFailed {
		t.Errorf("back in time: exit %d", code)
	}
	s.contains(errs, "if it was wrong then and is right now, say --clock-is-right")
	s.nightAt(0, "sent 0, before 4", "--clock-is-right")
	s.nightAt(0, "sent 0, before 4")
	s.onePurchaseEach(4)
}

// TestHarmLateOrderAfterAClockThatWasAhead: what was completed long before, and
// arrives after the wrong night, is still read.
func TestHarmLateOrderAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.conf["lookback"] = "1d"
	s.tills("tills", nil)
	s.activate("stores", nil)
	s.tickets(1)
	s.nightAt(0, "sent 1, before 0")
	s.nightAt(20*24*time.Hour, "sent 0, before 1")
	s.orders("tills", "7,"+ago(10*24*time.Hour)+",late@example.com,MUG,1,5")
	s.nightAt(time.Second, "sent 1, before 0", "--clock-is-right")
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 2 || p.Repeats != 0 {
		t.Errorf("the platform holds %+v", p)
	}
}

// TestHarmPlanOfAnotherTime: a plan that a clock made that was ahead is too old
// for one that is further ahead, and sends nothing.
func TestHarmPlanOfAnotherTime(t *testing.T) {
	t.Parallel()
	s := clockShop(t)
	s.tickets(3)
	code, out, errs := s.clockedAt(48*time.Hour, "plan", "--json")
	if code != exitLeft && code != exitDone {
		t.Fatalf("exit %d\n%s%s", code, errs, out)
	}
	plan := readReport(t, out).Plan.Path
	if code, out, errs := s.clockedAt(100*time.Hour, "apply", plan); code != reconcile.RefusedExpired {
		t.Errorf("days later: exit %d\n%s%s", code, errs, out)
	}
	s.onePurchaseEach(1)
}
