package reconcile

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Approval is a person's word that a plan may be carried out. It lies beside the
// plan, is bound to its digest and its run, and signed with the key of
// state_dir.
type Approval struct {
	By        string    `json:"by"`
	Note      string    `json:"note"`
	At        time.Time `json:"at"`
	Plan      string    `json:"plan"` // the plan digest
	Run       RunID     `json:"run"`  // that made the plan
	Signature string    `json:"signature"`
}

// maxApproval bounds an approval's file, in bytes.
const maxApproval = 64 << 10

// approvalOf is where the approval of a plan is.
func approvalOf(plan string) string { return plan + ".approval" }

func (a Approval) signed(key []byte) (Approval, error) {
	a.Signature = ""
	text, err := canonicalJSON(a)
	if err != nil {
		return a, fmt.Errorf("sign the approval: %w", err)
	}
	a.Signature = sign(key, "approval\x00"+string(text))
	return a, nil
}

// Approve writes down that somebody has approved a plan. Nothing of the plan is
// changed. A plan that has expired is a *PlanRefused; approving a plan again
// replaces what was said before.
func (r *Runner) Approve(plan *Plan, by, note string) (Approval, error) {
	if by == "" || note == "" {
		return Approval{}, errors.New("approve a plan: it takes a name and a note")
	}
	now := r.Clock().UTC().Truncate(time.Second)
	if err := r.expired(plan); err != nil {
		return Approval{}, err
	}
	a, err := Approval{By: by, Note: note, At: now, Plan: plan.Digest, Run: plan.Run}.signed(r.Key)
	if err != nil {
		return a, err
	}
	text, err := canonicalJSON(a)
	if err == nil {
		err = writeWhole(approvalOf(plan.Path), append(text, '\n'))
	}
	if err != nil {
		return a, fmt.Errorf("approve the plan: %w", err)
	}
	return a, nil
}

// writeWhole gives a file its content in a way that a reader sees all of it or
// none.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "approval-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

// approved reads the approval of a plan; nil where there is none. One that was
// altered, or is of another plan, is a *PlanRefused.
func (r *Runner) approved(plan *Plan) (*Approval, error) {
	f, err := os.Open(approvalOf(plan.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the approval: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, maxApproval))
	if err != nil {
		return nil, fmt.Errorf("read the approval: %w", err)
	}
	var a Approval
	if json.Unmarshal(text, &a) != nil {
		return nil, unapproved("what lies beside the plan is no approval")
	}
	genuine, err := a.signed(r.Key)
	switch {
	case err != nil:
		return nil, err
	case !hmac.Equal([]byte(genuine.Signature), []byte(a.Signature)):
		return nil, unapproved("the approval was altered, or signed elsewhere")
	case a.Plan != plan.Digest || a.Run != plan.Run:
		return nil, unapproved("the approval is of another plan")
	}
	return &a, nil
}

func unapproved(why string) error {
	return &PlanRefused{Code: RefusedUnapproved, Text: why + "; look at the plan, and approve it with makegood approve PLAN --by NAME --note \"...\""}
}

// NeedsApproval lists what a plan would send to targets that charge customers,
// by target: without a person's approval it is not carried out.
func (r *Runner) NeedsApproval(plan *Plan) (map[string]Count, error) {
	found := map[string]Count{}
	for _, pt := range plan.Targets {
		t := r.target(pt.Target)
		if t == nil || !t.NeedsApproval || !t.live() {
			continue
		}
		for _, kind := range plan.Kinds(pt.Target) {
			for step, err := range plan.Steps(pt.Target, kind) {
				if err != nil {
					return nil, err
				}
				if step.Do != DoSend {
					continue
				}
				sum := found[pt.Target]
				if err := sum.Add(countOf(step.Event.Value, 0)); err != nil {
					return nil, err
				}
				found[pt.Target] = sum
			}
		}
	}
	return found, nil
}

// checkApproval refuses a plan that needs a person's approval and has none.
func (r *Runner) checkApproval(plan *Plan) error {
	needed, err := r.NeedsApproval(plan)
	if err != nil {
		return err
	}
	if plan.approval, err = r.approved(plan); err != nil && len(needed) > 0 {
		return err
	}
	if plan.approval == nil && len(needed) > 0 {
		return unapproved("the plan would charge customers, and nobody has approved it")
	}
	return nil
}
