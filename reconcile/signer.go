package reconcile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// Signer is somebody who signs plans or approvals with a key file of their own.
type Signer struct {
	Name string
	Key  ed25519.PublicKey
}

// KeyText is a public key as it stands in plans, approvals and configurations:
// base64 of its PKIX form, on one line. That of no key is "".
func KeyText(key ed25519.PublicKey) string {
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(text)
}

// sealing begins every text that is signed, so that a key file which signs
// other things as well says nothing of plans by them.
const sealing = "makegood plan\x00"

// seal signs a text with a key file or, without one, with the key of
// state_dir. by is the public key in the form of KeyText, "" for state_dir.
func seal(text string, key []byte, own ed25519.PrivateKey) (by, signature string) {
	if own == nil {
		return "", sign(key, text)
	}
	public, _ := own.Public().(ed25519.PublicKey) // an ed25519.PrivateKey has no other
	return KeyText(public), hex.EncodeToString(ed25519.Sign(own, []byte(sealing+text)))
}

// signed reports whether the signer signed a text.
func (s Signer) signed(text, signature string) bool {
	raw, err := hex.DecodeString(signature)
	return err == nil && hex.EncodeToString(raw) == signature && ed25519.Verify(s.Key, []byte(sealing+text), raw)
}

// signerOf finds whose key it is; false: nobody's on the list.
func signerOf(list []Signer, key string) (Signer, bool) {
	i := slices.IndexFunc(list, func(s Signer) bool { return KeyText(s.Key) == key })
	if key == "" || i < 0 {
		return Signer{}, false
	}
	return list[i], true
}

func namesOf(list []Signer) string {
	var names []string
	for _, s := range list {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// signers are those whose plans are carried out here; nil: those of state_dir.
func (r *Runner) signers() []Signer {
	if len(r.Signers) == 0 && r.PlanKey != nil {
		public, _ := r.PlanKey.Public().(ed25519.PublicKey)
		return []Signer{{"plans.key", public}}
	}
	return r.Signers
}

// OpenPlan is OpenPlan for a plan that may come from elsewhere: those of the
// listed signers count, or, where nobody is listed, those made here.
func (r *Runner) OpenPlan(path string) (*Plan, error) {
	return OpenPlan(path, r.Key, r.signers()...)
}

// OpenOwn opens a plan that this very process has made.
func (r *Runner) OpenOwn(path string) (*Plan, error) {
	own := *r
	own.Signers = nil
	return own.OpenPlan(path)
}

// keyShown names a key that somebody else wrote: a message shows it only where
// it is one.
func keyShown(key string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) > 64 {
		return "something that is no key"
	}
	return "the key " + base64.StdEncoding.EncodeToString(raw)
}

// checkSignature refuses a plan that nobody signed whose word counts.
func checkSignature(footer *planFooter, key []byte, by []Signer) error {
	const again = "; make a new one with makegood plan"
	refuse := func(why string) error { return &PlanRefused{Code: RefusedSignature, Text: why} }
	who, listed := signerOf(by, footer.Key)
	switch {
	case len(by) == 0 && footer.Key != "":
		return refuse("the plan was signed with " + keyShown(footer.Key) + ", and nobody is listed whose plans are taken: if you know whose it is, write it into plans.signers; else make a plan here with makegood plan")
	case len(by) == 0 && hmac.Equal([]byte(sign(key, footer.SHA256)), []byte(footer.Signature)):
		return nil
	case len(by) == 0:
		return refuse("the plan was not made with this state_dir, or its signature was altered" + again)
	case footer.Key == "":
		return refuse("the plan was signed without a key file, and plans are taken from " + namesOf(by) + " alone" + again + " --key FILE")
	case !listed:
		return refuse("the plan was signed with " + keyShown(footer.Key) + ", which is none of those whose plans are taken (" + namesOf(by) + ")" + again)
	case !who.signed(footer.SHA256, footer.Signature):
		return refuse("the signature of the plan is wrong: it is not what " + who.Name + " signed" + again)
	}
	return nil
}

// sameAsWritten reports whether a text is exactly what makegood writes of a
// value: JSON can say the same in many ways.
func sameAsWritten(v any, text []byte) bool {
	whole, err := canonicalJSON(v)
	return err == nil && bytes.Equal(append(whole, '\n'), text)
}
