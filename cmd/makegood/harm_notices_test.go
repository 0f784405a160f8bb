package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/config"
)

// noticed is a shop whose desk and health check hear of runs.
type noticed struct {
	*shop
	place *listening
}

func newNoticed(t *testing.T) *noticed {
	s := &noticed{newShop(t), listen()}
	t.Cleanup(s.place.Close)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.tickets(1)
	s.conf["notify"] = fields{"to": fields{
		"desk":  fields{"type": "slack", "url": s.place.URL + "/desk"},
		"night": fields{"type": "health_check", "url": s.place.URL + "/night"},
	}}
	return s
}

// hears runs a command line and gives back what was heard of it since the last
// time.
func (s *noticed) hears(ctx context.Context, out io.Writer, want int, args ...string) (heard, errs string) {
	s.Helper()
	var log bytes.Buffer
	if code := run(ctx, append(args, "-c", s.file()), os.LookupEnv, stdio{strings.NewReader(""), out, &log}); code != want {
		s.Errorf("%v: exit %d, want %d\n%s", args, code, want, &log)
	}
	return s.heard(), log.String()
}

func (s *noticed) heard() string {
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	defer s.place.heard.Reset()
	return s.place.heard.String()
}

// broken is a standard output that takes nothing.
type broken func() error

func (b broken) Write([]byte) (int, error) { return 0, b() }

// TestHarmNoticeOfWhatWentWrongLate: a report that could not be written, and a
// program that broke off, are told as what they are.
func TestHarmNoticeOfWhatWentWrongLate(t *testing.T) {
	s := newNoticed(t)
	heard, _ := s.hears(t.Context(), broken(func() error { return errors.New("the pipe is closed") }), exitFailed, "run")
	s.contains(heard, "POST /night/3 ")
	s.contains(heard, "A person is needed: the run failed")
	if strings.Contains(heard, "No one is needed") {
		t.Errorf("heard %s", heard)
	}
	heard, _ = s.hears(t.Context(), io.Discard, exitDone, "run")
	s.contains(heard, "Well again")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not go on")
			}
		}()
		s.hears(t.Context(), broken(func() error { panic("ann@example.com") }), exitFailed, "run")
	}()
	heard = s.heard()
	s.contains(heard, "POST /night/3 ")
	s.contains(heard, "A person is needed: the run failed")
	if strings.Contains(heard, "ann") {
		t.Errorf("heard %s", heard)
	}
}

// TestHarmNoticeOfClosing: what goes wrong at the very end is told, too.
func TestHarmNoticeOfClosing(t *testing.T) {
	s := newNoticed(t)
	a := &app{env: os.LookupEnv, io: stdio{strings.NewReader(""), io.Discard, io.Discard}, clock: time.Now, file: s.file(), log: slog.New(slog.DiscardHandler)}
	made, err := a.begin(t.Context(), &runFlags{}, "run")
	check(t, err)
	made.close = append(made.close, func() error { return errors.New("the disk is gone") })
	if made.end(&err); err == nil {
		t.Error("nothing went wrong")
	}
	s.contains(s.heard(), "A person is needed: the run failed")
}

