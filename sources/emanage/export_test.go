package emanage_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sources/emanage"
	"makegood/sources/table"
)

const (
	header  = "Order ID,Receipt ID,Total\n"
	secret  = "canary-password"
	token   = "canary-token"
	signing = "canary-signature"
)

// shop plays the API. It accuses who asks it wrongly.
type shop struct {
	testing.TB
	*httptest.Server
	pages  []string // the JSON of each page; LINK is where it lies
	files  []string
	answer func(w http.ResponseWriter, r *http.Request) bool // before the shop does; true: that was all
	token  string                                            // the body of /auth
	logins int
	asked  []string
	waits  []time.Duration
}

func newShop(t testing.TB) *shop {
	s := &shop{TB: t, token: token}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// page adds a page with a file.
func (s *shop) page(file string, more bool) {
	s.pages = append(s.pages, fmt.Sprintf(`{"link": "LINK", "hasMoreToExport": %t, "nextExport": %d}`, more, len(s.pages)+2))
	s.files = append(s.files, file)
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	if s.answer != nil && s.answer(w, r) {
		return
	}
	var number, size int
	switch {
	case r.URL.Path == "/public/auth":
		s.logins++
		if user, word, _ := r.BasicAuth(); r.Method != "POST" || user != "me" || word != secret {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, s.token)
	case r.Header.Get("Authorization") != "bearer "+token:
		http.Error(w, "who are you", http.StatusUnauthorized)
	case scan(r.URL.Path, "/public/order/export/%d/%d", &number, &size) && number >= 1 && number <= len(s.pages):
		if size != emanage.PageSize {
			s.Errorf("asked for %d orders", size)
		}
		fmt.Fprint(w, strings.ReplaceAll(s.pages[number-1], "LINK", fmt.Sprintf("%s/files/%d?signature=%s", s.URL, number, signing)))
	case scan(r.URL.Path, "/files/%d", &number):
		fmt.Fprint(w, s.files[number-1])
	default:
		http.NotFound(w, r)
	}
}

func scan(text, form string, into ...any) bool {
	_, err := fmt.Sscanf(text, form, into...)
	return err == nil
}

// fetch fetches two days into an empty folder. What an error says is searched
// for secrets.
func (s *shop) fetch() (emanage.Export, error) {
	s.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		s.Fatal(err)
	}
	o := emanage.Options{URL: s.URL + "/public/", Login: "me", Password: secret, Zone: zone,
		Wait: func(_ context.Context, d time.Duration) error { s.waits = append(s.waits, d); return nil }}
	w := reconcile.Window{From: time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 3, 5, 0, 0, 0, time.UTC)}
	e, err := emanage.Fetch(s.Context(), o, w, s.TempDir())
	if err != nil && strings.Contains(err.Error(), "canary") {
		s.Errorf("a secret stands in %q", err)
	}
	return e, err
}

