package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"makegood/sinks/simulator"
)

// How much workers are attacked. The full figures are asked for by the environment:
//
//	MAKEGOOD_TEST_WORKERS=8 MAKEGOOD_TEST_WORKER_ORDERS=1000000 MAKEGOOD_TEST_WORKER_RATE=1000 MAKEGOOD_TEST_WORKER_ATTACKS=300 \
//	MAKEGOOD_TEST_WORKER_FREEZE=130 go test -v -timeout 5h -run TestHarmWorkersKilled/repeats_merge ./cmd/makegood
const (
	workersVariable = "MAKEGOOD_TEST_WORKERS"
	atWorkVariable  = "MAKEGOOD_TEST_WORKER_ORDERS"
	paceVariable    = "MAKEGOOD_TEST_WORKER_RATE"
	attacksVariable = "MAKEGOOD_TEST_WORKER_ATTACKS"
	freezeVariable  = "MAKEGOOD_TEST_WORKER_FREEZE" // for how many seconds the first one that freezes does
)

// ownRole is a login of a test's own, so that its connections can be told from
// those of others.
func ownRole(t *testing.T) string {
	t.Helper()
	name := "makegood_" + strings.ToLower(rand.Text()[:12])
	if !reachable(t, "postgres", postgresAt()) {
		t.Skip("there is no such server")
	}
	onServer := func(statement string) {
		ctx := context.WithoutCancel(t.Context())
		c, err := pgx.Connect(ctx, "postgres://postgres@"+postgresAt()+"/test?sslmode=disable")
		check(t, err)
		_, err = c.Exec(ctx, statement)
		check(t, errors.Join(err, c.Close(ctx)))
	}
	onServer("CREATE ROLE " + name + " LOGIN SUPERUSER")
	t.Cleanup(func() { onServer("DROP ROLE " + name) })
	return name
}

// siege is a marketplace whose workers are attacked.
type siege struct {
	*marketplace
	role    string
	random  *mathrand.Rand
	workers []*process
	frozen  *process      // nil: none is
	until   time.Time     // it stays so
	longest time.Duration // the first one
	kills   int
	cuts    int
	thawed  int
}

func (s *siege) hire() {
	s.workers = append(s.workers, s.start("worker", "--parallel", "2", "--name", fmt.Sprintf("number-%d", len(s.workers)+s.kills)))
}

// attack kills a worker, which another replaces, freezes or thaws one, or cuts
// connections.
func (s *siege) attack(n int) {
	s.Helper()
	switch n % 4 {
	case 0, 2:
		i := s.random.IntN(len(s.workers))
		dead := s.workers[i]
		if dead == s.frozen && time.Now().Before(s.until) {
			return
		}
		if dead == s.frozen {
			s.frozen = nil
		}
		check(s.T, dead.Process.Kill())
		<-dead.over
		s.workers = append(s.workers[:i], s.workers[i+1:]...)
		s.kills++
		s.hire()
	case 1:
		s.cut()
	case 3:
		if s.frozen != nil {
			s.thaw()
			return
		}
		s.frozen = s.workers[s.random.IntN(len(s.workers))]
		s.until, s.longest = time.Now().Add(s.longest), 0
		check(s.T, s.frozen.Process.Signal(syscall.SIGSTOP))
	}
}

// thaw lets a frozen worker go on, unless it is to stay frozen for longer.
func (s *siege) thaw() {
	s.Helper()
	if s.frozen == nil || time.Now().Before(s.until) {
		return
	}
	check(s.T, s.frozen.Process.Signal(syscall.SIGCONT))
	s.frozen, s.thawed = nil, s.thawed+1
}

// cut ends half of the connections that anybody has.
func (s *siege) cut() {
	s.Helper()
	c, err := pgx.Connect(s.Context(), s.place)
	check(s.T, err)
	defer func() { _ = c.Close(s.Context()) }()
	var n int
	check(s.T, c.QueryRow(s.Context(), `SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
		WHERE usename = $1 AND pid <> pg_backend_pid() AND random() < 0.5) AS cut`, s.role).Scan(&n))
	s.cuts += n
}

// TestHarmWorkersKilled: whatever becomes of workers, every order arrives, none
// goes twice without an older doubt in the ledger, the pace is kept by all of them
// together, and one report adds up. Where repeats count none goes twice at all, and
// what nobody knows is in doubt.
func TestHarmWorkersKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it kills processes")
	}
	for name, merges := range map[string]bool{"repeats merge": true, "repeats count": false} {
		t.Run(name, func(t *testing.T) { besiege(t, merges) })
	}
}

