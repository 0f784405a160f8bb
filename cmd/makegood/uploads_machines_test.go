package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"makegood/cmd/makegood/workers"
)

// TestWorkersInABrowser: an operator sees on a page what status tells of workers.
func TestWorkersInABrowser(t *testing.T) {
	_, place := ownSchema(t, "postgres")
	if place == "" {
		t.Skip("there is no such server")
	}
	s := uploadShop(t, nil)
	s.conf["ledger"] = place
	s.csv("shop.csv", usualHeader, "1,"+ago(3*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(4*time.Hour)+",ben@example.com,MUG,1,5")
	m := &marketplace{s, place}
	u := s.serveUploads()
	olga := u.signedIn("olga")
	olga.get(http.StatusOK, "/uploads/workers")
	olga.shows("Nothing was ever asked")
	first := m.start("worker", "--name", "first")
	m.asks()
	m.until("all is sent, and its worker has said so", func(w workersJSON) bool {
		return w.alive() == 1 && w.Slices[workers.Done] > 0 && w.Slices[workers.Done] == sum(w.Slices) && len(w.Workers[0].At) == 0
	})
	page := readAloud(olga.get(http.StatusOK, "/uploads/workers"))
	for _, want := range []string{" 10000/s 0 0 ", " now nothing to do ", "Nothing: everything goes on by itself"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	u.signedIn("ann").get(http.StatusForbidden, "/uploads/workers")
	check(t, first.Process.Kill())
	<-first.over
	m.asks("--again")
	m.until("nobody works", func(w workersJSON) bool { return w.stuck(snagIdle) != nil && w.stuck(snagGone) != nil })
	g := u.guest()
	g.signsIn("olga")
	g.do(chromedp.Navigate(g.url + "/uploads/workers"))
	g.until("Workers")
	g.seen("9-workers")
	if said := asks[string](g, `document.querySelector("main").innerText`); !strings.Contains(said, "A person is needed: start a worker, on this machine or on others. makegood worker") || !strings.Contains(said, "gone, ") {
		t.Errorf("the page says %s", said)
	}
}
