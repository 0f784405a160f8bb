package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestUploadRefusedInABrowser: what is refused is refused on a page that a person
// can read, in a real browser, which shows it although it was still sending.
func TestUploadRefusedInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; the shorter ways through the page are gone")
	}
	u := uploadShop(t, fields{"max_size": "1MB", "second_person": true}).serveUploads()
	g := u.guest()
	brings := func(name string, content []byte) {
		t.Helper()
		file := filepath.Join(u.dir, name)
		if content == nil { // two gigabytes that are on no disk
			check(t, os.WriteFile(file, nil, 0o600))
			check(t, os.Truncate(file, 2_000_000_000))
		} else {
			check(t, os.WriteFile(file, content, 0o600))
		}
		g.do(chromedp.Navigate(g.url + "/uploads/"))
		g.until("Uploads")
		g.do(chromedp.SetUploadFiles(chromedp.CSS(`[name=file]`), []string{file}))
		g.clicks("main form button")
	}
	reads := func(title string, words ...string) {
		t.Helper()
		g.shown(title)
		said := asks[string](g, `document.querySelector("main").innerText`)
		for _, word := range words {
			if !strings.Contains(said, word) {
				t.Errorf("%s lacks %q: %s", title, word, said)
			}
		}
	}
	g.signsIn("ann")
	for i, name := range []string{"macros", "entities", "columns"} {
		b := newBook()
		hostile := hostileBooks(u.url)[name]
		hostile.spoil(b)
		brings(name+".xlsx", b.bytes(t))
		reads("This file cannot be used", hostile.words, "Upload another file")
		g.seen(fmt.Sprintf("r%d-%s", i, name))
	}
	brings("bomb.xlsx", bomb(t))
	reads("This file cannot be used", "unpacked it has more than 2048 MiB")
	brings("two gigabytes.csv", nil)
	reads("Not done", "The file is larger than 1 MB, and nothing of it was kept.")
	g.seen("r4-two-gigabytes")
	brings("..\\..\\passwd.csv", usualFile())
	reads("Columns", "passwd.csv, ")

	// Another site has a form that posts to this one.
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><h1>Prizes</h1><main><form method="post" action="%s/uploads/sign-out"><button>Win</button></form></main>`, u.url)
	}))
	defer other.Close()
	g.do(chromedp.Navigate(strings.Replace(other.URL, "127.0.0.1", "localhost", 1)))
	g.clicks("button")
	reads("Not done", "This came from a page of another site, and nothing was done.")
	g.seen("r5-another-site")
	g.do(chromedp.Navigate(g.url + "/uploads/"))
	reads("Uploads", "passwd.csv") // still signed in

	// A plan whose address somebody passed on.
	cleo := u.signedIn("cleo")
	stolen := cleo.upload(http.StatusOK, "orders.csv", usualFile())
	cleo.preview(stolen, nil)
	g.do(chromedp.Navigate(g.url + stolen))
	reads("Not found", "it is not yours to see")
	g.do(chromedp.Navigate(g.url + stolen + "/approve"))
	reads("Not done", "Your role does not include this")
	g.seen("r6-role")
	u.wantsPlatform("activate", "")
}

// shown waits until a page has a title, whatever else it says.
func (g *guest) shown(title string) {
	g.Helper()
	is := ""
	for begun := time.Now(); time.Since(begun) < g.patience; time.Sleep(50 * time.Millisecond) {
		answer, err := chromedp.Run(g.ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? document.body.innerText : ""`))
		if is = answer; err == nil && strings.Contains(is, title+"\n") {
			return
		}
	}
	g.Fatalf("the page has no title %q: %s", title, is)
}
