package httpapi

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestQuotaOf(t *testing.T) {
	epoch := strconv.FormatInt(now.Add(30*time.Second).Unix(), 10)
	for name, tc := range map[string]struct {
		header map[string]string
		want   *Quota
	}{
		"nothing":                 {map[string]string{"Content-Type": "text/plain", "X-Rate": "5"}, nil},
		"x-ratelimit":             {map[string]string{"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "30"}, &Quota{100, 7, 30 * time.Second}},
		"x-rate-limit, unix":      {map[string]string{"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": epoch}, &Quota{0, 7, 30 * time.Second}},
		"x-...-rate-limit, ms":    {map[string]string{"X-Shop-Rate-Limit-Remaining": "7", "X-Shop-Rate-Limit-Reset": epoch + "000"}, &Quota{0, 7, 30 * time.Second}},
		"ratelimit, fields":       {map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "5.5"}, &Quota{0, 0, 5500 * time.Millisecond}},
		"ratelimit, one line":     {map[string]string{"RateLimit": "limit=100, remaining=50, reset=10"}, &Quota{100, 50, 10 * time.Second}},
		"ratelimit, structured":   {map[string]string{"RateLimit": `"default";r=50;t=10`}, &Quota{0, 50, 10 * time.Second}},
		"a date":                  {map[string]string{"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": now.Add(time.Minute).Format(http.TimeFormat)}, &Quota{0, 7, time.Minute}},
		"the tightest":            {map[string]string{"X-RateLimit-Remaining": "100", "X-RateLimit-Reset": "10", "X-Day-RateLimit-Remaining": "60", "X-Day-RateLimit-Reset": "60"}, &Quota{0, 60, time.Minute}},
		"further than an hour":    {map[string]string{"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "86400"}, &Quota{0, 7, time.Hour}},
		"in the past":             {map[string]string{"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1600000000"}, &Quota{0, 7, time.Second}},
		"more than anybody needs": {map[string]string{"X-RateLimit-Remaining": "99999999999", "X-RateLimit-Reset": "1"}, &Quota{0, maxRemaining, time.Second}},
		"no end":                  {map[string]string{"X-RateLimit-Remaining": "7"}, nil},
		"no number":               {map[string]string{"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "1"}, nil},
		"less than nothing":       {map[string]string{"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "1"}, nil},
		"not a number":            {map[string]string{"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "NaN"}, nil},
		"infinite":                {map[string]string{"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "Inf"}, nil},
		"negative":                {map[string]string{"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "-5"}, nil},
	} {
		header := http.Header{}
		for key, value := range tc.header {
			header.Set(key, value)
		}
		got := quotaOf(header, now)
		if (got == nil) != (tc.want == nil) || got != nil && *got != *tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestThePaceIsTold(t *testing.T) {
	for status, want := range map[int]int{200: 0, 429: 1, 500: 0, 503: 0} {
		url, _ := platform(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		told := 0
		post(t, Options{Heard: func(w Word) { told++ }}, url)
		if told != want {
			t.Errorf("%d: told %d times", status, told)
		}
	}
	url, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "3")
		w.Header().Set("X-RateLimit-Reset", "60")
	})
	var word Word
	post(t, Options{Heard: func(w Word) { word = w }}, url)
	if word.Busy || word.Quota == nil || *word.Quota != (Quota{0, 3, time.Minute}) {
		t.Errorf("told %+v", word)
	}
}
