package sinks

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// ads opens a rokt_ads target as the configuration does, at a simulator.
func ads(t *testing.T, o Options, faults ...simulator.Fault) (*Fuse, *simulator.Simulator) {
	t.Helper()
	sim := simulator.New(simulator.Options{Faults: faults})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	c := target("rokt_ads", "")
	c.URL, c.Batch = server.URL+"/v2/bulkevents", 100
	c.RoktAds = config.RoktAds{API: "events", Marked: "production", APISecret: "secret", Identities: []string{"email"}, ConversionType: "purchase"}
	_, fuse, err := Open(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fuse.Close)
	return fuse, sim
}

// TestOpenBoundsBatches: contract 12 for requests of a hundred conversions. At
// most one batch of each worker has an attempt beyond the first ten.
func TestOpenBoundsBatches(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"404": {Kind: simulator.FaultStatus, Status: 404}, "500": {Kind: simulator.FaultStatus, Status: 500},
		"400": {Kind: simulator.FaultStatus, Status: 400}, "302": {Kind: simulator.FaultRedirect},
	} {
		fuse, sim := ads(t, Options{}, fault)
		got := drive(t.Context(), fuse, purchases(t, fuse, 5000), 4, 100)
		counts := tally(got)
		if tried := 5000 - counts["fuse"]; tried > 10+4*100 || len(got) != 5000 || fuse.Stopped() == "" {
			t.Errorf("all %s: %v, stopped %q", name, counts, fuse.Stopped())
		}
		if n := sim.Counts(); n.RedirectsFollowed != 0 || n.Requests > 4+3 {
			t.Errorf("all %s: %d requests, %d redirects followed", name, n.Requests, n.RedirectsFollowed)
		}
	}
}

// TestOpenAsksOfEachInABatch: one conversion that must not go any more takes no
// other one of its batch with it, and what is too old by then stays.
func TestOpenAsksOfEachInABatch(t *testing.T) {
	fuse, sim := ads(t, Options{Fit: func(e reconcile.Event) reconcile.Reason {
		if e.ID == "purchase/main/7" {
			return reconcile.ReasonSuppressed
		}
		return ""
	}})
	list := purchases(t, fuse, 50)
	list[9].Expiry = time.Now().Add(-time.Second)
	counts := tally(drive(t.Context(), fuse, list, 1, 50))
	if counts["sent"] != 48 || counts["suppressed"] != 1 || counts["too_old"] != 1 || sim.Counts().Requests != 1 {
		t.Errorf("got %v after %d requests", counts, sim.Counts().Requests)
	}
	for _, c := range sim.AdConversions("") {
		if c.Ref == "7" || c.Ref == "9" || c.Count != 1 {
			t.Errorf("the platform has %+v", c)
		}
	}
}

// TestOpenDoesNotRepeatLostBatches: a lost answer leaves its whole request in
// doubt, and nothing of it is sent again.
func TestOpenDoesNotRepeatLostBatches(t *testing.T) {
	fuse, sim := ads(t, Options{}, simulator.Fault{Kind: simulator.FaultAcceptAndDrop, First: 1, After: 1})
	got := drive(t.Context(), fuse, purchases(t, fuse, 60), 1, 20)
	counts, platform := tally(got), sim.Counts().Platforms[simulator.RoktAds]
	if text := fmt.Sprint(counts["sent"], counts["in_doubt"]); text != "40 20" || platform.Repeats != 0 || platform.Orders != 60 {
		t.Errorf("got %v, the platform %+v", counts, platform)
	}
}
