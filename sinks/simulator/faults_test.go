package simulator_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

func TestFaults(t *testing.T) {
	type fault = simulator.Fault
	for _, tt := range []struct {
		fault    fault
		status   int // 0: no answer
		body     string
		accepted bool
	}{
		{fault{Kind: simulator.FaultStatus, Status: 500}, 500, `{"errors":[`, false},
		{fault{Kind: simulator.FaultStatus, Status: 200}, 200, `{"errors":[`, false},
		{fault{Kind: simulator.FaultStatus, Status: 503, RetryAfter: "Sat, 21 Nov 2026 10:00:05 GMT"}, 503, `{"errors":[`, false},
		{fault{Kind: simulator.FaultRefuse}, 0, "", false},
		{fault{Kind: simulator.FaultRedirect}, 302, "", false},
		{fault{Kind: simulator.FaultRateLimit, RetryAfter: "2"}, 429, `{"errors":[`, false},
		{fault{Kind: simulator.FaultRateLimit}, 429, `{"errors":[`, false},
		{fault{Kind: simulator.FaultHang, Delay: time.Millisecond}, 0, "", false},
		{fault{Kind: simulator.FaultAcceptAndDrop}, 0, "", true},
		{fault{Kind: simulator.FaultAcceptAndHang, Delay: time.Millisecond}, 0, "", true},
		{fault{Kind: simulator.FaultGarbage}, 200, "<!doctype html>", true},
		{fault{Kind: simulator.FaultEmpty}, 200, "", true},
		{fault{Kind: simulator.FaultSlow, Delay: time.Millisecond}, 200, `{"success":true}`, true},
	} {
		t.Run(fmt.Sprint(tt.fault), func(t *testing.T) {
			r := start(t, simulator.Options{Faults: []fault{tt.fault}})
			got := r.track(purchase("A1"))
			if tt.status == 0 {
				wantNoAnswer(t, got)
			} else {
				wantStatus(t, got, tt.status)
				if !strings.HasPrefix(got.body, tt.body) || tt.body == "" && got.body != "" {
					t.Errorf("body %q, want %q", got.body, tt.body)
				}
				if header := got.header.Get("Retry-After"); header != tt.fault.RetryAfter {
					t.Errorf("Retry-After %q, want %q", header, tt.fault.RetryAfter)
				}
			}
			if _, stored := r.Purchase(account, "A1"); stored != tt.accepted {
				t.Errorf("stored %v, want %v", stored, tt.accepted)
			}
			checkRecord(t, r, tt.fault, tt.status, tt.accepted)
		})
	}
}

func checkRecord(t *testing.T, r *rig, fault simulator.Fault, status int, accepted bool) {
	t.Helper()
	list := r.Requests()
	if len(list) != 1 {
		t.Fatalf("%d requests, want 1", len(list))
	}
	q := list[0]
	if q.Fault != fault.Kind || q.Status != status || q.Answered != (status != 0) || q.Accepted != accepted ||
		q.Platform != simulator.Squeezely || q.Path != "/v1/track" || q.Method != "POST" {
		t.Errorf("request %+v", q)
	}
	if read := fault.Kind != simulator.FaultRefuse; read != (len(q.Orders) == 1 && q.Persons[0] == "j***@example.com") {
		t.Errorf("orders %v of %v", q.Orders, q.Persons)
	}
	totals := r.Counts().Platforms[simulator.Squeezely]
	want := simulator.Totals{Requests: 1, Faulted: 1}
	if accepted {
		want = simulator.Totals{Requests: 1, Accepted: 1, Orders: 1}
	}
	totals.Money = nil
	if fmt.Sprint(totals) != fmt.Sprint(want) {
		t.Errorf("totals %+v, want %+v", totals, want)
	}
	if state := r.Faults(); state[0].Seen != 1 || state[0].Fired != 1 {
		t.Errorf("faults %+v", state)
	}
}

