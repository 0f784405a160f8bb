package reports

import (
	"slices"
	"testing"

	"makegood/reconcile"
)

// Of the orders that changed some go again, some do not; a plan and a shadow
// only say what would be.
func TestChangesAreCountedApart(t *testing.T) {
	for name, c := range map[string]struct {
		command, mode string
		found, resent int
		want          []string
	}{
		"none":             {"run", reconcile.ModeLive, 0, 0, nil},
		"told":             {"run", reconcile.ModeLive, 2, 0, []string{"2 orders changed after they were sent, and stay as they were sent"}},
		"sent again":       {"run", reconcile.ModeLive, 1, 1, []string{"1 order changed after it was sent, and goes again in place of what was sent"}},
		"one of each kind": {"plan", reconcile.ModeLive, 3, 2, []string{"1 order changed after it was sent, and stays as it was sent", "2 orders changed after they were sent, and would go again in place of what was sent"}},
		"in shadow":        {"run", reconcile.ModeShadow, 1, 1, []string{"1 order changed after it was sent, and would go again in place of what was sent"}},
	} {
		res := reconcile.Result{Command: c.command, Targets: []reconcile.TargetResult{{Target: "activate", Mode: c.mode,
			CorrectionsFound: c.found, CorrectionsResent: c.resent}}}
		built := Build(res, Options{})
		var got []string
		for _, aside := range built.asides(built.Targets[0]) {
			got = append(got, aside.What)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	change := Correction{Order: "1", Change: reconcile.ChangeCorrection, Before: "5", After: "7", Currency: "EUR", Resend: true}
	if got, want := change.Words(), "1 changed: sent with 5.00 EUR, now 7.00 EUR, which is to take its place"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
