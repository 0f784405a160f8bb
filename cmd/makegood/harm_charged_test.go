package main

import (
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// TestHarmChargedInAll: the limit of an order counts what was charged of it on
// other days, too.
func TestHarmChargedInAll(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	delete(s.conf["targets"].(fields), "activate")
	s.charges("charges", fields{"max_charge": fields{"EUR": "119.99"}})
	s.csv("shop.csv", chargeHeader, cartRow("2 918325 100 - - no 100"))
	s.wants(s.approved(exitDone), "charges", "sent 1")
	s.csv("shop.csv", chargeHeader, cartRow("2 918325 100 - - yes -"), cartRow("2 918446 120 - 918325 no 20"))
	s.wants(s.makegood(exitPerson, "plan"), "charges", "already_sent sent_here 1, held_back over_max_charge 1")
	s.charges("charges", fields{"max_charge": fields{"EUR": "120"}})
	s.wants(s.approved(exitDone), "charges", "already_sent sent_here 1, sent 1")
	s.wantsCharged("[100 20] ships 918446; [] ships 918325")
}

// TestHarmChargedMeanwhile: the shop's own integration has charged an order
// while its plan waited for a person; the shop's file does not know it yet.
func TestHarmChargedMeanwhile(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	delete(s.conf["targets"].(fields), "activate")
	s.charges("charges", fields{"nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": "1min"})
	s.evidence(fields{"columns": fields{"order": "order_id", "at": "sent_at", "receipt": "session", "position": "step"}})
	s.csv("shop.csv", chargeHeader, cartRow("2 918325 100 - - no 100"), cartRow("3 918325 100 - - no 100"))
	record := []string{"9,s-00000009,1," + ago(time.Hour)}
	s.csv("sent.csv", "order_id,session,step,sent_at", record...)
	plan := s.makegood(exitLeft, "plan")
	s.approve(plan)
	s.csv("sent.csv", "order_id,session,step,sent_at", append(record, "2,s-00000002,1,"+ago(0))...)
	code, _, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file())
	if code != 15 || !strings.Contains(errs, "by now live_log says that it was charged") {
		t.Fatalf("exit %d, %s", code, errs)
	}
	s.wantsCharged("[] ships 918325")
	s.makegood(exitLeft, "apply", plan.Plan.Path, "--skip-moved")
	s.wantsCharged("[100] ships 918325; [] ships 918325")
}
