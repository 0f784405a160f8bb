package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"makegood/sinks/simulator"
)

func TestStateOverHTTP(t *testing.T) {
	r := start(t, simulator.Options{})
	r.track(with(map[string]any{"currency": "EUR", "custom_channel": "in_store", "timestamp": 1_790_000_000}))
	r.track(with(map[string]any{"currency": "EUR", "custom_channel": "in_store"}))
	r.collect("track_cart", updateCart)
	r.collect("track_conversion", conversion("A1"))
	got := r.get("/_sim/state")
	wantStatus(t, got, 200)
	for _, part := range []string{
		`"purchases":{"shop-1":[{"orderid":"A1","count":2,`, `"total":"25","currency":"EUR"`, `"custom":{"custom_channel":"in_store"}`,
		`"carts":{"123456":{"exampleuser@example.com":{"user_id":`, `"mail_due":false`,
		`"conversions":{"123456":[{"order_number":"A1","person":"exampleuser@example.com","count":1,`,
		`"squeezely":{"requests":2,"refused":0,"faulted":0,"accepted":2,"orders":1,"repeats":1,"money":{"EUR":"25"}}`,
	} {
		if !strings.Contains(got.body, part) {
			t.Errorf("the state lacks %s:\n%s", part, got.body)
		}
	}
	var state simulator.State
	if err := json.Unmarshal([]byte(got.body), &state); err != nil || state.Counts.Requests != 4 {
		t.Errorf("state %+v, %v", state, err)
	}
}

func TestCountsOverHTTP(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultEmpty}}})
	r.track(purchase("A1"))
	var counts simulator.Counts
	if err := json.Unmarshal([]byte(r.get("/_sim/counts").body), &counts); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(counts) != fmt.Sprint(r.Counts()) || counts.Requests != 1 || counts.Faults[0].Fired != 1 {
		t.Errorf("counts %+v, want %+v", counts, r.Counts())
	}
}

func TestRequestsOverHTTP(t *testing.T) {
	r := start(t, simulator.Options{})
	r.track(fmt.Sprintf(`{"events":[%s,%s]}`, purchase("A1"), purchase("A2")))
	r.track(`{`)
	r.collect("track_cart", updateCart)
	lines := strings.Split(strings.TrimSpace(r.get("/_sim/requests").body), "\n")
	want := []string{
		`{"n":1,"time":"2026-11-21T10:00:00Z","method":"POST","path":"/v1/track","platform":"squeezely","orders":["A1","A2"],"persons":["j***@example.com","j***@example.com"],"accepted":true,"events":2,"answered":true,"status":200}`,
		`{"n":2,"time":"2026-11-21T10:00:00Z","method":"POST","path":"/v1/track","platform":"squeezely","accepted":false,"events":0,"answered":true,"status":400}`,
		`{"n":3,"time":"2026-11-21T10:00:00Z","method":"POST","path":"/c2/123456/track_cart","platform":"collect","persons":["e***@example.com"],"accepted":true,"events":1,"answered":true,"status":200}`,
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("requests\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got := r.get("/_sim/requests?since=2").body; got != want[2]+"\n" {
		t.Errorf("since 2: %s", got)
	}
	for _, since := range []string{"3", "99", "18446744073709551615"} {
		if got := r.get("/_sim/requests?since=" + since); got.status != 200 || got.body != "" {
			t.Errorf("since %s: %d %s", since, got.status, got.body)
		}
	}
	wantError(t, r.get("/_sim/requests?since=-1"), 400, "since")
}

func TestRequestsAreBounded(t *testing.T) {
	for keep, want := range map[int]string{3: "[8 9 10]", 100: "[1 2 3 4 5 6 7 8 9 10]", -1: "[]"} {
		r := start(t, simulator.Options{KeepRequests: keep})
		for i := range 10 {
			r.track(purchase(fmt.Sprint("A", i)))
		}
		numbers := []uint64{}
		for _, q := range r.Requests() {
			if numbers = append(numbers, q.N); q.Orders[0] != fmt.Sprint("A", q.N-1) {
				t.Errorf("keep %d: request %d holds %v", keep, q.N, q.Orders)
			}
		}
		if fmt.Sprint(numbers) != want {
			t.Errorf("keep %d: %v, want %s", keep, numbers, want)
		}
	}
}

func TestManyPathsShareOneText(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Match: "/last", Kind: simulator.FaultEmpty}}})
	for i := range 1200 {
		r.get(fmt.Sprintf("/lost/%d", i))
	}
	r.get("/last" + strings.Repeat("x", 300))
	list := r.Requests()
	if first, last := list[0], list[1200]; first.Path != "/lost/0" || last.Path != "..." || last.Fault != simulator.FaultEmpty {
		t.Errorf("first %+v, last %+v", first, last)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	r := start(t, simulator.Options{})
	got := r.do(t.Context(), "POST", "/_sim/faults", `["status=500", {"kind":"empty","match":"/c2/"}]`, nil)
	wantStatus(t, got, 200)
	wantStatus(t, r.track(purchase("A1")), 500)
	want := `[{"fault":{"kind":"status","status":500},"seen":1,"fired":1},{"fault":{"match":"/c2/","kind":"empty"},"seen":0,"fired":0}]`
	if got := r.get("/_sim/faults").body; strings.TrimSpace(got) != want {
		t.Errorf("faults %s, want %s", got, want)
	}
	for _, bad := range []string{``, `{}`, `["flood"]`, `[{"kind":"slow"}]`, `[{"kind":"empty","speed":1}]`} {
		got := r.do(t.Context(), "POST", "/_sim/faults", bad, nil)
		wantStatus(t, got, 400)
		errorsOf(t, got)
	}
	wantStatus(t, r.track(purchase("A1")), 500)
	wantStatus(t, r.do(t.Context(), "POST", "/_sim/faults", `[]`, nil), 200)
	wantStatus(t, r.track(purchase("A1")), 200)
}

