package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestHarmUploadThatDidNotGo: what was approved and did not go is lost to no one.
// Its page, the list, the history and its report say so, and another preview, which
// is the main button, sends the rest, once.
func TestHarmUploadThatDidNotGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fault, title, place, deed string }{
		"not taken": {"status=429", "Nothing went", "not sent yet 3/2/2 37.50 EUR", "sent nothing, of 2 approved"},
		"no answer": {"status=503", "Answer unknown", "answer unknown 3/2/2 37.50 EUR", "got no answer, of 2 approved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := uploadShop(t, nil).serveUploads()
			u.T = t
			ben := u.signedIn("ben")
			path := ben.upload(http.StatusOK, "orders.csv", usualFile())
			ben.preview(path, nil)
			setFaults(t, u.sim, c.fault)
			page := ben.sends(path)
			u.contains(page, "<h1>"+c.title+"</h1>")
			u.contains(readAloud(page), "Of 2 messages that were approved, 0 went.")
			u.contains(sums(page), c.place)
			u.contains(sums(page), "not sendable 1/1/0")
			u.contains(page, `<a class="button" href="`+path+`/columns">Make another preview to send the rest</a>`)
			if strings.Contains(page, "next run") {
				t.Errorf("the page promises a run: %s", readAloud(page))
			}
			report := readAloud(ben.get(http.StatusOK, path+"/report"))
			u.contains(report, "2 orders of an uploaded file not known to have gone, and no run reads it again")
			u.contains(report, "Make another preview of the file on the upload page")
			if strings.Contains(report, "No one is needed") {
				t.Errorf("the report says that no one is needed: %s", report)
			}
			u.contains(readAloud(ben.get(http.StatusOK, "/uploads/")), strings.ToLower(c.title))
			olga := u.signedIn("olga")
			u.contains(readAloud(olga.get(http.StatusOK, "/uploads/history")), c.deed)

			setFaults(t, u.sim)
			page = ben.preview(path, nil)
			u.contains(sums(page), "to send 3/2/2 37.50 EUR")
			page = ben.sends(path)
			u.contains(page, "<h1>Sent</h1>")
			u.contains(page, "What was approved went: 2 messages.")
			u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
		})
	}
}

// TestHarmUploadBesideAnotherSource: a destination that has two sources is sent
// what was uploaded, and nothing of the other one.
func TestHarmUploadBesideAnotherSource(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	s.source("shop", fields{"shop": "web", "order_unique": "always"})
	s.tills("tills", fields{"shop": "tills"})
	s.orders("tills", "9001,"+ago(2*time.Hour)+",fay@example.com,MUG,1,5")
	s.activate("activate", fields{"from": []string{"shop", "tills"}})
	u := s.serveUploads()
	ben := u.signedIn("ben")
	path := ben.upload(http.StatusOK, "orders.csv", usualFile())
	want := "to send 3/2/2 37.50 EUR"
	u.contains(sums(ben.preview(path, nil)), want)
	u.contains(sums(ben.sends(path)), strings.Replace(want, "to send", "sent", 1))
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
}

// TestHarmUploadMoneyToApprove: who approves reads the money of the messages, and
// beside it that of the rows where it is another.
func TestHarmUploadMoneyToApprove(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	s.source("shop", fields{"currency": nil, "order_unique": "always", "columns": columns(fields{"currency": "cur"})})
	u := s.serveUploads()
	ben, at := u.signedIn("ben"), ago(3*time.Hour)
	path := ben.upload(http.StatusOK, "orders.csv", []byte(usualHeader+",cur\n1,"+at+",ann@example.com,MUG,1,5,EUR\n2,"+at+",ben@example.com,CUP,1,7,EUR\n1,"+at+",ann@example.com,CAP,1,900,\n"))
	ben.preview(path, nil)
	page := readAloud(ben.get(http.StatusOK, path+"/approve"))
	u.contains(page, "2 messages about 2 orders, 912.00 EUR In their rows stands 900.00 (no currency), 12.00 EUR: the platform is told the value of the orders")
	ben.sends(path)
	u.wantsPlatform("activate", "1 905 EUR, 2 7 EUR")

	path = ben.upload(http.StatusOK, "orders.csv", []byte(usualHeader+",cur\n3,"+at+",ann@example.com,MUG,1,5,EUR\n"))
	ben.preview(path, nil)
	if page := readAloud(ben.get(http.StatusOK, path+"/approve")); !strings.Contains(page, "1 messages about 1 orders, 5.00 EUR plan") {
		t.Errorf("the page says: %s", page)
	}
}
