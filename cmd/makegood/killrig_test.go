package main

import (
	"bytes"
	"encoding/json"
	"errors"
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

	"makegood/reconcile/ledger"
	"makegood/sinks/simulator"
)

// How much is killed. The full figures are asked for by the environment:
//
//	MAKEGOOD_TEST_KILLS=1000 MAKEGOOD_TEST_ORDERS=2000 go test -v -timeout 2h -run TestKilledAtAPlatform ./cmd/makegood
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

const ticketHeader = "ticket,time,email,sku,quantity,price\n"

// tickets are made-up in-store orders of the last 24 hours, the rows of each.
func tickets(n int, random *rand.Rand) []string {
	list := make([]string, n)
	now := time.Now().UTC().Add(-time.Minute)
	for i := range list {
		at := now.Add(-time.Duration(random.IntN(23*3600)) * time.Second).Format(time.DateTime)
		for line := range 1 + random.IntN(3) {
			list[i] += fmt.Sprintf("T%06d,%s,till%d@example.com,SKU%d,%d,%d.%02d\n", i, at, i%(n*9/10), line, 1+random.IntN(4), random.IntN(90), random.IntN(100))
		}
	}
	return list
}

func tillOrders(t *testing.T, dir string, n int, random *rand.Rand) string {
	t.Helper()
	return write(t, dir, "tickets.csv", ticketHeader+strings.Join(tickets(n, random), ""))
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

// killRig is one destination under attack. Its orders come in little by
// little, so that every run has a beginning, something to send, and an end.
type killRig struct {
	t        *testing.T
	dir      string
	sim      *simulator.Simulator
	platform string
	target   string
	config   string
	ledger   string // a file or a URL
	random   *rand.Rand

	tickets []string
	shown   int           // tickets that have come in
	kills   int           // wanted
	usual   time.Duration // that a run takes which nobody kills

	killed, unheard, survived int // unheard: before anything was accepted
}

// newKillRig makes a rig; without a place the ledger is a file.
func newKillRig(t *testing.T, platform, place string) *killRig {
	t.Helper()
	kills, orders := number(t, killsVariable, 20), number(t, ordersVariable, 500)
	seed := number(t, seedVariable, int(time.Now().UnixNano()&0xffffffff))
	t.Logf("seed %d (%s), %d kills, %d orders", seed, seedVariable, kills, orders)
	k := &killRig{t: t, dir: t.TempDir(), platform: platform, random: rand.New(rand.NewPCG(uint64(seed), 2)), kills: kills, usual: time.Second}
	k.target = map[string]string{simulator.Squeezely: "activate", simulator.Collect: "collect"}[platform]
	k.tickets = tickets(orders, k.random)
	var url string
	k.sim, url = simulate(t, "drop=2%", "slow=5ms")
	k.config, k.ledger = tillConfig(t, k.dir, url, k.target, 1000), filepath.Join(k.dir, k.target+".db")
	if place != "" {
		text, err := os.ReadFile(k.config)
		if err != nil {
			t.Fatal(err)
		}
		write(t, k.dir, k.target+".yaml", strings.Replace(string(text), "ledger: "+k.target+".db", `ledger: "`+place+`"`, 1))
		k.ledger = place
	}
	k.show(0)
	return k
}

// show lets the first n tickets have come in.
func (k *killRig) show(n int) {
	k.t.Helper()
	k.shown = n
	write(k.t, k.dir, "tickets.csv", ticketHeader+strings.Join(k.tickets[:n], ""))
}

// killAll kills run after run: half of them at any moment of their life, which
// is mostly before they send, and half of them soon after the first accepted
// request. Every so often it looks at what they left.
func (k *killRig) killAll() {
	k.t.Helper()
	began, every := time.Now(), max(4, k.kills/25)
	for k.killed < k.kills && !k.t.Failed() {
		due := 2 * (len(k.tickets) - k.shown) / (k.kills - k.killed) // twice what is due, for the mean
		aimed := k.random.IntN(2) == 0
		k.show(min(len(k.tickets), k.shown+k.random.IntN(due+2)))
		if k.killOnce(aimed) && k.killed%every == 0 {
			k.look()
		}
	}
	took := time.Since(began)
	if k.unheard == 0 || k.unheard == k.killed {
		k.t.Errorf("%d of %d runs were killed before their first request was accepted", k.unheard, k.killed)
	}
	k.t.Logf("%d kills in %.0f s, %.2f s each; %d of them before the first request was accepted; %d runs came to their end",
		k.killed, took.Seconds(), took.Seconds()/float64(k.killed), k.unheard, k.survived)
	k.tellWhere()
}

// killOnce starts a run and kills it. It reports whether the run was still at
// work.
func (k *killRig) killOnce(aimed bool) bool {
	k.t.Helper()
	cmd := play(k.t, "run", "-c", k.config)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	accepted := make(chan struct{})
	k.sim.OnAccept(closing(accepted))
	began, over := time.Now(), make(chan error, 1)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	go func() { over <- cmd.Wait() }()
	moment := time.Duration(k.random.Int64N(int64(k.usual)))
	if k.killed%8 == 5 { // however fast or slow this machine is: while it begins
		aimed, moment = false, moment/40
	}
	if aimed {
		moment /= 4
		select {
		case <-accepted:
		case err := <-over:
			return k.survives(err, time.Since(began), errs.String())
		}
	}
	select {
	case <-time.After(moment):
	case err := <-over:
		return k.survives(err, time.Since(began), errs.String())
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		k.t.Fatal(err)
	}
	err := <-over
	status, ok := errors.AsType[*exec.ExitError](err)
	if !ok || status.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return k.survives(err, time.Since(began), errs.String())
	}
	k.killed++
	k.usual += k.usual / 50 // so that the end of a run is reached again and again
	select {
	case <-accepted:
	default:
		k.unheard++
	}
	return true
}

