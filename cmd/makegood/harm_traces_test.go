package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestHarmCanaryInTraces: a collector hears of the run's parts by the names of
// the configuration, and of no person and no key. One that takes nothing changes
// nothing of the run.
func TestHarmCanaryInTraces(t *testing.T) {
	var mu sync.Mutex
	var said strings.Builder
	status := http.StatusOK
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		said.Write(body)
		w.WriteHeader(status)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization="+canaryKey)
	s := canaryFolder(t)
	s.file()
	s.said("run")
	s.said("plan")
	s.said("apply", "PLAN")
	mu.Lock()
	for _, span := range []string{"makegood run", "planning", "reading tills", "sending to activate", "sending to stores", "makegood apply"} {
		s.contains(said.String(), span)
	}
	s.quietAll("traces", said.String())
	status = http.StatusBadRequest
	mu.Unlock()
	code, _, errs := makegood(t, s.inFolder([]string{"run"}, "")...)
	s.contains(errs, "traces could not be sent")
	s.quietAll("the log", errs)
	if code > exitPerson {
		t.Errorf("exit %d: %s", code, errs)
	}
}
