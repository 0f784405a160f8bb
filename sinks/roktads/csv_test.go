package roktads

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
	"makegood/sinks/sinktest"
)

func inFile(dir string, ids ...Identity) Options {
	return Options{Name: "ads", API: CSV, Path: filepath.Join(dir, "rokt-{date}.csv"), Type: "purchase", Batch: 10,
		Identities: append(ids, Email), HTTP: httpapi.Options{Clock: func() time.Time { return asOf }}}
}

func content(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "rokt-2026-11-20.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSuiteOfFile(t *testing.T) {
	sinktest.RunLocal(t, sinktest.Suite{
		New: func(t *testing.T, _ string) reconcile.Sink { return open(t, inFile("nowhere")) },
		Orders: func() []reconcile.Order {
			var orders []reconcile.Order
			for i := range 3 {
				o := order(fmt.Sprint(i))
				o.Email = sinktest.Canary + "@example.com"
				orders = append(orders, o)
			}
			return orders
		},
		AsOf: asOf,
	})
}

// The file has the fields of the manual import.
func TestLines(t *testing.T) {
	for want, options := range map[string]func(dir string) Options{
		"Email,Date/time,Value,Currency,Transaction reference,Conversion type\n" +
			"Jane@example.com,2026-11-20T10:00:00Z,15.3,GBP,7,purchase\n": func(dir string) Options { return inFile(dir) },
		"Email,Date/time,Value,Currency,Transaction reference,Conversion type,Passback Conversion Tracking ID\n" +
			"Jane@example.com,2026-11-20T10:00:00Z,15.3,GBP,7,purchase,rclid-7\n": func(dir string) Options { return inFile(dir, ClickID) },
	} {
		dir := t.TempDir()
		s := open(t, options(dir))
		o := order("7")
		o.Fields["click_id"] = "rclid-7"
		got := s.Send(t.Context(), []reconcile.Event{compose(t, s, o)})
		if got[0].Verdict != reconcile.Sent || content(t, dir) != want {
			t.Errorf("got %+v and\n%s", got[0], content(t, dir))
		}
	}
}

// A line that an earlier run was cut off over stands once; whether the crash
// came before it or behind it.
func TestFileAfterACrash(t *testing.T) {
	dir := t.TempDir()
	first := open(t, inFile(dir))
	if err := first.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.Send(t.Context(), []reconcile.Event{compose(t, first, order("1"))}) // and no answer was settled
	s := open(t, inFile(dir))
	var list []reconcile.Event
	for i := range 3 {
		e := compose(t, s, order(fmt.Sprint(i)))
		e.Doubt = reconcile.Doubting{Reason: reconcile.ReasonLostClaim, At: asOf}
		list = append(list, e)
	}
	for _, o := range s.Send(t.Context(), list) {
		if o.Verdict != reconcile.Sent {
			t.Errorf("got %+v", o)
		}
	}
	for i := range 3 {
		if n := strings.Count(content(t, dir), fmt.Sprintf(",%d,purchase", i)); n != 1 {
			t.Errorf("order %d stands %d times", i, n)
		}
	}
	if err := os.Remove(filepath.Join(dir, "rokt-2026-11-20.csv")); err != nil {
		t.Fatal(err)
	}
	if o := open(t, inFile(dir)).Send(t.Context(), list[:1])[0]; o.Verdict != reconcile.InDoubt || !o.Stop {
		t.Errorf("the file is gone: %+v", o)
	}
}

// What would stand in the file as something else is held back.
func TestFileHoldsWhatItCannotSay(t *testing.T) {
	s := open(t, inFile(t.TempDir()))
	for _, change := range []func(*reconcile.Order){
		func(o *reconcile.Order) { o.Email = "=jane@example.com" }, func(o *reconcile.Order) { o.Key.Order = "+7a" },
	} {
		o := order("1")
		change(&o)
		_, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
		if holds, ok := reconcile.HeldIn(err); !ok || len(holds) != 1 || holds[0].Reason != reconcile.ReasonCannotCompose {
			t.Errorf("%s: %v", o.Key.Order, err)
		}
	}
	if hold := s.Expect(old(), asOf)[0].Hold; hold != "" {
		t.Errorf("an old order is held back as %s, and nobody knows an age", hold)
	}
}

func old() reconcile.Head {
	h := order("1").Head
	h.CompletedAt = asOf.AddDate(-3, 0, 0)
	return h
}
