package reconcile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// ownKey is a key file's key, the same each time for a letter.
func ownKey(letter string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(letter), ed25519.SeedSize))
}

func ownerOf(name, letter string) Signer {
	key := ownKey(letter)
	return Signer{Name: name, Key: key.Public().(ed25519.PublicKey)}
}

// TestApprovalsAreBoundByEachPart: a plan that differs from the approved one in a
// single thing was not approved, although its maker signed it as its own and the
// approval beside it is as its giver signed it. Each case leaves all other things
// as they were approved, so that none of the comparisons can stand in for another.
func TestApprovalsAreBoundByEachPart(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	approved := func() *Plan {
		return &Plan{PlanEnvelope: PlanEnvelope{Run: "run 1", Expires: noon.Add(24 * time.Hour)}, Digest: "the steps", sum: "the file"}
	}
	for name, change := range map[string]func(*Plan){
		"other steps":         func(p *Plan) { p.Digest = "other steps" },
		"another file":        func(p *Plan) { p.sum = "another file" },
		"another run":         func(p *Plan) { p.Run = "run 2" },
		"a later expiry":      func(p *Plan) { p.Expires = p.Expires.Add(time.Second) },
		"nothing is another":  func(*Plan) {},
		"the expiry, in zone": func(p *Plan) { p.Expires = p.Expires.In(time.FixedZone("", 3600)) },
	} {
		for giver, own := range map[string]ed25519.PrivateKey{"state_dir": nil, "a key file": ownKey("a")} {
			t.Run(name+", "+giver, func(t *testing.T) {
				r := &Runner{Key: []byte("plan key"), Clock: func() time.Time { return noon }}
				plan := approved()
				plan.Path = filepath.Join(t.TempDir(), "one.plan")
				said := Approval{By: "ann", Note: "compared"}
				if own != nil {
					r.Approvers = []Signer{ownerOf("ann", "a")}
					said = Approval{Note: "compared", Key: KeyText(r.Approvers[0].Key)}
				}
				if _, err := r.approve(plan, own, said); err != nil {
					t.Fatal(err)
				}
				change(plan)
				got, err := r.approved(plan)
				var refused *PlanRefused
				switch {
				case name == "nothing is another" || name == "the expiry, in zone":
					if err != nil || got == nil || got.By != "ann" {
						t.Errorf("the approved plan gave %+v, %v", got, err)
					}
				case !errors.As(err, &refused) || refused.Code != RefusedOtherPlan || got != nil:
					t.Errorf("it gave %+v, %v", got, err)
				}
			})
		}
	}
}

// TestSignaturesSayWhatTheyAreOf: what a key signed elsewhere is no plan and no
// approval, a plan's signature approves nothing, and an approval's is no plan's.
func TestSignaturesSayWhatTheyAreOf(t *testing.T) {
	const sum = "0123456789abcdef"
	key, own, host := []byte("plan key"), ownKey("a"), ownerOf("host", "a")
	bare := func(text string) string { return hex.EncodeToString(ed25519.Sign(own, []byte(text))) }
	bareMAC := func(text string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	by, right := seal(sum, nil, own)
	isPlan := func(footer planFooter, signers ...Signer) bool { return checkSignature(&footer, key, signers) == nil }
	if !isPlan(planFooter{SHA256: sum, Key: by, Signature: right}, host) || !isPlan(planFooter{SHA256: sum, Signature: sign(key, sum)}) {
		t.Fatal("a plan that was signed as one is refused")
	}
	if isPlan(planFooter{SHA256: sum, Key: by, Signature: bare(sum)}, host) {
		t.Error("a text that a key file signed for something else is taken for a plan")
	}
	if isPlan(planFooter{SHA256: sum, Signature: bareMAC(sum)}) {
		t.Error("a text that the key of state_dir signed for something else is taken for a plan")
	}
	if isPlan(planFooter{SHA256: sum, Key: by, Signature: hex.EncodeToString(ed25519.Sign(own, []byte(sealing+"approval\x00"+sum)))}, host) {
		t.Error("the signature of an approval is taken for a plan's")
	}

	word := Approval{By: "ann", Note: "compared", File: sum, Plan: "the steps", Run: "run 1"}
	signed := Approval{Note: "compared", File: sum, Plan: "the steps", Run: "run 1", Key: by}
	here, listed := &Runner{Key: key}, &Runner{Key: key, Approvers: []Signer{host}}
	for name, c := range map[string]struct {
		r    *Runner
		word Approval
		sign func(text, bare string) string
		good bool
	}{
		"as an approval":                   {listed, signed, func(text, _ string) string { _, s := seal(text, nil, own); return s }, true},
		"as an approval, of state_dir":     {here, word, func(text, _ string) string { return sign(key, text) }, true},
		"for something else":               {listed, signed, func(text, _ string) string { return bare(text) }, false},
		"for something else, of state_dir": {here, word, func(text, _ string) string { return bareMAC(text) }, false},
		"as a plan":                        {listed, signed, func(_, bare string) string { _, s := seal(bare, nil, own); return s }, false},
		"as a plan, of state_dir":          {here, word, func(_, bare string) string { return sign(key, bare) }, false},
		"as this plan":                     {listed, signed, func(_, _ string) string { return right }, false},
	} {
		text, err := c.word.text()
		plain, failed := canonicalJSON(c.word)
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		c.word.Signature = c.sign(text, string(plain))
		if err := c.r.given(&c.word); (err == nil) != c.good {
			t.Errorf("signed %s: %v", name, err)
		}
	}
	// The texts are part of the form of plans: another one refuses all that lie there.
	if sealing != "makegood plan\x00" {
		t.Errorf("texts that are signed begin with %q", sealing)
	}
}