// TestHarmNoticeOfAnInterruption: what somebody stopped is no night that was.
func TestHarmNoticeOfAnInterruption(t *testing.T) {
	s := newNoticed(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	heard, _ := s.hears(ctx, io.Discard, exitLeft, "run")
	s.contains(heard, "POST /night/1 ")
	if strings.Contains(heard, "/desk") || strings.Contains(heard, "POST /night \n") {
		t.Errorf("heard %s", heard)
	}
}

// TestHarmNoticeOfASlip: what was mistyped is between the terminal and whoever
// sits there; what is no longer where it was is not.
func TestHarmNoticeOfASlip(t *testing.T) {
	s := newNoticed(t)
	for _, args := range [][]string{{"run", "--target", "nowhere"}, {"run", "--from", "yesterdy"}, {"run", "--report", "x.docx"}, {"run", "--accept-evidence", "x"}, {"apply", "nowhere.plan"}} {
		if heard, _ := s.hears(t.Context(), io.Discard, exitUsage, args...); heard != "" {
			t.Errorf("%v: heard %s", args, heard)
		}
	}
	heard, _ := s.hears(t.Context(), io.Discard, exitUsage, "run", "--report", filepath.Join(s.dir, "gone", "x.html"))
	s.contains(heard, "POST /night/64 ")
	s.contains(heard, "POST /desk ")
}

// TestHarmNoticeThatIsKept: a file that cannot be read does not hide what the
// ledger knows, and another period is compared with no night.
func TestHarmNoticeThatIsKept(t *testing.T) {
	s := newNoticed(t)
	s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,seven")
	heard, _ := s.hears(t.Context(), io.Discard, exitPerson, "run")
	s.contains(heard, "POST /desk ")
	write(t, s.dir, ".makegood/told.json", "{half of")
	heard, errs := s.hears(t.Context(), io.Discard, exitDone, "run")
	s.contains(errs, "what was told before is not wholly known")
	if strings.Contains(heard, "/desk") {
		t.Errorf("heard again: %s", heard)
	}
	s.hears(t.Context(), io.Discard, exitDone, "notify")
	heard, _ = s.hears(t.Context(), io.Discard, exitDone, "run", "--from", time.Now().AddDate(0, 0, -3).Format(time.DateOnly))
	s.contains(heard, "POST /desk ")
}

// TestHarmNoticeWithoutADisk: where nothing can be written, what was told is not
// told again every ten minutes.
func TestHarmNoticeWithoutADisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := newNoticed(t)
	write(t, s.dir, "disk", "a file is no folder")
	s.conf["state_dir"] = "disk/state"
	heard, errs := s.hears(t.Context(), io.Discard, exitFailed, "run")
	s.contains(heard, "POST /desk ")
	if strings.Contains(errs, "could not be kept") {
		t.Error(errs)
	}
	if heard, _ = s.hears(t.Context(), io.Discard, exitFailed, "run"); strings.Contains(heard, "/desk") {
		t.Errorf("heard again: %s", heard)
	}
	s.conf["state_dir"] = "elsewhere" // of another shop nothing is known
	write(t, s.dir, "elsewhere", "")
	heard, _ = s.hears(t.Context(), io.Discard, exitFailed, "run")
	s.contains(heard, "POST /desk ")
}

// TestHarmHealthCheckOfItsRuns: the carts' runs do not make the night's check
// green.
func TestHarmHealthCheckOfItsRuns(t *testing.T) {
	s := newNoticed(t)
	s.activate("web", fields{"channels": []string{"in_store"}})
	to := s.conf["notify"].(fields)["to"].(fields)
	to["night"].(fields)["targets"] = []string{"stores", "web"}
	to["carts"] = fields{"type": "health_check", "url": s.place.URL + "/carts", "targets": []string{"stores"}}
	heard, _ := s.hears(t.Context(), io.Discard, exitDone, "run", "--target", "stores")
	s.contains(heard, "POST /carts ")
	if strings.Contains(heard, "/night") {
		t.Errorf("heard %s", heard)
	}
	heard, _ = s.hears(t.Context(), io.Discard, exitDone, "run")
	s.contains(heard, "POST /carts ")
	s.contains(heard, "POST /night ")
	var out bytes.Buffer
	s.hears(t.Context(), &out, exitDone, "notify")
	s.contains(out.String(), "hears of every run to stores, web")
	to["carts"].(fields)["targets"] = []string{"nowhere"}
	heard, errs := s.hears(t.Context(), io.Discard, exitConfig, "run")
	s.contains(errs, "nowhere")
	if heard != "" {
		t.Errorf("heard %s", heard)
	}
}

// TestLanes: only runs of the same destinations and period are compared, and a
// plan that is carried out with nothing.
func TestLanes(t *testing.T) {
	cfg := &config.Config{Targets: map[string]*config.Target{"web": {}, "stores": {}, "old": {Mode: config.ModeOff}}}
	for _, c := range []struct {
		f             runFlags
		command, want string
	}{
		{runFlags{}, "run", "run stores web"},
		{runFlags{targets: []string{"web", "stores", "web"}}, "run", "run stores web"},
		{runFlags{targets: []string{"web"}}, "run", "run web"},
		{runFlags{from: "2026-11-01", to: "2026-11-03"}, "run", "run from 2026-11-01 to 2026-11-03 stores web"},
		{runFlags{from: "2026-11-01"}, "run", "run from 2026-11-01 to its end stores web"},
		{runFlags{}, "apply", ""},
	} {
		if got := lane(cfg, &c.f, c.command); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
