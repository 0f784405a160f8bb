package upload

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// fakeCore answers what it is told to, and counts what was sent.
type fakeCore struct {
	look   Look
	report reports.Report
	err    error
	waits  bool // until it is stopped
	sent   atomic.Int32
}

func (c *fakeCore) Look(context.Context, string) (Look, error) { return c.look, c.err }
func (c *fakeCore) Plan(ctx context.Context, _ string, _ func(string)) (reports.Report, error) {
	if c.waits {
		<-ctx.Done()
		return c.report, context.Cause(ctx)
	}
	return c.report, c.err
}
func (c *fakeCore) Apply(ctx context.Context, _ string, _ Approval, _ func(string)) (reports.Report, error) {
	c.sent.Add(1)
	if c.waits {
		<-ctx.Done()
	}
	return c.report, c.err
}

// fakeBrake keeps what was said to it, and accuses whoever says nothing.
type fakeBrake struct {
	pauses []Pause
	said   []Word
	err    error
}

func (b *fakeBrake) Pauses(context.Context) ([]Pause, error) { return b.pauses, b.err }
func (b *fakeBrake) Say(_ context.Context, w Word) error {
	if w.Who == "" || w.Note == "" || w.Target == "" {
		return errors.New("a word without who, why or what")
	}
	b.said = append(b.said, w)
	return nil
}

// newPages opens pages over a folder, with a clock of its own.
func newPages(t *testing.T, core Core, dir string, now *time.Time) *Pages {
	t.Helper()
	users := filepath.Join(t.TempDir(), "users.txt")
	if err := os.WriteFile(users, []byte("ann:analyst:-\nben:approver:-\nolga:operator:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Core: core, Brake: &fakeBrake{}, Destinations: []string{"activate"}, Dir: dir, Users: users, Zone: time.UTC, MaxSize: 1000, Keep: 24 * time.Hour,
		Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// as asks for a page as somebody who has signed in.
func (p *Pages) as(user, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: cookieNear, Value: p.sessions.begin(user)})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// planned is an upload that waits for its approval.
func planned(now time.Time) *Upload {
	line := Line{Label: "to send", Orders: 1, Events: 1}
	return &Upload{ID: random(16), By: "ann", At: now, Name: "a.csv", File: "orders.csv", State: Planned, Look: Look{Columns: []string{"id"}},
		Planned: &Preview{Digest: "d1", Path: "p", Expires: now.Add(time.Hour), Targets: []Sum{{Target: "activate", Holds: true, Send: line, Lines: []Line{line}}}}}
}

func (p *Pages) put(t *testing.T, u *Upload) *Upload {
	t.Helper()
	if err := errors.Join(os.MkdirAll(p.store.folder(u.ID), 0o700), p.store.add(u)); err != nil {
		t.Fatal(err)
	}
	return u
}

var approval = url.Values{"digest": {"d1"}, "looked": {"yes"}}

// TestApprovalNeedsAPlanThatHolds: what does not add up, is too old, sends
// nothing or is another plan is not sent, whoever approves it.
func TestApprovalNeedsAPlanThatHolds(t *testing.T) {
	now := time.Now()
	for name, spoil := range map[string]func(*Upload){
		"does not add up": func(u *Upload) { u.Planned.Targets[0].Holds = false },
		"too old":         func(u *Upload) { u.Planned.Expires = now },
		"sends nothing":   func(u *Upload) { u.Planned.Targets[0].Send = Line{} },
		"failed":          func(u *Upload) { u.Planned.Failed = "half of it was read" },
		"another plan":    func(u *Upload) { u.Planned.Digest = "d2" },
		"no plan":         func(u *Upload) { u.Planned = nil },
		"under way":       func(u *Upload) { u.State = Sending },
		"sent":            func(u *Upload) { u.State = Done },
	} {
		core := &fakeCore{}
		p := newPages(t, core, t.TempDir(), &now)
		u := planned(now)
		spoil(u)
		p.put(t, u)
		if w := p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		p.Close()
		if core.sent.Load() != 0 {
			t.Errorf("%s: it was sent", name)
		}
	}
}

// TestSecondPersonAbove: above an amount, in a currency that no amount is named
// for, and where nobody knows the amount, somebody else approves.
func TestSecondPersonAbove(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		worth []map[string]string // of each destination
		want  int
	}{
		"exactly the amount":  {[]map[string]string{{"EUR": "1000.00"}}, http.StatusSeeOther},
		"a tenth of a cent":   {[]map[string]string{{"EUR": "1000.001"}}, http.StatusForbidden},
		"another currency":    {[]map[string]string{{"EUR": "1", "USD": "0.01"}}, http.StatusForbidden},
		"both below":          {[]map[string]string{{"EUR": "1", "GBP": "799.99"}}, http.StatusSeeOther},
		"another destination": {[]map[string]string{{"EUR": "1"}, {"GBP": "800.01"}}, http.StatusForbidden},
		"no amount":           {[]map[string]string{nil}, http.StatusForbidden},
		"no number":           {[]map[string]string{{"EUR": "NaN"}}, http.StatusForbidden},
	} {
		core := &fakeCore{report: reports.Report{Sources: []reports.Source{{}}}}
		p := newPages(t, core, t.TempDir(), &now)
		p.o.Above = map[string]reconcile.Decimal{}
		for currency, text := range map[string]string{"EUR": "1000", "GBP": "800"} {
			most, err := reconcile.ParseDecimal(text)
			if err != nil {
				t.Fatal(err)
			}
			p.o.Above[currency] = most
		}
		u := planned(now)
		u.By = "ben"
		sum := u.Planned.Targets[0]
		u.Planned.Targets = nil
		for _, worth := range c.worth {
			sum.Worth = worth
			u.Planned.Targets = append(u.Planned.Targets, sum)
		}
		p.put(t, u)
		if w := p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval); w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		p.working.Wait()
		if sent := core.sent.Load() == 1; sent != (c.want == http.StatusSeeOther) {
			t.Errorf("%s: sent is %v", name, sent)
		}
		u = planned(now)
		u.Planned.Targets[0].Worth = map[string]string{"EUR": "1000000"}
		if p.needsSecond(User{Name: "ann", Role: Approver}, u.Planned) == "" || p.mayApprove(User{Name: "ben", Role: Approver}, *u) != "" {
			t.Errorf("%s: a second person may not", name)
		}
	}
}

