package sinks

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// purchases composes n orders that a sink has no objection to.
func purchases(t *testing.T, s reconcile.Sink, n int) []reconcile.Event {
	t.Helper()
	price := reconcile.Decimal{}
	quantity, err := reconcile.ParseDecimal("1")
	if err != nil {
		t.Fatal(err)
	}
	var list []reconcile.Event
	for i := range n {
		o := reconcile.Order{
			Head: reconcile.Head{
				Key: reconcile.OrderKey{Shop: "main", Order: fmt.Sprint(i)}, CompletedAt: time.Now().Add(-time.Hour),
				Email: fmt.Sprintf("jane%d@example.com", i), Currency: "EUR", Channel: "in_store", Lines: 1, Goods: true,
				AmountOf: reconcile.AmountOfPrices,
			},
			Items: []reconcile.Line{{SKU: "A", Quantity: quantity, Price: &price}},
		}
		events, err := s.Compose(o, s.Expect(o.Head, time.Now()), reconcile.Carts{}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, events...)
	}
	return list
}

func target(kind, address string) *config.Target {
	t := &config.Target{
		Name: "there", Type: kind, URL: address, Account: "shop", APIKey: "secret", MID: "123456",
		Send: []string{"purchase"}, MaxAge: config.Duration(48 * time.Hour), Concurrency: 4, Batch: 1,
		Rate: config.Rate{PerSecond: 1e6}, Timeout: config.Duration(10 * time.Second), Value: "goods",
		ProfileFields: "never", EmailForm: "plain", Identity: "email", ClearForm: "flat",
	}
	for _, ms := range []int{10, 20, 40} {
		t.ProbeAfter = append(t.ProbeAfter, config.Duration(time.Duration(ms)*time.Millisecond))
	}
	if kind != "collect" {
		t.URL += "/v1/track"
	}
	return t
}

func opened(t *testing.T, kind string, o Options, faults ...simulator.Fault) (*Fuse, *simulator.Simulator) {
	t.Helper()
	sim := simulator.New(simulator.Options{Faults: faults})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	_, fuse, err := Open(target(kind, server.URL), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fuse.Close)
	return fuse, sim
}

func TestOpenSends(t *testing.T) {
	for _, kind := range []string{"squeezely", "spotler", "collect"} {
		fuse, sim := opened(t, kind, Options{})
		list := purchases(t, fuse, 50)
		got := drive(t.Context(), fuse, list, 4, 1)
		if counts := tally(got); counts["sent"] != 50 {
			t.Errorf("%s: got %v, stopped %q", kind, counts, fuse.Stopped())
		}
		accepted := sim.Counts().Platforms[simulator.Squeezely].Accepted + sim.Counts().Platforms[simulator.Collect].Accepted
		if accepted != 50 || fuse.Name() != "there" {
			t.Errorf("%s: the platform accepted %d", kind, accepted)
		}
	}
}

// Contract 12, over real connections.
func TestOpenBoundsTheHarm(t *testing.T) {
	for _, kind := range []string{"squeezely", "collect"} {
		for name, fault := range map[string]simulator.Fault{
			"404": {Kind: simulator.FaultStatus, Status: 404},
			"500": {Kind: simulator.FaultStatus, Status: 500},
			"400": {Kind: simulator.FaultStatus, Status: 400},
			"302": {Kind: simulator.FaultRedirect},
		} {
			fuse, sim := opened(t, kind, Options{}, fault)
			got := drive(t.Context(), fuse, purchases(t, fuse, 5000), 4, 1)
			counts := tally(got)
			if tried := 5000 - counts["fuse"]; tried > 10+4 || len(got) != 5000 || fuse.Stopped() == "" {
				t.Errorf("%s, all %s: %v, stopped %q", kind, name, counts, fuse.Stopped())
			}
			if n := sim.Counts(); n.RedirectsFollowed != 0 || n.Requests > 14 {
				t.Errorf("%s, all %s: %d requests, %d redirects followed", kind, name, n.Requests, n.RedirectsFollowed)
			}
		}
	}
}

// A lost answer is never sent again by anything in here.
func TestOpenDoesNotRepeatLostAnswers(t *testing.T) {
	fuse, sim := opened(t, "collect", Options{}, simulator.Fault{Kind: simulator.FaultAcceptAndDrop, Share: 0.2})
	got := drive(t.Context(), fuse, purchases(t, fuse, 200), 1, 1)
	counts, platform := tally(got), sim.Counts().Platforms[simulator.Collect]
	if platform.Repeats != 0 || counts["in_doubt"] == 0 || platform.Accepted != uint64(counts["sent"]+counts["in_doubt"]) {
		t.Errorf("got %v, the platform %+v", counts, platform)
	}
}

func TestOpenAsksBeforeItSends(t *testing.T) {
	fuse, sim := opened(t, "squeezely", Options{Fit: func(e reconcile.Event) reconcile.Reason {
		if e.ID == "purchase/main/1" {
			return reconcile.ReasonSuppressed
		}
		return ""
	}})
	list := purchases(t, fuse, 3)
	list[2].Expiry = time.Now().Add(-time.Second)
	got := drive(t.Context(), fuse, list, 1, 3)
	if counts := tally(got); counts["sent"] != 1 || counts["suppressed"] != 1 || counts["too_old"] != 1 {
		t.Errorf("got %v", counts)
	}
	if n := sim.Counts().Requests; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*config.Target){
		"type":   func(c *config.Target) { c.Type = "fax" },
		"secret": func(c *config.Target) { c.APIKey = "secret\n" },
	} {
		c := target("squeezely", "https://example.com")
		spoil(c)
		_, _, err := Open(c, Options{})
		if err == nil || !strings.Contains(err.Error(), "there") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