func (s *shop) texts(e emanage.Export) []string {
	var texts []string
	for _, path := range e.Paths {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			s.Errorf("%s: %v %v", path, info, err)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			s.Error(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

// full is a page with as many rows as there can be.
func full(from int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range emanage.PageSize {
		fmt.Fprintf(&b, "%d,%d,1\n", from+i, i)
	}
	return b.String()
}

// TestFetch: the pages are brought here in their order, and what is odd at the
// end is told, or stops it.
func TestFetch(t *testing.T) {
	one, two := header+"1,1,5\n", header+"2,2,5\n"
	for name, c := range map[string]struct {
		play  func(s *shop)
		want  []string
		note  string
		fails error
	}{
		"one page":       {play: func(s *shop) { s.page(one, false) }, want: []string{one}},
		"two pages":      {play: func(s *shop) { s.page(full(1), true); s.page(two, false) }, want: []string{full(1), two}},
		"no link":        {play: func(s *shop) { s.pages = []string{`{"link": null, "hasMoreToExport": false}`} }},
		"empty, too":     {play: func(s *shop) { s.page(header, false) }, want: []string{header}},
		"nothing at all": {play: func(s *shop) { s.page("\n", false) }},
		"empty pages without end": {play: func(s *shop) { s.page(one, true); s.page(header, true); s.page(header, true) },
			want: []string{one}, note: "page 2 of the export is empty though more is announced"},
		"a short page again": {play: func(s *shop) { s.page(one, true); s.page(one, true); s.page(one, true) },
			want: []string{one}, note: "page 2 of the export is page 1 again"},
		"a full page again": {play: func(s *shop) { s.page(full(1), true); s.page(full(1), true) }, fails: emanage.ErrEndless},
		"two in turn":       {play: func(s *shop) { s.page(full(1), true); s.page(full(9000), true); s.page(full(1), true) }, fails: emanage.ErrEndless},
		"back to one": {play: func(s *shop) {
			s.pages = []string{`{"link": "LINK", "hasMoreToExport": true, "nextExport": 1}`}
			s.files = []string{one}
		},
			fails: emanage.ErrEndless},
		"by address": {play: func(s *shop) {
			s.pages = []string{`{"link": "LINK", "hasMoreToExport": true, "nextExport": "https://x/order/export/3/2000"}`, "", `{"link": "LINK"}`}
			s.files = []string{one, "", two}
		}, want: []string{one, two}},
		"no JSON":      {play: func(s *shop) { s.pages = []string{"<html>"} }, fails: emanage.ErrAnswer},
		"a long text":  {play: func(s *shop) { s.pages = []string{`{"link": "` + strings.Repeat("x", 1<<20) + `"}`} }, fails: emanage.ErrAnswer},
		"a plain link": {play: func(s *shop) { s.pages = []string{`{"link": "http://files.example.com/1"}`} }, fails: emanage.ErrAnswer},
		"a file link":  {play: func(s *shop) { s.pages = []string{`{"link": "file:///etc/passwd"}`} }, fails: emanage.ErrAnswer},
		"no file":      {play: func(s *shop) { s.pages = []string{`{"link": "/files/gone"}`} }, fails: emanage.ErrAnswer},
		"JSON token":   {play: func(s *shop) { s.page(one, false); s.token = `{"token": "` + token + `"}` }, want: []string{one}},
		"text token":   {play: func(s *shop) { s.page(one, false); s.token = `"` + token + `"` }, want: []string{one}},
		"no token":     {play: func(s *shop) { s.token = `{"ok": true}` }, fails: emanage.ErrAnswer},
		"a page":       {play: func(s *shop) { s.token = "<html>hello</html>" }, fails: emanage.ErrAnswer},
		"another's":    {play: func(s *shop) { s.page(one, false); s.token = "canary-wrong" }, fails: emanage.ErrLogin},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			c.play(s)
			e, err := s.fetch()
			if !errors.Is(err, c.fails) {
				t.Fatalf("gave %v, want %v", err, c.fails)
			}
			if got := s.texts(e); c.fails == nil && !slices.Equal(got, c.want) {
				t.Errorf("brought %q", got)
			}
			if notes := strings.Join(e.Notes, "; "); !strings.Contains(notes, c.note) || (notes == "") != (c.note == "") {
				t.Errorf("noted %q", notes)
			}
			if c.fails == nil && !strings.HasSuffix(s.asked[1], "?EndDate=2026-11-04&StartDate=2026-10-31") {
				t.Errorf("asked %s", s.asked[1])
			}
		})
	}
}

// once answers the first request for a path otherwise.
func once(part string, answer http.HandlerFunc) func(w http.ResponseWriter, r *http.Request) bool {
	done := false
	return func(w http.ResponseWriter, r *http.Request) bool {
		if done || !strings.Contains(r.URL.Path, part) {
			return false
		}
		done = true
		answer(w, r)
		return true
	}
}

func status(code int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.example.com/")
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(code)
	}
}

