package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// day is a wall-clock time in UTC so many days ago, at noon.
func day(ago int) string {
	return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) + " 12:00:00"
}

// night ends a run's period at midnight of the day so many days ago, in the
// shop's zone: an ordinary run, as it was made in that night.
func night(ago int) []string {
	return []string{"--to", time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly)}
}

func TestHarmKeyExpiredForManyNights(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	sim := simulator.New(simulator.Options{Accounts: map[string]string{"activate": "renewed"}})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	s.sim, s.url = sim, server.URL
	s.conf["lookback"] = "1d"
	s.source("shop", nil)
	var rows []string
	for ago := 24; ago > 1; ago-- {
		rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", 1000+ago, day(ago), ago))
	}
	justNow := time.Now().UTC().Add(-time.Hour).Format(time.DateTime) // inside the last run's lookback at any time of day
	s.orders("shop", append(rows, fmt.Sprintf("1001,%s,shopper1@example.com,MUG,1,5", justNow))...)
	since := fields{"since": time.Now().UTC().AddDate(0, 0, -25).Format(time.DateOnly)}
	key := func(k string) { s.activate("activate", with(since, fields{"api_key": k})) }

	key("renewed") // the first nights are well
	s.wants(s.run(exitDone, night(22)...), "activate", "sent 2")
	key("expired")
	for ago := 20; ago > 3; ago -= 4 {
		got := s.run(exitPerson, night(ago)...)
		s.contains(got.target(t, "activate").Stopped, "401")
		if covered := got.target(t, "activate").CoveredTo["shop"].UTC().Format(time.DateTime); covered != day(22) {
			t.Errorf("%d days ago: covered to %s, want %s, the oldest order that is left", ago, covered, day(22))
		}
	}
	key("renewed")
	got := s.run(exitDone)
	s.wants(got, "activate", "already_sent sent_here 1, sent 22")
	if p := sim.Counts().Platforms["squeezely"]; p.Orders != 24 || p.Repeats != 0 {
		t.Errorf("the platform holds %+v", p)
	}
	s.wants(s.run(exitDone), "activate", "already_sent sent_here 1")
}

func TestHarmPlacedOnDay1PaidOnDay12(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", fields{"since": time.Now().UTC().AddDate(0, 0, -20).Format(time.DateOnly)})
	s.source("shop", fields{"columns": columns(fields{"ordered_at": "placed"}), "type": "sql", "path": nil, "stable_for": nil, "dsn": "shop.db",
		"query": `SELECT id, placed, paid, email, sku, n, price FROM orders WHERE paid >= :from AND paid < :to`})
	s.database("shop.db", fmt.Sprintf(`CREATE TABLE orders (id TEXT, placed TEXT, paid TEXT, email TEXT, sku TEXT, n INTEGER, price TEXT);
INSERT INTO orders VALUES ('1', '%s', NULL, 'ann@example.com', 'MUG', 1, '5'), ('2', '%s', '%[2]s', 'bob@example.com', 'MUG', 1, '5');`, day(15), day(14)))
	s.wants(s.run(exitDone, night(12)...), "activate", "sent 1")
	s.wants(s.run(exitDone, night(5)...), "activate", "already_sent sent_here 1")
	s.alter("shop.db", "UPDATE orders SET paid = ? WHERE id = '1'", day(3))
	s.wants(s.run(exitDone), "activate", "sent 1")
	s.wantsPlatform("activate", "1 5 EUR, 2 5 EUR")
	if p, _ := s.sim.Purchase("activate", "1"); p.OrderedAt.UTC().Format(time.DateTime) != day(15) {
		t.Errorf("the platform says %s, want the day on which it was placed", p.OrderedAt)
	}
}

// TestHarmEvidenceWithOtherNumbers: the record has the shop's numbers with a
// letter before them. Without a word of a person nothing goes twice.
func TestHarmEvidenceWithOtherNumbers(t *testing.T) {
	t.Parallel()
	s, recorded := evidenceShop(t, nil)
	for i := range recorded {
		recorded[i] = "W" + recorded[i]
	}
	s.csv("sent.csv", "order_id,sent_at", recorded...)
	got := s.run(exitFailed)
	s.wants(got, "activate", "left evidence_unmet 25")
	for _, text := range []string{"of 22 orders that live_log should know it knows 0", "here 1021, there a1000", "--accept-evidence live_log"} {
		s.contains(got.target(t, "activate").Stopped, text)
	}
	if s.requests() != 0 {
		t.Errorf("%d requests", s.requests())
	}
	s.evidence(fields{"columns": fields{"order": `= trimPrefix(order_id, "W")`, "at": "sent_at"}})
	_, text, _ := makegood(t, "plan", "-c", s.file())
	s.contains(text, "Of 22 orders that the record of the live integration should know, it knows 22")
	s.wants(s.run(exitDone), "activate", "already_sent proven 22, sent 3")
}

