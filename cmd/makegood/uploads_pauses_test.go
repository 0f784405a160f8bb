package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestUploadPauseIsTheCommand: what an operator pauses on the page is paused for
// every process and for uploads, and is what makegood pause lists; each of the
// two ends what the other began.
func TestUploadPauseIsTheCommand(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	olga, ben := u.signedIn("olga"), u.signedIn("ben")
	confirm := func(do, target, note, until string) url.Values {
		olga.get(http.StatusOK, "/uploads/pause/confirm?do="+do+"&target="+target)
		form := url.Values{"note": {note}, "until": {until}}
		for _, field := range hiddenFields.FindAllStringSubmatch(olga.page, -1) {
			form.Set(field[1], field[2])
		}
		return form
	}
	olga.post(http.StatusUnprocessableEntity, "/uploads/pause", confirm("pause", "activate", "too early", ""))
	olga.shows("There is no ledger yet; the first run begins it")
	path := ben.upload(http.StatusOK, "first.csv", usualFile())
	ben.preview(path, nil)
	ben.sends(path)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")

	olga.post(http.StatusUnprocessableEntity, "/uploads/pause", confirm("pause", "activate", "x@example.com", ""))
	olga.shows("The reason is kept for good and holds no addresses")
	olga.post(http.StatusUnprocessableEntity, "/uploads/pause", confirm("pause", "activate", "late", "2020-01-01T06:00"))
	olga.shows("lies in the past")
	olga.post(http.StatusOK, "/uploads/pause", confirm("pause", "activate", "audience under repair", "2099-01-01T06:00"))
	olga.shows("until 1 Jan 2099 06:00, by olga: audience under repair")
	_, out, _ := makegood(t, "pause", "-c", u.file())
	u.contains(out, "until 1 Jan 2099 06:00, by olga: audience under repair.")

	more := strings.ReplaceAll(string(usualFile()), "1001,", "1009,")
	path = ben.upload(http.StatusOK, "more.csv", []byte(more))
	ben.preview(path, nil)
	ben.shows("activate is paused since")
	ben.sends(path)
	ben.shows("the destination is paused")
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")

	stale := confirm("resume", "activate", "repaired", "")
	if code, _, errs := makegood(t, "resume", "activate", "--note", "repaired", "-c", u.file()); code != exitDone {
		t.Fatalf("resume: %d %s", code, errs)
	}
	olga.post(http.StatusConflict, "/uploads/pause", stale)
	olga.shows("Nothing was done: activate is not paused (any more).")
	if code, _, errs := makegood(t, "pause", "all", "--note", "sales weekend", "-c", u.file()); code != exitDone {
		t.Fatalf("pause: %d %s", code, errs)
	}
	olga.post(http.StatusOK, "/uploads/pause", confirm("resume", "all", "over", ""))
	olga.shows("Nothing is paused.")
	_, out, _ = makegood(t, "pause", "-c", u.file())
	u.contains(out, "Nothing is paused.")
	ben.preview(path, nil)
	ben.sends(path)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR, 1009 12.5 EUR")
	olga.get(http.StatusOK, "/uploads/history")
	olga.shows("paused activate")
	olga.shows("resumed every destination")
}

// TestUploadPauseInABrowser pauses and resumes with a keyboard, and looks at the
// pages, light and dark, on a telephone and on a screen. A form of another site
// pauses nothing.
func TestUploadPauseInABrowser(t *testing.T) {
	u := uploadShop(t, nil).serveUploads()
	ben := u.signedIn("ben")
	path := ben.upload(http.StatusOK, "first.csv", usualFile())
	ben.preview(path, nil)
	ben.sends(path)
	g := u.guest()
	g.signsIn("olga")
	presses := func(selector string) {
		t.Helper()
		g.tabTo(selector)
		g.do(chromedp.KeyEvent(kb.Enter))
	}
	presses(`header a[href="/uploads/pause"]`)
	g.until("Pause")
	g.seen("p1-pause")
	presses(`a[href*="do=pause&target=activate"]`)
	g.until("Pause activate?")
	g.seen("p2-confirm")
	g.tabTo("[name=note]")
	g.do(chromedp.KeyEvent("audience under repair"), chromedp.KeyEvent(kb.Enter))
	g.until("Pause")
	g.shown("Resume activate")
	g.seen("p3-paused")
	g.do(chromedp.Navigate(g.url + path))
	g.until("Sent")
	g.seen("p4-on-an-upload")
	presses(`header a[href="/uploads/pause"]`)
	g.until("Pause")
	presses(`a[href*="do=resume&target=activate"]`)
	g.until("Resume activate?")
	g.seen("p5-resume")
	g.tabTo("[name=note]")
	g.do(chromedp.KeyEvent("repaired"), chromedp.KeyEvent(kb.Enter))
	g.until("Pause")
	g.shown("Nothing is paused.")

	olga := u.signedIn("olga")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.url+"/uploads/pause",
		strings.NewReader(url.Values{"do": {"pause"}, "target": {"all"}, "note": {"prizes"}}.Encode()))
	check(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://prizes.example.com")
	olga.did(http.StatusForbidden, request)
	olga.shows("a page of another site, and nothing was done")
	_, out, _ := makegood(t, "pause", "-c", u.file())
	u.contains(out, "Nothing is paused.")
}
