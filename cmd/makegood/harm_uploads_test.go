package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// leftNothing wants no folder of an upload, and nothing at the platform.
func (u *uploading) leftNothing() {
	u.Helper()
	folders, err := filepath.Glob(filepath.Join(u.dir, "state", "uploads", "*", "file"))
	check(u.T, err)
	if len(folders) > 0 {
		u.Errorf("left behind: %v", folders)
	}
	u.wantsPlatform("activate", "")
}

// bomb is a workbook whose sheet unpacks to more than anybody's.
func bomb(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, part := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: part, Method: zip.Deflate, CompressedSize64: 2, UncompressedSize64: 1 << 31})
		check(t, err)
		_, err = w.Write([]byte{3, 0})
		check(t, err)
	}
	check(t, z.Close())
	return file.Bytes()
}

// TestHarmUploadOfSomethingElse: what is no file of orders, or too much of one,
// is refused in words, whatever it is called, and nothing is sent.
func TestHarmUploadOfSomethingElse(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"max_size": "100kB"}).serveUploads()
	ann := u.signedIn("ann")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(usualFile())
	check(t, err)
	check(t, z.Close())
	for words, content := range map[string][]byte{
		"larger than 100 kB":  bytes.Repeat([]byte("1001,a,b\n"), 15_000),
		"The file is empty":   {},
		"is packed with gzip": packed.Bytes(),
	} {
		ann.upload(http.StatusUnprocessableEntity, "orders.csv", content)
		ann.shows(words)
	}
	ann.post(http.StatusUnprocessableEntity, "/uploads/", url.Values{"file": {"orders.csv"}})
	ann.shows("No file came along")
	u.leftNothing()

	for words, content := range map[string][]byte{
		"unpacked it has more than 2048 MiB": bomb(t),
		"another kind of Office file":        append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 2048)...),
		"a web page":                         []byte("<!DOCTYPE html><html><body>sign in</body></html>"),
		"a PDF":                              []byte("%PDF-1.7\n"),
		"cut off or altered":                 []byte("PK\x03\x04 and nothing more"),
		"n address stands where the names":   []byte("1001,ann@example.com,MUG,1,5\n1002,ben@example.com,MUG,1,5\n"),
	} {
		path := ann.upload(http.StatusOK, "../../../../tmp/../orders.csv", content)
		if page := ann.get(http.StatusOK, path); !strings.Contains(page, words) || !strings.Contains(page, "This file cannot be used") || strings.Contains(page, "ann@example.com") {
			t.Errorf("%s: %s", words, readAloud(page))
		}
		ann.post(http.StatusConflict, path+"/columns", url.Values{"column-0": {"order"}})
		ann.get(http.StatusForbidden, path+"/approve")
		ann.post(http.StatusOK, path+"/remove", nil)
	}
	u.leftNothing()
}

// TestHarmUploadByStrangers: who has not signed in, asks for what is somebody
// else's, has another role, or is led here by a page of another site, changes
// and learns nothing.
func TestHarmUploadByStrangers(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"second_person": true}).serveUploads()
	ann, ben, cleo, nobody := u.signedIn("ann"), u.signedIn("ben"), u.signedIn("cleo"), u.visitor()
	path := ann.upload(http.StatusOK, "orders.csv", usualFile())
	ann.preview(path, nil)
	digest := planOf.FindStringSubmatch(ben.get(http.StatusOK, path+"/approve"))[1]
	yes := url.Values{"digest": {digest}, "looked": {"yes"}}

	for _, page := range []string{path, path + "/columns", path + "/report", path + "/marked", "/uploads/" + strings.Repeat("0", 32)} {
		cleo.get(http.StatusNotFound, page)
		cleo.shows("not yours to see")
	}
	cleo.post(http.StatusNotFound, path+"/columns", cleo.proposed())
	cleo.post(http.StatusNotFound, path+"/remove", nil)
	cleo.post(http.StatusForbidden, path+"/approve", yes)
	if cleo.get(http.StatusOK, "/uploads/"); strings.Contains(cleo.page, filepath.Base(path)) {
		t.Error("the list shows what is somebody else's")
	}
	ann.post(http.StatusForbidden, path+"/approve", yes)
	ann.shows("Your role does not include this")
	ann.get(http.StatusForbidden, "/uploads/history")
	ben.post(http.StatusForbidden, path+"/remove", nil)
	nobody.get(http.StatusOK, path)
	if nobody.at != "/uploads/sign-in" {
		t.Errorf("a stranger is at %s", nobody.at)
	}
	nobody.post(http.StatusUnauthorized, path+"/approve", yes)
	nobody.get(http.StatusNotFound, "/uploads/../users.txt/x")
	nobody.get(http.StatusNotFound, "/uploads/static/..%2f..%2fusers.txt")

	for _, header := range []string{"Origin: https://shop.example.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		for _, at := range []string{path + "/approve", path + "/remove", "/uploads/sign-in", "/uploads/"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.url+at, strings.NewReader(yes.Encode()))
			check(t, err)
			name, value, _ := strings.Cut(header, ": ")
			request.Header.Set(name, value)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			ben.did(http.StatusForbidden, request)
			ben.shows("from a page of another site, and nothing was done")
		}
	}

	ben.post(http.StatusUnprocessableEntity, path+"/approve", url.Values{"digest": {digest}})
	ben.shows("say that you have looked at the numbers")
	ben.post(http.StatusForbidden, path+"/approve", url.Values{"digest": {strings.Repeat("0", 64)}, "looked": {"yes"}})
	u.wantsPlatform("activate", "")
	for name, want := range map[string]string{"Content-Security-Policy": "form-action 'self'; base-uri 'none'; frame-ancestors 'none'", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if !strings.Contains(ben.header.Get(name), want) {
			t.Errorf("%s is %q", name, ben.header.Get(name))
		}
	}
	ben.sends(path)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
	ben.post(http.StatusForbidden, path+"/approve", yes) // once is enough
}

