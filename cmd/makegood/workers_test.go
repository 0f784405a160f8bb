package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"makegood/reports"
)

// marketplace is a shop whose ledger several processes use.
type marketplace struct {
	*shop
	place string // of the ledger
}

// newMarketplace has so many orders of the last week, and one live destination.
func newMarketplace(t *testing.T, orders int, settings fields) *marketplace {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts processes")
	}
	_, place := ownSchema(t, "postgres")
	if place == "" {
		t.Skip("there is no such server")
	}
	s := backfillShop(t, orders, settings)
	s.conf["ledger"] = place
	s.file()
	return &marketplace{s, place}
}

func (m *marketplace) config() string { return filepath.Join(m.dir, "makegood.yaml") }

// process is a process with what it said, once it is over.
type process struct {
	*exec.Cmd
	said bytes.Buffer
	over chan struct{}
	err  error
}

// start starts a process, which is killed at the end.
func (m *marketplace) start(args ...string) *process {
	m.Helper()
	return m.startAt(m.dir, args...)
}

// asks puts the last week into the queue, and leaves it to workers.
func (m *marketplace) asks(args ...string) {
	m.Helper()
	code, out, errs := makegood(m.T, append(append([]string{"backfill", "--workers", "--detach", "-c", m.config()}, lastWeek()...), args...)...)
	if code != exitDone || !strings.Contains(errs, "put into the queue") {
		m.Fatalf("--detach: exit %d\n%s%s", code, out, errs)
	}
}

// host is another machine, by its folder: it has the configuration and the key by
// which persons are known, and no file of orders.
func (m *marketplace) host() (dir string) {
	m.Helper()
	dir = m.TempDir()
	state, set := m.conf["state_dir"].(string)
	if !set {
		state = ".makegood"
	}
	for _, name := range []string{"makegood.yaml", filepath.Join(state, "person.key")} {
		text, err := os.ReadFile(filepath.Join(m.dir, name))
		check(m.T, err)
		check(m.T, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		check(m.T, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return dir
}

// startAt starts a process on the machine of a folder.
func (m *marketplace) startAt(dir string, args ...string) *process {
	m.Helper()
	p := &process{Cmd: play(m.T, append(args, "-c", filepath.Join(dir, "makegood.yaml"))...), over: make(chan struct{})}
	p.Stdout, p.Stderr = &p.said, &p.said
	check(m.T, p.Start())
	go func() {
		p.err = p.Wait()
		close(p.over)
	}()
	m.Cleanup(func() {
		_ = p.Process.Kill() // it may be over
		<-p.over
		if m.Failed() {
			m.Logf("%v: %v\n%.3000s", args, p.err, p.said.String())
		}
	})
	return p
}

// queue asks the queue's tables.
func (m *marketplace) queue(into any, query string, args ...any) {
	m.Helper()
	c, err := pgx.Connect(m.Context(), strings.Replace(m.place, "search_path="+m.schema(), "search_path="+m.schema()+"_queue", 1))
	check(m.T, err)
	defer func() { _ = c.Close(m.Context()) }()
	check(m.T, c.QueryRow(m.Context(), query, args...).Scan(into))
}

func (m *marketplace) schema() string { return m.place[strings.LastIndex(m.place, "=")+1:] }

// TestWorkersShareABackfill: two processes do what one would do, once, and the
// report is that of one.
func TestWorkersShareABackfill(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 300, nil)
	m.start("worker", "--name", "first", "--parallel", "2")
	m.start("worker", "--name", "second", "--parallel", "2")
	got := m.backfilled(exitDone, "--workers")
	b := got.Targets[0].Balance
	if !b.Holds || b.Eligible.Events != 300 || b.Sent.Events != 300 {
		t.Errorf("%+v", b)
	}
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 300 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	for _, one := range got.Slices {
		if one.State != sliceDone {
			t.Errorf("slice %s is %s", one.From.Format(time.DateTime), one.State)
		}
	}
	var pieces int
	m.queue(&pieces, `SELECT count(*) FROM pieces`)
	if pieces > 0 {
		t.Errorf("%d pieces of plans are left in the queue", pieces)
	}
	if left, _ := filepath.Glob(filepath.Join(m.dir, ".makegood", "plans", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, one := range m.backfilled(exitDone).Slices { // without workers: it knows what they did
		if one.State != sliceDoneBefore && one.To.Before(got.Window.To) {
			t.Errorf("slice %s is %s afterwards", one.From.Format(time.DateTime), one.State)
		}
	}
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 300 || totals.Repeats != 0 {
		t.Errorf("afterwards the platform holds %+v", totals)
	}
	code, out, errs := makegood(t, append([]string{"audit", "--json", "-c", m.config()}, lastWeek()[:2]...)...)
	var month reports.Audit
	if err := json.Unmarshal([]byte(out), &month); err != nil || code != exitDone || len(month.Targets) != 1 || month.Targets[0].Sent.Events != 300 {
		t.Errorf("audit: exit %d: %v; it does not say that 300 were sent:\n%s%s", code, err, out, errs)
	}
	told, out, errs := makegood(t, "status", "-c", m.config())
	for _, want := range []string{"queue   2 workers at work; ", "first on ", "second on "} {
		if !strings.Contains(out, want) {
			t.Errorf("status, exit %d, does not say %q:\n%s%s", told, want, out, errs)
		}
	}
	code, out, errs = makegood(t, "verify", "--json", "-c", m.config())
	var p struct{ Ledger []json.RawMessage }
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != exitDone || len(p.Ledger) > 0 {
		t.Errorf("verify: exit %d: %v\n%s%s", code, err, out, errs)
	}
}
