package ledger_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

func TestHeadFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "head.json")
	if _, found, err := ledger.ReadHead(path); found || err != nil {
		t.Errorf("an absent head was read: %v, %v", found, err)
	}
	for sequence := range int64(3) {
		head := reconcile.LedgerHead{Ledger: "l-1", Epoch: 1, Sequence: sequence}
		if err := ledger.WriteHead(path, head); err != nil {
			t.Fatal(err)
		}
		if got, found, err := ledger.ReadHead(path); got != head || !found || err != nil {
			t.Errorf("read %+v, %v, %v, want %+v", got, found, err, head)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the head file is %v, %v", info, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("writing left %v, %v", files, err)
	}
	for _, text := range []string{"", "{", "{}"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ledger.ReadHead(path); err == nil {
			t.Errorf("the head %q was read", text)
		}
	}
	if err := ledger.WriteHead(filepath.Join(folder, "no", "head.json"), reconcile.LedgerHead{}); err == nil {
		t.Error("a head was written to a folder that is not there")
	}
}

func TestCheckHead(t *testing.T) {
	head := func(ledger string, epoch, sequence int64) *reconcile.LedgerHead {
		return &reconcile.LedgerHead{Ledger: ledger, Epoch: epoch, Sequence: sequence}
	}
	for _, c := range []struct {
		name          string
		stored, found *reconcile.LedgerHead
		knowsRuns     bool
		want          error
		next          string
	}{
		{"first run", nil, nil, false, nil, ""},
		{"a ledger without runs", nil, head("a", 1, 0), false, nil, ""},
		{"same place", head("a", 1, 5), head("a", 1, 5), true, nil, ""},
		{"others went on", head("a", 1, 5), head("a", 2, 9), true, nil, ""},
		{"missing", head("a", 1, 5), nil, false, ledger.ErrLedgerMissing, "--new-host"},
		{"another", head("a", 1, 5), head("b", 1, 5), true, ledger.ErrOtherLedger, "--expect-head"},
		{"an older copy", head("a", 1, 5), head("a", 1, 4), true, ledger.ErrLedgerBehind, "--expect-head"},
		{"restored elsewhere", head("a", 1, 5), head("a", 2, 4), true, ledger.ErrLedgerBehind, "--expect-head"},
		{"before a restore", head("a", 2, 5), head("a", 1, 9), true, ledger.ErrLedgerBehind, "--expect-head"},
		{"no head", nil, head("a", 1, 5), true, ledger.ErrHeadMissing, "--new-host"},
	} {
		err := ledger.CheckHead(c.stored, c.found, c.knowsRuns)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), c.next) {
			t.Errorf("%s: %q does not name %s", c.name, err, c.next)
		}
	}
}

func TestPersonKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "person.key")
	if _, err := ledger.ReadPersonKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent key gave %v", err)
	}
	keys := make(chan []byte)
	for range 8 {
		go func() {
			key, err := ledger.PersonKey(path)
			if err != nil {
				t.Error(err)
			}
			keys <- key
		}()
	}
	first := <-keys
	for range 7 {
		if key := <-keys; !bytes.Equal(key, first) {
			t.Error("two processes got two keys")
		}
	}
	if len(first) != ledger.KeySize || bytes.Equal(first, make([]byte, ledger.KeySize)) {
		t.Errorf("the key is %x", first)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("making the key left %v, %v", files, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.PersonKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that the group can read gave %v", err)
	}
	damaged := filepath.Join(t.TempDir(), "person.key")
	if err := os.WriteFile(damaged, []byte("00ff"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.PersonKey(damaged); err == nil {
		t.Error("a damaged key was read")
	}
}
