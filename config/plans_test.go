package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func publicDER(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestPlans: whose plans and whose approvals count is a list of public keys; a
// private key is refused, and shown to nobody.
func TestPlans(t *testing.T) {
	ann := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("a"), ed25519.SeedSize))
	host := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("h"), ed25519.SeedSize))
	der := publicDER(t, ann.Public())
	line := base64.StdEncoding.EncodeToString(der)
	hostLine := base64.StdEncoding.EncodeToString(publicDER(t, host.Public()))
	private, err := x509.MarshalPKCS8PrivateKey(ann)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"ann.pem": {Type: "PUBLIC KEY", Bytes: der}, "ann.key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	two := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, "two.pem"), append(two, two...), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(plans string) (*Config, error) {
		return Parse([]byte("zone: Europe/Amsterdam\n"+plans), filepath.Join(dir, "makegood.yaml"), nil)
	}
	for _, as := range []string{line, "file:ann.pem"} {
		c, err := parse("plans:\n  key: host.key\n  signers: {host: " + hostLine + "}\n  approvers: {ann: \"" + as + "\"}\n")
		if err != nil {
			t.Fatal(err)
		}
		if !c.Plans.Approvers["ann"].Key.Equal(ann.Public()) || !c.Plans.Signers["host"].Key.Equal(host.Public()) || c.Plans.Key != filepath.Join(dir, "host.key") {
			t.Errorf("got %+v", c.Plans)
		}
	}
	for plans, want := range map[string]string{
		"plans: {}\n":                                                                     "plans says nothing",
		"plans: {approvers: {}}\n":                                                        "plans.approvers lists nobody",
		"plans: {approvers: {ann: yes}}\n":                                                "plans.approvers.ann is no public key",
		"plans: {approvers: {ann: \"file:two.pem\"}}\n":                                   "plans.approvers.ann is more than one key",
		"plans: {approvers: {ann: [a, b]}}\n":                                             "plans.approvers.ann must be one value",
		"plans: {approvers: {ann: " + line[:56] + "}}\n":                                  "is no public key",
		"plans: {approvers: {\"ann@home\": " + line + "}}\n":                              "a name has letters",
		"plans: {approvers: {ann: " + base64.StdEncoding.EncodeToString(private) + "}}\n": "plans.approvers.ann is the private key",
		"plans: {approvers: {ann: \"file:ann.key\"}}\n":                                   "plans.approvers.ann is the private key",
		"plans: {approvers: {ann: " + base64.StdEncoding.EncodeToString(publicDER(t, other.Public())) + "}}\n": "of another kind than ed25519",
		"plans: {approvers: {ann: " + line + ", ben: " + line + "}}\n":                                         "plans.approvers.ben has the key of plans.approvers.ann",
		"plans: {signers: {host: " + line + "}, approvers: {ann: " + line + "}}\n":                             "plans.approvers.ann has the key of plans.signers.host",
		"plans: {signers: {host: " + line + "}}\nserve: {uploads: {users: u, source: s, targets: [t]}}\n":      "write plans.key, and its public key into plans.signers",
		"plans: {key: " + base64.StdEncoding.EncodeToString(private) + "}\n":                                   "plans.key is a private key",
		"plans: {approver: {ann: " + line + "}}\n":                                                             `unknown key "approver"`,
	} {
		_, err := parse(plans)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", plans, err)
		}
		if err != nil && strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(private)[24:40]) {
			t.Errorf("the private key is shown: %v", err)
		}
	}
}
