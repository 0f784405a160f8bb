package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
)

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 16 << 10

func (a *app) keyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "key FILE",
		Short: "Make a key file that plans and approvals are signed with, or show the public key of one",
		Long: `Makes an ed25519 key in a file of its own, for its owner alone (0600), and
prints its public key: the line for plans.signers or plans.approvers of whoever
is to believe it. Of a file that is there already only the public key is
printed. The file itself stays with its owner: it is never shown, copied or
kept by makegood.

The file is PEM (PKCS#8); openssl genpkey -algorithm ed25519 makes the same.`,
		GroupID: "setup",
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("name one file for the key, such as ann.key")
			}
			return nil
		}),
		Example: `  makegood key ann.key
  makegood approve PLAN --key ann.key --note "compared with the shop's list"`,
		RunE: func(_ *cobra.Command, args []string) error { return a.key(args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// keyJSON is what is told of a key file.
type keyJSON struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
	Public string `json:"public"`
	Made   bool   `json:"made"`
}

func (a *app) key(path string, asJSON bool) error {
	made, err := false, error(nil)
	if !config.KeyItself(path) {
		made, err = makeKeyFile(path)
	}
	if err != nil {
		return &usageError{command: "makegood key", err: err}
	}
	own, err := readKeyFile(path)
	if err != nil {
		return &usageError{command: "makegood key", err: err}
	}
	told := keyJSON{Schema: 1, File: path, Public: publicText(own), Made: made}
	if asJSON {
		enc := json.NewEncoder(a.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(told)
	}
	if made {
		fmt.Fprintf(a.io.err, "Made %s: keep it to yourself, and a copy of it in a safe place. Its public key:\n", path)
	}
	_, err = fmt.Fprintln(a.io.out, told.Public)
	return err
}

func publicText(own ed25519.PrivateKey) string {
	public, _ := own.Public().(ed25519.PublicKey) // an ed25519.PrivateKey has no other
	return reconcile.KeyText(public)
}

// makeKeyFile makes a key where there is no file yet, and leaves one that is
// there alone.
func makeKeyFile(path string) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make the key file: %w", err)
	}
	_, own, err := ed25519.GenerateKey(rand.Reader)
	var der []byte
	if err == nil {
		der, err = x509.MarshalPKCS8PrivateKey(own)
	}
	if err == nil {
		err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, errors.Join(fmt.Errorf("make the key file: %w", err), os.Remove(path))
	}
	return true, nil
}

var errKeyItself = errors.New("that is a key, and no file with one: others may have read it by now; make a new one with makegood key FILE")

// readKeyFile reads the private key of a key file. What it refuses it says
// without a byte of the file.
func readKeyFile(path string) (ed25519.PrivateKey, error) {
	if config.KeyItself(path) {
		return nil, errKeyItself
	}
	text, err := keyText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; makegood key %s makes one", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", path, err)
	}
	own, err := privateKey(text)
	if err != nil {
		return nil, fmt.Errorf("the key file %s %w", path, err)
	}
	return own, nil
}

// keyText reads the file. One that others can read or exchange proves nothing of
// who signed.
func keyText(path string) ([]byte, error) {
	named, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case named.Mode()&fs.ModeSymlink != 0:
		return nil, errors.New("it is a link; name the file itself")
	case !named.Mode().IsRegular():
		return nil, errors.New("it is no file; name the file with the private key")
	case named.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("others can read it (%04o): run chmod 600 %s, and if they may have read it make a new one", named.Mode().Perm(), quotedArgument(path))
	case named.Size() > maxKeyFile:
		return nil, errors.New("it is larger than any key; name the file with the private key alone")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	if opened, err := f.Stat(); err != nil || !os.SameFile(named, opened) {
		return nil, errors.Join(errors.New("it was exchanged while it was opened; try again"), err)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// privateKey reads PEM with one ed25519 key in PKCS#8.
func privateKey(text []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("holds no key (PEM, as makegood key FILE and openssl genpkey -algorithm ed25519 make it)")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("holds more than one key; name a file with the private key alone")
	case block.Type == "PUBLIC KEY":
		return nil, errors.New("holds the public key; name the file with the private one")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("is locked with a passphrase, which nobody could type at night; name one that is not (openssl pkey -in FILE -out NEW)")
	case block.Type == "OPENSSH PRIVATE KEY":
		return nil, errors.New("is a key of ssh; makegood key FILE makes one for plans")
	case block.Type != "PRIVATE KEY":
		return nil, errors.New("holds a key of another kind than ed25519 in PKCS#8; makegood key FILE makes one")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("is damaged; put it back from its copy, or make a new one with makegood key FILE")
	}
	own, is := parsed.(ed25519.PrivateKey)
	if !is {
		return nil, errors.New("holds a key of another kind than ed25519; makegood key FILE makes one")
	}
	return own, nil
}

// hiddenKey stands where a key was.
const hiddenKey = "(a key, not shown)"

var (
	// pemText is a key or a certificate in PEM, also cut off, and with its ends of
	// lines written as \n.
	pemText = regexp.MustCompile(`(?is)-*BEGIN [A-Z0-9 ]*(KEY|CERTIFICATE)-*.*?(-+END [A-Z0-9 ]*-+|$)`)
	// keyLine is where a key alone could begin, over several lines too.
	keyLine = regexp.MustCompile(`M[A-Za-z0-9+/]{39,}(?:(?:\s|\\[rn])+[A-Za-z0-9+/]{20,})*=*`)
)

// hideKeys takes out of a text what is a private key, or a key in PEM: somebody
// has given it in the place of a file's name, and no message repeats it.
func hideKeys(text string) string {
	text = pemText.ReplaceAllString(text, hiddenKey)
	for from := 0; from < len(text); {
		at := keyLine.FindStringIndex(text[from:])
		if at == nil {
			break
		}
		first, end := from+at[0], from+at[1]
		from = first + 1 // what stands before a key may look like its beginning
		if beginsKey(text[first:]) {
			text = text[:first] + hiddenKey + text[end:]
		}
	}
	return text
}

// keyBegins is how many letters show whether a text in base64 is a private key.
const keyBegins = 12

// beginsKey reports whether a text begins as a private key in base64: PKCS#8,
// PKCS#1 and SEC 1 begin with a version, which a public key and a certificate do
// not.
func beginsKey(text string) bool {
	der, err := base64.StdEncoding.DecodeString(text[:keyBegins])
	if err != nil || der[0] != 0x30 { // no sequence
		return false
	}
	head := 2
	if der[1] > 0x80 { // its length has bytes of its own
		head += int(der[1] & 0x7f)
	}
	return len(der) > head+2 && der[head] == 0x02 && der[head+1] == 0x01 && der[head+2] <= 1
}
