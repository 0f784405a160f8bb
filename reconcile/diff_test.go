package reconcile_test

import (
	"testing"
	"time"

	"makegood/reconcile"
)

func TestDiff(t *testing.T) {
	digest, other := reconcile.HashFields("a"), reconcile.HashFields("b")
	type e = reconcile.Entry
	for name, c := range map[string]struct {
		entry  e
		hold   reconcile.Reason
		merges bool
		want   string
		send   bool
	}{
		"absent":                       {e{}, "", false, "left/planned", true},
		"absent, held back":            {e{}, "no_email", false, "held_back/no_email", false},
		"open":                         {e{State: reconcile.StateOpen}, "", false, "left/planned", true},
		"open, held back":              {e{State: reconcile.StateOpen}, "too_old", false, "held_back/too_old", false},
		"open, its time is now":        {e{State: reconcile.StateOpen, NotBefore: noon}, "", false, "left/planned", true},
		"open, its time will come":     {e{State: reconcile.StateOpen, NotBefore: noon.Add(1)}, "", false, "left/retry_later", false},
		"open, a wait for weeks":       {e{State: reconcile.StateOpen, NotBefore: noon.Add(8 * day)}, "", false, "left/planned", true},
		"claimed":                      {e{State: reconcile.StateClaimed}, "", true, "left/busy", false},
		"done":                         {e{State: reconcile.StateDone, By: reconcile.ByProven}, "", true, "already_sent/proven", false},
		"done, held back":              {e{State: reconcile.StateDone, By: reconcile.BySentHere}, "no_email", true, "already_sent/sent_here", false},
		"done, another order's number": {e{State: reconcile.StateDone}, reconcile.ReasonIDReused, true, "held_back/id_reused", false},
		"done, two orders, one number": {e{State: reconcile.StateDone}, reconcile.ReasonIDCollision, true, "held_back/id_collision", false},
		"refused":                      {e{State: reconcile.StateRefused, Facts: reconcile.Facts{Digest: digest}}, "", true, "refused/rejected", false},
		"refused, changed":             {e{State: reconcile.StateRefused, Facts: reconcile.Facts{Digest: other}}, "", false, "left/planned", true},
		"refused, changed, held back":  {e{State: reconcile.StateRefused, Facts: reconcile.Facts{Digest: other}}, "too_old", false, "held_back/too_old", false},
		"doubtful":                     {e{State: reconcile.StateDoubtful}, "", false, "in_doubt/no_answer", false},
		"doubtful, its run died":       {e{State: reconcile.StateDoubtful, Lost: true}, "", false, "in_doubt/lost_claim", false},
		"doubtful, merging":            {e{State: reconcile.StateDoubtful}, "", true, "left/planned", true},
		"doubtful, merging, held back": {e{State: reconcile.StateDoubtful}, "too_old", true, "in_doubt/no_answer", false},
	} {
		w := reconcile.Want{ID: purchase("1"), Kind: reconcile.KindPurchase, Hold: c.hold, Facts: reconcile.Facts{Digest: digest}}
		have := map[reconcile.EventID]e{}
		if c.entry.State != reconcile.StateAbsent {
			c.entry.ID, c.entry.Version = w.ID, 7
			have[w.ID] = c.entry
		}
		traits := map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {MergesRepeats: c.merges}}
		step := reconcile.Diff([]reconcile.Want{w}, have, traits, noon)[0]
		if got := string(step.Place.Bucket) + "/" + string(step.Place.Reason); got != c.want || step.Send != c.send {
			t.Errorf("%s: %s, send %v; want %s, %v", name, got, step.Send, c.want, c.send)
		}
		if step.Entry.Version != have[w.ID].Version {
			t.Errorf("%s: the step rests on version %d", name, step.Entry.Version)
		}
	}
}

