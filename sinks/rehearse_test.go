package sinks

import (
	"net/http/httptest"
	"strings"
	"testing"

	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// TestRehearse: what is shown is what goes, and showing it reaches nobody.
func TestRehearse(t *testing.T) {
	for _, kind := range []string{"squeezely", "collect"} {
		sim := simulator.New(simulator.Options{})
		server := httptest.NewServer(sim)
		t.Cleanup(func() { sim.Close(); server.Close() })
		conf := target(kind, server.URL)
		sink, fuse, err := Open(conf, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(fuse.Close)
		event := purchases(t, sink, 1)[0]
		requests, err := Rehearse(conf, Options{}, event)
		if err != nil || len(requests) != 1 || requests[0].Method != "POST" || !strings.HasPrefix(requests[0].URL, server.URL) || string(requests[0].Body) != string(event.Body) {
			t.Fatalf("%s: %+v, %v", kind, requests, err)
		}
		if n := len(sim.Requests()); n != 0 {
			t.Errorf("%s: the rehearsal made %d requests", kind, n)
		}
		if o := sink.Send(t.Context(), []reconcile.Event{event})[0]; o.Verdict != reconcile.Sent {
			t.Errorf("%s: %+v", kind, o)
		}
		if got := sim.Requests(); len(got) != 1 || !strings.HasSuffix(requests[0].URL, got[0].Path) {
			t.Errorf("%s: %+v, shown was %s", kind, got, requests[0].URL)
		}
	}
	conf := target("file", "")
	conf.Path = t.TempDir() + "/orders.jsonl"
	if requests, err := Rehearse(conf, Options{}, reconcile.Event{}); requests != nil || err != nil {
		t.Errorf("a file is rehearsed: %v, %v", requests, err)
	}
}
