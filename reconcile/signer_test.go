package reconcile_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// keyFile is a key file's key, the same each time for a letter.
func keyFile(letter string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(letter), ed25519.SeedSize))
}

func signer(name, letter string) reconcile.Signer {
	return reconcile.Signer{Name: name, Key: keyFile(letter).Public().(ed25519.PublicKey)}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// damaged yields every text that differs from whole by a bit in one byte, from
// a byte on, or is cut short there, some with more, and one without its second
// line. In the last line letters are also made capitals and back: JSON keys are
// read in either.
func damaged(whole []byte, from int, try func(what string, place int, text []byte)) {
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n')
	for i := from; i < len(whole); i++ {
		bits := []int{i % 8}
		if i > last {
			bits = append(bits, 5)
		}
		for _, bit := range bits {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << bit
			try("a flipped bit", i, flipped)
		}
		try("a cut", i, whole[:i])
	}
	try("more lines", len(whole), append(bytes.Clone(whole), "{}\n"...))
	try("a blank line", len(whole), append(bytes.Clone(whole), '\n'))
	if lines := bytes.SplitAfter(whole, []byte("\n")); len(lines) > 3 {
		try("a missing step", 1, bytes.Join(slices.Delete(slices.Clone(lines), 1, 2), nil))
	}
}

// TestAlteredPlansAreRefused: whoever signed a plan, no byte of it may be
// another one.
func TestAlteredPlansAreRefused(t *testing.T) {
	for name, own := range map[string]ed25519.PrivateKey{"state_dir": nil, "a key file": keyFile("a")} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea), order("2", oneTea))
			h.PlanKey = own
			path := h.plan().Plan.Path
			whole := read(t, path)
			signed, from := 0, 0
			if own != nil { // only the last line differs
				from = bytes.LastIndex(whole, []byte(`{"footer"`))
			}
			damaged(whole, from, func(what string, place int, text []byte) {
				writeFile(t, path, string(text))
				_, err := h.OpenPlan(path)
				var refused *reconcile.PlanRefused
				switch {
				case !errors.As(err, &refused):
					t.Fatalf("%s at %d of %d gave %v", what, place, len(whole), err)
				case refused.Code == reconcile.RefusedSignature && what == "a flipped bit":
					signed++
				case refused.Code != reconcile.RefusedAltered:
					t.Fatalf("%s at %d of %d gave %d: %v", what, place, len(whole), refused.Code, err)
				}
			})
			if signed < 32 {
				t.Errorf("%d changes of the signature were refused as that", signed)
			}
			writeFile(t, path, string(whole))
			if _, err := h.OpenPlan(path); err != nil {
				t.Errorf("the whole plan gave %v", err)
			}
		})
	}
}

