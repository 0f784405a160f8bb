package main

import (
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// zeros are so many bytes that nobody keeps.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	clear(p[:n])
	*z -= zeros(n)
	return int(n), nil
}

// streams uploads a file of so many bytes, which it makes on the way. told says
// that the request names its length.
func (v *visitor) streams(want int, name string, bytes int64, told bool) {
	v.Helper()
	var frame strings.Builder
	form := multipart.NewWriter(&frame)
	_, err := form.CreateFormFile("file", name)
	check(v.T, err)
	head := frame.String()
	check(v.T, form.Close())
	rest := zeros(bytes)
	body := io.MultiReader(strings.NewReader(head), &rest, strings.NewReader(frame.String()[len(head):]))
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.url+"/uploads/", body)
	check(v.T, err)
	if told {
		request.ContentLength = int64(frame.Len()) + bytes
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	v.did(want, request)
}

// TestHarmUploadOfTwoGigabytes: a file that is far too large is refused in words,
// and never on the disk, whether or not the request says how large it is.
func TestHarmUploadOfTwoGigabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; the shorter ways through the page are gone")
	}
	t.Parallel()
	u := uploadShop(t, fields{"max_size": "1MB"}).serveUploads()
	ann := u.signedIn("ann")
	most := watchSize(t, filepath.Join(u.dir, "state", "uploads"))
	for _, told := range []bool{true, false} {
		ann.streams(http.StatusUnprocessableEntity, "year.csv", 2_000_000_000, told)
		ann.shows("The file is larger than 1 MB, and nothing of it was kept.")
		if ann.upload(http.StatusOK, "orders.csv", usualFile()); !strings.Contains(ann.page, "<h1>Columns</h1>") {
			t.Errorf("behind it nothing is taken: %s", readAloud(ann.page))
		}
		ann.post(http.StatusOK, ann.at+"/remove", nil)
	}
	if n := most(); n > 2_000_000 {
		t.Errorf("%d bytes of it were on the disk", n)
	}
	u.leftNothing()
}

// watchSize gives the most bytes that a folder ever held, once it is asked.
func watchSize(t *testing.T, dir string) (most func() int64) {
	t.Helper()
	stop, seen := make(chan struct{}), make(chan int64)
	go func() {
		largest := int64(0)
		for {
			n := int64(0)
			_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
				if err != nil {
					return nil // removed meanwhile
				}
				if info, err := e.Info(); err == nil && !e.IsDir() {
					n += info.Size()
				}
				return nil
			})
			largest = max(largest, n)
			select {
			case <-stop:
				seen <- largest
				return
			default:
			}
		}
	}()
	return func() int64 { close(stop); return <-seen }
}

// TestHarmUploadNames: whatever a file is called, it is written under one name,
// and shown by its last part, cut, masked and the right way round.
func TestHarmUploadNames(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ann := u.signedIn("ann")
	for name, shown := range map[string]string{
		"../../etc/passwd":                       "passwd, ",
		`C:\Users\ann\..\orders.csv`:             "orders.csv, ",
		strings.Repeat("a", 4_000) + ".csv":      strings.Repeat("a", 80) + ", ",
		"november\u202egpj.csv":                  "novembergpj.csv, ",
		"..":                                     "unnamed, ",
		`"><b>bold</b>.csv`:                      "b&gt;.csv, ",
		"/dev/null":                              "null, ",
		strings.Repeat("../", 200) + "x\r\nY: z": "x%0D%0AY: z, ",
	} {
		path := ann.upload(http.StatusOK, name, usualFile())
		if !strings.Contains(ann.page, "<p>"+shown) || strings.Contains(ann.page, "<b>bold") {
			t.Errorf("%.60q is shown as %.300s, want %s", name, readAloud(ann.page), shown)
		}
		files, err := filepath.Glob(filepath.Join(u.dir, "state", path, "*", "*"))
		check(t, err)
		if len(files) != 1 || filepath.Base(files[0]) != "orders.csv" {
			t.Errorf("%.60q is written as %v", name, files)
		}
		ann.preview(path, nil)
		ann.post(http.StatusOK, path+"/remove", nil)
	}
	ann.upload(http.StatusUnprocessableEntity, "orders.csv\x00.exe", usualFile())
	ann.shows("its name holds a sign that no name may have")
	u.leftNothing()
}

// TestHarmUploadStolenPlans: a plan is sent on the word of somebody who may,
// signed in, on the page of its own upload, and on no other.
func TestHarmUploadStolenPlans(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"second_person": true}).serveUploads()
	ann, cleo, ben, bea := u.signedIn("ann"), u.signedIn("cleo"), u.signedIn("ben"), u.signedIn("bea")
	mine, other := ann.upload(http.StatusOK, "mine.csv", usualFile()), cleo.upload(http.StatusOK, "other.csv", []byte(strings.ReplaceAll(string(usualFile()), "1001", "2001")))
	ann.preview(mine, nil)
	cleo.preview(other, nil)
	plan := func(path string) url.Values {
		return url.Values{"digest": {planOf.FindStringSubmatch(ben.get(http.StatusOK, path+"/approve"))[1]}, "looked": {"yes"}}
	}
	stolen, own := plan(other), plan(mine)

	ben.post(http.StatusForbidden, mine+"/approve", stolen) // the plan of another upload
	ben.shows("Look at how it stands now.")
	cleo.post(http.StatusForbidden, mine+"/approve", own) // another user without the role
	cleo.post(http.StatusNotFound, mine+"/stop", nil)
	cleo.get(http.StatusForbidden, mine+"/approve")
	cookies := ben.Jar.Cookies(mustURL(t, u.url))
	ben.post(http.StatusOK, "/uploads/sign-out", nil)
	ben.Jar.SetCookies(mustURL(t, u.url), cookies) // kept by somebody who stole it
	ben.post(http.StatusUnauthorized, mine+"/approve", own)
	ben.shows("You are not signed in")
	u.wantsPlatform("activate", "")

	bea.sends(mine)
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	check(t, err)
	return parsed
}
