package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"makegood/cmd/makegood/schedule"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sinks/simulator"
)

// clocked is a service that runs a schedule by a clock of its own: when all entries
// wait, it jumps to the next moment that one of them waits for.
type clocked struct {
	*app
	mu      sync.Mutex
	moved   *sync.Cond
	now     time.Time
	until   time.Time
	entries int
	wakes   []time.Time // of the entries that wait
	over    bool
}

func (c *clocked) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// sleep waits for a time, and makes it come when everybody waits. Before it goes
// on at a time, meanwhile happens.
func (c *clocked) sleep(wake time.Time, meanwhile []func(time.Time)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wake.After(c.now) {
		c.wakes = append(c.wakes, wake)
	}
	if len(c.wakes) == c.entries {
		next := slices.MinFunc(c.wakes, time.Time.Compare)
		if c.over = next.After(c.until); !c.over {
			c.now = next
			c.wakes = slices.DeleteFunc(c.wakes, func(t time.Time) bool { return !t.After(next) })
			for _, happens := range meanwhile {
				happens(next)
			}
		}
		c.moved.Broadcast()
	}
	for !c.over && c.now.Before(wake) {
		c.moved.Wait()
	}
	return !c.over
}

// serveUntil is makegood serve from one time to another, in this process.
func (s *shop) serveUntil(from, until time.Time, meanwhile ...func(time.Time)) (log string) {
	s.Helper()
	return s.serveOn(1, from, until, meanwhile...)
}

// serveOn is makegood serve on several hosts, whose clocks are one.
func (s *shop) serveOn(hosts int, from, until time.Time, meanwhile ...func(time.Time)) (log string) {
	s.Helper()
	var lines sharedText
	c, file := &clocked{now: from, until: until}, s.file()
	c.moved = sync.NewCond(&c.mu)
	var all schedule.Service
	for range hosts {
		c.app = &app{env: os.LookupEnv, io: stdio{strings.NewReader(""), &lines, &lines}, clock: c.time, file: file, logFormat: logAuto, logLevel: "info"}
		check(s.T, c.startLog())
		cfg, err := c.load()
		check(s.T, err)
		service, err := c.byTheClock(cfg)
		check(s.T, err)
		service.Entries = append(service.Entries, all.Entries...)
		all = service
	}
	c.entries = len(all.Entries)
	all.Sleep = func(_ context.Context, wake time.Time) bool { return c.sleep(wake, meanwhile) }
	all.Serve(s.Context())
	return lines.String()
}

// sharedText is what several writers write, to be read while they do.
type sharedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *sharedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// scheduled sets the schedule, in the zone of the shop.
func (s *shop) scheduled(entries ...fields) {
	list := make([]any, len(entries))
	for i, e := range entries {
		list[i] = e
	}
	s.conf["schedule"] = list
}

// nightsOf is a shop with an order each day at noon, in a database, from which a
// run reads what is completed by its time.
func nightsOf(t *testing.T, from time.Time, days int) *shop {
	s := newShop(t)
	script := "CREATE TABLE orders (id TEXT, paid TEXT, email TEXT, sku TEXT, n INTEGER, price TEXT);\n"
	for i := range days {
		day := from.AddDate(0, 0, i)
		script += fmt.Sprintf("INSERT INTO orders VALUES ('%s', '%s', 'p%d@example.com', 'MUG', 1, '5');\n", day.Format("0102"), day.Format(time.DateOnly)+" 12:00:00", i)
	}
	s.database("shop.db", script)
	s.set("sources", "shop", fields{"type": "sql", "dsn": "shop.db", "zone": "Europe/Amsterdam", "currency": "EUR", "channel": "online",
		"query":    "SELECT * FROM orders WHERE paid >= :from AND paid < :to ORDER BY id",
		"may_send": fields{"all": true, "reason": "a test"}, "columns": usual})
	s.activate("activate", fields{"since": from.Format(time.DateOnly)})
	s.scheduled(fields{"name": "nightly", "cron": "30 2 * * *"})
	return s
}

// TestServeMissedNights: after three nights without a service, the last of them with
// a clock change, one run closes all gaps, also where two services begin at once.
func TestServeMissedNights(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	check(t, err)
	for name, from := range map[string]time.Time{
		"in spring": time.Date(2026, 3, 24, 0, 0, 0, 0, zone), "in autumn": time.Date(2026, 10, 20, 0, 0, 0, 0, zone),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := nightsOf(t, from, 12)
			at := func(days int, clock string) time.Time {
				hour, err := time.Parse("15:04", clock)
				check(t, err)
				return time.Date(from.Year(), from.Month(), from.Day()+days, hour.Hour(), hour.Minute(), 0, 0, zone)
			}
			log := s.serveUntil(at(0, "13:00"), at(2, "13:00")) // the nights of the 1st and the 2nd day
			if n := strings.Count(log, "everything that was missing has been sent"); n != 2 {
				t.Errorf("%d runs\n%s", n, log)
			}
			s.wantsCount(2)
			log = s.serveOn(2, at(5, "14:00"), at(5, "15:00")) // three nights later
			if n := strings.Count(log, "everything that was missing has been sent"); n != 1 {
				t.Errorf("%d runs to catch up\n%s", n, log)
			}
			s.wantsCount(6) // of five nights, and of the noon before
			s.serveUntil(at(5, "16:00"), at(5, "17:00"))
			s.wantsCount(6)
			log = s.serveUntil(at(5, "18:00"), at(11, "13:00"))
			if n := strings.Count(log, "everything that was missing has been sent"); n != 5 {
				t.Errorf("%d runs in the nights after\n%s", n, log)
			}
			s.wantsCount(11)
		})
	}
}

