package main

import (
	"fmt"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// TestHarmAKilledApplyChargesNothingTwice: an apply that is killed at any of
// three charges, when EmanageCRM has taken it or before: what nobody knows is
// not sent again, and when a person has said it, the rest goes.
func TestHarmAKilledApplyChargesNothingTwice(t *testing.T) {
	for _, accepted := range []bool{true, false} {
		for at := range 3 {
			t.Run(fmt.Sprintf("charge %d, accepted %v", at+1, accepted), func(t *testing.T) {
				t.Parallel()
				s := emanageShop(t, simulator.EmanageRules{})
				delete(s.conf["targets"].(fields), "activate")
				s.charges("charges", fields{"timeout": "30s"})
				s.csv("shop.csv", chargeHeader, chained("2", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"})...)
				plan := s.makegood(exitLeft, "plan")
				s.approve(plan)
				hang := simulator.Fault{Kind: map[bool]simulator.FaultKind{true: simulator.FaultAcceptAndHang, false: simulator.FaultHang}[accepted], After: at}
				check(t, s.sim.SetFaults(hang))
				cmd := play(t, "apply", plan.Plan.Path, "-c", s.file())
				check(t, cmd.Start())
				for begun := time.Now(); s.requests() <= at && time.Since(begun) < 30*time.Second; {
					time.Sleep(time.Millisecond)
				}
				check(t, cmd.Process.Kill())
				_ = cmd.Wait() // it was killed
				setFaults(t, s.sim)
				s.run(exitPerson)
				done := at
				if accepted {
					done++
				}
				some := []string{"", "[100] ships 918325; ", "[100 20] ships 918446; ", "[100 20 20] ships 918447; "}
				s.wantsCharged(some[done] + "[] ships 918325")
				event := []string{"cart_create/main/2/1", "cart_upgrade/main/2/2", "cart_upgrade/main/2/3"}[at]
				word := []string{"resolve", "--not-sent", "--note", "not there", event, "-c", s.file()}
				if accepted {
					carts := s.sim.EmanageCarts(false)
					word = []string{"resolve", "--sent", "--receipt", carts[len(carts)-1].Session, "--note", "seen", event, "-c", s.file()}
				}
				if code, out, errs := makegood(t, word...); code != exitDone {
					t.Fatalf("resolve: exit %d\n%s%s", code, errs, out)
				}
				if done < 3 {
					s.approved(exitDone)
				}
				s.run(exitDone)
				s.wantsCharged(some[3] + "[] ships 918325")
			})
		}
	}
}