func TestReset(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: 500, First: 1}}})
	before := statuses(r, 2)
	r.collect("track_cart", updateCart)
	r.get(simulator.RedirectTarget)
	wantStatus(t, r.do(t.Context(), "POST", "/_sim/reset", "", nil), 200)
	counts := r.Counts()
	if counts.Requests+counts.RedirectsFollowed != 0 || len(r.Purchases(""))+len(r.Carts(""))+len(r.Requests()) != 0 {
		t.Errorf("left after a reset: %+v", counts)
	}
	if after := statuses(r, 2); fmt.Sprint(before) != fmt.Sprint(after) || r.Requests()[0].N != 1 {
		t.Errorf("statuses %v before, %v after", before, after)
	}
}

func TestControlMethods(t *testing.T) {
	r := start(t, simulator.Options{})
	for path, status := range map[string]int{"/_sim/reset": 405, "/_sim/nothing": 404, "/_sim/": 404} {
		wantStatus(t, r.get(path), status)
	}
	wantStatus(t, r.do(t.Context(), "POST", "/_sim/state", "", nil), 405)
	if n := r.Counts().Requests; n != 0 {
		t.Errorf("%d control requests were counted", n)
	}
}

func TestPage(t *testing.T) {
	r := start(t, simulator.Options{Faults: []simulator.Fault{{Match: "/nowhere", Kind: simulator.FaultEmpty}}})
	empty := r.get("/")
	wantStatus(t, empty, 200)
	if !strings.Contains(empty.body, "None yet.") {
		t.Errorf("empty page:\n%s", empty.body)
	}
	for i := range 60 {
		r.track(with(map[string]any{"orderid": fmt.Sprintf("A<%d>", i), "currency": "EUR", "custom_channel": "in_store"}))
	}
	r.collect("track_cart", updateCart)
	r.collect("track_cart", clearCart)
	got := r.get("/")
	wantStatus(t, got, 200)
	for _, part := range []string{"A&lt;59&gt;", "A&lt;10&gt;", "custom_channel: in_store", "e***@example.com", "2 x 22098765",
		"would go out", "stays away", "1500 EUR", "prefers-color-scheme: dark", "<code>empty@/nowhere</code>"} {
		if !strings.Contains(got.body, part) {
			t.Errorf("the page lacks %q:\n%s", part, got.body)
		}
	}
	for _, part := range []string{"A&lt;9&gt;", "exampleuser@", "<script", "src="} {
		if strings.Contains(got.body, part) {
			t.Errorf("the page holds %q", part)
		}
	}
	if got.header.Get("Content-Security-Policy") == "" || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("header %v", got.header)
	}
	wantStatus(t, r.do(t.Context(), http.MethodPost, "/", "", nil), 404)
}