// closing closes a channel at the first event.
func closing(first chan struct{}) func(simulator.Accepted) {
	once := make(chan struct{}, 1)
	once <- struct{}{}
	return func(simulator.Accepted) {
		select {
		case <-once:
			close(first)
		default:
		}
	}
}

// survives takes in a run that was over before it was killed: nothing that
// killed runs left may keep it from its work.
func (k *killRig) survives(err error, took time.Duration, errs string) bool {
	k.t.Helper()
	code := 0
	if status, ok := errors.AsType[*exec.ExitError](err); ok {
		code = status.ExitCode()
	}
	if code > exitPerson || code < 0 {
		k.t.Fatalf("run %d: exit %d\n%s", k.killed+k.survived, code, errs)
	}
	k.survived++
	k.usual = max(took, 10*time.Millisecond)
	return false
}

// plan gives the balance as a plan sees it right now.
func (k *killRig) plan() balanceJSON {
	k.t.Helper()
	code, out, errs := makegood(k.t, "plan", "--json", "-c", k.config)
	if code > exitPerson {
		k.t.Fatalf("plan: exit %d\n%s", code, errs)
	}
	return readReport(k.t, out).balance(k.t, k.target)
}

// look compares what a plan and verify know after a kill with the platform.
func (k *killRig) look() {
	k.t.Helper()
	b, arrived := k.plan(), int(k.sim.Counts().Platforms[k.platform].Orders)
	sum := b.AlreadySent.Events + b.HeldBack.Events + b.Refused.Events + b.InDoubt.Events + b.Left.Events
	if sum != b.Eligible.Events || b.Eligible.Events != k.shown {
		k.t.Errorf("the places hold %d events, %d are eligible, %d tickets have come in", sum, b.Eligible.Events, k.shown)
	}
	unknown := b.InDoubt.Events
	if k.platform == simulator.Squeezely {
		unknown = b.Left.Events // what is in doubt will be sent again
	}
	if arrived < b.AlreadySent.Events || arrived > b.AlreadySent.Events+unknown {
		k.t.Errorf("the platform holds %d orders; the ledger says %d sent and %d unknown", arrived, b.AlreadySent.Events, unknown)
	}
	if claimed := len(k.entries("claimed")); k.platform == simulator.Squeezely && claimed > 512 {
		k.t.Errorf("killed runs left %d claims, more than are claimed ahead", claimed)
	}
	k.whole()
}

// whole wants a ledger that its journal bears out, also between two runs.
func (k *killRig) whole() {
	k.t.Helper()
	code, out, errs := makegood(k.t, "verify", "--json", "-c", k.config)
	if code == exitFailed && strings.Contains(errs, "there is none yet") {
		return
	}
	var p struct{ Ledger []ledger.Finding }
	if err := json.Unmarshal([]byte(out), &p); err != nil || code > exitLeft {
		k.t.Fatalf("verify: exit %d: %v\n%s", code, err, errs)
	}
	for _, f := range p.Ledger {
		k.t.Errorf("verify finds %s", f)
	}
}

// proven wants a ledger that is whole, and orders that are all in one place.
func (k *killRig) proven() {
	k.t.Helper()
	code, out, errs := makegood(k.t, "verify", "-c", k.config)
	if code != exitDone || !strings.Contains(out, "every row of every table is what the journal says") ||
		!strings.Contains(out, "every order is in one bucket, as it was when a run met it") {
		k.t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}

// finish lets all tickets come in, and runs until nothing is left that a run
// can end.
func (k *killRig) finish() {
	k.t.Helper()
	k.show(len(k.tickets))
	for range 30 {
		code, _, errs := makegood(k.t, "run", "-c", k.config)
		if code > exitPerson {
			k.t.Fatalf("run: exit %d\n%s", code, errs)
		}
		if b := k.plan(); b.Left.Events == 0 {
			return
		}
	}
	k.t.Error("30 runs did not come to an end")
}

func (k *killRig) dropped() int { return k.sim.Faults()[0].Fired }

// query reads the ledger past makegood.
func (k *killRig) query(into any, query string) {
	k.t.Helper()
	driver, place := "sqlite3", "file:"+k.ledger+"?mode=ro"
	if strings.Contains(k.ledger, "://") {
		driver, place = "pgx", k.ledger
	}
	db, err := sqlx.Open(driver, place)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := errors.Join(db.Select(into, query), db.Close()); err != nil {
		k.t.Fatal(err)
	}
}

// entries are the orders whose entries are in a state: none where every run was
// killed before there was a ledger.
func (k *killRig) entries(state string) (orders []string) {
	k.t.Helper()
	if begun, err := ledger.Begun(k.t.Context(), k.ledger); err != nil {
		k.t.Fatal(err)
	} else if !begun {
		return nil
	}
	k.query(&orders, `SELECT replace(event, 'purchase/main/', '') FROM entries WHERE state = '`+state+`'`)
	return orders
}

// tellWhere tells how far the killed runs had come.
func (k *killRig) tellWhere() {
	k.t.Helper()
	var known, open, claiming []int
	k.query(&known, `SELECT count(*) FROM runs`)
	k.query(&open, `SELECT count(*) FROM runs WHERE finished IS NULL`)
	k.query(&claiming, `SELECT count(*) FROM (SELECT run FROM attempts WHERE lost
		UNION SELECT run FROM entries WHERE state = 'claimed') AS claims`)
	k.t.Logf("killed before the run was in the ledger: %d; with claims in hand: %d; with none, while planning, between claims or ending: %d; after its end was written: %d",
		k.killed+k.survived-known[0], claiming[0], open[0]-claiming[0], known[0]-open[0]-k.survived)
}
