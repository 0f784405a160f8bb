package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/mattn/go-sqlite3"

	"makegood/sinks/simulator"
)

// How much is killed: the full figures are asked for by the environment.
const (
	killsVariable  = "MAKEGOOD_TEST_KILLS"
	ordersVariable = "MAKEGOOD_TEST_ORDERS"
	seedVariable   = "MAKEGOOD_TEST_SEED"
)

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// tillOrders writes made-up in-store orders of the last 24 hours.
func tillOrders(t *testing.T, dir string, n int, random *rand.Rand) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("ticket,time,email,sku,quantity,price\n")
	now := time.Now().UTC().Add(-time.Minute)
	for i := range n {
		at := now.Add(-time.Duration(random.IntN(23*3600)) * time.Second).Format(time.DateTime)
		for line := range 1 + random.IntN(3) {
			fmt.Fprintf(&b, "T%06d,%s,till%d@example.com,SKU%d,%d,%d.%02d\n", i, at, i%(n*9/10), line, 1+random.IntN(4), random.IntN(90), random.IntN(100))
		}
	}
	return write(t, dir, "tickets.csv", b.String())
}

// tillConfig sends the tickets to one live destination at a pace.
func tillConfig(t *testing.T, dir, url, kind string, rate int) string {
	target := map[string]string{
		"activate": "type: squeezely\n    url: " + url + "/v1/track\n    account: shop\n    api_key: key",
		"collect":  "type: collect\n    url: " + url + "\n    mid: \"123456\"\n    max_age: 48h",
	}[kind]
	return write(t, dir, kind+".yaml", fmt.Sprintf(`
zone: Europe/Amsterdam
environment: test
ledger: %[1]s.db
state_dir: .%[1]s
sources:
  tills:
    type: csv
    path: tickets.csv
    zone: UTC
    currency: EUR
    channel: in_store
    order_unique: always
    stable_for: 0s
    may_send: {all: true, reason: "a test"}
    columns: {order: ticket, completed_at: time, email: email, sku: sku, quantity: quantity, price: price}
targets:
  %[1]s:
    %[2]s
    mode: live
    from: [tills]
    channels: [in_store]
    send: [purchase]
    since: 2020-01-01
    nothing_else_sends: true
    rate: %[3]d/s
    concurrency: 4
    probe_after: [1s, 2s, 4s]
    timeout: 5s
`, kind, target, rate))
}

// killRig is one destination under attack.
type killRig struct {
	t        *testing.T
	sim      *simulator.Simulator
	platform string
	config   string
	ledger   string
	random   *rand.Rand
}

func (k *killRig) accepted() int {
	return int(k.sim.Counts().Platforms[k.platform].Accepted)
}

// killOnce starts a run and kills it at a random moment after its first
// accepted request. It reports whether the run was still at work.
func (k *killRig) killOnce(longest time.Duration) bool {
	k.t.Helper()
	cmd := play(k.t, "run", "-c", k.config, "--from", "2020-01-01")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	first := make(chan struct{}, 1)
	k.sim.OnAccept(func(simulator.Accepted) {
		select {
		case first <- struct{}{}:
		default:
		}
	})
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case <-first:
	case err := <-over:
		k.t.Logf("a run ended before it sent anything: %v\n%s", err, errs.String())
		return false
	case <-time.After(time.Minute):
		k.t.Fatalf("no request within a minute\n%s", errs.String())
	}
	select {
	case <-time.After(time.Duration(k.random.Int64N(int64(longest)))):
	case <-over:
		return false
	}
	if err := cmd.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	err := <-over
	status, ok := err.(*exec.ExitError)
	return ok && status.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// plan gives the balance as a plan sees it right now.
func (k *killRig) plan() balanceJSON {
	k.t.Helper()
	code, out, errs := makegood(k.t, "plan", "--json", "-c", k.config, "--from", "2020-01-01")
	if code > exitPerson {
		k.t.Fatalf("plan: exit %d\n%s", code, errs)
	}
	return readReport(k.t, out).balance(k.t, k.platform2target())
}

func (k *killRig) platform2target() string {
	return map[string]string{"squeezely": "activate", "collect": "collect"}[k.platform]
}

