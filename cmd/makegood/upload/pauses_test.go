package upload

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestPauseIsAnOperatorsWord: nobody else pauses, nothing is paused without a
// reason or by looking at a page, and what another person did meanwhile is not
// undone unseen.
func TestPauseIsAnOperatorsWord(t *testing.T) {
	now := time.Now()
	p := newPages(t, &fakeCore{}, t.TempDir(), &now)
	held := []Pause{{Target: "activate", Text: "activate is paused since 9:00"}, {Target: Everything, Text: "every destination is paused since 10:00"}}
	word := func(do, target, note, seen string) url.Values {
		return url.Values{"do": {do}, "target": {target}, "note": {note}, "seen": {seen}}
	}
	both := strings.Join([]string{held[0].Text, held[1].Text}, "\r\n") // as a browser sends lines
	for name, c := range map[string]struct {
		user, method, path string
		form               url.Values
		pauses             []Pause
		want               int
		said               string // what the brake was told
		shows              string
	}{
		"an analyst":            {"ann", "POST", "/uploads/pause", word("pause", "activate", "why", ""), nil, 403, "", "Your role"},
		"an approver":           {"ben", "POST", "/uploads/pause", word("pause", "activate", "why", ""), nil, 403, "", "Your role"},
		"an approver looks":     {"ben", "GET", "/uploads/pause", nil, nil, 403, "", "Your role"},
		"nobody":                {"", "POST", "/uploads/pause", word("pause", "activate", "why", ""), nil, 401, "", "not signed in"},
		"a page":                {"olga", "GET", "/uploads/pause?do=pause&target=activate&note=why", nil, held, 200, "", "every destination is paused since 10:00"},
		"the confirmation":      {"olga", "GET", "/uploads/pause/confirm?do=pause&target=activate&note=why", nil, nil, 200, "", "Pause activate?"},
		"no such place":         {"olga", "GET", "/uploads/pause/confirm?do=pause&target=elsewhere", nil, nil, 404, "", "no such destination"},
		"no reason":             {"olga", "POST", "/uploads/pause", word("pause", "activate", " ", ""), nil, 422, "", "say why"},
		"no such destination":   {"olga", "POST", "/uploads/pause", word("pause", "elsewhere", "why", ""), nil, 404, "", "no such destination"},
		"a pause":               {"olga", "POST", "/uploads/pause", word("pause", "activate", "why", ""), nil, 303, "pause activate", ""},
		"of all":                {"olga", "POST", "/uploads/pause", word("pause", "all", "why", ""), nil, 303, "pause all", ""},
		"a resume":              {"olga", "POST", "/uploads/pause", word("resume", "activate", "why", held[0].Text), held, 303, "resume activate", ""},
		"of all that is paused": {"olga", "POST", "/uploads/pause", word("resume", "all", "why", both), held, 303, "resume all", ""},
		"another pause":         {"olga", "POST", "/uploads/pause", word("resume", "activate", "why", "activate is paused since 8:00"), held, 422, "", "meanwhile somebody else"},
		"one more":              {"olga", "POST", "/uploads/pause", word("resume", "all", "why", held[0].Text), held, 422, "", "meanwhile somebody else"},
		"resumed already":       {"olga", "POST", "/uploads/pause", word("resume", "activate", "why", held[0].Text), nil, 409, "", "not paused (any more)"},
		"the list":              {"ann", "GET", "/uploads/", nil, held, 200, "", "activate is paused since 9:00"},
	} {
		b := &fakeBrake{pauses: c.pauses}
		p.o.Brake = b
		w := p.as(c.user, c.method, c.path, c.form)
		said := ""
		for _, one := range b.said {
			if one.Who != "olga" || one.Note != "why" {
				t.Errorf("%s: said %+v", name, one)
			}
			said = map[bool]string{true: "resume ", false: "pause "}[one.Resume] + one.Target
		}
		if w.Code != c.want || said != c.said || !strings.Contains(w.Body.String(), c.shows) {
			t.Errorf("%s: %d, said %q: %s", name, w.Code, said, w.Body)
		}
	}
	deeds, err := p.history.last(10, func(Deed) bool { return true })
	if err != nil || len(deeds) != 4 {
		t.Errorf("the history says %+v, %v", deeds, err)
	}
	p.o.Brake = &fakeBrake{err: errors.New("the ledger is away")}
	if w := p.as("ann", http.MethodGet, "/uploads/", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "cannot be said at the moment") || strings.Contains(w.Body.String(), "is away") {
		t.Errorf("a ledger that cannot be read: %d %s", w.Code, w.Body)
	}
}
