package config

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Plans says with which key file plans are signed, whose plans are carried out, and whose approval counts.
type Plans struct {
	// Key is the file of the private key that signs the plans that are made here; without it the key of state_dir does.
	Key string `yaml:"key"`
	// Signers are those whose plans are carried out here, and nobody else's.
	Signers map[string]PublicKey `yaml:"signers"`
	// Approvers are those whose approvals count here, and nobody else's.
	Approvers map[string]PublicKey `yaml:"approvers"`
}

// PublicKey is an ed25519 public key in PKIX form: as PEM, or the one line of base64 between its first and last.
type PublicKey struct{ Key ed25519.PublicKey }

// shape takes "MCowBQYDK2VwAyEA..." and "-----BEGIN PUBLIC KEY-----...". What is none is not shown: it may be the private
// key.
func (k *PublicKey) shape(d *document, path string, n *yaml.Node) {
	if !d.is(path, n, yaml.ScalarNode) {
		return
	}
	if err := k.read([]byte(strings.TrimSpace(n.Value))); err != nil {
		d.fail(path, "%s is %v", path, err)
	}
}

func (k *PublicKey) read(text []byte) error {
	none := errors.New("no public key; write the line that makegood key FILE prints, or file:NAME of its PEM file")
	der, err := base64.StdEncoding.DecodeString(string(text))
	if block, rest := pem.Decode(text); block != nil {
		if len(bytes.TrimSpace(rest)) > 0 {
			return errors.New("more than one key; write one file for each")
		}
		der, err = block.Bytes, nil
	}
	if err != nil {
		return none
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return errors.New("the private key, which nobody but its owner may have: make a new one, and write its public key, which makegood key FILE prints")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return none
	}
	key, is := parsed.(ed25519.PublicKey)
	if !is {
		return errors.New("a key of another kind than ed25519; makegood key FILE makes one")
	}
	k.Key = key
	return nil
}

// KeyItself reports whether a text that should name a key file is a private key.
func KeyItself(text string) bool {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err == nil {
		_, err = x509.ParsePKCS8PrivateKey(der)
	}
	return err == nil || strings.Contains(text, "PRIVATE KEY")
}

func (p *Plans) check(d *document, c *Config) {
	if KeyItself(p.Key) {
		d.fail("plans.key", "plans.key is a private key; it names the file that has it: make a new one with makegood key FILE")
	}
	if p.Key == "" && p.Signers == nil && p.Approvers == nil && !d.given("plans.key") && !d.given("plans.signers") && !d.given("plans.approvers") {
		d.fail("plans", "plans says nothing; write plans.key, plans.signers or plans.approvers")
	}
	whose := map[string]string{}
	for _, list := range []struct {
		path string
		keys map[string]PublicKey
	}{{"plans.signers", p.Signers}, {"plans.approvers", p.Approvers}} {
		if len(list.keys) == 0 && d.given(list.path) && !d.failed(list.path) {
			d.fail(list.path, "%s lists nobody; write a name and a public key, or take it out", list.path)
		}
		for _, name := range sortedKeys(list.keys) {
			at := under(list.path, name)
			d.name(at, name)
			if d.failed(at) {
				continue
			}
			key := string(list.keys[name].Key)
			if other := whose[key]; other != "" {
				d.fail(at, "%s has the key of %s: nobody stands twice, and who makes plans does not approve them", at, other)
			}
			whose[key] = at
		}
	}
	if c.Serve != nil && c.Serve.Uploads != nil && d.given("plans.signers") && !d.given("plans.key") {
		d.fail("plans.signers", "plans.signers: the plans of serve.uploads are made here; write plans.key, and its public key into plans.signers")
	}
}
