package simulation

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// mistake is a change to the source that somebody could make.
type mistake struct {
	name string
	what string
	file string // below the root of the project
	old  string // stands there exactly once
	new  string
}

// readMistake reads a file of one sentence and two parts, old and new.
func readMistake(t *testing.T, path string) mistake {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := mistake{name: strings.TrimSuffix(filepath.Base(path), ".txtar")}
	what, rest, ok := strings.Cut(string(data), "\n-- old ")
	file, rest, also := strings.Cut(rest, " --\n")
	before, after, too := strings.Cut(rest, "-- new "+file+" --\n")
	if !ok || !also || !too || what == "" || before == "" || before == after {
		t.Fatalf("%s: want a sentence, the old text and the new", path)
	}
	m.what, m.file, m.old, m.new = what, file, before, after
	return m
}

// apply gives the source with the mistake in it.
func (m mistake) apply(t *testing.T, root string) (path, source string) {
	t.Helper()
	path = filepath.Join(root, filepath.FromSlash(m.file))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), m.old); n != 1 {
		t.Fatalf("%s has the old text %d times; correct the mistake:\n%s", m.file, n, m.old)
	}
	return path, strings.Replace(string(data), m.old, m.new, 1)
}

// mistakesVariable makes every mistake, if it is "all". Else it is every third
// one, by the seed: each is compiled and linked by itself, which takes most of
// the time.
const mistakesVariable = "MAKEGOOD_TEST_MISTAKES"

// noticers are the tests that must notice the mistakes of a folder.
type noticers struct {
	folder string // below testdata/mistakes
	least  int    // mistakes in it
	pkg    string
	args   []string // of go test
}

var (
	byWorlds    = noticers{"", 15, ".", []string{"-run", "^(TestWorlds|TestDigestsTellOrdersApart|TestEventIDsTellOrdersApart)$"}}
	byCustomers = noticers{"carts", 5, "./customers", []string{"-short", "-run", "^TestHistories$"}}
)

func (n noticers) mistakes(t *testing.T) []mistake {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "mistakes", n.folder, "*.txtar"))
	if err != nil || len(paths) < n.least {
		t.Fatalf("found %d mistakes, %v", len(paths), err)
	}
	list := make([]mistake, len(paths))
	for i, path := range paths {
		list[i] = readMistake(t, path)
	}
	return list
}

// TestMistakesStillApply wants every mistake to be one that the source as it is
// now could have.
func TestMistakesStillApply(t *testing.T) {
	for _, n := range []noticers{byWorlds, byCustomers} {
		for _, m := range n.mistakes(t) {
			m.apply(t, rootOf(t))
		}
	}
}

// TestMistakesAreNoticed makes each mistake in turn, in an overlay that leaves
// the source alone, and wants the worlds to notice it.
func TestMistakesAreNoticed(t *testing.T) { byWorlds.notice(t) }

// TestCartMistakesAreNoticed wants the histories of customers to notice those
// about carts.
func TestCartMistakesAreNoticed(t *testing.T) { byCustomers.notice(t) }

// rareMistakes is how often as many worlds again are played for a mistake that
// none of the first ones noticed.
const rareMistakes = 2

func (n noticers) notice(t *testing.T) {
	if testing.Short() {
		t.Skip("building this package for each mistake takes minutes")
	}
	root := rootOf(t)
	seed := number(t, seedVariable, uint64(time.Now().UnixNano())%1_000_000_000)
	all := os.Getenv(mistakesVariable) == "all"
	for i, m := range n.mistakes(t) {
		if !all && (uint64(i)+seed)%3 != 0 {
			continue // its turn is another time
		}
		t.Run(m.name, func(t *testing.T) {
			begun := time.Now()
			out, err := n.withMistake(t, root, m, seed)
			for more := uint64(1); err == nil && more <= rareMistakes; more++ { // one that shows in few worlds only
				out, err = n.withMistake(t, root, m, seed+more*1_000_000)
			}
			text := string(out)
			switch {
			case err == nil:
				t.Errorf("nobody notices: %s (from seed %d on)", m.what, seed)
			case !strings.Contains(text, "--- FAIL"):
				t.Errorf("the mistake cannot be tried: %v\n%s", err, text)
			default:
				t.Logf("noticed after %.1fs: %s", time.Since(begun).Seconds(), firstFault(text))
			}
		})
	}
}

// withMistake runs the tests with a mistake.
func (n noticers) withMistake(t *testing.T, root string, m mistake, seed uint64) ([]byte, error) {
	t.Helper()
	path, source := m.apply(t, root)
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, filepath.Base(path)), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{changed: []byte(source), overlay: list} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := slices.Concat([]string{"test", "-vet=off", "-ldflags=-s -w", "-failfast", "-overlay", overlay}, n.args, []string{n.pkg})
	cmd := exec.CommandContext(t.Context(), "go", args...)
	worlds := number(t, worldsVariable, 2000)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", seedVariable, seed), fmt.Sprintf("%s=%d", worldsVariable, worlds))
	return cmd.CombinedOutput()
}

// firstFault is the line that says which rule was broken.
func firstFault(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "_test.go:") && !strings.Contains(line, "worlds from seed") {
			return strings.TrimSpace(line)
		}
	}
	return "by a test that says nothing"
}

// rootOf is the folder of go.mod.
func rootOf(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
