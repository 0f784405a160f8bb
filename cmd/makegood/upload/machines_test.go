package upload

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

type fakeOverseer struct {
	found *Machines
	err   error
}

func (f fakeOverseer) Machines(context.Context) (*Machines, error) { return f.found, f.err }

// TestMachines: operators see who works and what does not go on, nobody else does,
// and where this is the only machine there is no such page.
func TestMachines(t *testing.T) {
	now := time.Now()
	p := newPages(t, &fakeCore{}, t.TempDir(), &now)
	if w := p.as("olga", http.MethodGet, "/uploads/workers", nil); w.Code != http.StatusNotFound {
		t.Errorf("without machines: %d", w.Code)
	}
	if w := p.as("olga", http.MethodGet, "/uploads/", nil); strings.Contains(w.Body.String(), "/uploads/workers") {
		t.Error("without machines the list leads to them")
	}
	found := &Machines{
		Workers: []Machine{{Name: "first", Host: "<one>", Seen: "9 s ago", Gone: true, At: "part 3"}},
		Slices:  []Slices{{"Waiting", 1200}}, Lanes: []Lane{{"activate", "9.5", "10/s", 2, 1}},
		Stuck: []Stuck{{"activate is paused", "resume it", "makegood resume activate", false}, {"nobody works", "start a worker", "", true}},
	}
	for name, c := range map[string]struct {
		user string
		fakeOverseer
		code  int
		shows []string
	}{
		"an operator":    {"olga", fakeOverseer{found: found}, 200, []string{"&lt;one&gt;", "gone, 9 s ago", "part 3", ">9.5<", ">10/s<", "resume it.", "<code>makegood resume activate</code>", "A person is needed: start a worker"}},
		"an approver":    {"ben", fakeOverseer{found: found}, 403, []string{"Your role"}},
		"nobody":         {"", fakeOverseer{found: found}, 303, nil},
		"all goes on":    {"olga", fakeOverseer{found: &Machines{}}, 200, []string{"everything goes on by itself", "Nobody works"}},
		"never asked":    {"olga", fakeOverseer{}, 200, []string{"Nothing was ever asked"}},
		"cannot be seen": {"olga", fakeOverseer{err: errors.New("the ledger is away")}, 500, []string{"Something is wrong"}},
	} {
		p := newPages(t, &fakeCore{}, t.TempDir(), &now)
		p.o.Overseer = c.fakeOverseer
		p.routes()
		w := p.as(c.user, http.MethodGet, "/uploads/workers", nil)
		if w.Code != c.code {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		for _, want := range c.shows {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s does not show %q: %s", name, want, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "is away") {
			t.Errorf("%s shows a fault: %s", name, w.Body)
		}
	}
}
