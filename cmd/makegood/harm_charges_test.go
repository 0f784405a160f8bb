package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// The columns of a shop whose carts are charged.
const chargeHeader = usualHeader + ",session,parent,replaces,done,due,ship,ip"

const chargeWebKey = "ed1a9cc1-a838-4e02-a153-bc1891205b57"

// charges adds a live destination of type emanage, and the source of its carts.
func (s *shop) charges(name string, over fields) {
	s.source("shop", fields{"columns": columns(fields{"session": "session", "parent_session": "parent", "replaces": "replaces", "paid": "done",
		"charge_due": "due", "shipping_method": "ship", "customer_ip": "ip"}), "wait_for_payment": "3d"})
	s.set("targets", name, with(fields{
		"type": "emanage", "mode": "live", "url": s.url + "/api", "cid": "cid", "webkey": chargeWebKey, "max_charge": fields{"EUR": "150"},
		"from": []string{"shop"}, "channels": []string{"online"}, "send": []string{"cart_create", "cart_upgrade"}, "since": "2020-01-01",
		"nothing_else_sends": true, "rate": "10000/s", "timeout": "300ms",
	}, over))
}

// cartRow is a row of a shop whose carts are charged: "order product price
// session replaces done due", - for nothing.
func cartRow(text string) string {
	f := strings.Fields(text)
	for i, part := range f {
		f[i] = strings.TrimPrefix(part, "-")
	}
	return strings.Join([]string{f[0], ago(time.Hour), f[0] + "@example.com", f[1], "1", f[2], f[3], "", f[4], f[5], f[6], "145", "192.0.2.7"}, ",")
}

// chained are the rows of 100, 120 and 140; what was paid, and what is due of
// each.
func chained(order, session string, done, due [3]string) []string {
	var rows []string
	for i, product := range []string{"918325", "918446", "918447"} {
		replaces := []string{"-", "918325", "918446"}[i]
		rows = append(rows, cartRow(strings.Join([]string{order, product, fmt.Sprint(100 + 20*i), session, replaces, done[i], due[i]}, " ")))
	}
	return rows
}

// approved makes a plan that sends something, approves it by name and carries
// it out; another person may be needed beside.
func (s *shop) approved(code int) told {
	s.Helper()
	code0, out, errs := makegood(s.T, "plan", "--json", "-c", s.file())
	var plan told
	if err := json.Unmarshal([]byte(out), &plan.Report); err != nil || code0 != exitLeft && code0 != exitPerson {
		s.Fatalf("plan: exit %d, %v\n%s", code0, err, errs)
	}
	s.approve(plan)
	return s.makegood(code, "apply", plan.Plan.Path)
}

func (s *shop) approve(plan told) {
	s.Helper()
	code, out, errs := makegood(s.T, "approve", plan.Plan.Path, "--by", "night desk", "--note", "compared with the shop's list", "-c", s.file())
	if code != exitDone {
		s.Fatalf("approve: exit %d\n%s%s", code, errs, out)
	}
}