func TestAcceptingFaultsStillJudge(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultGarbage}}})
	wantStatus(t, r.track(`{"event":"Purchase"}`), 200)
	if totals := r.Counts().Platforms[simulator.Squeezely]; totals.Refused != 1 || totals.Accepted != 0 {
		t.Errorf("totals %+v", totals)
	}
}

func TestRedirectTargetIsCounted(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultRedirect}}})
	if got := r.track(purchase("A1")); got.header.Get("Location") != simulator.RedirectTarget {
		t.Errorf("Location %q", got.header.Get("Location"))
	}
	if n := r.Counts().RedirectsFollowed; n != 0 {
		t.Errorf("%d redirects followed before any was", n)
	}
	r.client.CheckRedirect = nil
	if got := r.track(purchase("A1")); got.status != 200 || got.body != `{"success":true}` {
		t.Errorf("answer %+v", got)
	}
	if n := r.Counts().RedirectsFollowed; n != 1 || len(r.Purchases("")) != 0 {
		t.Errorf("%d redirects followed, want 1", n)
	}
}

// statuses sends n purchases one after the other.
func statuses(r *rig, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = r.track(purchase(fmt.Sprint("A", i))).status
	}
	return list
}

func TestFirstAndAfter(t *testing.T) {
	for _, tt := range []struct {
		first, after int
		want         []int
	}{
		{2, 0, []int{500, 500, 200, 200, 200}},
		{0, 3, []int{200, 200, 200, 500, 500}},
		{2, 1, []int{200, 500, 500, 200, 200}},
	} {
		fault := simulator.Fault{Kind: simulator.FaultStatus, Status: 500, First: tt.first, After: tt.after}
		r := start(t, simulator.Options{Faults: []simulator.Fault{fault}})
		if got := statuses(r, 5); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("first %d after %d: %v, want %v", tt.first, tt.after, got, tt.want)
		}
	}
}

func TestMatch(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Match: "/c2/", Kind: simulator.FaultStatus, Status: 404}}})
	wantStatus(t, r.track(purchase("A1")), 200)
	wantStatus(t, r.collect("track_cart", updateCart), 404)
	wantStatus(t, r.get("/_sim/counts"), 200)
	wantStatus(t, r.get("/"), 200)
}

func TestShareIsRepeatable(t *testing.T) {
	run := func(seed uint64) (string, int) {
		r := start(t, simulator.Options{Seed: seed, Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: 500, Share: 0.1}}})
		return fmt.Sprint(statuses(r, 500)), r.Faults()[0].Fired
	}
	first, fired := run(1)
	again, _ := run(1)
	other, _ := run(2)
	if first != again || first == other {
		t.Error("the same seed must repeat itself, another must not")
	}
	if fired < 25 || fired > 75 {
		t.Errorf("%d of 500 requests struck, want about 50", fired)
	}
}

func TestFirstFaultThatStrikesDecides(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{
		{Kind: simulator.FaultSlow, Delay: time.Millisecond},
		{Kind: simulator.FaultStatus, Status: 500, First: 1},
		{Kind: simulator.FaultStatus, Status: 501, First: 2},
		{Kind: simulator.FaultSlow, Delay: time.Millisecond},
	}})
	if got := statuses(r, 3); fmt.Sprint(got) != "[500 501 200]" {
		t.Errorf("statuses %v", got)
	}
	for i, want := range []int{3, 1, 1, 3} {
		if state := r.Faults()[i]; state.Seen != 3 || state.Fired != want {
			t.Errorf("fault %d: %+v, want %d fired", i, state, want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultRateLimit, PerSecond: 2, RetryAfter: "1"}}})
	if got := statuses(r, 4); fmt.Sprint(got) != "[200 200 429 429]" {
		t.Errorf("statuses %v", got)
	}
	r.clock.advance(500 * time.Millisecond)
	if got := statuses(r, 2); fmt.Sprint(got) != "[200 429]" {
		t.Errorf("half a second later %v", got)
	}
	r.clock.advance(time.Hour)
	if got := statuses(r, 3); fmt.Sprint(got) != "[200 200 429]" {
		t.Errorf("an hour later %v", got)
	}
}

