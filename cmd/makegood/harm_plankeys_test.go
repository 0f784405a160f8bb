package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"makegood/reconcile"
	"makegood/sinks/simulator"
)

// keyFile makes a key file in a folder of its own, and gives its public key.
func (s *shop) keyFile(name string) (path, public string) {
	s.Helper()
	path = filepath.Join(s.TempDir(), name+".key")
	code, out, errs := makegood(s.T, "key", path)
	if code != exitDone {
		s.Fatalf("makegood key: exit %d\n%s", code, errs)
	}
	return path, strings.TrimSpace(out)
}

// secretsOf are the ways in which the private key of a file may be written.
func (s *shop) secretsOf(path string) (list []string) {
	s.Helper()
	own, err := readKeyFile(path)
	check(s.T, err)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	check(s.T, err)
	for _, raw := range [][]byte{own.Seed(), own, der} {
		list = append(list, writings(string(raw))...)
	}
	return list
}

// TestHarmPrivateKeysStayWithTheirOwners: no command tells a private key, also
// where it was written into the wrong place, and none stands in any file but its
// own.
func TestHarmPrivateKeysStayWithTheirOwners(t *testing.T) {
	t.Parallel()
	s := emanageShop(t, simulator.EmanageRules{})
	host, hostPublic := s.keyFile("host")
	ann, annPublic := s.keyFile("ann")
	secrets := append(s.secretsOf(host), s.secretsOf(ann)...)
	plans := func(key, signer, approver string) {
		s.conf["plans"] = fields{"key": key, "signers": fields{"host": signer}, "approvers": fields{"ann": approver}}
		s.file()
	}
	private, err := os.ReadFile(ann)
	check(t, err)
	line := strings.Split(string(private), "\n")[1]
	var all strings.Builder
	step := func(want int, args ...string) {
		t.Helper()
		plan := "none.plan"
		if plans, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*.plan")); len(plans) > 0 {
			plan = plans[len(plans)-1]
		}
		code, out, errs := makegood(t, s.inFolder(args, plan)...)
		if code != want {
			t.Errorf("%v: exit %d, want %d\n%s%s", args, code, want, errs, out)
		}
		all.WriteString(out + errs)
	}
	for _, wrong := range []string{line, string(private), "file:" + ann} {
		plans(host, hostPublic, wrong)
		step(exitConfig, "plan")
	}
	plans(host, hostPublic, annPublic)
	step(exitUsage, "key", line)
	for _, given := range []string{line, string(private), strings.TrimSpace(string(private)), "-" + line, "--" + line, "--" + line + "=x", "x" + string(private)} {
		for _, bare := range [][]string{{}, {"plan"}, {"approve"}, {"apply"}, {"plan", "--from"}, {"run", "--target"}, {"explain"}, {"send", "--order"}, {"apply", "PLAN"}, {"compare"}, {"--log-level"}} {
			code, out, errs := makegood(t, s.inFolder(append(slices.Clone(bare), given), "none.plan")...)
			if code != exitUsage {
				t.Errorf("%v with a key: exit %d\n%s%s", bare, code, errs, out)
			}
			all.WriteString(out + errs)
		}
	}
	for _, given := range []string{line, string(private)} {
		step(exitUsage, "plan", "--key", given)
		step(exitUsage, "approve", "PLAN", "--key", given, "--note", "compared")
	}
	step(exitDone, "check", "--json")
	step(exitPerson, "run", "--json")
	step(exitLeft, "plan", "--json")
	step(exitLeft, "plan")
	s.contains(all.String(), `--key FILE --note "..."`)
	s.contains(all.String(), `"approval_by_key": true`)
	step(reconcile.RefusedUnapproved, "apply", "PLAN")
	step(exitDone, "approve", "PLAN", "--key", ann, "--note", "compared", "--json")
	step(exitDone, "apply", "PLAN", "--json", "--html", "report.html")
	step(exitDone, "audit", "--json")
	step(exitDone, "key", ann, "--json")
	if n := s.sim.Counts().Platforms[simulator.Emanage].Accepted; n != 2 || !strings.Contains(all.String(), `"by": "ann"`) {
		t.Errorf("%d charges went: what was to be hidden was not there", n)
	}
	hidden := func(where, text string) {
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s holds a private key: ...%.80q", where, text[max(0, at-60):at])
			}
		}
	}
	hidden("what was said", all.String())
	s.file()
	check(t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		hidden(d.Name(), string(text)+string(unpacked(text)))
		return err
	}))
}

