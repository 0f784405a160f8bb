package main

import (
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestUploadCountsAreTheCommands: numbers that were typed say on the page what
// the command says of a file with them, and are kept nowhere.
func TestUploadCountsAreTheCommands(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben, ann := u.signedIn("ben"), u.signedIn("ann")
	day := time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)
	form := url.Values{"target": {"activate"}, "counts": {day + " 3"}, "zone": {"UTC"}}
	ann.post(http.StatusUnprocessableEntity, "/uploads/counts", form)
	ann.shows("there is none yet; the first run begins it")
	path := ben.upload(http.StatusOK, "first.csv", []byte(usualHeader+"\n1001,"+day+" 10:00:00,ann@example.com,MUG,1,12.50\n"))
	ben.preview(path, nil)
	ben.sends(path)

	ann.post(http.StatusOK, "/uploads/counts", form)
	file := write(t, t.TempDir(), "counts.csv", "day,count\n"+day+",3\n")
	code, out, errs := makegood(t, "compare", "--target", "activate", "--counts", file, "--zone", "UTC", "-c", u.file())
	_, shown, _ := strings.Cut(ann.page, "<pre>")
	shown, _, _ = strings.Cut(shown, "</pre>")
	if code != exitLeft || html.UnescapeString(shown) != out || !strings.Contains(out, "+2") {
		t.Errorf("exit %d %s: the command says\n%s\nand the page\n%s", code, errs, out, shown)
	}
	ann.shows(day + " 3</textarea>")
	for text, says := range map[string]string{"yesterday": "Write a day and a number", day + " many": "1 row could not be read", "1/2/2026 3": "write them as 2026-11-20"} {
		form.Set("counts", text)
		request := map[bool]int{true: http.StatusOK, false: http.StatusUnprocessableEntity}[strings.HasSuffix(text, "many")]
		ann.post(request, "/uploads/counts", form)
		ann.shows(says)
	}
	form.Set("counts", day+" 3")
	for key, wrong := range map[string]string{"target": "elsewhere", "zone": "Nowhere/Never"} {
		spoilt := url.Values{"target": form["target"], "counts": form["counts"], "zone": form["zone"]}
		spoilt.Set(key, wrong)
		ann.post(http.StatusUnprocessableEntity, "/uploads/counts", spoilt)
	}
	if left, err := filepath.Glob(filepath.Join(u.dir, "state", "counts-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