// A merging kind says nothing about another kind.
func TestDiffLooksAtTheKind(t *testing.T) {
	traits := map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {MergesRepeats: true}}
	w := reconcile.Want{ID: cartOf("1"), Kind: reconcile.KindCart}
	have := map[reconcile.EventID]reconcile.Entry{w.ID: {Version: 1, State: reconcile.StateDoubtful}}
	if step := reconcile.Diff([]reconcile.Want{w}, have, traits, noon)[0]; step.Send {
		t.Errorf("a doubtful cart is sent again: %+v", step)
	}
}

func TestChanged(t *testing.T) {
	price := func(text string, of reconcile.AmountOf) reconcile.Value {
		d := dec(text)
		return reconcile.Value{Amount: &d, Currency: "EUR", Of: of}
	}
	a, b := reconcile.HashFields("a"), reconcile.HashFields("b")
	var unknown reconcile.Digest
	for name, c := range map[string]struct {
		now, sent             reconcile.Value
		nowDigest, sentDigest reconcile.Digest
		want                  string
	}{
		"the same":                   {price("5", "prices"), price("5", "prices"), a, a, ""},
		"equal money, other lines":   {price("5", "prices"), price("5", "prices"), b, a, "correction"},
		"prices and totals agree":    {price("5", "line_totals"), price("5.00", "prices"), b, a, ""},
		"prices and totals differ":   {price("6", "line_totals"), price("5", "prices"), b, a, "correction"},
		"an order total and lines":   {price("6", "total"), price("5", "prices"), b, a, ""},
		"adopted without a digest":   {price("5", "prices"), price("5", "prices"), a, unknown, ""},
		"adopted, less":              {price("4", "prices"), price("5", "prices"), a, unknown, "refund"},
		"adopted without any amount": {price("4", "prices"), reconcile.Value{}, a, unknown, ""},
	} {
		w := reconcile.Want{Value: c.now, Facts: reconcile.Facts{Digest: c.nowDigest}}
		e := reconcile.Entry{State: reconcile.StateDone, Value: c.sent, Facts: reconcile.Facts{Digest: c.sentDigest}}
		if got := reconcile.Changed(w, e); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		e.State = reconcile.StateOpen
		if got := reconcile.Changed(w, e); got != "" {
			t.Errorf("%s: an open entry has changed: %q", name, got)
		}
	}
	known := reconcile.Want{Value: price("5", "prices"), Facts: reconcile.Facts{Digest: a, Cosmetic: b, CosmeticFields: "names"}}
	sent := reconcile.Entry{State: reconcile.StateDone, Value: known.Value, Facts: known.Facts}
	sent.Facts.Cosmetic = a
	if got := reconcile.Changed(known, sent); got != "cosmetic" {
		t.Errorf("another name is %q", got)
	}
	known.Facts.Cosmetic = unknown
	if got := reconcile.Changed(known, sent); got != "" {
		t.Errorf("a name that is not known is %q", got)
	}
}

func TestReused(t *testing.T) {
	facts := func(store string, when time.Time) reconcile.Facts {
		return reconcile.Facts{Store: reconcile.StoreMark(store), CompletedAt: when}
	}
	entry := reconcile.Entry{Version: 1, Facts: facts("A", noon)}
	for name, c := range map[string]struct {
		now    reconcile.Facts
		window time.Duration
		want   bool
	}{
		"the same":               {facts("A", noon), day, false},
		"another store":          {facts("B", noon), day, true},
		"no store":               {facts("", noon), day, false},
		"at the window's end":    {facts("A", noon.Add(day)), day, false},
		"beyond it":              {facts("A", noon.Add(day+1)), day, true},
		"before it":              {facts("A", noon.Add(-day-1)), day, true},
		"without a window":       {facts("A", noon.Add(900*day)), 0, false},
		"without a time":         {facts("A", time.Time{}), day, false},
		"another store, no time": {facts("B", time.Time{}), day, true},
	} {
		if got := reconcile.Reused(reconcile.Want{Facts: c.now}, entry, c.window); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if reconcile.Reused(reconcile.Want{Facts: facts("B", noon)}, reconcile.Entry{}, day) {
		t.Error("a number that the ledger does not know is reused")
	}
}
