package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
)

// TestREADME reads the configuration that the README shows, and looks for
// every command that it names.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile(projectFile(t, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the README shows no configuration")
	}
	env := func(string) (string, bool) { return "value", true }
	cfg, err := config.Parse([]byte(yaml), "README.md", env)
	if err != nil {
		t.Fatalf("the configuration of the README: %v", err)
	}
	cfg.Targets["activate"].Mode = config.ModeLive
	if missing := cfg.Missing(); len(missing) > 0 {
		t.Errorf("live, the configuration of the README would lack %v", missing)
	}
	commands := 0
	for line := range strings.Lines(string(text)) {
		name, ok := strings.CutPrefix(line, "makegood ")
		if !ok || !strings.Contains(line, " #") && !strings.Contains(line, "--") {
			continue
		}
		commands++
		name, _, _ = strings.Cut(name, " ")
		if code, out, _ := makegood(t, strings.TrimSpace(name), "--help"); code != exitDone || !strings.Contains(out, "Usage:") {
			t.Errorf("the README names makegood %s, which has no help", name)
		}
	}
	if commands < 4 {
		t.Errorf("found %d commands in the README", commands)
	}
}

// TestExamples: each command that a help page or the README shows has the flags
// that are shown.
func TestExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(projectFile(t, "README.md"))
	check(t, err)
	var shown []string
	for i, block := range strings.Split(string(readme), "```") {
		if i%2 == 1 {
			shown = append(shown, block)
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		shown = append(shown, c.Example)
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk((&app{}).root())
	found := 0
	for line := range strings.Lines(strings.Join(shown, "\n")) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "makegood ")
		if !ok {
			continue
		}
		found++
		line = regexp.MustCompile(`\s[#|>&<].*`).ReplaceAllString(line, "")
		var args []string // values in quotes are one word
		for _, word := range regexp.MustCompile(`("[^"]*"|'[^']*'|\S)+`).FindAllString(line, -1) {
			args = append(args, strings.Trim(word, `"'`))
		}
		c, rest, err := (&app{}).root().Find(args)
		if err == nil {
			err = c.ParseFlags(rest)
		}
		if err != nil {
			t.Errorf("makegood %s: %v", line, err)
		}
	}
	if found < 100 {
		t.Errorf("found %d commands", found)
	}
}

// TestREADMENotify reads what the README says of who is told.
func TestREADMENotify(t *testing.T) {
	text, err := os.ReadFile(projectFile(t, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\nnotify:")
	yaml, _, found := strings.Cut(rest, "```")
	yaml = strings.ReplaceAll("zone: UTC\nnotify:"+yaml, "file:/run/secrets/", "https://example.com/")
	cfg, err := config.Parse([]byte(yaml), "README.md", func(string) (string, bool) { return "value", true })
	if err != nil || !found {
		t.Fatalf("the notices of the README: %v", err)
	}
	a := &app{clock: time.Now}
	if told, err := a.openAudience(cfg); err != nil || len(told.board.Members) != 4 || len(told.checks) != 1 {
		t.Errorf("%v: %+v", err, told)
	}
}

// TestREADMEUploads reads what the README says of the upload page, with the amount
// above which a second person approves as it is written there.
func TestREADMEUploads(t *testing.T) {
	text, err := os.ReadFile(projectFile(t, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\nserve:\n  uploads:")
	yaml, _, found := strings.Cut(rest, "```")
	_, above, named := strings.Cut(string(text), "`second_person_above:")
	above, _, _ = strings.Cut(above, "`")
	shop := `
zone: Europe/Amsterdam
sources:
  shop: {type: csv, path: orders.csv, currency: EUR, channel: online, columns: {order: id, completed_at: paid, sku: sku, quantity: n, price: price}}
targets:
  activate: {type: squeezely, mode: shadow, url: "https://example.com/v1/track"}
`
	parse := func(uploads string) *config.Config {
		t.Helper()
		cfg, err := config.Parse([]byte(shop+"serve:\n  uploads:"+uploads), "README.md", func(string) (string, bool) { return "value", true })
		if err != nil || !found || !named {
			t.Fatalf("the upload page of the README: %v", err)
		}
		return cfg
	}
	if cfg := parse(yaml); !cfg.Serve.Uploads.SecondPerson {
		t.Errorf("a second person is not asked for: %+v", cfg.Serve.Uploads)
	}
	if cfg := parse(strings.Replace(yaml, "second_person: true", "second_person_above:"+above, 1)); string(cfg.Serve.Uploads.SecondPersonAbove["EUR"]) != "1000" {
		t.Errorf("the amount is %v", cfg.Serve.Uploads.SecondPersonAbove)
	}
}
