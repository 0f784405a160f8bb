package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"makegood/reconcile"
)

// atTerminal gives a terminal at which somebody has typed something.
func atTerminal(t *testing.T, typed string) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals: ", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	var unlock, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Skip("there are no terminals: ", errno)
		}
	}
	person, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals: ", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if _, err := master.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	return person
}

// TestHarmSendAsks: what is shown goes when somebody says yes, and at no other
// word; what was planned is gone either way.
func TestHarmSendAsks(t *testing.T) {
	for _, c := range []struct {
		typed string
		args  []string
		code  int
		sent  int64
	}{{"no\n", nil, exitLeft, 0}, {"\n", nil, exitLeft, 0}, {"\x04", nil, exitLeft, 0}, {"no\n", []string{"--json"}, exitLeft, 0}, {"yes\n", nil, exitDone, 1}, {"yes\n", []string{"--json"}, exitDone, 1}} {
		t.Run(fmt.Sprintf("%q %v", c.typed, c.args), func(t *testing.T) {
			s := newShop(t)
			s.source("shop", nil)
			s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			s.activate("activate", nil)
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"send", "--order", "1", "-c", s.file()}, c.args...), os.LookupEnv, stdio{atTerminal(t, c.typed), &out, &errs})
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, out.String(), errs.String())
			}
			s.contains(out.String()+errs.String(), "Order 1, to activate (live), once:")
			s.contains(errs.String(), "Send it? Type yes: ")
			if n := int64(s.sim.Counts().Platforms["squeezely"].Orders); n != c.sent {
				t.Errorf("%d were sent", n)
			}
			if plans, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*")); len(plans) > 0 {
				t.Errorf("what was planned is still there: %v", plans)
			}
		})
	}
}

// prompted does something while a question waits.
type prompted struct {
	bytes.Buffer
	meanwhile func()
}

func (p *prompted) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "Send it?") {
		p.meanwhile()
	}
	return p.Buffer.Write(text)
}

// TestHarmSendAsksAndTheWorldGoesOn: who is forgotten while the question waits is
// not sent, nor are their goods as a test; and what was shown long ago is not.
func TestHarmSendAsksAndTheWorldGoesOn(t *testing.T) {
	self := []string{"--to-self", "you@example.com"}
	for name, c := range map[string]struct {
		args   []string
		passes time.Duration
		forget []string // the arguments of forget; nil: nobody is
		code   int
		words  string
	}{
		"nothing, a test":                  {self, 9 * time.Minute, nil, exitDone, "accepted by the platform"},
		"nothing":                          {nil, 9 * time.Minute, nil, exitDone, "accepted by the platform"},
		"too long":                         {nil, 11 * time.Minute, nil, reconcile.RefusedExpired, "shown more than 10 minutes ago, and others may have sent it since; the same command shows it as it is now"},
		"too long, a test":                 {self, 11 * time.Minute, nil, reconcile.RefusedExpired, "shown more than 10 minutes ago"},
		"the order is forgotten, a test":   {self, time.Minute, []string{"--order", "1"}, reconcile.RefusedOrdersMoved, "has changed since it was shown"},
		"the address is forgotten, a test": {self, time.Minute, []string{"--email", "ann@example.com"}, reconcile.RefusedOrdersMoved, "has changed since it was shown"},
		"the order is forgotten":           {nil, time.Minute, []string{"--order", "1"}, exitFailed, "read the plan"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.source("shop", nil)
			s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			s.activate("activate", nil)
			var passed atomic.Int64
			var out bytes.Buffer
			errs := &prompted{meanwhile: func() {
				passed.Store(int64(c.passes))
				if c.forget != nil {
					if code, _, errs := makegood(t, append(append([]string{"forget"}, c.forget...), "-c", s.file())...); code != exitDone {
						t.Errorf("forget: exit %d\n%s", code, errs)
					}
				}
			}}
			a := &app{env: os.LookupEnv, io: stdio{atTerminal(t, "yes\n"), &out, errs}, clock: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }}
			code := a.carryOut(t.Context(), append([]string{"send", "--order", "1", "-c", s.file()}, c.args...))
			said := out.String() + errs.String()
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s", code, c.code, said)
			}
			s.contains(said, c.words)
			if n := s.requests(); (n > 0) != (c.code == exitDone) {
				t.Errorf("%d requests left", n)
			}
		})
	}
}
