package rokt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"makegood/reconcile/placement"
)

func line(session string) string {
	return fmt.Sprintf(`{"session":%q,"at":"2026-11-20T10:00:00Z","attributes":{"order":"1001","email":"jane-canary3f9a@example.com"},`+
		`"body":{"cartItem":{"cartItemId":"i","catalogItemId":"c"},"oldCartItem":null}}`, session)
}

// Bad lines are named by file and line, and the rest goes on.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 200<<10)
	text := strings.Join([]string{line("a"), "", "canary3f9a", line("b"), long, line("c"), `{"session":"d"}`, line("e")[:90]}, "\n")
	path := filepath.Join(dir, "messages.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ""
	tally, err := Read(t.Context(), []string{path, path}, placement.Parser{Attributes: []string{"order"}}, func(m placement.Message) error {
		got += m.Session + m.Attributes["order"] + m.Origin.String() + ";"
		return nil
	})
	want := strings.Repeat("a1001messages.jsonl, row 1;b1001messages.jsonl, row 4;c1001messages.jsonl, row 6;", 2)
	if err != nil || got != want || tally.Messages != 6 || tally.Unreadable != 8 || len(tally.Problems) != 8 {
		t.Fatalf("got %q, %+v, %v", got, tally, err)
	}
	for i, want := range []string{"messages.jsonl, row 3: the line is no JSON", "messages.jsonl, row 5: the line is larger than 64 KiB",
		"messages.jsonl, row 7: the line has no time", "messages.jsonl, row 8: the line was cut off: it is no JSON"} {
		if p := tally.Problems[i].String(); !strings.HasPrefix(p, want) || strings.Contains(p, "canary") {
			t.Errorf("problem %d: %s", i, p)
		}
	}
}

func TestReadEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	if err := os.WriteFile(path, []byte(line("a")+"\n"+line("b")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if _, err := Read(t.Context(), []string{path}, placement.Parser{}, func(placement.Message) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, []string{path}, placement.Parser{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Read(t.Context(), []string{path + "x"}, placement.Parser{}, nil); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "m.jsonlx") != 1 {
		t.Errorf("got %v", err)
	}
}
