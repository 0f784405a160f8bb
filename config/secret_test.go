package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestSecretIsNeverShown(t *testing.T) {
	const canary = "canary-7f3a"
	type inner struct {
		Key  Secret
		Keys []Secret
		By   map[string]Secret
	}
	value := struct {
		Inner inner
		Ptr   *inner
		Any   any
	}{inner{canary, []Secret{canary}, map[string]Secret{"a": canary}}, &inner{Key: canary}, Secret(canary)}

	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("m", "value", value, "ptr", &value, "secret", Secret(canary), "map", value.Inner.By)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		fmt.Fprintf(&out, verb+"\n", value)
		fmt.Fprintf(&out, verb+"\n", value.Ptr)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n", Secret(canary))
	}
	fmt.Fprintln(&out, value, Secret(canary).String(), Secret(canary).GoString(), fmt.Errorf("open: %w %v", fmt.Errorf("%s", Secret(canary)), value.Ptr))
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(asYAML)
	for _, trace := range []string{canary, fmt.Sprintf("%x", canary), canary[:6]} {
		if strings.Contains(out.String(), trace) {
			t.Errorf("%q is shown in\n%s", trace, out.String())
		}
	}
	if !strings.Contains(string(asJSON), hidden) || !strings.Contains(string(asYAML), hidden) {
		t.Errorf("no sign of the secret in %s %s", asJSON, asYAML)
	}
	if text, err := Secret(canary).MarshalText(); err != nil || string(text) != hidden {
		t.Errorf("as text: %s, %v", text, err)
	}
	if Secret(canary).Reveal() != canary {
		t.Error("Reveal does not reveal")
	}
}