// TestWhosePlansAreTaken: those of state_dir where nobody is listed, else those
// of the listed keys.
func TestWhosePlansAreTaken(t *testing.T) {
	for name, c := range map[string]struct {
		own     ed25519.PrivateKey // what signs it
		key     string             // of the state_dir that opens it
		signers []reconcile.Signer // that are listed there
		refused bool
		says    string
	}{
		"made here":                        {nil, "plan key", nil, false, ""},
		"made with another state_dir":      {nil, "another", nil, true, "not made with this state_dir"},
		"a listed key":                     {keyFile("a"), "another", []reconcile.Signer{signer("desk", "b"), signer("host", "a")}, false, ""},
		"a key that is not listed":         {keyFile("c"), "plan key", []reconcile.Signer{signer("desk", "b"), signer("host", "a")}, true, "none of those whose plans are taken (desk, host)"},
		"a key, and nobody is listed":      {keyFile("a"), "plan key", nil, true, "write it into plans.signers"},
		"state_dir where keys are listed":  {nil, "plan key", []reconcile.Signer{signer("host", "a")}, true, "signed without a key file, and plans are taken from host alone"},
		"another's key under a known name": {keyFile("c"), "plan key", []reconcile.Signer{signer("host", "a")}, true, reconcile.KeyText(signer("", "c").Key)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			h.PlanKey = c.own
			path := h.plan().Plan.Path
			_, err := reconcile.OpenPlan(path, []byte(c.key), c.signers...)
			if c.refused {
				h.refused(err, reconcile.RefusedSignature)
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("it says %v", err)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAKeyFileSignsWhatIsPlanned: it changes nothing of the plan itself.
func TestAKeyFileSignsWhatIsPlanned(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	plain := h.plan().Plan.Digest
	h.PlanKey = keyFile("a")
	planned := h.plan()
	if planned.Plan.Digest != plain {
		t.Errorf("the digest is %s, without the key file %s", planned.Plan.Digest, plain)
	}
	for _, secret := range []string{string(h.PlanKey.Seed()), hex.EncodeToString(h.PlanKey.Seed()), base64.StdEncoding.EncodeToString(h.PlanKey.Seed())} {
		if bytes.Contains(read(t, planned.Plan.Path), []byte(secret)) {
			t.Error("the plan holds the private key")
		}
	}
	plan, err := h.OpenPlan(planned.Plan.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Apply(t.Context(), h.ledger(), plan, reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	h.accepted(purchase("1"))
}

// elsewhere is another machine, which knows nothing but who signs plans.
func (h *house) elsewhere(approvers ...reconcile.Signer) *reconcile.Runner {
	return &reconcile.Runner{Clock: h.clock, Zone: time.UTC, Signers: []reconcile.Signer{signer("host", "h")}, Approvers: approvers}
}

// approveElsewhere approves a plan on another machine, with somebody's key.
func (h *house) approveElsewhere(path, letter string) {
	h.t.Helper()
	there := h.elsewhere()
	plan, err := there.OpenPlan(path)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := there.ApproveAs(plan, keyFile(letter), "compared"); err != nil {
		h.t.Fatal(err)
	}
}

// newKeyHouse charges customers on the word of ann or ben, given with their key
// files.
func newKeyHouse(t *testing.T, orders ...reconcile.Order) *house {
	h := newHouse(t, orders...)
	h.target.NeedsApproval, h.PlanKey = true, keyFile("h")
	h.Approvers = []reconcile.Signer{signer("ann", "a"), signer("ben", "b")}
	return h
}

// applyAs opens the plan as this machine does, and applies it.
func (h *house) applyAs(path string) (reconcile.Result, error) {
	plan, err := h.OpenPlan(path)
	if err != nil {
		return reconcile.Result{}, err
	}
	return h.Apply(h.t.Context(), h.ledger(), plan, reconcile.Request{})
}

// TestApprovedElsewhere: the word of a listed key counts, under the name of its
// entry.
func TestApprovedElsewhere(t *testing.T) {
	h := newKeyHouse(t, order("1", oneTea))
	path := h.plan().Plan.Path
	_, err := h.applyAs(path)
	h.refused(err, reconcile.RefusedUnapproved)
	h.approveElsewhere(path, "b")
	if text := string(read(t, path+".approval")); strings.Contains(text, "ben") || !strings.Contains(text, reconcile.KeyText(signer("", "b").Key)) {
		t.Errorf("the approval is %s", text)
	}
	res, err := h.applyAs(path)
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1})
	if res.Approval == nil || res.Approval.By != "ben" || res.Approval.Note != "compared" {
		t.Errorf("the result says %+v", res.Approval)
	}
}

// TestApprovalsThatDoNotCount: each with its code, and nothing is sent.
func TestApprovalsThatDoNotCount(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		spoil func(h *house, path string)
	}{
		"a key that is not listed": {reconcile.RefusedApprover, func(h *house, path string) { h.approveElsewhere(path, "c") }},
		"no longer listed":         {reconcile.RefusedApprover, func(h *house, _ string) { h.Approvers = h.Approvers[1:] }},
		"nobody is listed":         {reconcile.RefusedApprover, func(h *house, _ string) { h.Approvers = nil }},
		"with the key of state_dir": {reconcile.RefusedApprover, func(h *house, path string) {
			listed := h.Approvers
			h.Approvers = nil
			plan, err := h.OpenPlan(path)
			if err != nil {
				h.t.Fatal(err)
			}
			if _, err := h.Approve(plan, "ann", "compared"); err != nil {
				h.t.Fatal(err)
			}
			h.Approvers = listed
		}},
		"by who signs plans": {reconcile.RefusedApprover, func(h *house, path string) { h.approveElsewhere(path, "h") }},
		"another's key put in": {reconcile.RefusedApproval, func(h *house, path string) {
			text := strings.Replace(string(read(h.t, path+".approval")), reconcile.KeyText(signer("", "a").Key), reconcile.KeyText(signer("", "b").Key), 1)
			writeFile(h.t, path+".approval", text)
		}},
		"no approval":                       {reconcile.RefusedApproval, func(h *house, path string) { writeFile(h.t, path+".approval", "yes\n") }},
		"without end":                       {reconcile.RefusedApproval, func(h *house, path string) { writeFile(h.t, path+".approval", strings.Repeat(" ", 70<<10)) }},
		"another plan":                      {reconcile.RefusedOtherPlan, func(h *house, path string) { h.swapIn(path, order("2", oneTea)) }},
		"of the same orders, planned again": {reconcile.RefusedOtherPlan, func(h *house, path string) { h.swapIn(path, order("1", oneTea)) }},
		"expired":                           {reconcile.RefusedExpired, func(h *house, _ string) { h.pass(day + time.Second) }},
		"the approval of an expired plan, beside a new one": {reconcile.RefusedOtherPlan, func(h *house, path string) {
			h.pass(day + time.Second)
			fresh := h.plan().Plan.Path
			writeFile(h.t, fresh+".approval", string(read(h.t, path+".approval")))
			writeFile(h.t, path, string(read(h.t, fresh)))
		}},
		"a plan of another configuration": {reconcile.RefusedConfig, func(h *house, _ string) { h.target.Digest = "another" }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newKeyHouse(t, order("1", oneTea))
			path := h.plan().Plan.Path
			h.approveElsewhere(path, "a")
			c.spoil(h, path)
			_, err := h.applyAs(path)
			h.refused(err, c.code)
			h.accepted()
		})
	}
}

// swapIn lays the approval of another plan beside this one.
func (h *house) swapIn(path string, orders ...reconcile.Order) {
	h.t.Helper()
	before := h.source.List
	h.source.List = orders
	other := h.plan().Plan.Path
	h.source.List = before
	h.approveElsewhere(other, "a")
	writeFile(h.t, path+".approval", string(read(h.t, other+".approval")))
}

// TestPlansMadeAgainUnderAnApproval: whoever makes plans cannot bring another one
// under a word that was given: neither other steps nor the same steps under another
// envelope, signed properly and under the name of the same run.
func TestPlansMadeAgainUnderAnApproval(t *testing.T) {
	for name, change := range map[string]func(h *house){
		"other steps":    func(h *house) { h.source.List[0].Email = "eve@example.com" },
		"a later expiry": func(h *house) { h.pass(time.Hour) },
		"another envelope": func(h *house) {
			nobody := order("2", oneTea)
			nobody.Email = ""
			h.source.List = append(h.source.List, nobody)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newKeyHouse(t, order("1", oneTea))
			run := h.NewRun()
			h.NewRun = func() reconcile.RunID { return run }
			planned := h.plan().Plan
			h.approveElsewhere(planned.Path, "a")
			change(h)
			again := h.plan().Plan
			if again.Path != planned.Path || again.Run != planned.Run || (again.Digest == planned.Digest) == (name == "other steps") {
				t.Fatalf("made again it is %s of %s, digest %s; before %s", again.Path, again.Run, again.Digest, planned.Digest)
			}
			_, err := h.applyAs(again.Path)
			h.refused(err, reconcile.RefusedOtherPlan)
			h.accepted()
		})
	}
}

// TestAlteredApprovalsAreRefused: no byte of an approval may be another one.
func TestAlteredApprovalsAreRefused(t *testing.T) {
	for name, h := range map[string]*house{"state_dir": newHouse(t, order("1", oneTea)), "a key file": newKeyHouse(t, order("1", oneTea))} {
		t.Run(name, func(t *testing.T) {
			h.t, h.target.NeedsApproval = t, true
			planned := h.plan()
			if h.Approvers == nil {
				h.approve(planned)
			} else {
				h.approveElsewhere(planned.Plan.Path, "a")
			}
			approval := planned.Plan.Path + ".approval"
			whole := read(t, approval)
			damaged(whole, 0, func(what string, place int, text []byte) {
				writeFile(t, approval, string(text))
				_, err := h.applyAs(planned.Plan.Path)
				var refused *reconcile.PlanRefused
				if !errors.As(err, &refused) || refused.Code != reconcile.RefusedApproval && refused.Code != reconcile.RefusedApprover {
					t.Fatalf("%s at %d of %d gave %v", what, place, len(whole), err)
				}
			})
			h.accepted()
			writeFile(t, approval, string(whole))
			if _, err := h.applyAs(planned.Plan.Path); err != nil {
				t.Errorf("the whole approval gave %v", err)
			}
		})
	}
}

// TestAPlanThatIsExchangedMeanwhile: what was checked is what is sent. A plan
// that somebody exchanges while its orders are read again is refused, whoever
// signed the other one.
func TestAPlanThatIsExchangedMeanwhile(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	planned := h.plan()
	h.source.List[0].Email = "eve@example.com"
	other := h.plan()
	h.source.List[0].Email = order("1", oneTea).Email
	plan, err := h.OpenPlan(planned.Plan.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.Plan.Path, plan.Path); err != nil {
		t.Fatal(err)
	}
	_, err = h.Apply(t.Context(), h.ledger(), plan, reconcile.Request{})
	h.refused(err, reconcile.RefusedAltered)
	h.accepted()
}

// TestWhoMayApprove: where approvers are listed an approval takes the key file of
// one of them, and a bad one is refused also beside a plan that needs none.
func TestWhoMayApprove(t *testing.T) {
	h := newKeyHouse(t, order("1", oneTea))
	path := h.plan().Plan.Path
	plan, err := h.OpenPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Approve(plan, "ann", "compared")
	h.refused(err, reconcile.RefusedApprover)
	_, err = h.ApproveAs(plan, keyFile("c"), "compared")
	h.refused(err, reconcile.RefusedApprover)
	if word, err := h.ApproveAs(plan, keyFile("a"), "compared"); err != nil || word.By != "ann" {
		t.Errorf("approved by %q, %v", word.By, err)
	}
	if _, err := h.ApproveAs(plan, keyFile("a"), ""); err == nil {
		t.Error("an approval without a note was taken")
	}
	h.target.NeedsApproval = false
	h.approveElsewhere(path, "c")
	_, err = h.applyAs(path)
	h.refused(err, reconcile.RefusedApprover)
	h.accepted()
	if err := os.Remove(path + ".approval"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.applyAs(path); err != nil {
		t.Errorf("a plan that needs no approval gave %v", err)
	}
}
