package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const uploadPassword = "correct horse battery"

// uploadShop is a shop whose people upload files: ann is analyst, cleo another
// one, ben and bea are approvers, olga is operator.
func uploadShop(t *testing.T, over fields) *shop {
	t.Helper()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", nil)
	s.conf["serve"] = fields{"uploads": with(fields{"users": "users.txt", "source": "shop", "targets": []string{"activate"}}, over)}
	s.conf["state_dir"] = "state"
	hash, err := bcrypt.GenerateFromPassword([]byte(uploadPassword), 10)
	check(t, err)
	users := ""
	for _, u := range []string{"ann:analyst", "cleo:analyst", "ben:approver", "bea:approver", "olga:operator"} {
		users += u + ":" + string(hash) + "\n"
	}
	write(t, s.dir, "users.txt", users)
	return s
}

// uploading is the pages of a shop that answer.
type uploading struct {
	*shop
	url  string
	errs *sharedText
	end  func()
}

// serveUploads starts the service as a process, and ends it with Ctrl-C.
func (s *shop) serveUploads() *uploading {
	s.Helper()
	address := freeAddress()
	u := &uploading{shop: s, url: "http://" + address, errs: &sharedText{}}
	cmd := play(s.T, "serve", "--listen", address, "-c", s.file())
	cmd.Stderr = u.errs
	check(s.T, cmd.Start())
	ended := false
	u.end = func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			s.Errorf("the service: %v\n%s", err, u.errs.String())
		}
	}
	s.Cleanup(u.end)
	s.contains(s.told(address, "GET", "/healthz", "", "", ""), "ok")
	return u
}

// visitor is somebody with a browser that knows no script.
type visitor struct {
	*uploading
	http.Client
	page   string // what was shown last
	status int
	at     string
	header http.Header
}

func (u *uploading) visitor() *visitor {
	u.Helper()
	jar, err := cookiejar.New(nil)
	check(u.T, err)
	return &visitor{uploading: u, Client: http.Client{Jar: jar, Timeout: time.Minute}}
}

// signedIn is a visitor who has signed in.
func (u *uploading) signedIn(name string) *visitor {
	u.Helper()
	v := u.visitor()
	v.post(http.StatusOK, "/uploads/sign-in", url.Values{"name": {name}, "password": {uploadPassword}})
	v.shows("Sign out")
	return v
}

