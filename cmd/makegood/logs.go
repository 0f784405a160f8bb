package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lmittmann/tint"

	"makegood/reports"
)

// The forms of log lines. By itself a terminal gets coloured ones and everything
// else plain ones: cron mails them and journald keeps them for people to read.
// Who collects logs by program asks for JSON.
const (
	logAuto   = "auto"
	logPretty = "pretty"
	logJSON   = "json"
)

// logDebug is the level that tells of every stage.
const logDebug = "debug"

// startLog makes the log that the flags ask for.
func (a *app) startLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil || !slices.Contains([]string{logDebug, "info", "warn", "error"}, a.logLevel) {
		return &usageError{command: "makegood", err: fmt.Errorf("--log-level %q is not known; write debug, info, warn or error", a.logLevel)}
	}
	if !slices.Contains([]string{logAuto, logPretty, logJSON}, a.logFormat) {
		return &usageError{command: "makegood", err: fmt.Errorf("--log-format %q is not known; write auto, pretty or json", a.logFormat)}
	}
	a.log = slog.New(&quietHandler{root: a.logLines(a.io.err, level), run: &a.running})
	return nil
}

// logLines writes lines of the wanted form.
func (a *app) logLines(w io.Writer, level slog.Level) slog.Handler {
	if a.logFormat == logJSON {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC})
	}
	colour := a.logFormat == logPretty && !a.noColour() || a.colours(w)
	at := time.RFC3339
	if a.terminal(w) {
		at = time.TimeOnly
	}
	return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: at, NoColor: !colour})
}

func inUTC(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		attr.Value = slog.TimeValue(attr.Value.Time().UTC())
	}
	return attr
}

// quietHandler is a slog.Handler that tells of no person: whatever looks like
// an address is masked, in messages, keys, values and errors, however deep.
// Secrets hide themselves (config.Secret). Every line names the run that is
// under way.
type quietHandler struct {
	root slog.Handler
	run  *atomic.Pointer[string]
	with []func(slog.Handler) slog.Handler // what WithAttrs and WithGroup added, behind the run
}

// Enabled implements slog.Handler.
func (h *quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.root.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *quietHandler) Handle(ctx context.Context, r slog.Record) error {
	next := h.root
	if id := h.run.Load(); id != nil {
		next = next.WithAttrs([]slog.Attr{slog.String("run", *id)})
	}
	for _, add := range h.with {
		next = add(next)
	}
	quiet := slog.NewRecord(r.Time, r.Level, reports.Mask(r.Message), r.PC)
	r.Attrs(func(attr slog.Attr) bool {
		quiet.AddAttrs(quietAttr(attr))
		return true
	})
	return next.Handle(ctx, quiet)
}

// WithAttrs implements slog.Handler.
func (h *quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	quiet := quietAttrs(attrs)
	return h.adding(func(next slog.Handler) slog.Handler { return next.WithAttrs(quiet) })
}

// WithGroup implements slog.Handler.
func (h *quietHandler) WithGroup(name string) slog.Handler {
	return h.adding(func(next slog.Handler) slog.Handler { return next.WithGroup(reports.Mask(name)) })
}

func (h *quietHandler) adding(one func(slog.Handler) slog.Handler) slog.Handler {
	return &quietHandler{root: h.root, run: h.run, with: append(slices.Clone(h.with), one)}
}

func quietAttrs(attrs []slog.Attr) []slog.Attr {
	quiet := make([]slog.Attr, len(attrs))
	for i, attr := range attrs {
		quiet[i] = quietAttr(attr)
	}
	return quiet
}

func quietAttr(attr slog.Attr) slog.Attr {
	value := attr.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		value = slog.StringValue(reports.Mask(value.String()))
	case slog.KindGroup:
		value = slog.GroupValue(quietAttrs(value.Group())...)
	case slog.KindAny:
		value = slog.StringValue(reports.Mask(plainText(value.Any())))
	}
	return slog.Attr{Key: reports.Mask(attr.Key), Value: value}
}

// plainText is the text of a value that may hide secrets: JSON leaves out what
// is not exported, and asks secrets to hide themselves.
func plainText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case []byte:
		return string(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	return string(text)
}

// logEnd says how a run ended, for whoever keeps logs; the person at a terminal
// has the report.
func (a *app) logEnd(r reports.Report) {
	level := slog.LevelInfo
	if a.terminal(a.io.err) {
		level = slog.LevelDebug
	}
	attrs := []any{"command", r.Command, "exit", a.code}
	for _, t := range r.Targets {
		b := t.Balance
		attrs = append(attrs, slog.Group(t.Target, "sent", b.Sent.Events, "already_sent", b.AlreadySent.Events, "held_back", b.HeldBack.Events,
			"refused", b.Refused.Events, "in_doubt", b.InDoubt.Events, "left", b.Left.Events))
	}
	a.log.Log(context.Background(), level, "the run has ended", attrs...)
}

// complain says what a command ended with, and mention what else is to be
// known: as lines of the log where a program reads standard error.
func (a *app) complain(text string) { a.say(slog.LevelError, text) }
func (a *app) mention(text string)  { a.say(slog.LevelInfo, text) }

func (a *app) say(level slog.Level, text string) {
	text = hideKeys(text)
	if a.logFormat == logJSON && a.log != nil {
		a.log.Log(context.Background(), level, text)
		return
	}
	fmt.Fprintln(a.io.err, "makegood: "+text)
}
