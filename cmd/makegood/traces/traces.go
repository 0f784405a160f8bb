// Package traces tells an OpenTelemetry collector how long the parts of a run
// took: the run, its planning, each source that is read, and each destination
// that is sent to. It hears of them as a progress bar does. Spans have names of
// the configuration and counts, and nothing of any order or person.
package traces

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"makegood/reconcile"
	"makegood/reports"
)

// Options say what spans are told to begin with.
type Options struct {
	Env         func(string) (string, bool)
	Version     string
	Environment string // the shop's
	Log         *slog.Logger
}

// endpoints are the variables of which one must be set.
var endpoints = []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}

// How long sending spans may take: in all at the end of a run, and for one
// request.
const (
	leaveWithin = 3 * time.Second
	sendWithin  = 2 * time.Second
)

// Run is the trace of one run. A nil Run traces nothing.
type Run struct {
	provider *trace.TracerProvider
	export   *quiet
	tracer   api.Tracer
	ctx      context.Context // of the run's span
	span     api.Span

	mu       sync.Mutex
	planning api.Span // nil when it is over
	planned  context.Context
}

// Begin begins the trace of a run, or none where the environment names no
// endpoint. What goes wrong is a line of the log.
func Begin(o Options, command string) *Run {
	get := func(name string) string { value, _ := o.Env(name); return value }
	named := func(name string) bool { return get(name) != "" }
	if !slices.ContainsFunc(endpoints, named) || strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") {
		return nil
	}
	if strings.Contains(cmp.Or(get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), get("OTEL_EXPORTER_OTLP_PROTOCOL")), "grpc") {
		o.Log.Warn("traces go over HTTP, not gRPC: name the collector's port for OTLP over HTTP, usually 4318")
	}
	otel.SetLogger(logr.Discard()) // it would write the variables, keys included, where they cannot be read
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithTimeout(sendWithin),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: sendWithin}))
	if err != nil {
		o.Log.Warn("there are no traces of this run", "error", err)
		return nil
	}
	about := []attribute.KeyValue{attribute.String("service.name", cmp.Or(get("OTEL_SERVICE_NAME"), "makegood")), attribute.String("service.version", o.Version)}
	if o.Environment != "" {
		about = append(about, attribute.String("deployment.environment.name", o.Environment))
	}
	r := &Run{export: &quiet{SpanExporter: exporter, log: o.Log}}
	r.provider = trace.NewTracerProvider(trace.WithBatcher(r.export), trace.WithResource(resource.NewSchemaless(about...)))
	r.tracer = r.provider.Tracer("makegood")
	r.ctx, r.span = r.tracer.Start(context.Background(), "makegood "+command, api.WithAttributes(attribute.String("makegood.command", command)))
	r.planned, r.planning = r.tracer.Start(r.ctx, "planning")
	return r
}

// End ends the trace with the run's exit code and sends what is left of it,
// within a few seconds. run is "" where there was none.
func (r *Run) End(run string, exit int) {
	if r == nil {
		return
	}
	r.endPlanning()
	r.span.SetAttributes(attribute.Int("makegood.exit_code", exit))
	if run != "" {
		r.span.SetAttributes(attribute.String("makegood.run", run))
	}
	if exit >= failed {
		r.span.SetStatus(codes.Error, "exit code "+strconv.Itoa(exit))
	}
	r.span.End()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	if err := r.provider.Shutdown(ctx); err != nil {
		r.export.tell(err)
	}
}

// failed is the least exit code of a run that did not do its work.
const failed = 3

func (r *Run) endPlanning() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.planning != nil {
		r.planning.End()
		r.planning = nil
	}
}

// Progress makes a span of each stage that next hears of.
func (r *Run) Progress(next reconcile.Progress) reconcile.Progress {
	if r == nil {
		return next
	}
	return progress{r, next}
}

type progress struct {
	run  *Run
	next reconcile.Progress
}

// Begin implements reconcile.Progress. Planning is over when the first
// destination is sent to.
func (p progress) Begin(stage string, total int) reconcile.Meter {
	parent, about := p.run.planned, []attribute.KeyValue{}
	if name, sends := strings.CutPrefix(stage, reconcile.StageSending); sends {
		p.run.endPlanning()
		parent = p.run.ctx
		about = append(about, attribute.String("makegood.target", name))
	} else {
		for _, begins := range []string{reconcile.StageReading, reconcile.StageComposing} {
			if name, is := strings.CutPrefix(stage, begins); is {
				about = append(about, attribute.String("makegood.source", name))
			}
		}
	}
	_, span := p.run.tracer.Start(parent, stage, api.WithAttributes(about...))
	return &meter{span: span, next: p.next.Begin(stage, total)}
}

type meter struct {
	span api.Span
	next reconcile.Meter
	n    atomic.Int64
}

// Add implements reconcile.Meter.
func (m *meter) Add(n int) {
	m.n.Add(int64(n))
	m.next.Add(n)
}

// End implements reconcile.Meter.
func (m *meter) End() {
	m.next.End()
	m.span.SetAttributes(attribute.Int64("makegood.count", m.n.Load()))
	m.span.End()
}

// quiet tells the log once that spans cannot be sent, and nobody else.
type quiet struct {
	trace.SpanExporter
	log  *slog.Logger
	told sync.Once
}

// ExportSpans implements trace.SpanExporter.
func (q *quiet) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := q.SpanExporter.ExportSpans(ctx, spans); err != nil {
		q.tell(err)
	}
	return nil
}

func (q *quiet) tell(err error) {
	q.told.Do(func() { q.log.Warn("traces could not be sent", "error", reports.Mask(err.Error())) })
}