// TestKeyFilesThatAreNone: each with its own words, and without a byte of the
// file.
func TestKeyFilesThatAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "own.key")
	if made, err := makeKeyFile(path); err != nil || !made {
		t.Fatal(made, err)
	}
	if made, err := makeKeyFile(path); err != nil || made {
		t.Error("a key that was there was made anew", err)
	}
	whole, err := os.ReadFile(path)
	check(t, err)
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v", info.Mode())
	}
	own, err := readKeyFile(path)
	check(t, err)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	check(t, err)
	public, err := x509.MarshalPKIXPublicKey(own.Public().(ed25519.PublicKey))
	check(t, err)
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "holds no key"},
		"no PEM":     {strings.Repeat("x", 300), "holds no key"},
		"too large":  {string(whole) + strings.Repeat("\n", maxKeyFile), "is larger than any key"},
		"two keys":   {string(whole) + string(whole), "holds more than one key"},
		"public":     {block("PUBLIC KEY", public), "holds the public key"},
		"locked":     {block("ENCRYPTED PRIVATE KEY", der), "is locked with a passphrase"},
		"of ssh":     {block("OPENSSH PRIVATE KEY", der), "is a key of ssh"},
		"of a curve": {block("EC PRIVATE KEY", der), "another kind than ed25519 in PKCS#8"},
		"cut":        {block("PRIVATE KEY", der[:20]), "is damaged"},
	} {
		path := write(t, dir, strings.ReplaceAll(name, " ", "-"), c.text)
		_, err := readKeyFile(path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && slices.ContainsFunc(strings.Fields(string(whole)), func(w string) bool { return len(w) > 20 && strings.Contains(err.Error(), w) }) {
			t.Errorf("%s: the key is told: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		make func(path string) error
		want string
	}{
		"others read it":  {func(path string) error { return os.WriteFile(path, whole, 0o640) }, "others can read it (0640): run chmod 600"},
		"a link":          {func(link string) error { return os.Symlink(path, link) }, "it is a link"},
		"a folder":        {func(path string) error { return os.Mkdir(path, 0o700) }, "it is no file"},
		"nothing":         {func(string) error { return nil }, "there is no key file"},
		"a dangling link": {func(link string) error { return os.Symlink("nowhere", link) }, "it is a link"},
	} {
		other := filepath.Join(t.TempDir(), "other.key")
		check(t, c.make(other))
		if _, err := readKeyFile(other); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestHarmKeysAreHiddenInText: private keys of each form are hidden in a message,
// whole, cut off and with written ends of lines; what is none stays.
func TestHarmKeysAreHiddenInText(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	forms := map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(large)}
	forms["EC PRIVATE KEY"], err = x509.MarshalECPrivateKey(ec)
	check(t, err)
	for name, key := range map[string]any{"PRIVATE KEY": ed, "PRIVATE KEY ": ec, "PRIVATE KEY  ": large} {
		forms[name], err = x509.MarshalPKCS8PrivateKey(key)
		check(t, err)
	}
	for name, der := range forms {
		text := string(pem.EncodeToMemory(&pem.Block{Type: strings.TrimSpace(name), Bytes: der}))
		lines := strings.Split(text, "\n")
		body := strings.Join(lines[1:len(lines)-2], "\n")
		for _, written := range []string{text, body, strings.ReplaceAll(body, "\n", ""), strconv.Quote(text), strconv.Quote(body), text[:len(text)/2+30], strings.ReplaceAll(text, "\n", " "), "-" + body, "--" + text} {
			got := hideKeys("bad flag syntax: " + written + "\nsee: makegood run --help")
			for _, l := range lines[1 : len(lines)-2] {
				if strings.Contains(got, l[:min(len(l), 20)]) {
					t.Errorf("%s as %.60q is shown: %q", name, written, got)
				}
			}
			if !strings.HasPrefix(got, "bad flag syntax: ") {
				t.Errorf("%s: what was wrong is hidden, too: %q", name, got)
			}
		}
	}
	public, err := x509.MarshalPKIXPublicKey(ed.Public())
	check(t, err)
	for _, plain := range []string{"there is no plan .makegood/plans/0198c1f0-7a10-7bbb-8000-0123456789ab.plan", strings.Repeat("0123456789abcdef", 4),
		base64.StdEncoding.EncodeToString(public), "approve PLAN --key FILE", "the key file " + strings.Repeat("folder/", 20) + "own.key"} {
		if got := hideKeys(plain); got != plain {
			t.Errorf("%q became %q", plain, got)
		}
	}
}