// finish runs makegood until nothing is left that a run can end.
func (k *killRig) finish() {
	k.t.Helper()
	for range 30 {
		code, _, errs := makegood(k.t, "run", "-c", k.config, "--from", "2020-01-01")
		if code == exitFailed {
			k.t.Fatalf("run: exit %d\n%s", code, errs)
		}
		if b := k.plan(); b.Left.Events == 0 {
			return
		}
	}
	k.t.Error("30 runs did not come to an end")
}

func killTest(t *testing.T, platform string) (rig *killRig, kills, orders int) {
	t.Helper()
	if testing.Short() {
		t.Skip("killing takes its time")
	}
	kills, orders = number(t, killsVariable, 5), number(t, ordersVariable, 1000)
	seed := number(t, seedVariable, int(time.Now().UnixNano()&0xffffffff))
	t.Logf("seed %d (%s), %d kills, %d orders", seed, seedVariable, kills, orders)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	dir := t.TempDir()
	tillOrders(t, dir, orders, random)
	sim, url := simulate(t, "drop=2%")
	rate := killRate(orders, kills)
	rig = &killRig{t: t, sim: sim, platform: platform, random: random}
	rig.config = tillConfig(t, dir, url, rig.platform2target(), rate)
	rig.ledger = filepath.Join(dir, rig.platform2target()+".db")
	return rig, kills, orders
}

// killRate is a pace at which every kill finds something to send: a run sends
// one second's worth at once, and goes on at the pace. 5,000 orders and 50
// kills take two minutes of sending.
func killRate(orders, kills int) int { return max(1, orders*42/100/(kills+2)) }

// longest is how long after the first accepted request a run is killed at the
// latest, so that all kills fall into the time that sending takes.
func longest(orders, kills int) time.Duration {
	rate := killRate(orders, kills)
	each := orders/(kills+2) - rate // messages that a run sends on average after its first second's worth
	return 18 * time.Second * time.Duration(each) / time.Duration(10*rate)
}

// TestKilledWhileSendingToAPlatformThatMerges wants every order at the
// platform in the end, and an older doubt for every repeat.
func TestKilledWhileSendingToAPlatformThatMerges(t *testing.T) {
	rig, kills, orders := killTest(t, "squeezely")
	killed := 0
	for range kills {
		before := rig.plan()
		if !rig.killOnce(longest(orders, kills)) {
			continue
		}
		killed++
		if doubt := lostClaims(t, rig); doubt > 512 {
			t.Errorf("a kill left %d claims in doubt, more than are claimed ahead (before: %+v)", doubt, before)
		}
	}
	rig.finish()
	totals := rig.sim.Counts().Platforms["squeezely"]
	if int(totals.Orders) != orders {
		t.Errorf("the platform holds %d orders, want %d", totals.Orders, orders)
	}
	dropped := rig.sim.Faults()[0].Fired
	repeats := int(totals.Repeats)
	if most := dropped + killed*(64+4); repeats > most {
		t.Errorf("%d repeats, at most %d can be explained", repeats, most)
	}
	explained := repeatsExplained(t, rig)
	t.Logf("%d kills while sending, %d answers dropped, %d repeats, %d of them with an older doubt", killed, dropped, repeats, explained)
}

// TestKilledWhileSendingToAPlatformThatDoesNotMerge wants no repeat at all,
// and a plan that knows after each kill what it can know.
func TestKilledWhileSendingToAPlatformThatDoesNotMerge(t *testing.T) {
	rig, kills, orders := killTest(t, "collect")
	killed, most := 0, 0
	for range kills {
		if !rig.killOnce(longest(orders, kills)) {
			continue
		}
		killed++
		b, accepted := rig.plan(), rig.accepted()
		sum := b.AlreadySent.Events + b.HeldBack.Events + b.Refused.Events + b.InDoubt.Events + b.Left.Events
		if sum != b.Eligible.Events {
			t.Errorf("the places hold %d events, %d are eligible", sum, b.Eligible.Events)
		}
		if accepted < b.AlreadySent.Events || accepted > b.AlreadySent.Events+b.InDoubt.Events {
			t.Errorf("the platform accepted %d; the ledger says %d sent and %d in doubt", accepted, b.AlreadySent.Events, b.InDoubt.Events)
		}
		most = max(most, b.InDoubt.Events)
	}
	rig.finish()
	totals, b := rig.sim.Counts().Platforms["collect"], rig.plan()
	if totals.Repeats != 0 {
		t.Errorf("%d repeats at a platform that does not merge", totals.Repeats)
	}
	if b.AlreadySent.Events+b.InDoubt.Events != orders {
		t.Errorf("%d sent and %d in doubt, want %d in all", b.AlreadySent.Events, b.InDoubt.Events, orders)
	}
	t.Logf("%d kills while sending, %d answers dropped, %d in doubt at the end (at most %d after a kill)",
		killed, rig.sim.Faults()[0].Fired, b.InDoubt.Events, most)
}

