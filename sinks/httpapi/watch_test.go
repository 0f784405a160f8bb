package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"makegood/reconcile"
)

// TestWatch: who looks on sees the request before it goes and the answer after,
// and may keep it back.
func TestWatch(t *testing.T) {
	arrived := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived++
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short and stout"))
	}))
	t.Cleanup(server.Close)
	goes := false
	var shown []Request
	var came []Answer
	c := New(Options{Header: http.Header{"X-Key": {"secret"}}, Watch: Watch{
		Goes: func(r Request) bool { shown = append(shown, r); return goes },
		Came: func(a Answer) { came = append(came, a) },
	}})
	t.Cleanup(c.Close)
	kept := c.Post(t.Context(), server.URL+"/x", []byte("{}"))
	if f := Classify(kept); f.Verdict != reconcile.Unsent || arrived != 0 || len(came) != 0 {
		t.Errorf("kept back it counts as %+v, %d arrived, %d answers", f, arrived, len(came))
	}
	goes = true
	c.Post(t.Context(), server.URL+"/x", []byte("{}"))
	if arrived != 1 || len(came) != 1 || came[0].Status != http.StatusTeapot || string(came[0].Body) != "short and stout" {
		t.Errorf("%d arrived, answers %+v", arrived, came)
	}
	if len(shown) != 2 || shown[1].Method != "POST" || shown[1].URL != server.URL+"/x" || string(shown[1].Body) != "{}" {
		t.Errorf("shown were %+v", shown)
	}
	server.Close()
	c.Post(t.Context(), server.URL+"/x", []byte("{}"))
	if len(came) != 2 || came[1].Status != 0 || Classify(came[1]).Why == "" {
		t.Errorf("of no answer is told: %+v", came)
	}
}
