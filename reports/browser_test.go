package reports_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a real browser, or skips where there is none and nobody
// requires one (MAKEGOOD_TEST_REQUIRE=chromium).
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAKEGOOD_TEST_REQUIRE"), ","), "chromium") {
			t.Fatal("chromium is required and not installed")
		}
		t.Skip("chromium is not installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// watched is what a page did while it was shown.
type watched struct {
	mu       sync.Mutex
	requests []string
	problems []string
}

func watch(t *testing.T, ctx context.Context) *watched {
	t.Helper()
	w := &watched{}
	err := chromedp.Listen(ctx, func(event any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			w.requests = append(w.requests, e.Request.URL)
		case *runtime.EventExceptionThrown:
			w.problems = append(w.problems, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestPageInABrowser shows the golden pages in a real browser: nothing is
// fetched beside the page, nothing is cut off on a small screen, every table
// has headers and a caption, and it prints.
func TestPageInABrowser(t *testing.T) {
	ctx := browser(t)
	pages, err := filepath.Glob("testdata/golden/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no golden pages: %v", err)
	}
	for _, path := range pages {
		t.Run(filepath.Base(path), func(t *testing.T) { showPage(t, ctx, path) })
	}
}

func showPage(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(400, 800)); err != nil {
		t.Fatal(err)
	}
	w := watch(t, ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+full)); err != nil {
		t.Fatal(err)
	}
	overflow := ask[int](t, ctx, `document.documentElement.scrollWidth - document.documentElement.clientWidth`)
	bareTables := ask[int](t, ctx, `[...document.querySelectorAll("table")].filter(t => !t.caption || !t.querySelector("th[scope]")).length`)
	scripts := ask[int](t, ctx, `document.querySelectorAll("script, [onclick], iframe").length`)
	first := ask[string](t, ctx, `document.querySelector("h1").innerText`)
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil {
		t.Fatal(err)
	}
	if overflow > 0 || bareTables > 0 || scripts > 0 {
		t.Errorf("%d pixels too wide, %d tables without caption or headers, %d scripts", overflow, bareTables, scripts)
	}
	if first == "" || len(pdf) < 5000 || !strings.HasPrefix(string(pdf), "%PDF") {
		t.Errorf("first line %q, printed to %d bytes", first, len(pdf))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.requests) != 1 || len(w.problems) > 0 {
		t.Errorf("the page asked for %v, problems %v", w.requests, w.problems)
	}
}

// ask evaluates an expression on the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
