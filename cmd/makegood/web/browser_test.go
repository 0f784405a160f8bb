package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"makegood/reconcile/placement"
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

// eval evaluates an expression on the page.
func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// shopPage is the shop's page of a session, at an origin of its own.
type shopPage struct {
	*httptest.Server
	bridge atomic.Value           // its address
	behind atomic.Pointer[Bridge] // the one that the shop's own host answers for, if any
}

func newShopPage(t *testing.T, session string) *shopPage {
	t.Helper()
	p := &shopPage{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b := p.behind.Load(); b != nil && strings.HasPrefix(r.URL.Path, "/rokt") {
			b.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, strings.NewReplacer("BRIDGE", p.bridge.Load().(string), "SESSION", session).Replace(fakePage))
	}))
	t.Cleanup(p.Close)
	return p
}

// stands waits until the items of a session stand as wanted.
func (r *rig) stands(session, want string) {
	r.Helper()
	got := ""
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		got = ""
		r.visits.look(session, func(v *placement.Visit) {
			for _, s := range v.Standings(r.clock()) {
				got += fmt.Sprintf("%s %s %s/%s ", s.Item, s.Stand, s.Rokt, s.Shop)
			}
		})
		if got = strings.TrimSpace(got); got == want {
			return
		}
	}
	r.Fatalf("stands as %q, want %q", got, want)
}

// settled lets the time pass that a shop's page may take.
func (r *rig) settled(session string, lines ...string) {
	r.Helper()
	r.later(2 * time.Second)
	r.cart(session, lines...)
}

// TestBridgeInABrowser plays a visit in a real browser, on a page of another
// origin, against a launcher that behaves as documented.
func TestBridgeInABrowser(t *testing.T) {
	ctx := browser(t)
	shop := newShopPage(t, "s1")
	r := start(t, shop.URL)
	shop.bridge.Store(r.url)
	show(t, ctx, shop.URL)

	// The customer takes two offers, and the shop's cart has them.
	eval[bool](t, ctx, `(selection.take("wrap", 1), selection.take("gift", 1, {min: 1}), selection.take("care", 1, {linkedProductId: "MUG"}), true)`)
	r.stands("s1", "care unjudged 1/ gift unjudged 1/ wrap unjudged 1/")
	r.settled("s1", "wrap:1", "gift:1", "care:1", "MUG:1")
	r.stands("s1", "care agrees 1/1 gift agrees 1/1 wrap agrees 1/1")

	// In the shop there are three of one, another is taken out although it is
	// forced, and the product that the third goes with is gone.
	r.settled("s1", "wrap:3", "care:1")
	r.stands("s1", "care aligned 0/0 gift refused 1/0 wrap aligned 3/3")
	if heard := eval[int](t, ctx, `selection.heard.length`); heard != 3 {
		t.Errorf("the placement was asked %d times", heard)
	}

	// A new impression has a new id, and the customer's word counts.
	eval[bool](t, ctx, `(selection.take("wrap", 5), true)`)
	r.stands("s1", "care aligned 0/0 gift refused 1/0 wrap unjudged 5/")
	r.settled("s1", "wrap:2")
	r.stands("s1", "care aligned 0/0 gift refused 1/0 wrap aligned 2/2")
	if last := eval[string](t, ctx, `selection.heard.at(-1).cartItemId`); last != "impression-4" {
		t.Errorf("asked of %s", last)
	}

	// A placement that says nothing is no alignment.
	eval[bool](t, ctx, `(selection.silent = true, true)`)
	r.settled("s1", "wrap:9")
	r.stands("s1", "care aligned 0/0 gift refused 1/0 wrap asked 2/9")
	r.later(11 * time.Second)
	for tries := 0; r.tries() < 2 && tries < 200; tries++ {
		time.Sleep(20 * time.Millisecond)
	}
	r.later(11 * time.Second)
	r.stands("s1", "care aligned 0/0 gift refused 1/0 wrap unanswered 2/9")

	if shown := eval[int](t, ctx, `shown.length`); shown != 8 {
		t.Errorf("the shop's page was told of %d changes", shown)
	}
	if problems := eval[[]string](t, ctx, `problems`); len(problems) > 0 {
		t.Errorf("the page has problems: %v", problems)
	}
	eval[bool](t, ctx, `(bridge.close(), selection.take("wrap", 1), true)`)
	if s := r.Status(); s.Items[placement.Aligned] != 1 || s.Items[placement.Refused] != 1 || s.Items[placement.Unanswered] != 1 || len(s.Refused) != 1 {
		t.Errorf("got %+v", s)
	}
	if text := r.disk.String(); strings.Contains(text, canary) || !strings.Contains(text, `"orderNumber":"1001"`) || strings.Contains(r.log.String(), canary) {
		t.Errorf("on the disk is %s, in the log %s", text, r.log.String())
	}
}

// TestBridgeAtTheShopsHost: behind the shop's own proxy, where page and bridge
// have one origin, changes of the shop's cart reach the placement as well.
func TestBridgeAtTheShopsHost(t *testing.T) {
	ctx := browser(t)
	shop := newShopPage(t, "s1")
	r := start(t, shop.URL)
	shop.behind.Store(r.Bridge)
	shop.bridge.Store(shop.URL)
	show(t, ctx, shop.URL)
	eval[bool](t, ctx, `(selection.take("wrap", 1), true)`)
	r.stands("s1", "wrap unjudged 1/")
	r.settled("s1", "wrap:3")
	r.stands("s1", "wrap aligned 3/3")
	if problems := eval[[]string](t, ctx, `problems`); len(problems) > 0 {
		t.Errorf("the page has problems: %v", problems)
	}
}

// tries is how often the page has asked for something.
func (r *rig) tries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.disk.String(), `"quantity":9}`)
}

func show(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !eval[bool](t, ctx, `typeof selection === "object" && typeof bridge === "object"`); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("the page is not ready")
		}
	}
}

// TestPageGoesOnWithoutTheBridge: a page that is not listed, and one whose
// bridge is gone, work as ever.
func TestPageGoesOnWithoutTheBridge(t *testing.T) {
	ctx := browser(t)
	stranger, listed := newShopPage(t, "s1"), newShopPage(t, "s2")
	r := start(t, listed.URL)
	stranger.bridge.Store(r.url)
	listed.bridge.Store(r.url)
	show(t, ctx, stranger.URL)
	eval[bool](t, ctx, `(selection.take("wrap", 1), true)`)
	time.Sleep(300 * time.Millisecond) // the page's own tries
	if r.Status().Visits != 0 {
		t.Errorf("a page that is not listed was heard: %+v", r.Status())
	}
	if problems := eval[[]string](t, ctx, `problems`); len(problems) > 0 || eval[int](t, ctx, `shown.length`) != 1 {
		t.Errorf("the page has problems: %v", problems)
	}
	show(t, ctx, listed.URL)
	r.mu.Lock()
	r.full = true
	r.mu.Unlock()
	eval[bool](t, ctx, `(selection.take("wrap", 1), bridge.sync(), true)`)
	r.mu.Lock()
	r.full = false
	r.mu.Unlock()
	r.stands("s2", "wrap unjudged 1/") // it tries again
	if problems := eval[[]string](t, ctx, `problems`); len(problems) > 0 || eval[int](t, ctx, `shown.length`) != 1 {
		t.Errorf("the page has problems: %v", problems)
	}
}
