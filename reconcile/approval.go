package reconcile

import (
	"crypto/ed25519"
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
// plan, is bound to its digest, its file, its run and its expiry, and is signed
// with the person's key file or, without one, with the key of state_dir.
type Approval struct {
	// By is who gave it. Of one that is signed with a key file it is the name
	// under which the key is listed where the approval is read.
	By        string    `json:"by,omitempty"`
	Note      string    `json:"note"`
	At        time.Time `json:"at"`
	Expires   time.Time `json:"expires"` // with the plan
	File      string    `json:"file"`    // SHA-256 over all lines of the plan but the last
	Key       string    `json:"key,omitempty"`
	Plan      string    `json:"plan"` // the plan digest
	Run       RunID     `json:"run"`  // that made the plan
	Signature string    `json:"signature"`
}

// maxApproval bounds an approval's file, in bytes.
const maxApproval = 64 << 10

// approvalOf is where the approval of a plan is.
func approvalOf(plan string) string { return plan + ".approval" }

// text is what an approval's signature is over.
func (a Approval) text() (string, error) {
	a.Signature = ""
	text, err := canonicalJSON(a)
	if err != nil {
		return "", fmt.Errorf("sign the approval: %w", err)
	}
	return "approval\x00" + string(text), nil
}

// Approve writes down beside a plan that somebody has approved it. Nothing of
// the plan is changed. A plan that has expired is a *PlanRefused, and so is an
// approval without a key file where approvers are listed; approving a plan again
// replaces what was said before.
func (r *Runner) Approve(plan *Plan, by, note string) (Approval, error) {
	if len(r.Approvers) > 0 {
		return Approval{}, &PlanRefused{Code: RefusedApprover,
			Text: "approvals are given with a key file here, by " + namesOf(r.Approvers) + ": approve it with makegood approve PLAN --key FILE --note \"...\""}
	}
	if by == "" || note == "" {
		return Approval{}, errors.New("approve a plan: it takes a name and a note")
	}
	return r.approve(plan, nil, Approval{By: by, Note: note})
}

// ApproveAs is Approve by the owner of a key file, who may be listed among the
// approvers of another machine: where approvers are listed here, and the key is
// none of theirs, that is a *PlanRefused.
func (r *Runner) ApproveAs(plan *Plan, own ed25519.PrivateKey, note string) (Approval, error) {
	public, _ := own.Public().(ed25519.PublicKey)
	who, listed := signerOf(r.Approvers, KeyText(public))
	switch {
	case note == "":
		return Approval{}, errors.New("approve a plan: it takes a note")
	case len(r.Approvers) > 0 && !listed:
		return Approval{}, r.noApprover(KeyText(public))
	}
	a, err := r.approve(plan, own, Approval{Note: note, Key: KeyText(public)})
	a.By = who.Name
	return a, err
}

func (r *Runner) approve(plan *Plan, own ed25519.PrivateKey, a Approval) (Approval, error) {
	if err := r.expired(plan); err != nil {
		return Approval{}, err
	}
	a.At, a.Expires = r.Clock().UTC().Truncate(time.Second), plan.Expires
	a.File, a.Plan, a.Run = plan.sum, plan.Digest, plan.Run
	text, err := a.text()
	if err != nil {
		return a, err
	}
	_, a.Signature = seal(text, r.Key, own)
	whole, err := canonicalJSON(a)
	if err == nil {
		err = writeWhole(approvalOf(plan.Path), append(whole, '\n'))
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
// altered, is by nobody whose word counts, or is of another plan, is a
// *PlanRefused.
func (r *Runner) approved(plan *Plan) (*Approval, error) {
	info, err := os.Stat(approvalOf(plan.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() { // a pipe might never end
		return nil, r.unapproved(RefusedApproval, "what lies beside the plan is no approval, or was altered")
	}
	f, err := os.Open(approvalOf(plan.Path))
	if err != nil {
		return nil, fmt.Errorf("read the approval: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, maxApproval))
	if err != nil {
		return nil, fmt.Errorf("read the approval: %w", err)
	}
	var a Approval
	if json.Unmarshal(text, &a) != nil || !sameAsWritten(a, text) {
		return nil, r.unapproved(RefusedApproval, "what lies beside the plan is no approval, or was altered")
	}
	if err := r.given(&a); err != nil {
		return nil, err
	}
	if a.Plan != plan.Digest || a.Run != plan.Run || a.File != plan.sum || !a.Expires.Equal(plan.Expires) {
		return nil, r.unapproved(RefusedOtherPlan, "the approval is of another plan")
	}
	return &a, nil
}

// given makes sure that an approval was given by somebody whose word counts, and
// says by whom.
func (r *Runner) given(a *Approval) error {
	text, err := a.text()
	if err != nil {
		return err
	}
	if len(r.Approvers) == 0 {
		switch {
		case a.Key != "":
			return r.unapproved(RefusedApprover, "the approval was given with "+keyShown(a.Key)+", and nobody is listed as approver: write it into plans.approvers if you know whose it is")
		case !hmac.Equal([]byte(sign(r.Key, text)), []byte(a.Signature)):
			return r.unapproved(RefusedApproval, "the approval was altered, or signed elsewhere")
		}
		return nil
	}
	who, listed := signerOf(r.Approvers, a.Key)
	switch {
	case a.Key == "":
		return r.noApprover("")
	case !listed:
		return r.noApprover(a.Key)
	case !who.signed(text, a.Signature):
		return r.unapproved(RefusedApproval, "the approval was altered: it is not what "+who.Name+" signed")
	}
	a.By = who.Name
	return nil
}

// noApprover refuses an approval by a key that is not, or no longer, listed.
func (r *Runner) noApprover(key string) error {
	with := "without a key file"
	if key != "" {
		with = "with " + keyShown(key)
	}
	return r.unapproved(RefusedApprover, "the approval was given "+with+", and not by one of the approvers ("+namesOf(r.Approvers)+")")
}

// unapproved refuses a plan for what its approval is, and says how it is
// approved here.
func (r *Runner) unapproved(code int, why string) error {
	how := "--by NAME"
	if len(r.Approvers) > 0 {
		how = "--key FILE"
	}
	return &PlanRefused{Code: code, Text: why + "; look at the plan, and approve it with makegood approve PLAN " + how + " --note \"...\""}
}

// NeedsApproval lists what a plan would send to targets that charge customers,
// by target: without a person's approval it is not carried out.
func (r *Runner) NeedsApproval(plan *Plan) (map[string]Count, error) {
	return plan.sends(func(pt PlannedTarget, _ Kind) bool {
		t := r.target(pt.Target)
		return t != nil && t.NeedsApproval && t.live()
	})
}

// Charging lists what a plan itself says that it would charge, by target, for
// whoever has no destinations at hand.
func (p *Plan) Charging() (map[string]Count, error) {
	return p.sends(func(pt PlannedTarget, kind Kind) bool { return pt.Mode == ModeLive && kind.Charges() })
}

// sends counts what a plan sends of some kinds, by target.
func (p *Plan) sends(counts func(PlannedTarget, Kind) bool) (map[string]Count, error) {
	found := map[string]Count{}
	for _, pt := range p.Targets {
		for _, kind := range p.Kinds(pt.Target) {
			if !counts(pt, kind) {
				continue
			}
			for step, err := range p.Steps(pt.Target, kind) {
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
// Where approvers are listed, an approval that is none is refused also beside a
// plan that needs none.
func (r *Runner) checkApproval(plan *Plan) error {
	needed, err := r.NeedsApproval(plan)
	if err != nil {
		return err
	}
	if plan.approval, err = r.approved(plan); err != nil && len(needed)+len(r.Approvers) > 0 {
		return err
	}
	if plan.approval == nil && len(needed) > 0 {
		return r.unapproved(RefusedUnapproved, "the plan would charge customers, and nobody has approved it")
	}
	return nil
}