// TestApprovalOnce: of many who approve at once, one has it sent.
func TestApprovalOnce(t *testing.T) {
	now, core := time.Now(), &fakeCore{report: sentReport(1, 0, 0, 0)}
	p := newPages(t, core, t.TempDir(), &now)
	path := "/uploads/" + p.put(t, planned(now)).ID + "/approve" // the store goes on with the upload
	codes := make(chan int)
	for range 20 {
		go func() { codes <- p.as("ben", http.MethodPost, path, approval).Code }()
	}
	done := 0
	for range 20 {
		if <-codes == http.StatusSeeOther {
			done++
		}
	}
	p.working.Wait()
	if done != 1 || core.sent.Load() != 1 {
		t.Errorf("%d approved it, it was sent %d times", done, core.sent.Load())
	}
	deeds, err := p.history.last(10, func(Deed) bool { return true })
	if err != nil || len(deeds) != 2 || deeds[0].Did != "sent" || deeds[1].Did != "approved" || deeds[1].Plan != "d1" {
		t.Errorf("the history says %+v, %v", deeds, err)
	}
}

// TestApprovalIsWrittenDownFirst: what the history cannot hold is not sent.
func TestApprovalIsWrittenDownFirst(t *testing.T) {
	now, core := time.Now(), &fakeCore{}
	p := newPages(t, core, t.TempDir(), &now)
	u := p.put(t, planned(now))
	p.history.path = filepath.Join(p.store.dir, "nowhere", "history.jsonl")
	if w := p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "nowhere") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	p.Close()
	if one, _ := p.store.get(u.ID); core.sent.Load() != 0 || one.State != Planned {
		t.Errorf("it was sent, and is %s", one.State)
	}
}

// TestStopped: what is under way ends when somebody who sees it stops it, and the
// page says on whose word; what was sent by then is told.
func TestStopped(t *testing.T) {
	now, core := time.Now(), &fakeCore{waits: true, report: reports.Report{Sources: []reports.Source{{}}}}
	p := newPages(t, core, t.TempDir(), &now)
	u := p.put(t, planned(now))
	if w := p.as("ann", http.MethodPost, "/uploads/"+u.ID+"/stop", nil); w.Code != http.StatusConflict {
		t.Errorf("nothing was under way: %d", w.Code)
	}
	for _, step := range []struct {
		do    func()
		who   string
		state State
		says  string
	}{
		{func() { p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval) }, "ann", Done, ""},
		{func() {
			if _, err := p.store.change(u.ID, func(one *Upload) error { one.State = Planning; return nil }); err != nil {
				t.Error(err)
			}
			p.plan(u.ID)
		}, "ben", Columns, "ben stopped this."},
	} {
		step.do()
		if w := p.as(step.who, http.MethodPost, "/uploads/"+u.ID+"/stop", nil); w.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		p.working.Wait()
		if one, _ := p.store.get(u.ID); one.State != step.state || one.Problem != step.says {
			t.Errorf("it is %s: %q", one.State, one.Problem)
		}
	}
	deeds, err := p.history.last(10, func(d Deed) bool { return d.Did == "stopped it" })
	if err != nil || len(deeds) != 2 || deeds[0].User != "ben" {
		t.Errorf("the history says %+v, %v", deeds, err)
	}
}