func (v *visitor) did(want int, request *http.Request) {
	v.Helper()
	response, err := v.Do(request)
	if err != nil {
		v.Fatalf("%v\n%s", err, v.errs.String())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	check(v.T, err)
	v.page, v.status, v.at, v.header = string(text), response.StatusCode, response.Request.URL.Path, response.Header
	if v.status != want {
		v.Fatalf("%s %s: %d, want %d\n%s\n%s", request.Method, request.URL.Path, v.status, want, readAloud(v.page), v.errs.String())
	}
}

var (
	unread = regexp.MustCompile(`(?s)<select.*?</select>|<head>.*?</head>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// readAloud is a page as it is read aloud.
func readAloud(page string) string {
	return blanks.ReplaceAllString(unread.ReplaceAllString(page, " "), " ")
}

func (v *visitor) get(want int, path string) string {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.url+path, nil)
	check(v.T, err)
	v.did(want, request)
	return v.page
}

func (v *visitor) post(want int, path string, form url.Values) string {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.url+path, strings.NewReader(form.Encode()))
	check(v.T, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v.did(want, request)
	return v.page
}

// upload brings a file, and waits until it was looked at. It gives the path of
// its page.
func (v *visitor) upload(want int, name string, content []byte) string {
	v.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	check(v.T, err)
	_, err = part.Write(content)
	check(v.T, err)
	check(v.T, form.Close())
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.url+"/uploads/", &body)
	check(v.T, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	v.did(want, request)
	path := v.at
	if want == http.StatusOK {
		v.waits(path)
	}
	return path
}

// waits looks at a page until nothing is under way there.
func (v *visitor) waits(path string) string {
	v.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(30 * time.Millisecond) {
		if page := v.get(http.StatusOK, path); !strings.Contains(page, `http-equiv="refresh"`) {
			return page
		}
	}
	v.Fatalf("%s is still under way\n%s", path, v.errs.String())
	return ""
}

var (
	selected     = regexp.MustCompile(`(?s)<select name="([a-z]+-?[0-9]*)".*?</select>`)
	isChosen     = regexp.MustCompile(`<option value="([^"]*)" selected`)
	planOf       = regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`)
	hiddenFields = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)
	tableRows    = regexp.MustCompile(`(?s)<tr class="(?:place|place first|total|why)"><th scope="row">(.*?)(?:<span class="at">(.*?)</span>)?</th><td class="n">(.*?)</td><td class="n">(.*?)</td><td class="n">(.*?)</td><td class="n">(.*?)</td></tr>`)
	tags         = regexp.MustCompile(`<[^>]*>`)
)

// shows wants words on the page that was shown last.
func (v *visitor) shows(words string) {
	v.Helper()
	if !strings.Contains(v.page, words) {
		v.Errorf("the page lacks %q: %s", words, readAloud(v.page))
	}
}

// proposed are the fields of the form of columns as they are proposed.
func (v *visitor) proposed() url.Values {
	form := url.Values{}
	for _, one := range selected.FindAllStringSubmatch(v.page, -1) {
		if value := isChosen.FindStringSubmatch(one[0]); value != nil {
			form.Set(one[1], value[1])
		}
	}
	return form
}

// preview makes the preview with the columns that are proposed, and some
// others.
func (v *visitor) preview(path string, other url.Values) string {
	v.Helper()
	v.get(http.StatusOK, path+"/columns")
	form := v.proposed()
	for key, value := range other {
		form[key] = value
	}
	v.post(http.StatusOK, path+"/columns", form)
	if v.waits(path); !strings.Contains(v.page, "<h1>Preview</h1>") {
		v.Fatalf("there is no preview: %s", readAloud(v.page))
	}
	return v.page
}

// sums gives the tables of a preview, line by line: rows, orders, messages, money.
func sums(page string) string {
	var lines []string
	for _, row := range tableRows.FindAllStringSubmatch(page, -1) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s/%s/%s %s", row[1], row[3], row[4], row[5], strings.ReplaceAll(tags.ReplaceAllString(row[6], ""), "\u2013", "&ndash;"))))
	}
	return strings.Join(lines, "\n")
}

// sends approves the plan that is shown, and waits until it was sent.
func (v *visitor) sends(path string) string {
	v.Helper()
	page := v.get(http.StatusOK, path+"/approve")
	digest := planOf.FindStringSubmatch(page)
	if digest == nil {
		v.Fatalf("no plan is named: %s", page)
	}
	v.post(http.StatusOK, path+"/approve", url.Values{"digest": {digest[1]}, "looked": {"yes"}})
	return v.waits(path)
}

// usualFile is a file with the columns of the source: two orders to send, one of
// two lines, one that cannot be read, and one twice.
func usualFile() []byte {
	at := ago(3 * time.Hour)
	return []byte(usualHeader + "\n" + strings.Join([]string{
		"1001," + at + ",ann@example.com,MUG,1,12.50", "1002," + at + ",ben@example.com,MUG,2,10.00", "1002," + at + ",ben@example.com,CUP,1,5.00",
		"1003," + at + ",cleo@example.com,MUG,many,12.50",
	}, "\n") + "\n")
}

// TestUploadSendsWhatWasShown goes the whole way without script: sign in, upload,
// columns, preview, approval, report, the file with remarks; and again, with the
// same file, nothing is sent.
func TestUploadSendsWhatWasShown(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben := u.signedIn("ben")
	path := ben.upload(http.StatusOK, "../../etc/November export.csv", usualFile())
	ben.shows("November export.csv")
	ben.shows("a***@example.com")
	if strings.Contains(ben.page, "ann@example.com") {
		t.Error("the columns show an address")
	}
	page := ben.preview(path, nil)
	want := "to send 3/2/2 37.50 EUR\nsent before 0/0/0 –\nnot sendable 1/1/0 –\norders with a row that cannot be read 1/1/0 –\nfiltered out 0/0/0 –\nin the file 4/3/2 37.50 EUR"
	if got := strings.ReplaceAll(sums(page), "&ndash;", "–"); got != want {
		t.Errorf("the preview says\n%s\nwant\n%s", got, want)
	}
	ben.contains(page, "Nothing was sent")
	ben.contains(page, `<th scope="row" class="n">5</th><td>n</td><td>1003</td>`)
	ben.shows(`to send<span class="at">rows 2-4</span>`)
	ben.shows("In 1 rows no amount can be read")
	if marked := ben.get(http.StatusOK, path+"/marked"); !strings.Contains(marked, "would be sent by this plan") {
		t.Errorf("the file with remarks: %s", marked)
	}
	u.wantsPlatform("activate", "")

	page = ben.sends(path)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
	for _, pattern := range []string{"plans/*", "uploads/*/plan"} {
		if left, _ := filepath.Glob(filepath.Join(u.dir, "state", pattern)); len(left) > 0 {
			t.Errorf("what was sent lies about: %v", left)
		}
	}
	ben.contains(page, "Approved by ben")
	ben.contains(ben.get(http.StatusOK, path+"/report"), "Approved")
	if marked := ben.get(http.StatusOK, path+"/marked"); !strings.Contains(marked, "fix this row") || ben.header.Get("Content-Disposition") != `attachment; filename="marked-orders.csv"` {
		t.Errorf("the file with remarks: %v\n%s", ben.header, marked)
	}

	again := ben.upload(http.StatusOK, "again.csv", usualFile())
	page = ben.preview(again, nil)
	ben.contains(sums(page), "sent before 3/2/2 37.50 EUR")
	ben.contains(page, "There is nothing to send.")
	ben.get(http.StatusForbidden, again+"/approve")
	u.end()
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
	info, err := os.Stat(filepath.Join(u.dir, "state", "uploads", filepath.Base(path), "file", "orders.csv"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info, err)
	}
	text, err := os.ReadFile(filepath.Join(u.dir, "state", "uploads", "history.jsonl"))
	check(t, err)
	for _, did := range []string{"uploaded", "made a preview", "approved", "sent"} {
		u.contains(string(text), `"user":"ben","upload":"`+filepath.Base(path)+`","did":"`+did+`"`)
	}
	if strings.Contains(string(text)+u.errs.String(), "@") {
		t.Errorf("the history or the log holds an address:\n%s%s", text, u.errs)
	}
}

// TestUploadRemembersColumns: a workbook whose columns the configuration does
// not know is read as somebody said, and the next one like it is proposed so.
func TestUploadRemembersColumns(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben, ann := u.signedIn("ben"), u.signedIn("ann")
	book := func(order int) []byte {
		u.book("any.xlsx", []any{"Ref A", "Moment", "Who", "What", "How many", "=cost", "Cost"}, []any{order, ago(2 * time.Hour), "ann@example.com", "MUG", 2, "x", 7.5})
		text, err := os.ReadFile(filepath.Join(u.dir, "any.xlsx"))
		check(t, err)
		return text
	}
	path := ann.upload(http.StatusOK, "any.xlsx", book(2001))
	ann.shows("2001")
	ann.shows("7.5")
	ann.post(http.StatusUnprocessableEntity, path+"/columns", url.Values{"column-0": {"order"}, "column-3": {"order"}})
	ann.shows("Two columns were chosen as order number")
	said := url.Values{"column-0": {"order"}, "column-1": {"completed_at"}, "column-2": {"email"}, "column-3": {"sku"}, "column-4": {"quantity"}, "column-6": {"price"}}
	trap := url.Values{"column-5": {"price"}}
	for key, value := range said {
		if key != "column-6" {
			trap[key] = value
		}
	}
	ann.post(http.StatusUnprocessableEntity, path+"/columns", trap)
	ann.shows("begins with =")
	ann.preview(path, said)
	ben.sends(path)
	u.wantsPlatform("activate", "2001 15 EUR")
	ben.get(http.StatusOK, path+"/marked")
	if !strings.HasPrefix(ben.page, "PK") || ben.header.Get("Content-Disposition") != `attachment; filename="marked-orders.xlsx"` {
		t.Errorf("the workbook with remarks: %v", ben.header)
	}

	again := ben.upload(http.StatusOK, "next.xlsx", book(2002))
	if got := ben.proposed(); got.Encode() != said.Encode() {
		t.Errorf("proposed are %v, want %v", got, said)
	}
	ben.preview(again, nil)
	ben.sends(again)
	u.wantsPlatform("activate", "2001 15 EUR, 2002 15 EUR")
	u.end()

	// After the service began anew, everything is as it was, but who was signed in.
	u = u.shop.serveUploads()
	ben = u.signedIn("ben")
	ben.get(http.StatusOK, path)
	ben.shows("Approved by ben")
	olga := u.signedIn("olga")
	olga.post(http.StatusOK, path+"/remove", nil)
	ben.get(http.StatusNotFound, path)
	olga.get(http.StatusOK, "/uploads/history")
	olga.shows("removed")
}
