package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestUnits: the manifest is YAML, and what the files start is understood by the
// command line.
func TestUnits(t *testing.T) {
	text, err := units.ReadFile("units/kubernetes.yaml")
	check(t, err)
	var kinds []string
	for in := yaml.NewDecoder(strings.NewReader(string(text))); ; {
		var one struct {
			Kind string         `yaml:"kind"`
			Spec map[string]any `yaml:"spec"`
		}
		err := in.Decode(&one)
		if err == io.EOF {
			break
		}
		check(t, err)
		kinds = append(kinds, one.Kind)
	}
	if got := strings.Join(kinds, " "); got != "PersistentVolumeClaim Deployment CronJob" {
		t.Errorf("the manifest has %s", got)
	}
	for _, args := range [][]string{{"serve", "--log-format", "json"}, {"run", "--schedule", "nightly", "--log-format", "json"}, {"run", "--log-format", "json"}} {
		said := strings.Join(args, " ")
		found := strings.Contains(string(text), strings.ReplaceAll(strings.Replace(said, args[0], "["+args[0], 1), " ", ", ")) || strings.Contains(unitTexts(t), said) ||
			strings.Contains(unitTexts(t), args[0]+" -c")
		if code, _, errs := makegood(t, append(args, "-c", filepath.Join(t.TempDir(), "none.yaml"))...); !found || code == exitUsage {
			t.Errorf("%v: in the files %v, exit %d, %s", args, found, code, errs)
		}
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here: the units were not verified by it")
		return
	}
	dir := t.TempDir()
	code, _, errs := makegood(t, "init", "--systemd", "--output", dir)
	if code != exitDone {
		t.Fatal(errs)
	}
	for _, name := range systemdUnits {
		out, err := exec.Command(verify, "verify", "--man=no", filepath.Join(dir, name)).CombinedOutput()
		if lines := strings.TrimSpace(string(out)); err != nil && !strings.Contains(lines, "is not executable") {
			t.Errorf("%s: %v\n%s", name, err, lines)
		}
	}
}

func unitTexts(t *testing.T) (all string) {
	t.Helper()
	for _, name := range systemdUnits {
		text, err := units.ReadFile("units/" + name)
		check(t, err)
		all += string(text)
	}
	return all
}