func TestSlowWaits(t *testing.T) {
	const delay = 30 * time.Millisecond
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultSlow, Delay: delay}}})
	begin := time.Now()
	wantStatus(t, r.track(purchase("A1")), 200)
	if took := time.Since(begin); took < delay {
		t.Errorf("answered after %v, want at least %v", took, delay)
	}
}

func TestClientThatLeavesASlowAnswer(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultSlow, Delay: time.Hour}}})
	ctx, leave := context.WithCancel(t.Context())
	r.OnAccept(func(simulator.Accepted) { leave() })
	wantNoAnswer(t, r.do(ctx, "POST", "/v1/track", purchase("A1"), login))
	r.srv.Close() // returns once the request has ended, which only the client's leaving can have done
	if q := r.Requests()[0]; q.Answered || q.Status != 0 || !q.Accepted || q.Fault != simulator.FaultSlow {
		t.Errorf("request %+v", q)
	}
}

func TestClientThatLeavesAHang(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultAcceptAndHang}}})
	ctx, leave := context.WithCancel(t.Context())
	r.OnAccept(func(simulator.Accepted) { leave() })
	wantNoAnswer(t, r.do(ctx, "POST", "/v1/track", purchase("A1"), login))
	r.srv.Close()
	if _, stored := r.Purchase(account, "A1"); !stored {
		t.Error("accept_and_hang did not store")
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultHang}}})
	done := make(chan answer)
	go func() { done <- r.track(purchase("A1")) }()
	r.Close()
	r.Close()
	wantNoAnswer(t, <-done)
	if len(r.Purchases("")) != 0 {
		t.Error("hang stored a purchase")
	}
}

func TestHangOutlastsTheServersLimits(t *testing.T) {
	sim := simulator.New(simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultSlow, Delay: 150 * time.Millisecond}}})
	srv := httptest.NewUnstartedServer(sim)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 30*time.Millisecond, 30*time.Millisecond
	srv.Start()
	defer srv.Close()
	defer sim.Close()
	r := &rig{Simulator: sim, t: t, srv: srv, client: srv.Client()}
	wantStatus(t, r.track(purchase("A1")), 200)
	if q := r.Requests()[0]; !q.Answered {
		t.Errorf("request %+v", q)
	}
}

func TestBadFaultChangesNothing(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultEmpty}}})
	err := r.SetFaults(simulator.Fault{Kind: simulator.FaultEmpty}, simulator.Fault{Kind: simulator.FaultSlow})
	if err == nil || !strings.Contains(err.Error(), "fault 2: slow needs a delay") {
		t.Errorf("error %v", err)
	}
	if state := r.Faults(); len(state) != 1 || state[0].Fault.Kind != simulator.FaultEmpty {
		t.Errorf("faults %+v", state)
	}
	if err := r.SetFaults(); err != nil || len(r.Faults()) != 0 {
		t.Errorf("faults %v, error %v", r.Faults(), err)
	}
}

func TestFaultsMustMakeSense(t *testing.T) {
	type fault = simulator.Fault
	for fragment, f := range map[string]fault{
		"unknown kind":               {},
		"must start with /":          {Kind: simulator.FaultEmpty, Match: "v1"},
		"between 0 and 1":            {Kind: simulator.FaultEmpty, Share: math.NaN()},
		"cannot be negative":         {Kind: simulator.FaultHang, Delay: -1},
		"must be one line":           {Kind: simulator.FaultRateLimit, RetryAfter: "1\r\nX: y"},
		"rate -1 cannot be negative": {Kind: simulator.FaultRateLimit, PerSecond: -1},
	} {
		if err := simulator.New(simulator.Options{}).SetFaults(f); err == nil || !strings.Contains(err.Error(), fragment) {
			t.Errorf("%+v: error %v, want %q", f, err, fragment)
		}
	}
}

func TestWriterWithoutAConnectionIsAborted(t *testing.T) {
	sim := simulator.New(simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultRefuse}}})
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("panic %v, want http.ErrAbortHandler", got)
		}
	}()
	sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/track", nil))
}
