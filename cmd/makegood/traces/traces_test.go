package traces

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"makegood/reconcile"
)

type silent struct{}

func (silent) Begin(string, int) reconcile.Meter { return silent{} }
func (silent) Add(int)                           {}
func (silent) End()                              {}

// collector takes spans over HTTP.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*v1.ExportTraceServiceRequest
	paths []string
}

func collect(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var got v1.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.spans, c.paths = append(c.spans, &got), append(c.paths, r.URL.Path)
	}))
	t.Cleanup(c.Close)
	return c
}

// night traces a run to two destinations.
func night(log *slog.Logger) {
	r := Begin(Options{Env: os.LookupEnv, Version: "1.2.3", Environment: "production", Log: log}, "run")
	p := r.Progress(silent{})
	reading := p.Begin(reconcile.StageReading+"shop", 0)
	reading.Add(20)
	reading.Add(3)
	reading.End()
	p.Begin(reconcile.StageComposing+"shop", 2).End()
	for _, name := range []string{"activate", "stores"} {
		p.Begin(reconcile.StageSending+name, 2).End()
	}
	r.End("run-1", 3)
}

func TestRun(t *testing.T) {
	c := collect(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	var said bytes.Buffer
	night(slog.New(slog.NewTextHandler(&said, nil)))
	if len(c.spans) != 1 || c.paths[0] != "/v1/traces" || said.Len() > 0 {
		t.Fatalf("%d requests to %v, and %s", len(c.spans), c.paths, said.String())
	}
	resource := c.spans[0].GetResourceSpans()[0]
	if text := resource.GetResource().String(); !strings.Contains(text, `"makegood"`) || !strings.Contains(text, `"1.2.3"`) || !strings.Contains(text, `"production"`) {
		t.Errorf("got %s", text)
	}
	names, lines := map[string]string{"": "nobody"}, []string{}
	spans := resource.GetScopeSpans()[0].GetSpans()
	for _, s := range spans {
		names[string(s.GetSpanId())] = s.GetName()
	}
	for _, s := range spans {
		about := map[string]string{}
		for _, a := range s.GetAttributes() {
			about[a.GetKey()] = fmt.Sprint(a.GetValue().GetStringValue(), a.GetValue().GetIntValue())
		}
		lines = append(lines, names[string(s.GetParentSpanId())]+" > "+s.GetName())
		switch s.GetName() {
		case "reading shop":
			if about["makegood.count"] != "23" || about["makegood.source"] != "shop0" {
				t.Errorf("reading has %v", about)
			}
		case "sending to stores":
			if about["makegood.target"] != "stores0" {
				t.Errorf("sending has %v", about)
			}
		case "makegood run":
			if s.GetStatus().GetMessage() != "exit code 3" || about["makegood.run"] != "run-10" || about["makegood.exit_code"] != "3" {
				t.Errorf("the run has %v %v", about, s.GetStatus())
			}
		}
	}
	slices.Sort(lines)
	if got := strings.Join(lines, ", "); got != "makegood run > planning, makegood run > sending to activate, makegood run > sending to stores, nobody > makegood run, planning > composing from shop, planning > reading shop" {
		t.Errorf("got %s", got)
	}
}

// TestNobodyListens: without an endpoint nothing is traced, and one that is
// not there or never answers delays the end by a few seconds at most.
func TestNobodyListens(t *testing.T) {
	if Begin(Options{Env: func(string) (string, bool) { return "", false }}, "run") != nil {
		t.Error("a trace without an endpoint")
	}
	over := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer hung.Close()
	defer close(over)
	for _, address := range []string{"http://127.0.0.1:1", hung.URL} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", address)
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization SECRET") // has no =
		var said bytes.Buffer
		begun := time.Now()
		night(slog.New(slog.NewTextHandler(&said, nil)))
		if took := time.Since(begun); took > leaveWithin+2*time.Second {
			t.Errorf("%s: it took %s", address, took)
		}
		if strings.Count(said.String(), "traces could not be sent") != 1 || strings.Contains(said.String(), "SECRET") {
			t.Errorf("%s: said %s", address, said.String())
		}
	}
}
