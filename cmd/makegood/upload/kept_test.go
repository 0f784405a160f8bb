package upload

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reports"
)

// planIn leaves a plan in the folder of an upload.
func (p *Pages) planIn(t *testing.T, id string) string {
	t.Helper()
	dir := filepath.Join(p.store.folder(id), PlanFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "run.plan")
	if err := os.WriteFile(path, []byte("ann@example.com"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return os.IsNotExist(err)
}

// TestOldUploadsGo: what was kept long enough is removed though nobody comes and
// nothing is started, and nobody sees it in the meantime; a plan that nobody can
// approve any more goes before.
func TestOldUploadsGo(t *testing.T) {
	dir := t.TempDir()
	users := filepath.Join(dir, "users.txt")
	if err := os.WriteFile(users, []byte("ben:approver:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Core: &fakeCore{}, Brake: &fakeBrake{}, Dir: filepath.Join(dir, "uploads"), Users: users, Zone: time.UTC, Keep: 48*time.Hour + tidyEvery/2,
			Log: slog.New(slog.DiscardHandler), Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		u := planned(time.Now())
		u.Planned.Expires = time.Now().Add(24 * time.Hour)
		p.put(t, u)
		plan := p.planIn(t, u.ID)
		if time.Sleep(23 * time.Hour); gone(plan) {
			t.Error("a plan that is good is gone")
		}
		if time.Sleep(2 * time.Hour); !gone(plan) || p.as("ben", http.MethodGet, "/uploads/"+u.ID, nil).Code != http.StatusOK {
			t.Error("a plan that is too old is there, or its upload is not")
		}
		if time.Sleep(23*time.Hour + 3*tidyEvery/4); p.as("ben", http.MethodGet, "/uploads/"+u.ID, nil).Code != http.StatusNotFound ||
			len(p.store.list(func(Upload) bool { return true })) != 0 {
			t.Error("an upload that is too old is shown")
		}
		if time.Sleep(tidyEvery); !gone(p.store.folder(u.ID)) {
			t.Error("an upload that is too old is there")
		}
	})
}

// TestPlansGo: the plan of an upload is taken away when the next one is made,
// once it was sent, when the file is read anew, and with the upload.
func TestPlansGo(t *testing.T) {
	now := time.Now()
	for name, step := range map[string]func(*Pages, *Upload){
		"the next preview": func(p *Pages, u *Upload) { p.plan(u.ID) },
		"sent":             func(p *Pages, u *Upload) { p.send(*u) },
		"read anew":        func(p *Pages, u *Upload) { p.look(u.ID) },
		"removed":          func(p *Pages, u *Upload) { p.as("ann", http.MethodPost, "/uploads/"+u.ID+"/remove", nil) },
	} {
		p := newPages(t, &fakeCore{report: reports.Report{Sources: []reports.Source{{}}}}, t.TempDir(), &now)
		u := p.put(t, planned(now))
		plan := p.planIn(t, u.ID)
		step(p, u)
		p.working.Wait()
		if !gone(plan) {
			t.Errorf("%s: the plan is there", name)
		}
	}
}

// TestServiceThatDiedReadingAnew: a file that could be read is as it was read
// before.
func TestServiceThatDiedReadingAnew(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	p := newPages(t, &fakeCore{}, dir, &now)
	u := planned(now)
	u.State, u.Look.Reading = Looking, Reading{Delimiter: ";"}
	p.put(t, u)
	path := filepath.Join(p.store.folder(u.ID), ReadingFile)
	if err := writeJSON(path, Reading{Delimiter: "|"}); err != nil {
		t.Fatal(err)
	}
	p = newPages(t, &fakeCore{}, dir, &now)
	text, err := os.ReadFile(path)
	var how Reading
	if err == nil {
		err = json.Unmarshal(text, &how)
	}
	if one, _ := p.store.get(u.ID); err != nil || one.State != Columns || how.Delimiter != ";" {
		t.Errorf("it is %s, read with %q: %v", one.State, how.Delimiter, err)
	}
}
