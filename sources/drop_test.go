package sources_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
)

// dropFolder is a source whose files are moved, with the folders it knows.
type dropFolder struct {
	*testing.T
	in, done string
	cfg      *config.Source
}

func newDrop(t *testing.T, pattern string) *dropFolder {
	t.Helper()
	dir := t.TempDir()
	d := &dropFolder{T: t, in: filepath.Join(dir, "in"), done: filepath.Join(dir, "done")}
	if err := os.Mkdir(d.in, 0o700); err != nil {
		t.Fatal(err)
	}
	d.cfg = retail(t, filepath.Join(d.in, pattern))
	d.cfg.AfterRead = &config.AfterRead{MoveTo: d.done}
	return d
}

// order is a row of an order on the second day of 2011.
func order(id, quantity string) string {
	return header + id + ",a,x," + quantity + ",2011-01-02 10:00,1,\n"
}

// read reads the folder as a run does; what was read is moved with move.
func (d *dropFolder) read(w reconcile.Window, move func(sources.Mover)) (ids []string) {
	d.Helper()
	s := open(d.T, d.cfg)
	for _, h := range heads(d.T, s, w) {
		if len(h.Bad) > 0 {
			d.Errorf("order %s is bad: %v", h.Key.Order, h.Bad)
		}
		ids = append(ids, h.Key.Order+"="+h.Amount.String())
	}
	if move != nil {
		move(s.(sources.Mover))
	}
	slices.Sort(ids)
	return ids
}

// moves wants so many files to be moved.
func (d *dropFolder) moves(want int) func(sources.Mover) {
	return func(m sources.Mover) {
		d.Helper()
		if n, err := m.MoveRead(d.Context()); err != nil || n != want {
			d.Errorf("moved %d (%v), want %d", n, err, want)
		}
	}
}

// holds wants the names in both folders.
func (d *dropFolder) holds(in, done string) {
	d.Helper()
	for dir, want := range map[string]string{d.in: in, d.done: done} {
		var names []string
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); got != want {
			d.Errorf("%s holds %q, want %q", filepath.Base(dir), got, want)
		}
	}
}

func (d *dropFolder) wants(got []string, want string) {
	d.Helper()
	if strings.Join(got, " ") != want {
		d.Errorf("read %q, want %q", got, want)
	}
}

// TestDropFolder follows a drop folder over some nights.
func TestDropFolder(t *testing.T) {
	for _, pattern := range []string{"", "orders*.csv", "orders.csv"} {
		d := newDrop(t, pattern)
		d.wants(d.read(retailWindow, d.moves(0)), "")
		write(t, d.in, "orders.csv", order("1", "1"))
		d.wants(d.read(retailWindow, nil), "1=1") // a plan
		d.holds("orders.csv", "")
		d.wants(d.read(retailWindow, d.moves(1)), "1=1")
		d.holds("", "orders.csv")
		write(t, d.in, "orders.csv", order("2", "3"))
		d.wants(d.read(retailWindow, d.moves(1)), "1=1 2=3")
		d.holds("", "orders.csv orders~2.csv")
		d.wants(d.read(retailWindow, d.moves(0)), "1=1 2=3")
		d.holds("", "orders.csv orders~2.csv")
	}
}

// TestMovedVersions: a moved file is a version like any other, or a part.
func TestMovedVersions(t *testing.T) {
	d := newDrop(t, "")
	write(t, d.in, "a.csv", order("1", "1"))
	d.read(retailWindow, d.moves(1))
	write(t, d.in, "b.csv", order("1", "2"))
	s := open(t, d.cfg)
	all := heads(t, s, retailWindow)
	if len(all) != 1 || len(all[0].Bad) != 1 || all[0].Bad[0].Reason != reconcile.ReasonVersions {
		t.Errorf("two versions gave %+v", all)
	}
	d.cfg.Files = "parts"
	d.wants(d.read(retailWindow, d.moves(1)), "1=3")
}

