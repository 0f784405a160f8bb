package simulator_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

func TestParseFault(t *testing.T) {
	type fault = simulator.Fault
	for text, want := range map[string]fault{
		"drop=2%":                               {Kind: simulator.FaultAcceptAndDrop, Share: 0.02},
		"accept_and_drop":                       {Kind: simulator.FaultAcceptAndDrop},
		"status=500":                            {Kind: simulator.FaultStatus, Status: 500},
		"status=404@/v1/track":                  {Kind: simulator.FaultStatus, Status: 404, Match: "/v1/track"},
		"status=503,retry_after=1,first=3":      {Kind: simulator.FaultStatus, Status: 503, RetryAfter: "1", First: 3},
		"rate_limit=5%,retry_after=2":           {Kind: simulator.FaultRateLimit, Share: 0.05, RetryAfter: "2"},
		"rate_limit=10/s@/c2/,retry_after=2":    {Kind: simulator.FaultRateLimit, PerSecond: 10, RetryAfter: "2", Match: "/c2/"},
		"rate_limit=5%,retry_after=2@/v1/track": {Kind: simulator.FaultRateLimit, Share: 0.05, RetryAfter: "2", Match: "/v1/track"},
		"delay=5ms":                             {Kind: simulator.FaultSlow, Delay: 5 * time.Millisecond},
		"slow=1s,share=50%":                     {Kind: simulator.FaultSlow, Delay: time.Second, Share: 0.5},
		"hang=1%":                               {Kind: simulator.FaultHang, Share: 0.01},
		"hang=30s":                              {Kind: simulator.FaultHang, Delay: 30 * time.Second},
		"accept_and_hang=0.5%,delay=1m":         {Kind: simulator.FaultAcceptAndHang, Share: 0.005, Delay: time.Minute},
		"refuse,after=100":                      {Kind: simulator.FaultRefuse, After: 100},
		"redirect@/v1/track":                    {Kind: simulator.FaultRedirect, Match: "/v1/track"},
		" garbage = 100% ":                      {Kind: simulator.FaultGarbage, Share: 1},
		"empty, first = 1":                      {Kind: simulator.FaultEmpty, First: 1},
	} {
		got, err := simulator.ParseFault(text)
		if err != nil || got != want {
			t.Errorf("ParseFault(%q) = %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := simulator.ParseFault(got.String()); err != nil || again != got {
			t.Errorf("%q reads back as %+v, %v", got.String(), again, err)
		}
	}
}

func TestParseFaultRefuses(t *testing.T) {
	for text, fragment := range map[string]string{
		"":                          "unknown kind",
		"flood=2%":                  "choose one of status, refuse,",
		"drop=2":                    "must be a percentage",
		"drop=0%":                   "must be a percentage",
		"drop=101%":                 "must be a percentage",
		"drop=NaN%":                 "must be a percentage",
		"drop=":                     "must be a percentage",
		"drop=2%,share=3%":          "share is given twice",
		"drop=2%,status=500":        "status has no meaning for accept_and_drop",
		"status":                    "status 0 must lie between 200 and 599",
		"status=5xx":                "whole number",
		"status=99":                 "status 99 must lie between 200 and 599",
		"status=500,delay=5ms":      "delay has no meaning for status",
		"delay":                     "slow needs a delay",
		"delay=5":                   "must be a duration",
		"delay=-5ms":                "must be a duration",
		"rate_limit=0/s":            "must be requests per second",
		"rate_limit=fast/s":         "must be requests per second",
		"hang=2%,retry_after=1":     "retry_after has no meaning for hang",
		"hang=2%,per_second=1":      "a rate has no meaning for hang",
		"drop=2%,first=0":           "first \"0\" must be a whole number",
		"drop=2%,once":              "must be KEY=VALUE",
		"drop=2%,speed=1":           "unknown key",
		"drop=2%@":                  "one path after one @",
		"drop=2%@v1":                "must start with /",
		"drop@/a@/b":                "one path after one @",
		"status=503,retry_after=\n": "",
	} {
		got, err := simulator.ParseFault(text)
		if fragment == "" {
			continue // white space around a value is no part of it
		}
		if err == nil || !strings.Contains(err.Error(), fragment) || !strings.HasPrefix(err.Error(), "fault ") {
			t.Errorf("ParseFault(%q) = %+v, %v; want an error with %q", text, got, err, fragment)
		}
	}
}

func TestFaultJSON(t *testing.T) {
	var got []simulator.Fault
	text := `[{"match":"/v1","kind":"slow","share":0.5,"delay":"5ms","first":1,"after":2}, "drop=2%",
		{"kind":"status","status":503,"retry_after":"Sat, 21 Nov 2026 10:00:05 GMT"}, {"kind":"rate_limit","per_second":3}]`
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"match":"/v1","kind":"slow","share":0.5,"delay":"5ms","first":1,"after":2},` +
		`{"kind":"accept_and_drop","share":0.02},` +
		`{"kind":"status","status":503,"retry_after":"Sat, 21 Nov 2026 10:00:05 GMT"},{"kind":"rate_limit","per_second":3}]`
	if string(body) != want {
		t.Errorf("%s\nwant %s", body, want)
	}
	for _, bad := range []string{`{"kind":"slow","delay":5}`, `{"kind":"slow","delay":"soon"}`, `{"king":"slow"}`, `"drop=x"`, `null`, `7`} {
		var f simulator.Fault
		if err := json.Unmarshal([]byte(bad), &f); err == nil {
			t.Errorf("%s was read as %+v", bad, f)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, text := range []string{"drop=2%", "status=404@/v1/track", "rate_limit=10/s,retry_after=2", "hang=30s,first=1,after=2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := simulator.ParseFault(text)
		if err != nil {
			return
		}
		again, err := simulator.ParseFault(first.String())
		if err != nil {
			t.Fatalf("%q reads as %+v, whose text %q does not read: %v", text, first, first, err)
		}
		if math.Abs(first.Share-again.Share) > 1e-11 {
			t.Fatalf("%q: share %v, then %v", text, first.Share, again.Share)
		}
		again.Share = first.Share
		if first != again {
			t.Fatalf("%q: %+v, then %+v", text, first, again)
		}
	})
}
