package outfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func firstWord(line []byte) string {
	word, _, _ := strings.Cut(string(line), ",")
	return word
}

// daily makes a CSV file for each day in a folder that is not there yet.
func daily(t *testing.T, now *time.Time) (*File, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	return again(dir, now), dir
}

// again is what another process makes of the same files.
func again(dir string, now *time.Time) *File {
	return New(Options{Path: filepath.Join(dir, "e-{date}.csv"), Header: []string{"id", "n"}, ID: firstWord,
		Clock: func() time.Time { return *now }})
}

func add(t *testing.T, f *File, lines string) {
	t.Helper()
	if err := f.Append(t.Context(), []byte(lines)); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q (%v)", filepath.Base(path), got, want, err)
	}
}

func looks(t *testing.T, f *File, id string, at time.Time, want Presence) {
	t.Helper()
	if got, err := f.Look(id, at); got != want || err != nil {
		t.Errorf("%s: %d, want %d (%v)", id, got, want, err)
	}
}

func TestLinesAreAppendedByDay(t *testing.T) {
	now := noon
	f, dir := daily(t, &now)
	add(t, f, "a,1\n")
	add(t, f, "b,2\n")
	now = now.AddDate(0, 0, 1)
	add(t, f, "c,3\n")
	holds(t, filepath.Join(dir, "e-2026-11-21.csv"), "id,n\na,1\nb,2\n")
	holds(t, filepath.Join(dir, "e-2026-11-22.csv"), "id,n\nc,3\n")
	for _, name := range []string{"e-2026-11-21.csv", ".e-date.csv.book"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// What a crash left of a line is dropped, wherever it was cut.
func TestHalfALineIsDropped(t *testing.T) {
	now := noon
	const whole = "id,n\na,1\nb,2\n"
	for cut := range len(whole) + 1 {
		f, dir := daily(t, &now)
		add(t, f, "a,1\nb,2\n")
		path := filepath.Join(dir, "e-2026-11-21.csv")
		if err := os.Truncate(path, int64(cut)); err != nil {
			t.Fatal(err)
		}
		f = again(dir, &now)
		want := whole[:strings.LastIndex(whole[:cut], "\n")+1]
		for _, id := range []string{"a", "b"} {
			presence := Absent
			switch {
			case strings.Contains(want, id+","):
				presence = There
			case want == "": // it was more once: somebody emptied it
				presence = Unknown
			}
			looks(t, f, id, noon, presence)
		}
		add(t, f, "c,3\n")
		if want == "" {
			want = "id,n\n"
		}
		holds(t, path, want+"c,3\n")
	}
}

func TestLookKnowsWhatItCannotKnow(t *testing.T) {
	now := noon
	for name, tc := range map[string]struct {
		change func(dir string) error
		at     time.Time
		want   Presence
	}{
		"nothing happened":     {func(string) error { return nil }, noon, Absent},
		"before the book":      {func(string) error { return nil }, noon.Add(-time.Second), Unknown},
		"a file was taken":     {func(dir string) error { return os.Remove(filepath.Join(dir, "e-2026-11-21.csv")) }, noon, Unknown},
		"a file was emptied":   {func(dir string) error { return os.Truncate(filepath.Join(dir, "e-2026-11-21.csv"), 0) }, noon, Unknown},
		"the book was taken":   {func(dir string) error { return os.Remove(filepath.Join(dir, ".e-date.csv.book")) }, noon, Unknown},
		"everything was taken": {os.RemoveAll, noon, Unknown},
		"a crash before the book was written": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "e-2026-11-20.csv"), []byte("id,n\nx,9\n"), 0o600)
		}, noon, There},
	} {
		f, dir := daily(t, &now)
		add(t, f, "a,1\n")
		if err := tc.change(dir); err != nil {
			t.Fatal(err)
		}
		f = again(dir, &now)
		if got, _ := f.Look("x", tc.at); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}

// A file that was emptied and begun again cannot tell what it held.
func TestABegunAgainFileIsNotWhole(t *testing.T) {
	now := noon
	f, dir := daily(t, &now)
	add(t, f, "a,1\n")
	if err := os.Remove(filepath.Join(dir, "e-2026-11-21.csv")); err != nil {
		t.Fatal(err)
	}
	add(t, f, "b,2\n")
	f = again(dir, &now)
	looks(t, f, "b", noon, There)
	looks(t, f, "a", noon, Unknown)
}

func TestBeginKeepsTheBookBeforeTheFirstLine(t *testing.T) {
	now := noon
	f, dir := daily(t, &now)
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second) // a claim, and a crash
	looks(t, again(dir, &now), "a", now, Absent)
}

func TestWhatIsNoFileOfItsKindIsLeftAlone(t *testing.T) {
	now := noon
	for name, make := range map[string]func(path string) error{
		"another format": func(path string) error { return os.WriteFile(path, []byte("{\"id\":1}\n"), 0o600) },
		"another header": func(path string) error { return os.WriteFile(path, []byte("id,m\n"), 0o600) },
		"a folder":       func(path string) error { return os.Mkdir(path, 0o700) },
		"no line end":    func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), maxLine+1<<17), 0o600) },
	} {
		f, dir := daily(t, &now)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "e-2026-11-21.csv")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		var failed *Failure
		if err := f.Append(t.Context(), []byte("a,1\n")); !errors.As(err, &failed) || failed.Unsure || strings.Contains(failed.Text, dir) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: it was changed", name)
		}
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	now := noon
	_, dir := daily(t, &now)
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			f := again(dir, &now)
			for i := range 20 {
				if err := f.Append(t.Context(), fmt.Appendf(nil, "%d-%d,%s\n", w, i, strings.Repeat("x", 100))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(filepath.Join(dir, "e-2026-11-21.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	seen := map[string]bool{}
	for _, l := range lines[1:] {
		seen[l] = true
	}
	if len(lines) != 161 || len(seen) != 160 || lines[0] != "id,n" {
		t.Errorf("%d lines, %d different", len(lines), len(seen))
	}
	looks(t, again(dir, &now), "7-19", noon, There)
}

func TestCSVLineIsOneHarmlessLine(t *testing.T) {
	for value, want := range map[string]string{
		"=1+1": "'=1+1", "+31612345678": "'+31612345678", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)", "\t=1": "' =1", "\r=1": "' =1",
		"  =cmd": "'  =cmd", "\ufeff=1": "'\ufeff=1", "＝1": "'＝1", "-": "'-",
		"-5.25": "-5.25", "12": "12", "": "", "a=b": "a=b", "a\nb\r\nc": "a b  c", "x\x00y": "x y", "\u2028": " ",
		`say "hi", you`: `say "hi", you`, "é": "é",
	} {
		line := CSVLine([]string{"1", value, "z"})
		if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
			t.Errorf("%q: %q is not one line", value, line)
		}
		cells, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil || len(cells) != 3 || cells[1] != want || CSVCell(line, 1) != want {
			t.Errorf("%q reads as %q, want %q (%v)", value, cells, want, err)
		}
	}
	if got := CSVCell([]byte(`"half`), 0) + CSVCell([]byte("a"), 3); got != "" {
		t.Errorf("got %q", got)
	}
}
