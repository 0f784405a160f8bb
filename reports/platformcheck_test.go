package reports

import (
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// firstSent is the night in which two destinations accepted their first orders,
// and one that files cannot be asked about.
func firstSent() reconcile.Result {
	r := night("run")
	sent := func(target, kind, mode string, newest ...reconcile.Accepted) reconcile.TargetResult {
		return reconcile.TargetResult{Target: target, Type: kind, Mode: mode, Newest: newest, Balance: reconcile.Balance{Eligible: *n(2, 2, "40", "EUR"),
			Places: places{{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}: n(2, 2, "40", "EUR")}}}
	}
	young, old := at("2026-11-20T20:00:00Z"), at("2026-11-18T20:00:00Z")
	r.Targets = []reconcile.TargetResult{
		sent("activate", "spotler", reconcile.ModeTrial, reconcile.Accepted{Order: "1002", Shown: "W1002", CompletedAt: young}, reconcile.Accepted{Order: "1001", Shown: "W1001", CompletedAt: young},
			reconcile.Accepted{Order: "990", Shown: "W990", CompletedAt: old}),
		sent("old", "squeezely", reconcile.ModeLive, reconcile.Accepted{Order: "990", Shown: "990", CompletedAt: old}),
		sent("stores", "collect", reconcile.ModeLive, reconcile.Accepted{Order: "S1-7", Shown: "S1-7", CompletedAt: young}),
		sent("archive", "file", reconcile.ModeLive, reconcile.Accepted{Order: "1", Shown: "1", CompletedAt: young}),
	}
	return r
}

// TestPlatformCheckOnce: it is told of the first accepted order, and of it alone.
func TestPlatformCheckOnce(t *testing.T) {
	has := func(before map[string]bool, change func(*reconcile.Result)) (with []string) {
		r := firstSent()
		if change != nil {
			change(&r)
		}
		for _, target := range Build(r, Options{Zone: time.UTC, SentBefore: before}).Targets {
			if target.Check != nil {
				with = append(with, target.Target)
			}
		}
		return with
	}
	for name, c := range map[string]struct {
		before map[string]bool
		change func(*reconcile.Result)
		want   string
	}{
		"first":            {before: map[string]bool{}, want: "activate old stores"},
		"one was sent to":  {before: map[string]bool{"activate": true}, want: "old stores"},
		"nobody knows":     {},
		"nothing was sent": {before: map[string]bool{}, change: func(r *reconcile.Result) { r.Targets[0].Balance.Places = places{} }, want: "old stores"},
		"carts alone":      {before: map[string]bool{}, change: func(r *reconcile.Result) { r.Targets[2].Newest = nil }, want: "activate old"},
		"in shadow":        {before: map[string]bool{}, change: func(r *reconcile.Result) { r.Targets[2].Mode = reconcile.ModeShadow }, want: "activate old"},
	} {
		if got := strings.Join(has(c.before, c.change), " "); got != c.want {
			t.Errorf("%s: a check stands at %q, want %q", name, got, c.want)
		}
	}
}

// TestPlatformCheckNamesOrders: the young ones, by the number that the platform
// knows, and no address that slipped into one.
func TestPlatformCheckNamesOrders(t *testing.T) {
	now := at("2026-11-21T01:00:00Z")
	check := func(l Looked) *PlatformCheck {
		l.Target, l.Now, l.Zone = "there", now, time.UTC
		return CheckOf(l)
	}
	orders := []reconcile.Accepted{{Order: "1", Shown: "W1", CompletedAt: now.Add(-23 * time.Hour)}, {Order: "2", Shown: "jane@example.com", CompletedAt: now.Add(-time.Hour)},
		{Order: "3", Shown: "W3", CompletedAt: now.Add(-24 * time.Hour)}}
	c := check(Looked{Type: "squeezely", Orders: orders})
	if strings.Join(c.Orders, " ") != "W1 j***@example.com" || !strings.Contains(c.Steps[2].Text, "W1 or j***@example.com") {
		t.Errorf("%+v", c)
	}
	if c := check(Looked{Type: "collect", Orders: orders, Test: true}); strings.Contains(c.Steps[0].Command, "to-self") {
		t.Errorf("a test is to be made after a test: %+v", c)
	}
	for _, kind := range []string{"squeezely", "spotler"} {
		if c := check(Looked{Type: kind, Orders: orders[2:], Test: true}); !strings.HasSuffix(c.Steps[0].Command, "--to-self you@example.com") {
			t.Errorf("after a test, a customer's order is to be sent: %+v", c)
		}
		if c := check(Looked{Type: kind, Orders: orders[2:]}); strings.Contains(c.Steps[0].Command, "to-self") {
			t.Errorf("after a run, only a test is named: %+v", c)
		}
	}
	for _, kind := range []string{"rokt", "rokt_ads", "file", "emanage"} {
		if c := check(Looked{Type: kind, Orders: orders}); c != nil {
			t.Errorf("something was made up for %s: %+v", kind, c)
		}
	}
	for _, kind := range []string{"squeezely", "spotler", "collect", "emanage"} {
		if c := check(Looked{Type: kind}); c != nil {
			t.Errorf("no order was accepted at %s, and it is to be looked for: %+v", kind, c)
		}
	}
}