// wantsCount wants so many orders at the platform, each once.
func (s *shop) wantsCount(orders int) {
	s.Helper()
	if p := s.sim.Counts().Platforms["squeezely"]; int(p.Orders) != orders || p.Repeats != 0 {
		s.Errorf("the platform has %d orders and %d repeats, want %d", p.Orders, p.Repeats, orders)
	}
}

// TestHarmSeveralStartsAtOnce: of several starts for one moment, from whichever
// cron, one sends; the others end well and say why.
func TestHarmSeveralStartsAtOnce(t *testing.T) {
	t.Parallel()
	s := nightsOf(t, time.Now().AddDate(0, 0, -3), 3)
	s.activate("activate", fields{"since": "2020-01-01"})
	file := s.file()
	starts := make([]*exec.Cmd, 4)
	said := make([]strings.Builder, len(starts))
	for i := range starts {
		starts[i] = play(t, "run", "--schedule", "nightly", "-c", file)
		starts[i].Stdout, starts[i].Stderr = &said[i], &said[i]
	}
	for _, cmd := range starts {
		check(t, cmd.Start())
	}
	sent, others := 0, 0
	for i, cmd := range starts {
		if err := cmd.Wait(); err != nil {
			t.Errorf("start %d: %v\n%s", i, err, said[i].String())
		}
		switch text := said[i].String(); {
		case strings.Contains(text, "everything that was missing has been sent"):
			sent++
		case strings.Contains(text, "nothing is to be done for it"):
			others++
		}
	}
	if sent != 1 || others != len(starts)-1 {
		t.Errorf("%d sent, %d stood back\n%s", sent, others, said[0].String())
	}
	s.wantsCount(3)
}

// tillWeeks is a grocer's weeks in a database, with loyalty addresses, and what its
// checkouts did to the stored carts.
func tillWeeks(t *testing.T, from, to time.Time) (s *shop, baskets int) {
	rows := ticketRows(t)
	s = newShop(t)
	var script strings.Builder
	script.WriteString("CREATE TABLE tickets (id TEXT, at TEXT, email TEXT, store TEXT, sku TEXT, n INTEGER, price TEXT, used TEXT);\n")
	met := map[string]bool{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[ticketTime])
		check(t, err)
		if at.Before(from) || !at.Before(to) || row[4] == "0.0" || strings.HasPrefix(row[5], "-") || met[row[ticketNumber]] {
			continue // one line of a basket says when it was
		}
		met[row[ticketNumber]] = true
		fmt.Fprintf(&script, "INSERT INTO tickets VALUES ('%s', '%s', 'household%s@example.com', '%s', '%s', 1, '%s', 'yes');\n", row[ticketNumber],
			at.UTC().Format(time.DateTime), row[0], row[ticketStore], row[3], row[5])
	}
	script.WriteString("CREATE INDEX times ON tickets (at);\n")
	s.database("tills.db", script.String())
	s.conf["zone"] = "America/New_York"
	s.set("sources", "tills", fields{"type": "sql", "dsn": "tills.db", "zone": "UTC", "currency": "USD", "channel": "in_store", "order_unique": "always",
		"query":    "SELECT * FROM tickets WHERE at >= :from AND at < :to ORDER BY id",
		"may_send": fields{"all": true, "reason": "a test"},
		"columns":  fields{"order": "id", "completed_at": "at", "email": "email", "store": "store", "sku": "sku", "quantity": "n", "price": "price", "cart_used": "used"}})
	s.collect("stores", fields{"cart": fields{"in_store": fields{"known_by": "column", "column": "cart_used"}}, "mail_after": "3h", "max_clear_age": "24h",
		"since": from.Format(time.RFC3339), "send": []string{"purchase", "cart_clear"}, "max_age": "72h"})
	delete(s.conf["carts"].(fields), "open")
	return s, len(met)
}