// TestTokenRunsOut: a token is asked for anew once, and not for ever.
func TestTokenRunsOut(t *testing.T) {
	s := newShop(t)
	s.page(full(1), true)
	s.page(header+"2,2,5\n", false)
	s.answer = once("/export/2/", status(401, ""))
	if e, err := s.fetch(); err != nil || len(e.Paths) != 2 || s.logins != 2 {
		t.Errorf("%d pages, %d logins: %v", len(e.Paths), s.logins, err)
	}
	s.logins = 0
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/export/2/") {
			return false
		}
		status(401, "")(w, r)
		return true
	}
	if _, err := s.fetch(); !errors.Is(err, emanage.ErrLogin) || s.logins != 2 {
		t.Errorf("%d logins: %v", s.logins, err)
	}
}

// TestBusy: what is asked to wait waits, but not for hours.
func TestBusy(t *testing.T) {
	for name, c := range map[string]struct {
		after string
		waits []time.Duration
		fails error
	}{
		"seconds": {"7", []time.Duration{7 * time.Second}, nil},
		"nothing": {"", []time.Duration{5 * time.Second}, nil},
		"an hour": {"3600", nil, emanage.ErrBusy},
		"a day":   {time.Now().Add(24 * time.Hour).UTC().Format(http.TimeFormat), nil, emanage.ErrBusy},
	} {
		for _, part := range []string{"/auth", "/export/1/", "/files/1"} {
			t.Run(name+part, func(t *testing.T) {
				s := newShop(t)
				s.page(header+"1,1,5\n", false)
				s.answer = once(part, status(429, c.after))
				if _, err := s.fetch(); !errors.Is(err, c.fails) || !slices.Equal(s.waits, c.waits) {
					t.Errorf("waited %v: %v", s.waits, err)
				}
			})
		}
	}
	s := newShop(t)
	s.answer = func(w http.ResponseWriter, r *http.Request) bool { status(503, "1")(w, r); return true }
	if _, err := s.fetch(); !errors.Is(err, emanage.ErrBusy) || len(s.waits) != 3 {
		t.Errorf("waited %v: %v", s.waits, err)
	}
}

// TestElsewhere: the login, the token and the export never follow a redirect,
// and another host never sees the token.
func TestElsewhere(t *testing.T) {
	for _, part := range []string{"/auth", "/export/1/", "/files/1"} {
		s := newShop(t)
		s.page(header+"1,1,5\n", false)
		s.answer = once(part, status(302, ""))
		if _, err := s.fetch(); !errors.Is(err, emanage.ErrAnswer) || !strings.Contains(err.Error(), "leads elsewhere") {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// TestLost: a connection that breaks is one that may be made anew; the address
// of a file, which opens it, is not told.
func TestLost(t *testing.T) {
	for _, part := range []string{"/auth", "/export/1/", "/files/1"} {
		s := newShop(t)
		s.page(header+"1,1,5\n", false)
		s.answer = once(part, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler)
		})
		if _, err := s.fetch(); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: %v", part, err)
		}
	}
	s := newShop(t)
	s.Close()
	if _, err := s.fetch(); !errors.Is(err, table.ErrLost) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestNoRoom(t *testing.T) {
	s := newShop(t)
	s.page(header+"1,1,5\n", false)
	_, err := emanage.Fetch(t.Context(), emanage.Options{URL: s.URL + "/public", Login: "me", Password: secret},
		reconcile.Window{From: time.Now(), To: time.Now()}, filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, table.ErrLost) {
		t.Errorf("got %v", err)
	}
}

func TestRename(t *testing.T) {
	for in, want := range map[string]string{
		"OrderId,OrderStatus,PaymentStatus,createDate,Amount USD,SKU":   "Order ID,Order Status Name,Receipt Status Name,Order Create Date,Total,SKU",
		"Order ID ,order create date,Total,Amount,productPrice":         "Order ID,Order Create Date,Total,Amount,productPrice",
		"Order Number,Order ID,Reference ID":                            "Order Number,Order ID,Reference ID",
		"ReferenceId,PaymentTrackingNumber,Receipt  ID,TransactionId,x": "Reference ID,Payment Tracking Number,Receipt ID,TransactionId,x",
	} {
		if got := strings.Join(emanage.Rename(strings.Split(in, ",")), ","); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}
