package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHarmAddressAsOrderNumber: whoever chooses the column of addresses as
// order number has nothing sent, and neither the ledger nor the log, the
// reports and the pages hold an address.
func TestHarmAddressAsOrderNumber(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	at := ago(time.Hour)
	s.source("shop", fields{"columns": columns(fields{"order": "email", "email": "id"})})
	s.orders("shop", "ann@example.com,"+at+",Marta.Canary@example.com,MUG,1,5", "bob@example.com,"+at+",kiosk@7,MUG,1,7")
	said := ""
	for _, step := range [][]string{{"run", "--json", "--html", filepath.Join(s.dir, "report.html")}, {"run"}, {"audit", "--json"}, {"ledger", "export"}} {
		_, out, errs := makegood(t, append(step, "-c", s.file())...)
		said += out + errs
	}
	s.contains(said, "e-mail address")
	s.wantsPlatform("activate", "kiosk@7 7 EUR")

	u := s.serveUploads()
	ben := u.signedIn("ben")
	path := ben.upload(http.StatusOK, "november.csv", []byte(strings.Join([]string{"Ref,Moment,Mail,Art,Qty,Price", "9," + at + ",marta.canary@example.com,MUG,1,5", ""}, "\n")))
	ben.preview(path, url.Values{"column-0": {"customer"}, "column-1": {"completed_at"}, "column-2": {"order"}, "column-3": {"sku"}, "column-4": {"quantity"}, "column-5": {"price"}})
	ben.shows("There is nothing to send.")
	ben.shows("choose the column that holds the order numbers")
	said += ben.page
	u.end()
	s.wantsPlatform("activate", "kiosk@7 7 EUR")
	for _, pattern := range []string{"*.db*", "report.html", "state/*", "state/uploads/*.json*"} {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		check(t, err)
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			text, err := os.ReadFile(file)
			check(t, err)
			said += string(text)
		}
	}
	if at := strings.Index(strings.ToLower(said+u.errs.String()), "marta"); at >= 0 {
		t.Errorf("an address is there: %.120q", said[max(0, at-60):])
	}
}