// charged says in one line what EmanageCRM has taken from customers: each
// session's charges, and what ships of it.
func (s *shop) charged() string {
	var parts []string
	for _, c := range s.sim.EmanageCarts(false) {
		parts = append(parts, fmt.Sprintf("%v ships %s", c.Charges, c.Ships))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func (s *shop) wantsCharged(want string) {
	s.Helper()
	if got := s.charged(); got != want {
		s.Errorf("charged were %q, want %q", got, want)
	}
}

// emanageShop is a shop with a cart of 100 that the customer paid, in the
// session s-00000001, and a purchase destination beside the one that charges.
func emanageShop(t *testing.T, rules simulator.EmanageRules) *shop {
	s := newShop(t)
	s.sim, s.url = simulateWith(t, simulator.Options{Emanage: rules})
	s.charges("charges", nil)
	s.activate("activate", nil)
	hundred, err := reconcile.ParseDecimal("100")
	check(t, err)
	one, err := reconcile.ParseDecimal("1")
	check(t, err)
	s.sim.AddEmanageCart(simulator.EmanageCart{Session: "s-00000001", WebKey: chargeWebKey,
		Products: []simulator.EmanageProduct{{ProductID: "918325", Price: hundred, Quantity: one}}})
	s.chain([3]string{"yes", "pending", "pending"}, [3]string{"-", "20", "20"})
	return s
}

// chain writes the shop's one order.
func (s *shop) chain(done, due [3]string) {
	s.csv("shop.csv", chargeHeader, chained("1", "s-00000001", done, due)...)
}

// TestHarmChainIsChargedOnce: 100, 120, 140 with 100 paid before: 40 are charged
// in all, in one charge or two, and there is one purchase of 140.
func TestHarmChainIsChargedOnce(t *testing.T) {
	for _, one := range []bool{false, true} {
		s := emanageShop(t, simulator.EmanageRules{OneCharge: one})
		got := s.run(exitPerson)
		s.wants(got, "charges", "held_back nothing_due 1, left needs_approval 2")
		s.wants(got, "activate", "left payment_pending 1")
		s.wantsCharged("[] ships 918325")
		got = s.approved(exitDone)
		s.wants(got, "charges", "held_back nothing_due 1, sent 2")
		if b := got.target(t, "charges").Balance; b.Sent.Money["EUR"] != "40" || !b.Holds || got.Approved == nil || got.Approved.By != "night desk" {
			t.Errorf("%+v, approved %+v", b, got.Approved)
		}
		s.wantsCharged(map[bool]string{false: "[20 20] ships 918447", true: "[40] ships 918447"}[one])
		s.run(exitDone) // nothing more, although the shop does not know of the money yet
		s.chain([3]string{"yes", "yes", "yes"}, [3]string{"-", "-", "-"})
		got = s.run(exitDone)
		s.wants(got, "charges", "already_sent sent_here 2, held_back nothing_due 1")
		s.wants(got, "activate", "sent 1")
		s.wantsPlatform("activate", "1 140 EUR")
		if code, out, errs := makegood(t, "verify", "-c", s.file()); code != exitDone {
			t.Errorf("verify: exit %d\n%s%s", code, errs, out)
		}
		s.wantsCharged(map[bool]string{false: "[20 20] ships 918447", true: "[40] ships 918447"}[one])
	}
}

// TestHarmNotCollectable: the difference cannot be collected, the main product
// ships, and the purchase is of 100, also where an upgrade between was paid and
// the shop says that the main product counts.
func TestHarmNotCollectable(t *testing.T) {
	for name, c := range map[string]struct {
		over fields
		done [3]string
		want string
	}{
		"no upgrade was paid":         {nil, [3]string{"yes", "no", "no"}, "1 100 EUR"},
		"the last that was paid":      {nil, [3]string{"yes", "yes", "no"}, "1 120 EUR"},
		"the main product, by choice": {fields{"unpaid_upgrade": "main"}, [3]string{"yes", "yes", "no"}, "1 100 EUR"},
	} {
		s := emanageShop(t, simulator.EmanageRules{Uncollectable: true, Repeats: true})
		shop := s.conf["sources"].(fields)["shop"].(fields)
		s.set("sources", "shop", with(shop, c.over))
		s.approved(exitDone)
		s.wantsCharged("[] ships 918325")
		s.chain(c.done, [3]string{"-", "-", "-"})
		s.run(exitDone)
		if got := s.platform("activate"); got != c.want {
			t.Errorf("%s: the purchase is %q, want %q", name, got, c.want)
		}
		s.run(exitDone)
		s.wantsCharged("[] ships 918325")
	}
}

// TestHarmNewCartOnAccount: a cart that is not there is made, and its upgrades
// go into the session that it was given.
func TestHarmNewCartOnAccount(t *testing.T) {
	for _, answers := range []simulator.EmanageAnswers{simulator.SessionText, simulator.SessionJSON, simulator.SessionObject} {
		s := emanageShop(t, simulator.EmanageRules{Answers: answers})
		s.charges("charges", fields{"text_answers": answers == simulator.SessionJSON})
		s.csv("shop.csv", chargeHeader, chained("2", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"})...)
		got := s.approved(exitDone)
		s.wants(got, "charges", "sent 3")
		s.wants(got, "activate", "held_back unpaid 1")
		s.wantsCharged("[100 20 20] ships 918447; [] ships 918325")
		s.run(exitDone)
		s.wantsCharged("[100 20 20] ships 918447; [] ships 918325")
	}
}

// TestHarmOfflineUpgrade: a cart of its own that names the one before.
func TestHarmOfflineUpgrade(t *testing.T) {
	for unpaid, want := range map[bool]string{false: "[20] ships 918446; [] ships ", true: "[] ships ; [] ships 918325"} {
		s := emanageShop(t, simulator.EmanageRules{OfflineUnpaid: unpaid})
		first := cartRow("1 918325 100 s-00000001 - yes -")
		upgrade := strings.Replace(cartRow("1b 918446 120 - 918325 pending 20"), ",,918325", ",s-00000001,918325", 1)
		s.csv("shop.csv", chargeHeader, first, strings.Replace(upgrade, "1b@", "1@", 1))
		got := s.approved(exitDone)
		s.wants(got, "charges", "held_back nothing_due 1, sent 1")
		s.wantsCharged(want)
	}
}

// TestHarmShadowAndTestsChargeNobody: shadow sends nothing, a trial makes test
// carts and touches no customer's, and going live charges what is due.
func TestHarmShadowAndTestsChargeNobody(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	s.csv("shop.csv", chargeHeader, append(chained("1", "s-00000001", [3]string{"yes", "no", "no"}, [3]string{"-", "20", "20"}), cartRow("2 918325 100 - - no 100"))...)
	delete(s.conf["targets"].(fields), "activate")
	s.charges("charges", fields{"mode": "shadow", "max_charge": nil})
	s.wants(s.run(exitDone), "charges", "held_back nothing_due 1, left shadow 3")
	if n := s.requests(); n != 0 {
		t.Errorf("shadow made %d requests", n)
	}
	s.charges("charges", fields{"mode": "trial", "max_charge": nil})
	s.wants(s.run(exitDone), "charges.test", "held_back nothing_due 1, held_back real_session 2, sent 1")
	s.wantsCharged("[] ships 918325")
	if tests := s.sim.EmanageCarts(true); len(tests) != 1 || len(tests[0].Charges) != 1 {
		t.Errorf("test carts are %+v", tests)
	}
	s.charges("charges", nil)
	s.wants(s.approved(exitDone), "charges", "held_back nothing_due 1, sent 3")
	s.wantsCharged("[100] ships 918325; [20 20] ships 918447")
}

// TestHarmALostChargeIsNotRepeated: an answer that never came stops the
// destination, charges nothing twice, and lets nothing go that needs it.
func TestHarmALostChargeIsNotRepeated(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	s.csv("shop.csv", chargeHeader, append(chained("2", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"}), cartRow("3 918325 100 - - no 100"))...)
	setFaults(t, s.sim, "drop,first=1")
	got := s.approved(exitPerson)
	s.wants(got, "charges", "in_doubt no_answer 1, left fuse 3")
	for range 2 {
		s.wants(s.run(exitPerson), "charges", "held_back waits_for_doubtful 1, held_back waits_for_held_back 1, in_doubt no_answer 1, left needs_approval 1")
	}
	s.wantsCharged("[100] ships 918325; [] ships 918325")
	lost := s.sim.EmanageCarts(false)[1].Session
	for _, args := range [][]string{{"--sent", "--note", "seen there", "2"}, {"--receipt", lost, "--note", "its session there", "cart_create/main/2/1"}} {
		if code, out, errs := makegood(t, append([]string{"resolve", "-c", s.file()}, args...)...); code != exitDone {
			t.Fatalf("resolve %v: exit %d\n%s%s", args, code, errs, out)
		}
	}
	s.wants(s.approved(exitDone), "charges", "already_sent assumed 1, sent 3")
	s.wantsCharged("[100 20 20] ships 918447; [100] ships 918325; [] ships 918325")
}

// TestHarmPaidMeanwhile: what was collected between plan and apply is not
// charged, and an approval is of one plan only.
func TestHarmPaidMeanwhile(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	plan := s.makegood(exitLeft, "plan")
	if code, _, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file()); code != 12 || !strings.Contains(errs, "makegood approve") {
		t.Fatalf("without an approval: exit %d, %s", code, errs)
	}
	s.approve(plan)
	s.chain([3]string{"yes", "yes", "yes"}, [3]string{"-", "-", "-"})
	if code, _, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file()); code != 15 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	s.wantsCharged("[] ships 918325")
}

// TestHarmChargeLimits: nothing above the limit, in another currency, in
// another sum than is due, or with a discount that nobody has declared.
func TestHarmChargeLimits(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	delete(s.conf["targets"].(fields), "activate")
	s.csv("shop.csv", chargeHeader, cartRow("2 918325 150.01 - - no 150.01"), cartRow("3 918325 100 - - no 99"), cartRow("4 918325 100 s-00000004 - no 100"))
	got := s.makegood(exitPerson, "plan")
	s.wants(got, "charges", "held_back cannot_compose 1, held_back charge_mismatch 1, held_back over_max_charge 1")
	s.charges("charges", fields{"max_charge": fields{"SEK": "150"}})
	s.csv("shop.csv", chargeHeader, cartRow("2 918325 10 - - no 10"))
	s.wants(s.makegood(exitPerson, "plan"), "charges", "held_back no_budget 1")
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// TestHarmLiveChargesNeed: everything that is missing to go live is said at
// once.
func TestHarmLiveChargesNeed(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	s.charges("charges", fields{"cid": nil, "webkey": nil, "max_charge": nil, "send": nil, "from": nil})
	code, _, errs := makegood(t, "run", "-c", s.file())
	if code != exitConfig {
		t.Fatalf("exit %d", code)
	}
	for _, key := range []string{"cid is missing", "webkey is missing", "max_charge is missing", "send is missing", "from is missing"} {
		s.contains(errs, key)
	}
}

// TestHarmTheLiveIntegrationsCarts: what the shop's own record says was made or
// charged is not charged again, step by step where it has positions; its
// session serves for what is still due. A position that is none stops all.
func TestHarmTheLiveIntegrationsCarts(t *testing.T) {
	for record, want := range map[string]string{
		"2,s-00000002,1": "already_sent proven 1, sent 2",
		"2,s-00000002,":  "already_sent proven 3",
		"2,s-00000002,x": "",
	} {
		s := emanageShop(t, simulator.EmanageRules{})
		delete(s.conf["targets"].(fields), "activate")
		s.charges("charges", fields{"nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": "1min"})
		s.evidence(fields{"columns": fields{"order": "order_id", "at": "sent_at", "receipt": "session", "position": "step"}})
		s.csv("shop.csv", chargeHeader, chained("2", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"})...)
		s.csv("sent.csv", "order_id,session,step,sent_at", record+","+ago(time.Hour))
		paid := s.sim.EmanageCarts(false)[0]
		paid.Session = "s-00000002"
		s.sim.AddEmanageCart(paid)
		if want == "" {
			code, out, errs := makegood(t, "plan", "--json", "-c", s.file())
			if code != exitFailed {
				t.Errorf("exit %d", code)
			}
			s.contains(out+errs, "is no position in a chain of upgrades")
			continue
		}
		if strings.Contains(want, "sent 2") {
			s.wants(s.approved(exitDone), "charges", want)
			s.wantsCharged("[20 20] ships 918447; [] ships 918325")
		} else {
			s.wants(s.run(exitDone), "charges", want)
			s.wantsCharged("[] ships 918325; [] ships 918325")
		}
		s.run(exitDone)
	}
}

// TestHarmATrialUsesNoRealSession: not even one that the shop's own record has.
func TestHarmATrialUsesNoRealSession(t *testing.T) {
	s := emanageShop(t, simulator.EmanageRules{})
	delete(s.conf["targets"].(fields), "activate")
	s.charges("charges", fields{"mode": "trial", "max_charge": nil, "nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": "1min"})
	s.evidence(fields{"columns": fields{"order": "order_id", "at": "sent_at", "receipt": "session", "position": "step"}})
	s.csv("sent.csv", "order_id,session,step,sent_at", "1,s-00000001,1,"+ago(time.Hour))
	s.csv("shop.csv", chargeHeader, chained("1", "-", [3]string{"yes", "no", "no"}, [3]string{"-", "20", "20"})...)
	s.wants(s.run(exitDone), "charges.test", "held_back nothing_due 1, held_back waits_for_held_back 2")
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// TestHarmDiscountedOnce: a campaign takes its progressive discount off by
// itself. What was declared is charged as the customer saw it, whichever prices
// the shop's file has; an undeclared discount is not handed over at all.
func TestHarmDiscountedOnce(t *testing.T) {
	steps := []fields{{"from": 1, "percent": 25}, {"from": 2, "percent": 50}}
	for name, c := range map[string]struct {
		over         fields
		price        string
		ends, wanted string
	}{
		"list prices":       {fields{"progressive_discount": steps, "prices": "list"}, "100", "sent 1", "[75] ships 918325"},
		"discounted prices": {fields{"progressive_discount": steps, "prices": "discounted"}, "75", "sent 1", "[75] ships 918325"},
		"nobody said it":    {nil, "100", "held_back discounted_cart 1", ""},
	} {
		s := emanageShop(t, simulator.EmanageRules{Discount: 25})
		delete(s.conf["targets"].(fields), "activate")
		s.charges("charges", nil)
		shop := s.conf["sources"].(fields)["shop"].(fields)
		shop["columns"] = with(shop["columns"].(fields), fields{"discount": "off"})
		s.set("sources", "shop", with(shop, c.over))
		s.csv("shop.csv", chargeHeader+",off", cartRow("2 918325 "+c.price+" - - no 75")+",25")
		s.sim.Reset()
		if c.wanted == "" {
			s.wants(s.makegood(exitPerson, "plan"), "charges", c.ends)
			continue
		}
		s.wants(s.approved(exitDone), "charges", c.ends)
		if got := s.charged(); got != c.wanted {
			t.Errorf("%s: charged were %q, want %q", name, got, c.wanted)
		}
	}
}
