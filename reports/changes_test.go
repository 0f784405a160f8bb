package reports

import (
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

func TestFirstLineSaysByWhen(t *testing.T) {
	refused := Need{Target: "activate", What: reconcile.NeedRefused, Count: 2}
	brake := Need{Target: "collect", What: reconcile.NeedBrake, Count: 900}
	activate := Target{Target: "activate", Expiring: &Expiring{First: at("2026-11-21T14:00:00Z")}}
	plan := &Plan{Path: "a.plan", Expires: at("2026-11-21T09:00:00Z")}
	for _, c := range []struct {
		name, want string
		report     Report
	}{
		{"nothing expires", "A person is needed: 2 messages refused by activate.", Report{PersonNeeded: []Need{refused}}},
		{"an order expires", "A person is needed: 2 messages refused by activate, by 21 Nov 2026 14:00.",
			Report{PersonNeeded: []Need{refused}, Targets: []Target{activate}}},
		{"another destination's expires", "A person is needed: collect was not sent to: 900 messages, much more than usual.",
			Report{PersonNeeded: []Need{brake}, Targets: []Target{activate}}},
		{"the plan expires first", "A person is needed: 2 messages refused by activate; collect was not sent to: 900 messages, much more than usual, by 21 Nov 2026 09:00.",
			Report{PersonNeeded: []Need{refused, brake}, Targets: []Target{activate}, Plan: plan}},
		{"nobody is needed", "No one is needed: nothing was missing; 1 known problem still there.",
			Report{StillThere: []Need{refused}, Targets: []Target{activate}}},
	} {
		if got := FirstLine(c.report); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	line := FirstLine(Report{PersonNeeded: []Need{{Source: "a\nb\x1b[2J", What: reconcile.NeedBad, Count: 1}}})
	if strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("the first line is not one line: %q", line)
	}
}

func TestUsualWords(t *testing.T) {
	for _, c := range []struct {
		usual   *Usual
		missing int
		want    string
	}{
		{nil, 5, ""}, {&Usual{9, 0, 12}, 5, "usually 0 to 12 in the last 9 runs"}, {&Usual{9, 0, 12}, 13, "more than usual: 0 to 12 in the last 9 runs"},
		{&Usual{14, 3, 12}, 1, "less than usual: 3 to 12 in the last 14 runs"}, {&Usual{3, 0, 0}, 0, "usually 0 in the last 3 runs"},
	} {
		if got := usualWords(c.usual, Count{Orders: c.missing}); got != c.want {
			t.Errorf("%d with %v: %q, want %q", c.missing, c.usual, got, c.want)
		}
	}
}

func TestChanged(t *testing.T) {
	r := outageNight(t)
	var kinds []string
	for _, one := range r.changed() {
		kinds = append(kinds, one.Kind)
	}
	if got := strings.Join(kinds, ","); got != "new,new,still there,still there,gone,gone" {
		t.Errorf("the changes are %s", got)
	}
	if got := (Report{}).changed(); got != nil {
		t.Errorf("a first run has changed %v", got)
	}
	stores := Source{StoresOf: 40}
	for range 7 {
		stores.Stores = append(stores.Stores, Store{"a", 1, time.Time{}, true})
	}
	if got := r.silentWords(stores, 5); !strings.HasPrefix(got, "7 of 40 stores silent: a since") || !strings.HasSuffix(got, "and 2 more") {
		t.Errorf("silent stores: %s", got)
	}
}
