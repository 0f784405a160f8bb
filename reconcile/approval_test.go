package reconcile_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// approve gives a person's word about a plan.
func (h *house) approve(planned reconcile.Result) {
	h.t.Helper()
	plan, err := reconcile.OpenPlan(planned.Plan.Path, h.Key)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Approve(plan, "night desk", "compared"); err != nil {
		h.t.Fatal(err)
	}
}

// TestOnlyApprovedPlansCharge: a run leaves what is for such a target, apply
// refuses it until somebody has approved exactly that plan.
func TestOnlyApprovedPlansCharge(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.target.NeedsApproval = true
	other, _ := h.addTarget("other", "shop")
	res := h.run()
	h.ends(res, map[string]int{"left/needs_approval": 2})
	h.endsAt(res, other.Name(), map[string]int{"sent/sent_now": 2})
	if needs := res.Needs(); len(needs) != 1 || needs[0].What != string(reconcile.ReasonNeedsApproval) || needs[0].Count != 2 {
		t.Errorf("a person is needed for %+v", needs)
	}
	if at := res.Targets[0].CoveredTo["shop"]; at.After(noon) {
		t.Errorf("what nobody approved is covered (%s)", at)
	}
	planned := h.plan()
	h.ends(planned, map[string]int{"left/planned": 2})
	_, err := h.apply(planned, reconcile.Request{})
	h.refused(err, reconcile.RefusedUnapproved)
	h.accepted()
	h.approve(planned)
	res, err = h.apply(planned, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 2})
	if res.Approval == nil || res.Approval.By != "night desk" || res.Approval.Note != "compared" {
		t.Errorf("the result says %+v", res.Approval)
	}
	if left := h.plans(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	nothing := h.plan()
	if _, err := h.apply(nothing, reconcile.Request{}); err != nil {
		t.Errorf("a plan that sends nothing there needs an approval: %v", err)
	}
}

// TestApprovalsAreBoundToTheirPlan: an approval of another plan, an altered one
// and one that was signed elsewhere are none.
func TestApprovalsAreBoundToTheirPlan(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		spoil func(h *house, path string, text string) string
	}{
		"another name": {reconcile.RefusedApproval, func(_ *house, _ string, text string) string { return strings.Replace(text, "night", "noght", 1) }},
		"another time": {reconcile.RefusedApproval, func(_ *house, _ string, text string) string { return strings.Replace(text, "2026", "2027", 1) }},
		"cut off":      {reconcile.RefusedApproval, func(_ *house, _ string, text string) string { return text[:len(text)/2] }},
		"no signature": {reconcile.RefusedApproval, func(_ *house, _ string, _ string) string { return `{"by":"night desk","note":"x"}` }},
		"another key":  {reconcile.RefusedApproval, func(h *house, _ string, text string) string { h.Key = []byte("another"); return text }},
		"another plan's": {reconcile.RefusedOtherPlan, func(h *house, _ string, _ string) string {
			h.source.List = append(h.source.List, order("2", oneTea))
			second := h.plan()
			h.source.List = h.source.List[:1]
			h.approve(second)
			text, err := os.ReadFile(second.Plan.Path + ".approval")
			if err != nil {
				h.t.Fatal(err)
			}
			return string(text)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			h.target.NeedsApproval = true
			planned := h.plan()
			h.approve(planned)
			path := planned.Plan.Path + ".approval"
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the approval is %v, %v", info.Mode(), err)
			}
			plan, err := reconcile.OpenPlan(planned.Plan.Path, h.Key)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, c.spoil(h, path, string(text)))
			_, err = h.Apply(t.Context(), h.ledger(), plan, reconcile.Request{})
			h.refused(err, c.code)
			h.accepted()
		})
	}
}

// TestTheOrderOfRefusals: expired before not approved before another
// configuration (contract 13).
func TestTheOrderOfRefusals(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.target.NeedsApproval = true
	planned := h.plan()
	h.target.Digest = "another"
	_, err := h.apply(planned, reconcile.Request{})
	h.refused(err, reconcile.RefusedUnapproved)
	h.approve(planned)
	_, err = h.apply(planned, reconcile.Request{})
	h.refused(err, reconcile.RefusedConfig)
	h.pass(25 * time.Hour)
	_, err = h.apply(planned, reconcile.Request{})
	h.refused(err, reconcile.RefusedExpired)
	plan, err := reconcile.OpenPlan(planned.Plan.Path, h.Key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Approve(plan, "night desk", "late")
	h.refused(err, reconcile.RefusedExpired)
}
