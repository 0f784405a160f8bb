package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"

	"makegood/config"
)

type hiding struct {
	Name   string
	Key    config.Secret
	Keys   map[string]config.Secret
	inside config.Secret
	Deep   *hiding
}

type telling struct{ text string }

func (t telling) LogValue() slog.Value { return slog.GroupValue(slog.Any("told", t.text)) }

// TestLogsTellOfNobody: whatever a line is given, in whichever form, it holds
// neither address nor key.
func TestLogsTellOfNobody(t *testing.T) {
	secret := config.Secret(canaryKey)
	deep := &hiding{Name: canaryAddress, Key: secret, Keys: map[string]config.Secret{"a": secret}, inside: secret}
	deep.Deep = &hiding{Key: secret, Name: canaryAddress}
	address := &url.URL{Scheme: "mailto", Opaque: canaryAddress}
	for _, format := range []string{logAuto, logPretty, logJSON} {
		var said bytes.Buffer
		a := &app{env: os.LookupEnv, io: stdio{err: &said}, logFormat: format, logLevel: "debug"}
		check(t, a.startLog())
		a.newRun()
		log := a.log.With("who", canaryAddress, "key", secret).WithGroup("of "+canaryAddress).With("whose", errors.New(canaryAddress))
		log.Debug("for "+canaryAddress, slog.Group("in", slog.Group("deep", "who", canaryAddress, "key", secret)), "any", deep)
		log.Error("failed", "error", fmt.Errorf("send: %w", errors.Join(errors.New(canaryAddress), fmt.Errorf("%v", secret))),
			"url", address, "bytes", []byte(canaryAddress), canaryAddress, telling{canaryAddress}, "list", []any{canaryAddress, secret}, "func", func() {}, "none", nil)
		for _, text := range append(writings(canaryPerson), writings(canaryKey)...) {
			if strings.Contains(said.String(), text) {
				t.Errorf("%s holds %s: %s", format, text, said.String())
				break
			}
		}
		if lines := strings.Count(said.String(), "\n"); lines != 2 || strings.Count(said.String(), *a.running.Load()) != 2 {
			t.Errorf("%s: %d lines, each with the run: %s", format, lines, said.String())
		}
		if !strings.Contains(said.String(), "c***@example.com") || !strings.Contains(said.String(), "[secret]") {
			t.Errorf("%s: nothing was there to be masked: %s", format, said.String())
		}
	}
}

// TestLogsInColour: only where it was asked for, and not where nobody wants any.
func TestLogsInColour(t *testing.T) {
	for _, c := range []struct {
		format, variable, value string
		coloured                bool
	}{{logAuto, "", "", false}, {logPretty, "", "", true}, {logPretty, "NO_COLOR", "1", false}, {logPretty, "TERM", "dumb", false}, {logPretty, "TERM", "xterm", true}, {logJSON, "", "", false}} {
		var said bytes.Buffer
		set := map[string]string{c.variable: c.value}
		a := &app{env: func(name string) (string, bool) { return set[name], true }, io: stdio{err: &said}, logFormat: c.format, logLevel: "info"}
		check(t, a.startLog())
		a.log.Info("said")
		if got := strings.Contains(said.String(), "\x1b["); got != c.coloured || !strings.Contains(said.String(), "said") {
			t.Errorf("%+v: %q", c, said.String())
		}
	}
}

// TestLogsNameTheRunOutside: also a line of a group has the run where programs
// look for it, and the levels are those that were asked for.
func TestLogsNameTheRunOutside(t *testing.T) {
	var said bytes.Buffer
	a := &app{env: os.LookupEnv, io: stdio{err: &said}, logFormat: logJSON, logLevel: "warn"}
	check(t, a.startLog())
	log := a.log.WithGroup("shop").With("a", 1)
	a.newRun()
	log.Info("not said")
	log.Warn("said", "n", 1)
	var line struct {
		Msg, Run string
		Shop     struct{ A, N int }
	}
	check(t, json.Unmarshal(said.Bytes(), &line))
	if line.Msg != "said" || line.Run != *a.running.Load() || line.Shop.A != 1 || line.Shop.N != 1 {
		t.Errorf("got %s", said.String())
	}
}