// TestServiceThatDied: what was under way when the service died is told, and
// nothing goes on by itself.
func TestServiceThatDied(t *testing.T) {
	now, dir, core := time.Now(), t.TempDir(), &fakeCore{}
	p := newPages(t, core, dir, &now)
	want := map[string]State{}
	for state, after := range map[State]State{Looking: Unusable, Planning: Columns, Sending: Columns, Planned: Planned, Done: Done} {
		u := planned(now)
		if u.State = state; state == Looking {
			u.Look = Look{} // for the first time
		}
		want[p.put(t, u).ID] = after
	}
	half := filepath.Join(dir, random(16)) // never received whole
	if err := os.MkdirAll(filepath.Join(half, "file"), 0o700); err != nil {
		t.Fatal(err)
	}
	p = newPages(t, core, dir, &now)
	for id, state := range want {
		u, _ := p.store.get(id)
		if u.State != state || (state == Columns && !strings.Contains(u.Problem, "Make the preview again")) {
			t.Errorf("is %s, want %s: %s", u.State, state, u.Problem)
		}
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) || core.sent.Load() != 0 {
		t.Errorf("half an upload is there: %v", err)
	}
	now = now.Add(25 * time.Hour) // longer than uploads are kept
	p.tidy()
	if left := p.store.list(func(Upload) bool { return true }); len(left) != 0 {
		t.Errorf("%d are kept", len(left))
	}
	if folders, _ := filepath.Glob(filepath.Join(dir, "*")); len(folders) != 0 {
		t.Errorf("left behind: %v", folders)
	}
}

// TestSessionsEnd: after an hour of silence, after eight hours, and with the
// user.
func TestSessionsEnd(t *testing.T) {
	now := time.Now()
	s := newSessions(func() time.Time { return now })
	quiet, busy := s.begin("ann"), s.begin("ann")
	for range 8 {
		now = now.Add(59 * time.Minute)
		if s.user(busy) != "ann" || s.user("") != "" {
			t.Fatal("who is not silent is signed out, or nobody is somebody")
		}
	}
	if now = now.Add(30 * time.Minute); s.user(quiet) != "" || s.user(busy) != "" {
		t.Error("a session did not end")
	}
	for range maxSessions + 10 {
		busy = s.begin("ben")
	}
	if len(s.open) > maxSessions || s.user(busy) != "ben" {
		t.Errorf("%d sessions are open", len(s.open))
	}
	s.end(busy)
	if s.user(busy) != "" {
		t.Error("a session goes on after its end")
	}
}

// TestUsersFile: a line that says less than it must lets nobody in.
func TestUsersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.txt")
	line, err := UserLine("ann", Analyst, "a password of hers")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                          "there are 0",
		"ann:analyst\n":             "line 1: the hash is none of bcrypt",
		"ann:analyst:\n":            "the hash is none of bcrypt",
		"ann:admin:-\n":             "the role must be",
		"an n:analyst:-\n":          "the name must be",
		"# all\n\nann:analyst:pw\n": "line 3: the hash is none of bcrypt",
		line + "\n" + line + "\n":   "ann stands there twice",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Users(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if err := os.WriteFile(path, []byte(line+"\nben:approver:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := Users(path)
	if err != nil || !knows(users, "ann", "a password of hers") || knows(users, "ann", "") || knows(users, "ben", "") || knows(users, "ben", "-") || knows(users, "cleo", "a password of hers") {
		t.Errorf("somebody else is let in, or ann is not: %v", err)
	}
}

// TestLabels: what a browser calls a file is shown without folders, addresses
// and signs that turn a text around.
func TestLabels(t *testing.T) {
	for given, want := range map[string]string{
		`C:\Users\ann\orders.csv`:         "orders.csv",
		"../../etc/passwd":                "passwd",
		"..":                              "unnamed",
		"ann@example.com.csv":             "a***@example.com.csv",
		"o\u202ercsv.exe\x00\n":           "orcsv.exe",
		strings.Repeat("x", 200) + ".csv": strings.Repeat("x", 80),
	} {
		if got := label(given); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
}

// TestCookies: anywhere but on this machine they need TLS.
func TestCookies(t *testing.T) {
	for host, secure := range map[string]bool{"localhost:8090": false, "127.0.0.1:8090": false, "[::1]:8090": false, "shop.example.com": true, "10.0.0.1:8090": true, "localhost.example.com": true} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://"+host+"/", http.NoBody)
		setCookie(w, r, "x", 60)
		c := w.Result().Cookies()[0] //nolint:bodyclose // there is none
		if c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.HasPrefix(c.Name, "__Host-") != secure {
			t.Errorf("%s: %v", host, c)
		}
	}
}