// lostClaims counts what the last killed run left between claim and answer.
func lostClaims(t *testing.T, rig *killRig) int {
	t.Helper()
	db := openLedger(t, rig)
	var n int
	if err := db.Get(&n, `SELECT count(*) FROM entries WHERE state = 'claimed'`); err != nil {
		t.Fatal(err)
	}
	return n
}

func openLedger(t *testing.T, rig *killRig) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+rig.ledger+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // read only
	return db
}

// repeatsExplained wants an older attempt in doubt for every order that the
// platform accepted more than once, and counts them.
func repeatsExplained(t *testing.T, rig *killRig) int {
	t.Helper()
	db := openLedger(t, rig)
	explained := 0
	for _, p := range rig.sim.Purchases("") {
		if p.Count < 2 {
			continue
		}
		var doubts int
		query := `SELECT count(*) FROM attempts WHERE event = ? AND verdict = 'in_doubt' AND at <= ?`
		if err := db.GetContext(context.Background(), &doubts, query, "purchase/main/"+p.OrderID, p.Last.UnixMicro()); err != nil {
			t.Fatal(err)
		}
		if doubts < p.Count-1 {
			t.Errorf("%s was accepted %d times, with %d attempts in doubt", p.OrderID, p.Count, doubts)
			continue
		}
		explained += p.Count - 1
	}
	return explained
}

// TestFuse lets a platform answer everything with one fault. At most ten
// messages, and what is in flight, may learn of it; everything else is given
// back, and the next run can send it.
func TestFuse(t *testing.T) {
	const orders = 5000
	for _, fault := range []string{"status=404", "status=500", "redirect", "status=400"} {
		for _, platform := range []string{"activate", "collect"} {
			t.Run(strings.ReplaceAll(fault, "=", " ")+" "+platform, func(t *testing.T) {
				dir := t.TempDir()
				tillOrders(t, dir, orders, rand.New(rand.NewPCG(1, 2)))
				sim, url := simulate(t, fault)
				config := tillConfig(t, dir, url, platform, 100000)
				text, err := os.ReadFile(config)
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, platform+".yaml", strings.Replace(string(text), "[1s, 2s, 4s]", "[10ms, 20ms, 40ms]", 1))
				r := report(t, exitPerson, "run", "-c", config, "--from", "2020-01-01")
				if r.Targets[0].Stopped == "" {
					t.Error("the report does not say that the destination was stopped")
				}
				rig := &killRig{t: t, ledger: filepath.Join(dir, platform+".db")}
				checkFuse(t, rig, r.balance(t, platform), orders)
				if n := sim.Counts().RedirectsFollowed; n != 0 {
					t.Errorf("%d redirects were followed", n)
				}
			})
		}
	}
}

func checkFuse(t *testing.T, rig *killRig, b balanceJSON, orders int) {
	t.Helper()
	db := openLedger(t, rig)
	var attempted, claimed int
	if err := db.Get(&attempted, `SELECT count(DISTINCT event) FROM attempts`); err != nil {
		t.Fatal(err)
	}
	if err := db.Get(&claimed, `SELECT count(*) FROM entries WHERE state = 'claimed'`); err != nil {
		t.Fatal(err)
	}
	if attempted > 10+4*1 || attempted == 0 {
		t.Errorf("%d messages were attempted", attempted)
	}
	if claimed != 0 {
		t.Errorf("%d claims were not given back", claimed)
	}
	if b.Eligible.Events != orders || b.Sent.Events != 0 || b.Left.Events < orders-14 {
		t.Errorf("balance %+v", b)
	}
}