// TestHarmUploadNeedsASecondPerson: neither who uploaded a file nor who made its
// preview has it sent, however often they ask.
func TestHarmUploadNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"second_person": true}).serveUploads()
	ben, bea, ann := u.signedIn("ben"), u.signedIn("bea"), u.signedIn("ann")
	path := ben.upload(http.StatusOK, "orders.csv", usualFile())
	ben.contains(ben.preview(path, nil), "A second person has it sent")
	digest := planOf.FindStringSubmatch(bea.get(http.StatusOK, path+"/approve"))[1]
	ben.get(http.StatusForbidden, path+"/approve")
	ben.post(http.StatusForbidden, path+"/approve", url.Values{"digest": {digest}, "looked": {"yes"}})
	ben.shows("A second person has it sent: you uploaded this file or made its preview. They sign in and find it in the list of uploads. Nothing was sent.")
	u.wantsPlatform("activate", "")

	other := ann.upload(http.StatusOK, "orders.csv", usualFile())
	ben.preview(other, nil)
	ben.get(http.StatusForbidden, other+"/approve")
	u.wantsPlatform("activate", "")
	bea.sends(other)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")

	// The first preview is of before: what it says was sent by the other.
	bea.contains(sums(bea.sends(path)), "sent 0/0/0")
	bea.contains(sums(bea.page), "sent before 3/2/2 37.50 EUR")
	for _, order := range []string{"1001", "1002"} {
		if p, _ := u.sim.Purchase("activate", order); p.Count != 1 {
			t.Errorf("the platform heard of %s %d times", order, p.Count)
		}
	}
}

// TestHarmUploadSignIn: passwords cannot be tried without end, who is taken out
// of the file is out at once, and a header that names a user is believed from
// the proxy alone.
func TestHarmUploadSignIn(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, fields{"proxy": fields{"header": "X-Forwarded-User", "addresses": []string{"192.0.2.1"}}})
	u := s.serveUploads()
	ann, guess := u.signedIn("ann"), u.visitor()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.url+"/uploads/", nil)
	check(t, err)
	request.Header.Set("X-Forwarded-User", "olga")
	guess.did(http.StatusOK, request)
	if guess.at != "/uploads/sign-in" {
		t.Errorf("anybody who names olga is at %s", guess.at)
	}
	for range 10 {
		guess.post(http.StatusForbidden, "/uploads/sign-in", url.Values{"name": {"ben"}, "password": {"wrong and wrong"}})
	}
	guess.shows("The name or the password is wrong.")
	guess.post(http.StatusTooManyRequests, "/uploads/sign-in", url.Values{"name": {"ben"}, "password": {uploadPassword}})
	guess.shows("Wait 15 minutes")
	u.signedIn("bea") // others may

	users, err := os.ReadFile(filepath.Join(u.dir, "users.txt"))
	check(t, err)
	_, others, _ := strings.Cut(string(users), "\n")
	write(t, u.dir, "users.txt", others)
	ann.post(http.StatusUnauthorized, "/uploads/", nil)
	ann.get(http.StatusOK, "/uploads/")
	ann.shows(`autocomplete="current-password"`)
	if strings.Contains(u.errs.String(), "wrong and wrong") {
		t.Error("the log holds a password")
	}
}

// TestHarmUploadBehindAProxy: who the proxy names is known, with the role of the
// file of users, and nobody else.
func TestHarmUploadBehindAProxy(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"proxy": fields{"header": "X-Forwarded-User", "addresses": []string{"127.0.0.0/8"}}}).serveUploads()
	for name, want := range map[string]int{"olga": http.StatusOK, "ann": http.StatusForbidden} {
		v := u.visitor()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.url+"/uploads/history", nil)
		check(t, err)
		request.Header.Set("X-Forwarded-User", name)
		v.did(want, request)
	}
	v := u.visitor()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.url+"/uploads/", nil)
	check(t, err)
	request.Header["X-Forwarded-User"] = []string{"ann", "olga"} // one of them the visitor's own
	v.did(http.StatusOK, request)
	if v.at != "/uploads/sign-in" {
		t.Errorf("two names lead to %s", v.at)
	}
}