func TestHarmOutageOfTheLiveIntegrationItself(t *testing.T) {
	t.Parallel()
	s, _ := evidenceShop(t, nil)
	s.csv("sent.csv", "order_id,sent_at")
	if code, _, _ := makegood(t, "run", "-c", s.file(), "--accept-evidence", "live_log"); code != exitUsage {
		t.Errorf("without a note: exit %d", code)
	}
	s.wants(s.run(exitDone, "--accept-evidence", "live_log", "--note", "it was down since noon"), "activate", "sent 25")
}

// TestHarmEvidenceHasASide: where front end and backend merge, a record of the
// front end settles nothing.
func TestHarmEvidenceHasASide(t *testing.T) {
	t.Parallel()
	s, _ := evidenceShop(t, fields{"side": "front_end"})
	s.collect("page", fields{"from": []string{"shop"}, "channels": []string{"online"}, "send": []string{"purchase"}, "cart": nil,
		"nothing_else_sends": nil, "already_sent": []string{"live_log"}})
	got := s.run(exitDone)
	s.wants(got, "activate", "sent 25")
	s.wants(got, "page", "already_sent proven 22, sent 3")
	if got := s.conversions(); got != "1022 5, 1023 5, 1024 5" {
		t.Errorf("Collect holds %q", got)
	}
	if f := got.target(t, "activate").FrontEnd; f == nil || f.Had != 22 || f.Missed != 3 {
		t.Errorf("front end: %+v", f)
	}
}

func TestHarmLiveIntegrationStillBusy(t *testing.T) {
	for name, c := range map[string]struct {
		recorded string // by the time of the next run
		want     string
		holds    string
	}{
		"and it makes it":   {"2," + ago(0), "already_sent proven 1, already_sent sent_here 1", "1 5 EUR"},
		"and it never does": {"0," + ago(0), "already_sent sent_here 1, sent 1", "1 5 EUR, 2 5 EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.source("shop", nil)
			s.evidence(nil)
			live := func(minAge string) {
				s.activate("activate", fields{"nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": minAge})
			}
			live("30min")
			s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Minute)+",bob@example.com,MUG,1,5")
			s.csv("sent.csv", "order_id,sent_at", "0,"+ago(2*time.Minute))
			got := s.run(exitDone)
			s.wants(got, "activate", "left too_young 1, sent 1")
			if covered := got.target(t, "activate").CoveredTo["shop"]; covered.After(time.Now().Add(-29 * time.Minute)) {
				t.Errorf("covered to %s: the youngest order would be forgotten", covered)
			}
			// Half an hour later, told by a shorter patience.
			live("10s")
			s.csv("sent.csv", "order_id,sent_at", "0,"+ago(2*time.Minute), c.recorded)
			s.wants(s.run(exitDone), "activate", c.want)
			s.wantsPlatform("activate", c.holds)
		})
	}
}

func TestHarmOrderQueryReturnsNoRows(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.source("shop", fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": "shop.db",
		"query": `SELECT id, paid, email, sku, n, price FROM orders WHERE paid >= :from AND paid < :to`})
	s.database("shop.db", `CREATE TABLE orders (id TEXT, paid TEXT, email TEXT, sku TEXT, n INTEGER, price TEXT);`)
	_, out, _ := makegood(t, "run", "-c", s.file())
	first, _, _ := strings.Cut(out, "\n")
	s.contains(first, "A person is needed: shop holds no row at all")
	got := s.run(exitPerson)
	if len(got.PersonNeeded) != 1 || got.PersonNeeded[0].What != "quiet" || got.PersonNeeded[0].Source != "shop" {
		t.Errorf("needed: %+v", got.PersonNeeded)
	}
}

