package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"makegood/reconcile"
)

// What can be wrong between a ledger and the head that this machine remembers
// of it (CONTRACTS 14). Each text names the next step.
var (
	// ErrLedgerMissing says that there is a head but no ledger.
	ErrLedgerMissing = errors.New("the ledger is missing although this machine has used one: put it back, " +
		"or start with a new one on purpose with --new-host")
	// ErrOtherLedger says that the head is another ledger's.
	ErrOtherLedger = errors.New("this is not the ledger that this machine has used: correct 'ledger' or 'state_dir', " +
		"or name the head of the last report with --expect-head")
	// ErrLedgerBehind says that the ledger has come less far than its head:
	// it was put back from a copy, and events sent since would be sent again.
	ErrLedgerBehind = errors.New("the ledger is older than what this machine has seen of it: put the newest copy back; " +
		"an old copy is used on purpose with --expect-head and its head, and what was sent since is then known to the platform alone (see the README)")
	// ErrLedgerForked says that the ledger has gone another way since: a copy
	// was put back, or altered, and used.
	ErrLedgerForked = errors.New("the ledger has another history than what this machine has seen of it: " +
		"put the newest copy back; makegood ledger check names what was altered")
	// ErrHeadMissing says that a ledger that has seen runs meets a state
	// directory that knows nothing of it.
	ErrHeadMissing = errors.New("the ledger has seen runs but this machine has no head of it: " +
		"name the head of the last report with --expect-head, or say --new-host")
)

// CheckHead compares the head that this machine remembers with the ledger that
// it found; nil means that there is none. knowsRuns says that the ledger has
// seen a run. The error is one of the four above, with both heads in its text.
func CheckHead(stored, found *reconcile.LedgerHead, knowsRuns bool) error {
	switch {
	case stored == nil && (found == nil || !knowsRuns):
		return nil
	case stored == nil:
		return fmt.Errorf("found ledger %s: %w", headText(*found), ErrHeadMissing)
	case found == nil:
		return fmt.Errorf("remember ledger %s: %w", headText(*stored), ErrLedgerMissing)
	}
	both := fmt.Sprintf("found ledger %s, remember %s", headText(*found), headText(*stored))
	switch {
	case stored.Ledger != found.Ledger:
		return fmt.Errorf("%s: %w", both, ErrOtherLedger)
	case found.Epoch < stored.Epoch || found.Sequence < stored.Sequence:
		return fmt.Errorf("%s: %w", both, ErrLedgerBehind)
	}
	return nil
}

func headText(h reconcile.LedgerHead) string {
	return fmt.Sprintf("%s at %d.%d", h.Ledger, h.Epoch, h.Sequence)
}

// CheckHistory makes sure that the ledger came to where it is by way of the
// head that this machine remembers; nil means that there is none. Of history
// that was pruned away nothing can be said.
func (v *view) CheckHistory(ctx context.Context, stored *reconcile.LedgerHead) error {
	if stored == nil || stored.Hash == "" {
		return nil
	}
	var rows []struct {
		First int64 `db:"first"`
		Hash  blob  `db:"hash"`
	}
	err := v.read(ctx, "look for the head that this machine remembers", func(conn *conn) error {
		return conn.SelectContext(ctx, &rows, `SELECT (SELECT min(sequence) FROM journal) AS first,
			(SELECT hash FROM journal WHERE sequence = ?) AS hash FROM meta`, stored.Sequence)
	})
	if err != nil || len(rows) == 0 || rows[0].First > stored.Sequence {
		return err
	}
	if hex.EncodeToString(rows[0].Hash) != stored.Hash {
		return fmt.Errorf("at %d.%d: %w", stored.Epoch, stored.Sequence, ErrLedgerForked)
	}
	return nil
}

// ReadHead reads a head file. Without one it gives false and no error.
func ReadHead(path string) (head reconcile.LedgerHead, found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return head, false, nil
	}
	if err != nil {
		return head, false, fmt.Errorf("read ledger head: %w", err)
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return head, false, fmt.Errorf("read ledger head %s: %w: the file is damaged; remove it, and say --expect-head with the head of the last report", path, err)
	}
	if head.Ledger == "" {
		return head, false, fmt.Errorf("read ledger head %s: it names no ledger", path)
	}
	return head, true, nil
}

// WriteHead replaces a head file, mode 0600: a reader, and a crash, finds the
// old one or the new one. The folder must exist.
func WriteHead(path string, head reconcile.LedgerHead) error {
	text, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("write ledger head: %w", err)
	}
	temp, err := writeTemp(path, append(text, '\n'))
	if err != nil {
		return fmt.Errorf("write ledger head: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("write ledger head: %w", errors.Join(err, os.Remove(temp)))
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write ledger head: %w", err)
	}
	return nil
}

// writeTemp writes data durably to a new file of mode 0600 beside path.
func writeTemp(path string, data []byte) (temp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
