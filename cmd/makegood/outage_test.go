package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reports"
	"makegood/sinks/simulator"
)

// town is four platforms in a bubble of testing/synctest, where no wait costs
// time. Each lives at a host of its own.
type town struct {
	*shop
	sims  map[string]*simulator.Simulator
	doors map[string]door
	// down says how the platform at a host is down; "" when it is not.
	down map[string]*atomic.Value
}

// door is where a platform waits for connections.
type door chan net.Conn

func (d door) Accept() (net.Conn, error) {
	if conn, open := <-d; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (d door) Close() error   { return nil }
func (d door) Addr() net.Addr { return &net.UnixAddr{} }

// platformKinds are the kinds of the town's destinations, by their hosts.
var platformKinds = map[string]string{"activate": "squeezely", "second": "spotler", "stores": "collect", "ads": "rokt_ads"}

func newTown(t *testing.T, orders int) *town {
	time.Sleep(time.Until(time.Date(2026, 11, 20, 2, 30, 0, 0, time.UTC))) // a bubble begins in another century
	w := &town{shop: &shop{T: t, dir: t.TempDir(), conf: fields{"zone": "Europe/Amsterdam", "environment": "test",
		"sources": fields{}, "targets": fields{}}},
		sims: map[string]*simulator.Simulator{}, doors: map[string]door{}, down: map[string]*atomic.Value{}}
	w.tills("tills", nil)
	for name, kind := range platformKinds {
		sim, entry := simulator.New(simulator.Options{Seed: 1}), make(door)
		w.sims[name], w.doors[name], w.down[name] = sim, entry, &atomic.Value{}
		w.down[name].Store("")
		server := &http.Server{Handler: sim}
		go func() { _ = server.Serve(entry) }()
		t.Cleanup(func() { sim.Close(); close(entry); _ = server.Close() })
		usual := fields{"type": kind, "mode": "live", "url": "http://" + name + ".localhost", "since": "2026-01-01", "nothing_else_sends": true,
			"from": []string{"tills"}, "channels": []string{"in_store"}, "send": []string{"purchase"}, "rate": "2/s", "reserve": "0%"}
		more := map[string]fields{
			"squeezely": {"account": name, "api_key": "key", "url": "http://" + name + ".localhost/v1/track"},
			"collect":   {"mid": "123456", "max_age": "48h"},
			"rokt_ads": {"url": "http://" + name + ".localhost/v2/bulkevents", "api_key": "key", "api_secret": "secret",
				"environment": "production", "batch": 1},
		}
		more["spotler"] = more["squeezely"]
		w.set("targets", name, with(usual, more[kind]))
	}
	var rows []string
	for i := range orders {
		rows = append(rows, fmt.Sprintf("%d,%s,p%d@example.com,MUG,1,5", i, ago(time.Hour), i))
	}
	w.orders("tills", rows...)
	return w
}

// dial leads to the platform of a host, or to none.
func (w *town) dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, _ := strings.Cut(address, ".")
	here, there := net.Pipe()
	switch w.down[name].Load() {
	case "refuses":
		return nil, fmt.Errorf("dial %s: %w", name, syscall.ECONNREFUSED)
	case "silent":
		go func() { _, _ = io.Copy(io.Discard, there) }()
		return here, nil
	}
	select {
	case w.doors[name] <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// outage takes a platform down, or brings it back with "".
func (w *town) outage(name, how string) {
	w.Helper()
	w.down[name].Store(how)
	if how != "fails" {
		setFaults(w.T, w.sims[name])
		return
	}
	setFaults(w.T, w.sims[name], "status=503")
}

// night is a run inside of the bubble.
func (w *town) night() told {
	w.Helper()
	var out, errs bytes.Buffer
	a := &app{env: os.LookupEnv, io: stdio{strings.NewReader(""), &out, &errs}, clock: time.Now, dial: w.dial}
	got := told{code: a.carryOut(w.Context(), []string{"run", "--json", "-c", w.file()})}
	got.stdout, got.errs = out.String(), errs.String()
	readReport(w.T, got.stdout)
	if err := json.Unmarshal(out.Bytes(), &got.Report); err != nil {
		w.Fatal(err)
	}
	return got
}

// arrived are the requests about orders that a platform accepted.
func (w *town) arrived(name string) (orders int, last time.Time) {
	w.Helper()
	seen := map[string]bool{}
	for _, r := range w.sims[name].Requests() {
		if !r.Accepted {
			continue
		}
		last = r.Time
		for _, id := range r.Orders {
			if seen[id] {
				w.Errorf("%s accepted %s twice", name, id)
			}
			seen[id] = true
		}
	}
	return len(seen), last
}

// TestOneOfFourPlatformsIsDownForAnHour: the other three are done as if nothing
// had happened, and the run after the outage sends exactly what was missing. At
// a platform that merges no repeats what was never answered stays in doubt.
func TestOneOfFourPlatformsIsDownForAnHour(t *testing.T) {
	const orders = 60
	for down := range platformKinds {
		for _, how := range []string{"refuses", "silent", "fails"} {
			t.Run(down+" "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { anHourWithout(newTown(t, orders), down, how, orders) })
			})
		}
	}
}

func anHourWithout(w *town, down, how string, orders int) {
	begun := time.Now()
	w.outage(down, how)
	first := w.night()
	if first.code != exitPerson {
		w.Errorf("exit %d: nobody is told that a destination is down", first.code)
	}
	for name := range platformKinds {
		n, last := w.arrived(name)
		target := first.target(w.T, name)
		switch {
		case name == down && (n > 0 || target.Balance.Sent.Events > 0 || target.Stopped == ""):
			w.Errorf("%s is down: %d arrived, %+v, stopped %q", name, n, target.Balance.Sent, target.Stopped)
		case name != down && (n != orders || target.Balance.Sent.Events != orders || last.Sub(begun) > time.Duration(orders)*time.Second/2+5*time.Second):
			w.Errorf("%s: %d of %d arrived within %s while %s was down", name, n, orders, last.Sub(begun), down)
		}
	}
	if took := time.Since(begun); took > 20*time.Minute {
		w.Errorf("the run took %s: it waited for the one that is down", took)
	}
	time.Sleep(time.Until(begun.Add(61 * time.Minute)))
	w.outage(down, "")
	before := map[string]int{}
	for name := range platformKinds {
		before[name] = len(w.sims[name].Requests())
	}
	second := w.night()
	doubts := second.target(w.T, down).Balance.InDoubt.Events
	if n, _ := w.arrived(down); n+doubts != orders || doubts > 0 && merges(second.target(w.T, down)) || doubts > 10 {
		w.Errorf("after the outage %d of %d are at %s, %d in doubt", n, orders, down, doubts)
	}
	for name := range platformKinds {
		asked := len(w.sims[name].Requests()) - before[name]
		if want := map[bool]int{true: orders - doubts}[name == down]; asked != want {
			w.Errorf("after the outage %s was asked %d times, want %d", name, asked, want)
		}
	}
	if third := w.night(); third.target(w.T, down).Balance.Sent.Events != 0 {
		w.Errorf("a third run sends %+v", third.target(w.T, down).Balance.Sent)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "makegood.db")); err != nil {
		w.Error(err)
	}
}

// merges reports whether a destination's platform merges repeats.
func merges(t reports.Target) bool { return t.Type == "squeezely" || t.Type == "spotler" }