func TestHarmStagingCopyOfTheProductionDatabase(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.conf["environment"] = "production"
	s.source("shop", nil)
	s.activate("activate", nil)
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5")
	s.wants(s.run(exitDone), "activate", "sent 1")
	before := s.requests()

	s.conf["environment"] = "staging"
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5")
	code, _, errs := makegood(t, "run", "-c", s.file())
	if code != exitConfig {
		t.Errorf("live: exit %d", code)
	}
	s.contains(errs, `"production"`)
	plan := s.makegood(exitLeft, "plan") // planning changes nothing and sends nothing
	if code, _, _ := makegood(t, "apply", plan.Plan.Path, "-c", s.file()); code != exitConfig {
		t.Errorf("apply: exit %d", code)
	}
	s.activate("activate", fields{"mode": "shadow"})
	s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, left shadow 1")
	if n := s.requests() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestHarmNotReadyToGoLive wants everything that is missing named at once.
func TestHarmNotReadyToGoLive(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	delete(s.conf, "environment")
	s.tills("tills", fields{"order_unique": nil, "may_send": nil})
	s.collect("stores", fields{"since": nil, "nothing_else_sends": nil, "from": nil, "channels": nil, "send": []string{"purchase"}})
	s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	code, _, errs := makegood(t, "run", "-c", s.file())
	if code != exitConfig {
		t.Errorf("exit %d", code)
	}
	for _, key := range []string{"environment", "since", "already_sent", "may_send", "order_unique", "from", "channels"} {
		s.contains(errs, key+" is missing")
	}
	if s.requests() != 0 {
		t.Error("something was sent")
	}
}

func TestHarmWhatTheDestinationRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"concurrency": 1})
	at := ago(time.Hour)
	s.orders("shop", "1,"+at+",ann@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,1,5", "3,"+at+",cas@example.com,MUG,1,5")
	setFaults(t, s.sim, "status=422,first=1")
	s.wants(s.run(exitPerson), "activate", "refused rejected 1, sent 2")
	s.wants(s.run(exitPerson), "activate", "already_sent sent_here 2, refused rejected 1")
	if n := s.requests(); n != 3 {
		t.Errorf("%d requests: what was refused was asked again", n)
	}
	if n := s.entries("state = 'refused'"); n != 1 {
		t.Errorf("%d refused entries", n)
	}
}

func TestHarmOneRefusedPurchaseInABatch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", fields{"columns": columns(fields{"ordered_at": "placed"})})
	s.activate("activate", fields{"batch": 10, "concurrency": 1})
	at := ago(time.Hour)
	var rows []string
	for i := range 20 {
		placed := at
		if i == 4 { // a till's clock without a battery
			placed = "1969-12-31 12:00:00"
		}
		rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5,%s", i, at, i, placed))
	}
	s.csv("shop.csv", usualHeader+",placed", rows...)
	s.wants(s.run(exitPerson), "activate", "refused rejected 1, sent 19")
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 19 || p.Repeats != 0 {
		t.Errorf("the platform holds %+v", p)
	}
	if n := s.entries("state = 'refused' AND event = 'purchase/main/4'"); n != 1 {
		t.Error("the ledger does not say which one was refused")
	}
}

func TestHarmThePlatformAsksForTime(t *testing.T) {
	for _, fault := range []string{"status=429,retry_after=1,first=2", "status=503,retry_after=1,first=2", "status=429,first=2"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, fault)
			s.tills("tills", nil)
			s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "concurrency": 2})
			s.manyTickets(8)
			s.wants(s.run(exitDone), "stores", "sent 8")
			s.onePurchaseEach(8)
		})
	}
}

func TestHarmThePlatformIsDown(t *testing.T) {
	t.Parallel()
	s := newShop(t, "status=503")
	s.source("shop", nil)
	s.activate("activate", fields{"concurrency": 1})
	at := ago(time.Hour)
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", i, at, i))
	}
	s.orders("shop", rows...)
	got := s.run(exitPerson)
	if b := got.target(t, "activate").Balance; b.Sent.Events != 0 || b.InDoubt.Events > 10 || b.InDoubt.Events+b.Left.Events != 20 {
		t.Errorf("ended as %s", got.ends(t, "activate"))
	}
	setFaults(t, s.sim)
	s.wants(s.run(exitDone), "activate", "sent 20")
}

// TestHarmOrderChangesAfterItWasSent: there is no negative and no second
// purchase; the change is told.
func TestHarmOrderChangesAfterItWasSent(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", nil)
	at := ago(time.Hour)
	s.orders("shop", "1,"+at+",ann@example.com,MUG,2,5", "2,"+at+",bob@example.com,MUG,1,5")
	s.wants(s.run(exitDone), "activate", "sent 2")
	s.orders("shop", "1,"+at+",ann@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,1,5", "2,"+at+",bob@example.com,MUG,-1,5")
	got := s.run(exitDone)
	s.wants(got, "activate", "already_sent sent_here 2")
	changes := map[string]string{}
	for _, c := range got.target(t, "activate").Corrections {
		changes[c.Order] = c.Change + " " + c.Before + " " + c.After
	}
	if changes["1"] != "refund 10 5" || changes["2"] != "refund 5 0" {
		t.Errorf("changes %v", changes)
	}
	s.wantsPlatform("activate", "1 10 EUR, 2 5 EUR")
}

func TestHarmOnePlanTwice(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	plan := s.makegood(exitLeft, "plan")
	text, err := os.ReadFile(plan.Plan.Path)
	check(t, err)
	kept := write(t, s.dir, "kept.plan", string(text))
	s.wants(s.makegood(exitDone, "apply", plan.Plan.Path), "stores", "sent 1")
	if code, _, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file()); code != reconcile.RefusedApplied {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := makegood(t, "apply", kept, "-c", s.file()); code != reconcile.RefusedApplied {
		t.Errorf("a copy of the plan: exit %d: %s", code, errs)
	}
	s.onePurchaseEach(1)
}