func besiege(t *testing.T, merges bool) {
	t.Helper()
	hands, orders := number(t, workersVariable, 3), number(t, atWorkVariable, 700)
	rate, attacks := number(t, paceVariable, 50), number(t, attacksVariable, 4)
	seed := number(t, seedVariable, int(time.Now().UnixNano()&0xffffffff))
	t.Logf("seed %d (%s)", seed, seedVariable)
	role := ownRole(t)
	s := &siege{marketplace: newMarketplace(t, orders, fields{"rate": fmt.Sprintf("%d/s", rate), "reserve": "0%", "merges_repeats": merges, "send": []string{"purchase"}}),
		role: role, longest: time.Duration(number(t, freezeVariable, 0)) * time.Second, random: mathrand.New(mathrand.NewPCG(uint64(seed), 3))}
	s.place = strings.Replace(s.place, "postgres@", role+"@", 1)
	s.conf["ledger"] = s.place
	s.file()
	setFaults(t, s.sim, "slow=2ms")
	if merges { // else a lost answer stops the lane, as it must
		setFaults(t, s.sim, "drop=1%", "slow=2ms")
	}
	milestones := make(chan int, attacks)
	var accepted atomic.Int64
	s.sim.OnAccept(func(simulator.Accepted) { // whoever is slow gets no fewer attacks
		if n, every := accepted.Add(1), int64(orders/(attacks+1)); n%every == 0 && int(n/every) <= attacks {
			milestones <- int(n / every)
		}
	})
	for range hands {
		s.hire()
	}
	began := time.Now()
	follower := s.start(append([]string{"backfill", "--workers", "--json"}, lastWeek()...)...)
	for done := 0; done < attacks; done++ {
		select {
		case <-milestones:
			s.attack(done)
		case <-follower.over:
			var why []string
			q := &killRig{t: s.T, ledger: s.place}
			q.query(&why, `SELECT bucket || ' ' || reason || ' ' || detail || ' ' || count(*) FROM decisions GROUP BY bucket, reason, detail UNION ALL SELECT state || ' ' || count(*) FROM entries GROUP BY state`)
			t.Fatalf("the backfill ended after %d attacks: %v\n%q\n%.2000s", done, follower.err, why, follower.said.String())
		}
	}
	time.Sleep(time.Until(s.until))
	s.thaw()
	<-follower.over
	t.Logf("the backfill took %s", time.Since(began).Round(time.Second))
	s.survived(follower, orders, rate, merges)
	t.Logf("%d kills, %d connections cut, %d frozen and thawed, %d orders", s.kills, s.cuts, s.thawed, orders)
}

// survived looks at what a siege left.
func (s *siege) survived(follower *process, orders, rate int, merges bool) {
	s.Helper()
	text := follower.said.String()
	var got backfillReport
	if err := json.Unmarshal([]byte(text[max(0, strings.Index(text, "{\n")):]), &got); err != nil {
		s.Fatalf("%v\n%.2000s", err, text)
	}
	b := got.Targets[0].Balance
	if !b.Holds || b.Eligible.Events != orders || b.Sent.Events+b.AlreadySent.Events+b.InDoubt.Events != orders || merges && b.InDoubt.Events > 0 {
		s.Errorf("one report: %+v", b)
	}
	k := &killRig{t: s.T, dir: s.dir, sim: s.sim, platform: simulator.Squeezely, target: "activate", config: s.config(), ledger: s.place}
	arrivals := k.arrivals()
	if len(arrivals) < orders-b.InDoubt.Events {
		s.Errorf("the platform holds %d orders of %d", len(arrivals), orders)
	}
	repeats := int(s.sim.Counts().Platforms["squeezely"].Repeats)
	if !merges && repeats > 0 {
		s.Errorf("%d orders went twice where repeats count", repeats)
	}
	if explained := repeatsExplained(k, arrivals); explained != repeats {
		s.Errorf("%d repeats, %d of them with an older doubt", repeats, explained)
	}
	k.proven()
	requests := s.sim.Requests()
	for i, first := range requests {
		if last := i + 10*rate + rate; last < len(requests) && requests[last].Time.Sub(first.Time) < 10*time.Second {
			s.Fatalf("%d requests within %s", last-i+1, requests[last].Time.Sub(first.Time))
		}
	}
	var size []int
	k.query(&size, `SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'`)
	s.Logf("%d requests, %d repeats with an older doubt, %d in doubt; the ledger takes %d bytes an order",
		len(requests), repeats, b.InDoubt.Events, size[0]/orders)
}
