package sinks

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"makegood/config"
	"makegood/sinks/httpapi"
	"makegood/sinks/simulator"
)

// inside is a network inside of a bubble: what it listens to is what it dials.
type inside chan net.Conn

func (n inside) Accept() (net.Conn, error) {
	conn, open := <-n
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (n inside) Close() error   { return nil }
func (n inside) Addr() net.Addr { return &net.UnixAddr{} }

func (n inside) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case n <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// atPlatform plays against a platform in a bubble.
func atPlatform(t *testing.T, platform http.Handler, change func(*config.Target), play func(*Fuse)) {
	t.Helper()
	network := make(inside)
	server := &http.Server{Handler: platform}
	go func() { _ = server.Serve(network) }()
	c := target("squeezely", "http://127.0.0.1:8")
	c.ProbeAfter = []config.Duration{config.Duration(time.Minute)}
	change(c)
	_, fuse, err := Open(c, Options{Dial: network.dial})
	if err != nil {
		t.Fatal(err)
	}
	play(fuse)
	fuse.Close()
	close(network)
	_ = server.Close()
}

// perTenSeconds is the most requests that came in any 10 seconds.
func perTenSeconds(requests []simulator.Request) (most int) {
	for i, from := range requests {
		n := 0
		for _, r := range requests[i:] {
			if r.Time.Before(from.Time.Add(10 * time.Second)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// The rate leaves a reserve, and is not exceeded, as counted at the platform.
func TestThePaceLeavesAReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{})
		defer sim.Close()
		atPlatform(t, sim, func(c *config.Target) { c.Rate.PerSecond, c.Reserve = 10, 20 }, func(fuse *Fuse) {
			begun := time.Now()
			got := drive(t.Context(), fuse, purchases(t, fuse, 400), 4, 1)
			if tally(got)["sent"] != 400 {
				t.Errorf("got %v", tally(got))
			}
			if most := perTenSeconds(sim.Requests()); most > 88 {
				t.Errorf("%d requests in 10 s at 10/s with a reserve of 20 %%", most)
			}
			if took := time.Since(begun); took > 52*time.Second {
				t.Errorf("400 events at 8/s took %s", took)
			}
		})
	})
}

// A platform that allows less than the configuration believes is found out:
// the pace falls to what it takes, no order is lost, and hardly any request is
// refused once it is known.
func TestThePaceSlowsDownAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{})
		defer sim.Close()
		limit := func(text string) {
			fault, err := simulator.ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := sim.SetFaults(fault); err != nil {
				t.Fatal(err)
			}
		}
		limit("rate_limit=10/s")
		atPlatform(t, sim, func(c *config.Target) { c.Rate.PerSecond, c.Concurrency = 50, 2 }, func(fuse *Fuse) {
			begun := time.Now()
			list := purchases(t, fuse, 6000)
			got := drive(t.Context(), fuse, list[:1500], 2, 1)
			busy := 0
			for _, r := range sim.Requests() {
				if r.Status == http.StatusTooManyRequests && r.Time.After(begun.Add(10*time.Second)) {
					busy++
				}
			}
			if counts := tally(got); counts["sent"] != 1500 || fuse.Stopped() != "" {
				t.Errorf("got %v, stopped %q", counts, fuse.Stopped())
			}
			if took := time.Since(begun); took > 5*time.Minute || busy > 75 {
				t.Errorf("1500 events at 10/s took %s, with %d answers of too many requests", took, busy)
			}
			if err := sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			drive(t.Context(), fuse, list[1500:4500], 2, 1) // it grows back
			again := time.Now()
			drive(t.Context(), fuse, list[4500:], 2, 1)
			if took := time.Since(again); took > 45*time.Second {
				t.Errorf("1500 events took %s after the platform recovered", took)
			}
		})
	})
}

// A platform that announces its limit is never asked for more than that leaves,
// and the reserve is not touched.
func TestThePaceKeepsToAnAnnouncedLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Quota: simulator.Quota{Requests: 120, Per: time.Minute}})
		defer sim.Close()
		atPlatform(t, sim, func(c *config.Target) { c.Rate.PerSecond, c.Reserve, c.Concurrency = 20, 20, 2 }, func(fuse *Fuse) {
			begun := time.Now()
			got := drive(t.Context(), fuse, purchases(t, fuse, 600), 2, 1)
			if counts := tally(got); counts["sent"] != 600 || fuse.Stopped() != "" {
				t.Errorf("got %v, stopped %q", counts, fuse.Stopped())
			}
			windows := map[int]int{}
			for _, r := range sim.Requests() {
				if r.Status == http.StatusTooManyRequests {
					t.Fatalf("request %d was too many", r.N)
				}
				windows[int(r.Time.Sub(begun)/time.Minute)]++
			}
			for minute, n := range windows {
				if n > 120*9/10 {
					t.Errorf("%d requests in minute %d, of 120 of which a fifth is reserved", n, minute)
				}
			}
			if took := time.Since(begun); took > 10*time.Minute {
				t.Errorf("600 events took %s", took)
			}
		})
	})
}

// What the platform says is left is kept to, less the reserve, until it counts
// anew.
func TestThePaceKeepsToWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := NewPace(100, 0.2)
		sent := func(d time.Duration) (n int) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			for pace.Wait(ctx, 1) == nil {
				n++
			}
			return n
		}
		about := func(what string, got, want int) {
			if got < want*9/10-1 || got > want*11/10+want/4+3 {
				t.Errorf("%s: %d events, want about %d", what, got, want)
			}
		}
		about("at first", sent(10*time.Second), 800)
		pace.Hear(httpapi.Word{Quota: &httpapi.Quota{Remaining: 60, Reset: 30 * time.Second}})
		about("60 left for 30 s", sent(30*time.Second), 48)
		time.Sleep(time.Second)
		about("afterwards", sent(10*time.Second), 800)
		pace.Hear(httpapi.Word{Quota: &httpapi.Quota{Remaining: 0, Reset: 20 * time.Second}})
		about("nothing left", sent(20*time.Second), 0)
		about("it counts anew", sent(10*time.Second), 800)
		pace.Hear(httpapi.Word{Quota: &httpapi.Quota{Remaining: 1e9, Reset: time.Second}})
		about("plenty left", sent(10*time.Second), 800)
		pace.Hear(httpapi.Word{Busy: true})
		pace.Hear(httpapi.Word{Busy: true}) // under way together
		about("halved", sent(5*time.Second), 200)
		time.Sleep(5 * time.Minute)
		about("recovered", sent(10*time.Second), 800)
		for range 100 {
			pace.Hear(httpapi.Word{Busy: true})
			time.Sleep(busyOnce)
		}
		if n := sent(time.Minute); n < 30 || n > 600 {
			t.Errorf("after many: %d events in a minute", n)
		}
	})
}

// A target without a rate of its own keeps to what the platform grants, too.
func TestNoPaceButThePlatforms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := NewPace(0, 0.2)
		pace.Hear(httpapi.Word{Quota: &httpapi.Quota{Remaining: 10, Reset: 10 * time.Second}})
		begun := time.Now()
		for range 9 {
			if err := pace.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < 8*time.Second || took > 11*time.Second {
			t.Errorf("9 events took %s", took)
		}
		time.Sleep(5 * time.Second)
		begun = time.Now()
		if err := pace.Wait(t.Context(), 100_000); err != nil || time.Since(begun) > 0 {
			t.Errorf("afterwards it took %s, %v", time.Since(begun), err)
		}
	})
}