// TestHarmCanaryThroughUploads: addresses in an upload, wherever they stand in
// it, turn up masked in its pages, and nowhere else but in the file.
func TestHarmCanaryThroughUploads(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben, olga, at := u.signedIn("ben"), u.signedIn("olga"), ago(time.Hour)
	file := usualHeader + ",note\n" + strings.Join([]string{
		"1," + at + "," + canaryAddress + ",MUG,1,5," + canaryAddress, canaryAddress + "," + at + ",,MUG,1,5,", "3," + canaryAddress + ",,MUG,1,5,", "4," + at + ",," + canaryAddress + ",1,5,",
		"5," + at + "," + canaryAddress + ";" + canaryAddress + ",MUG,1,5,", "6," + at + ",,MUG," + canaryAddress + ",5,",
	}, "\n") + "\n"
	path := ben.upload(http.StatusOK, canaryAddress+".csv", []byte(file))
	u.quietAll("columns", ben.page)
	u.contains(ben.page, "c***@example.com")
	u.quietAll("preview", ben.preview(path, nil))
	u.quietAll("approval", ben.get(http.StatusOK, path+"/approve"))
	u.quietAll("sent", ben.sends(path))
	u.quietAll("report", ben.get(http.StatusOK, path+"/report"))
	u.quietAll("history", olga.get(http.StatusOK, "/uploads/history"))
	u.quietAll("list", ben.get(http.StatusOK, "/uploads/"))
	for _, form := range []url.Values{{"column-0": {canaryAddress}}, {"date_format": {canaryAddress}}} {
		ben.post(http.StatusUnprocessableEntity, path+"/columns", form)
		u.quietAll("refusal", strings.ReplaceAll(ben.page, `value="`+canaryAddress+`"`, ""))
	}
	ben.upload(http.StatusOK, "2.csv", []byte(canaryAddress+",b\n1,2\n"))
	u.quietAll("headless", ben.page)
	ben.get(http.StatusNotFound, "/uploads/"+canaryAddress)
	u.quietAll("nowhere", ben.page)
	ben.post(http.StatusForbidden, "/uploads/sign-in", url.Values{"name": {canaryAddress}, "password": {canaryKey}})
	u.quietAll("sign-in", ben.page)
	u.end()
	u.quietAll("log", u.errs.String())
	if !strings.Contains(u.platform("activate"), "1 5 EUR") {
		t.Error("the platform holds nothing: what was to be hidden was not there")
	}
	u.quietState("orders.csv", "orders.fix.csv") // the file, and what comes back of it
}

// TestHarmUploadAndStatus: where the status decides which orders count, no file
// goes without one.
func TestHarmUploadAndStatus(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	s.source("shop", fields{"columns": columns(fields{"status": "status"}), "completed_when": []string{"paid"}, "not_completed": []string{"cancelled"}})
	u := s.serveUploads()
	ben, at := u.signedIn("ben"), ago(time.Hour)
	path := ben.upload(http.StatusOK, "orders.csv", usualFile())
	ben.post(http.StatusUnprocessableEntity, path+"/columns", ben.proposed())
	ben.shows("No column was chosen as: status")
	file := usualHeader + ",state\n1," + at + ",ann@example.com,MUG,1,5,paid\n2," + at + ",ann@example.com,MUG,1,7,cancelled\n"
	path = ben.upload(http.StatusOK, "orders.csv", []byte(file))
	page := ben.preview(path, url.Values{"column-6": {"status"}})
	want := "to send 1/1/1 5.00 EUR\nsent before 0/0/0 –\nnot sendable 0/0/0 –\nfiltered out 1/1/0 7.00 EUR\nnot completed, by its status 1/1/0 7.00 EUR\nin the file 2/2/1 12.00 EUR"
	if got := strings.ReplaceAll(sums(page), "&ndash;", "–"); got != want {
		t.Errorf("the preview says\n%s\nwant\n%s\n%s", got, want, readAloud(page))
	}
}

// TestHarmUploadsOfTwoServices: one service at a time works on the uploads, and
// the next one takes them over when it has ended.
func TestHarmUploadsOfTwoServices(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "uploads")
	free, err := ownUploads(t.Context(), dir, time.Second)
	check(t, err)
	if _, err := ownUploads(t.Context(), dir, 300*time.Millisecond); err == nil || !strings.Contains(err.Error(), "another makegood serve") {
		t.Errorf("a second service: %v", err)
	}
	time.AfterFunc(300*time.Millisecond, free)
	again, err := ownUploads(t.Context(), dir, time.Minute)
	check(t, err)
	again()
}