// TestServeWeeks plays a grocer's weeks: at night only a few carts are cleared in
// time, every ten minutes nearly all are. MAKEGOOD_TEST_WEEKS=4 plays four.
func TestServeWeeks(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of runs take their time")
	}
	t.Parallel()
	from := time.Date(2017, 5, 1, 4, 0, 0, 0, time.UTC)
	length, few := 20*time.Hour, 0.1 // of one day's baskets
	if os.Getenv("MAKEGOOD_TEST_WEEKS") != "" {
		var weeks int
		_, err := fmt.Sscan(os.Getenv("MAKEGOOD_TEST_WEEKS"), &weeks)
		check(t, err)
		length, few = time.Duration(weeks)*7*24*time.Hour, 0.02
	}
	for _, tc := range []struct {
		name, cron, lookback string
		least, most          float64
		tail                 time.Duration
	}{{"nightly", "30 2 * * *", "2d", 0, few, 27 * time.Hour}, {"often", "*/10 * * * *", "6h", 0.99, 1, time.Hour}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, baskets := tillWeeks(t, from, from.Add(length))
			s.scheduled(fields{"name": tc.name, "cron": tc.cron, "lookback": tc.lookback})
			s.serveUntil(from, from.Add(length+tc.tail))
			got := s.timing()
			share := float64(got.InTime) / float64(cmp.Or(got.InTime+got.Late, 1))
			t.Logf("%d baskets, %d runs: %d messages in time, %d late: %.1f %%", baskets, got.runs, got.InTime, got.Late, 100*share)
			if share < tc.least || share > tc.most || got.InTime+got.Late < 19*baskets/10 { // a purchase and a cart each, but for some baskets of one person
				t.Errorf("of %d baskets %+v: %.3f are in time, want %.2f to %.2f", baskets, got, share, tc.least, tc.most)
			}
		})
	}
}

// timed sums what runs told of the platform's mail.
type timed struct {
	reports.Mail
	runs int
}

// timing reads the reports of all runs in the ledger.
func (s *shop) timing() (sum timed) {
	s.Helper()
	a := &app{env: os.LookupEnv, io: stdio{}, clock: func() time.Time { return time.Now() }, file: s.file(), logFormat: logAuto, logLevel: "info"}
	a.io.err = &strings.Builder{}
	check(s.T, a.startLog())
	cfg, err := a.load()
	check(s.T, err)
	check(s.T, a.pastOf(s.Context(), cfg, nil, func(led *ledger.Reader, _ *time.Location) error {
		return led.EachEnded(s.Context(), time.Time{}, func(run ledger.LastRun) (bool, error) {
			report, err := reports.Read(bytes.NewReader(run.Summary))
			sum.runs++
			for _, t := range report.Targets {
				if t.Mail != nil {
					sum.InTime += t.Mail.InTime
					sum.Late += t.Mail.Late
				}
			}
			return false, err
		})
	}))
	return sum
}

// TestServeAfterAKillAndStopped: a run of the schedule is killed; the service that
// starts afterwards takes its moment up at once, and when it is stopped in the
// middle it settles what is in flight and ends. The next service sends the rest,
// and does not wait for another night.
func TestServeAfterAKillAndStopped(t *testing.T) {
	t.Parallel()
	s := nightsOf(t, time.Now().AddDate(0, 0, -50), 50)
	s.activate("activate", fields{"since": "2020-01-01", "rate": "20/s", "reserve": "0%", "concurrency": 1})
	file := s.file()
	// after gives a channel that is closed when so many messages were accepted.
	after := func(n int64) chan struct{} {
		reached, accepted := make(chan struct{}), atomic.Int64{}
		s.sim.OnAccept(func(simulator.Accepted) {
			if accepted.Add(1) == n {
				close(reached)
			}
		})
		return reached
	}
	run, serve := play(t, "run", "--schedule", "nightly", "-c", file), play(t, "serve", "-c", file)
	var log strings.Builder
	serve.Stderr = &log
	reached := after(5)
	check(t, run.Start())
	<-reached
	check(t, run.Process.Kill())
	if err := run.Wait(); err == nil || run.ProcessState.ExitCode() != -1 {
		t.Fatalf("the run was not killed: %v", err)
	}
	reached = after(10)
	check(t, serve.Start())
	<-reached
	check(t, serve.Process.Signal(syscall.SIGTERM))
	if err := serve.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	s.contains(log.String(), "still to send, and the next run sends them")
	again := play(t, "serve", "-c", file)
	reached = after(int64(50 - s.sim.Counts().Platforms["squeezely"].Orders))
	check(t, again.Start())
	<-reached
	check(t, again.Process.Signal(syscall.SIGTERM))
	check(t, again.Wait())
	s.sim.OnAccept(nil)
	b := s.run(exitDone).target(t, "activate").Balance
	if b.InDoubt.Events+b.Left.Events != 0 || b.Sent.Events != 0 {
		t.Errorf("the last run ended with %+v", b)
	}
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 50 {
		t.Errorf("the platform has %d orders", p.Orders)
	}
}