// TestMovedLongAgo: a moved file that cannot hold orders of the period is not
// opened; a backfill finds it.
func TestMovedLongAgo(t *testing.T) {
	d := newDrop(t, "")
	path := write(t, d.in, "a.csv", order("1", "1"))
	written := time.Date(2011, 1, 2, 12, 0, 0, 0, time.UTC)
	touch(t, path, written)
	d.read(retailWindow, d.moves(1))
	if info, err := os.Stat(filepath.Join(d.done, "a.csv")); err != nil || !info.ModTime().Equal(written) {
		t.Fatalf("the time was not kept: %v", err)
	}
	later := reconcile.Window{From: written.Add(25 * time.Hour), To: retailWindow.To}
	s := open(t, d.cfg)
	if heads(t, s, later); s.Tally().Rows != 0 {
		t.Errorf("read %d rows", s.Tally().Rows)
	}
	later.From = written.Add(23 * time.Hour)
	if heads(t, s, later); s.Tally().Rows != 1 {
		t.Errorf("read %d rows of a file that may hold orders of the period", s.Tally().Rows)
	}
	d.wants(d.read(retailWindow, nil), "1=1")
}

// TestMovesThatMustNotBe: a file that changed after it was read, and a folder
// that cannot be written to.
func TestMovesThatMustNotBe(t *testing.T) {
	d := newDrop(t, "")
	write(t, d.in, "a.csv", order("1", "1"))
	d.read(retailWindow, func(m sources.Mover) {
		write(t, d.in, "a.csv", order("1", "1")+order("2", "2")[len(header):])
		d.moves(0)(m)
	})
	d.holds("a.csv", "")
	d = newDrop(t, "")
	write(t, d.in, "a.csv", order("1", "1"))
	write(t, filepath.Dir(d.in), "done", "a file stands where the folder should be")
	d.cfg.AfterRead.MoveTo = filepath.Join(d.done, "deeper")
	s := open(t, d.cfg)
	for _, err := range s.Heads(t.Context(), retailWindow) {
		if err == nil {
			t.Error("read a folder of moved files that is none")
		}
	}
	if _, moves := open(t, retail(t, d.in)).(sources.Mover); moves {
		t.Error("a source without after_read moves files")
	}
}

// TestMoveToAnotherDisk makes copies, with the time of the original.
func TestMoveToAnotherDisk(t *testing.T) {
	done, err := os.MkdirTemp("/dev/shm", "makegood-test-*")
	if err != nil {
		t.Skipf("there is no second file system: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(done) })
	d := newDrop(t, "")
	d.done, d.cfg.AfterRead.MoveTo = done, done
	path := write(t, d.in, "a.csv", order("1", "1"))
	written := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	touch(t, path, written)
	if err := os.Link(path, filepath.Join(done, "link")); err == nil {
		t.Skip("there is no second file system")
	}
	d.read(retailWindow, d.moves(1))
	d.holds("", "a.csv")
	if info, err := os.Stat(filepath.Join(done, "a.csv")); err != nil || !info.ModTime().Equal(written) {
		t.Errorf("the copy is %v (%v)", info, err)
	}
	write(t, d.in, "a.csv", order("2", "1"))
	d.wants(d.read(retailWindow, d.moves(1)), "1=1 2=1")
	d.holds("", "a.csv a~2.csv")
}

// TestMoveAfterACrash: a crash between the two halves of a move leaves the
// file at both places. It counts once, and the next run ends the move.
func TestMoveAfterACrash(t *testing.T) {
	d := newDrop(t, "")
	d.cfg.Files = "parts"
	path := write(t, d.in, "a.csv", order("1", "1"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.done, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, leave := range map[string]func() error{
		"a link": func() error { return os.Link(path, filepath.Join(d.done, "a.csv")) },
		"a copy": func() error {
			touch(t, write(t, d.done, "a.csv", order("1", "1")), info.ModTime())
			return nil
		},
	} {
		if err := leave(); err != nil {
			t.Fatal(err)
		}
		d.wants(d.read(retailWindow, d.moves(1)), "1=1")
		d.holds("", "a.csv")
		if err := os.Rename(filepath.Join(d.done, "a.csv"), path); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
	write(t, d.done, "a.csv", order("2", "1"))
	d.wants(d.read(retailWindow, d.moves(1)), "1=1 2=1")
	d.holds("", "a.csv a~2.csv")
}

// TestNoDropFolder: an empty folder is a quiet day, a missing one is a fault.
func TestNoDropFolder(t *testing.T) {
	d := newDrop(t, "")
	d.cfg.Path = filepath.Join(filepath.Dir(d.in), "gone", "*.csv")
	if err := fail(t, sources.Opener{}, d.cfg); !errors.Is(err, sources.ErrNoFile) {
		t.Errorf("gave %v", err)
	}
}
