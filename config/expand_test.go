package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("plain", "abc\n\n")
	write("dos", "abc\r\n")
	write("nested", "${A}")
	write("large", strings.Repeat("x", maxValueFile+1))
	write("binary", "a\x00b")
	env := environment{"A": "1", "B": "${A}", "F": "file:plain", "DIR": dir}
	for _, tc := range []struct{ value, want, problem string }{
		{"a${A}b${A}", "a1b1", ""},
		{"${B}", "${A}", ""},
		{"$${A}", "${A}", ""},
		{"cost $5", "cost $5", ""},
		{"${F}", "file:plain", ""},
		{"file:plain", "abc\n", ""},
		{"file:${DIR}/dos", "abc", ""},
		{"file:nested", "${A}", ""},
		{"file:large", "", "larger than 64 KiB"},
		{"file:binary", "", "not text"},
		{"file:absent", "", "no such file or directory (a relative path"},
	} {
		text := "zone: UTC\nenvironment: '" + tc.value + "'\n"
		c, err := Parse([]byte(text), filepath.Join(dir, "makegood.yaml"), env.lookup)
		switch {
		case tc.problem != "":
			if err == nil || !strings.Contains(err.Error(), tc.problem) || !strings.Contains(err.Error(), "makegood.yaml:2:14: ") {
				t.Errorf("%s: %v", tc.value, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.value, err)
		case c.Environment != tc.want:
			t.Errorf("%s: got %q, want %q", tc.value, c.Environment, tc.want)
		}
	}
}

// Every value of the example in turn comes from a variable: whatever is wrong with it, no problem shows it.
func TestProblemsHideExpandedValues(t *testing.T) {
	const canary = "CANARY secret@example.com"
	env := environment{"CANARY": canary}
	for name, value := range testEnv {
		env[name] = value
	}
	text, problems := example(t), 0
	for _, at := range regexp.MustCompile(`(: |\[)('[^']*'|"[^"]*"|[\w./*%-]+)`).FindAllStringSubmatchIndex(text, -1) {
		changed := text[:at[4]] + "'${CANARY}'" + text[at[5]:]
		if _, err := Parse([]byte(changed), "makegood.yaml", env.lookup); err != nil {
			problems++
			if strings.Contains(err.Error(), "CANARY ") || strings.Contains(err.Error(), "secret@") {
				t.Errorf("%s shows the value:\n%v", text[at[0]:at[1]], err)
			}
		}
	}
	if problems < 30 {
		t.Errorf("only %d values gave a problem", problems)
	}
}
