package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// exportShop plays the API of a shop system that hands out its orders in three
// pages, the last of which comes again and again.
func exportShop(t *testing.T) *httptest.Server {
	t.Helper()
	const header = "\uFEFFOrderId,Receipt ID,PaymentStatus,createDate,Mail,SKU,Replaces,Quantity,Amount USD,Currency Code,isTest\n"
	pages := []string{
		// the first order is cut by the page; the second was not paid; the third is a test
		header + "1001,r1,paid,11/2/2026 10:00:00,ann@example.com,918325,,1,100,USD,no\n" +
			"1002,r2,declined,11/2/2026 11:00:00,bob@example.com,918325,,1,100,USD,no\n" +
			"1003,r3,paid,11/2/2026 12:00:00,cor@example.com,918325,,1,100,USD,yes\n",
		// a receipt that stood on the first page, and one from outside of the period
		header + "1001,r1,paid,11/2/2026 10:00:00,ann@example.com,918325,,1,100,USD,no\n" +
			"1001,r4,paid,11/2/2026 10:05:00,ann@example.com,918446,918325,1,120,USD,no\n" +
			"1004,r5,paid,11/22/2025 10:00:00,dan@example.com,918325,,1,100,USD,no\n",
		header + "1005,r6,paid,11/3/2026 23:30:00,eve@example.com,918325,,2,75.50,USD,no\n",
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("POST /api/auth", func(w http.ResponseWriter, r *http.Request) {
		if user, word, _ := r.BasicAuth(); user != "canary-login" || word != "canary-password" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, "canary-token")
	})
	mux.HandleFunc("GET /api/order/export/{page}/2000", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "bearer canary-token" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		page := min(int(r.PathValue("page")[0]-'0'), len(pages))
		fmt.Fprintf(w, `{"link": "%s/files/%d", "hasMoreToExport": true, "nextExport": null}`, server.URL, page)
	})
	mux.HandleFunc("GET /files/{page}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, pages[r.PathValue("page")[0]-'1'])
	})
	return server
}

const exportConfig = `zone: Europe/Amsterdam
sources:
  crm:
    type: emanage
    url: %s/api
    login: canary-login
    password: %s
    zone: America/New_York
    channel: online
    date_format: M/d/yyyy H:mm:ss
    columns:
      order: Order ID
      completed_at: Order Create Date
      email: Mail
      sku: SKU
      quantity: Quantity
      price: Total
      currency: Currency Code
      line: Receipt ID
      replaces: Replaces
      paid: '= row["Receipt Status Name"] == "paid" ? "yes" : "no"'
      test_order: isTest
    may_send: {all: true, reason: "a test"}
targets:
  activate: {type: squeezely, url: "http://127.0.0.1:9/v1/track", account: a, api_key: k, since: 2026-11-01}
`

// TestExport plans what a shop system hands out by its API, and leaves nothing
// of it behind.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "makegood.yaml", fmt.Sprintf(exportConfig, exportShop(t).URL, "canary-password"))
	args := []string{"plan", "-c", path, "--from", "2026-11-01", "--to", "2026-11-10"}
	r := report(t, 0, args...)
	s := r.Sources[0]
	if s.OrdersRead != 5 || s.OutsideWindow != 1 || len(s.LeftOut) != 2 || s.Bad != 0 || s.Orders != 2 {
		t.Errorf("the source is %+v", s)
	}
	if left := r.balance(t, "activate").Left; left.Orders != 2 || left.Money["USD"] != "271" {
		t.Errorf("left is %+v", left)
	}
	code, out, errs := makegood(t, args...)
	if code != 0 || !strings.Contains(out, "page 4 of the export is page 3") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if text := out + errs; strings.Contains(text, "canary") {
		t.Errorf("a secret is told:\n%s", text)
	}
	nothingBrought(t, filepath.Join(dir, ".makegood"))
}

// TestExportPreset: with the preset no column has to be named, whatever the
// export calls them.
func TestExportPreset(t *testing.T) {
	before, rest, _ := strings.Cut(fmt.Sprintf(exportConfig, exportShop(t).URL, "canary-password"), "    columns:\n")
	_, after, _ := strings.Cut(rest, "      test_order: isTest\n")
	path := write(t, t.TempDir(), "makegood.yaml", before+"    preset: emanage\n"+after)
	r := report(t, 0, "plan", "-c", path, "--from", "2026-11-01", "--to", "2026-11-10")
	if left := r.balance(t, "activate").Left; r.Sources[0].Orders != 4 || left.Orders != 3 || left.Money["USD"] != "395.5" {
		t.Errorf("the source is %+v, left is %+v", r.Sources[0], left)
	}
}

// TestExportRefused: a login that is not taken stops the source, in words.
func TestExportRefused(t *testing.T) {
	path := write(t, t.TempDir(), "makegood.yaml", fmt.Sprintf(exportConfig, exportShop(t).URL, "canary-old"))
	code, out, errs := makegood(t, "plan", "-c", path, "--from", "2026-11-01", "--to", "2026-11-10")
	if text := strings.Join(strings.Fields(out+errs), " "); code != 3 || !strings.Contains(text, "the login is not taken (status 401); see login and password") ||
		strings.Contains(text, "canary") {
		t.Errorf("exit %d\n%s", code, text)
	}
}

// nothingBrought looks for files of an export.
func nothingBrought(t *testing.T, state string) {
	t.Helper()
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(d.Name(), ".csv") {
			return err
		}
		if info, err := d.Info(); err != nil || d.Name() != forgottenFile || info.Size() > 0 { // nobody is forgotten here
			t.Errorf("%s was left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
