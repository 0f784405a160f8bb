package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"makegood/reports"
)

// TestBriefReportsAreLoud: a service whose log has warnings alone still says that a
// person is needed, or that a run failed; an ordinary night says nothing there.
func TestBriefReportsAreLoud(t *testing.T) {
	for code, want := range map[int]string{exitDone: "", exitLeft: "", exitPerson: "level=WARN", exitFailed: "level=ERROR", exitConfig: "level=ERROR"} {
		var log bytes.Buffer
		a := &app{code: code, log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
		check(t, a.show(&runFlags{brief: true}, reports.Report{}))
		if got := log.String(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("exit %d says %q, want %q", code, got, want)
		}
	}
}
