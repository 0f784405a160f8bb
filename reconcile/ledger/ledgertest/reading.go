package ledgertest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

func at(e reconcile.Event, completed time.Time) reconcile.Event {
	e.Facts.CompletedAt = completed
	return e
}

func readCoverage(t *testing.T, p Place) {
	h := begin(t, p)
	pair := reconcile.Coverage{Source: "shop", Target: target, Mode: "live", To: noon}
	shadow := pair
	shadow.Mode, shadow.To = "shadow", noon.Add(time.Hour)
	h.end(reconcile.RunEnd{
		Covered:  []reconcile.Coverage{pair, shadow},
		Evidence: []reconcile.EvidenceDay{{Evidence: "log", Day: "2026-11-01", Rows: 40}, {Evidence: "log", Day: "2026-11-02", Rows: 3}},
	})
	again := begin(t, p)
	pair.To = noon.Add(-time.Hour)
	again.end(reconcile.RunEnd{
		Covered:  []reconcile.Coverage{pair},
		Evidence: []reconcile.EvidenceDay{{Evidence: "log", Day: "2026-11-01", Rows: 12}, {Evidence: "log", Day: "2026-11-02", Rows: 30}},
	})
	for mode, want := range map[string]time.Time{"live": pair.To, "shadow": shadow.To} {
		got, err := h.Covered(t.Context(), target, mode)
		if err != nil || len(got) != 1 || !got["shop"].Equal(want) {
			t.Errorf("%s is covered to %v, %v, want %v", mode, got, err, want)
		}
	}
	if got, err := h.Covered(t.Context(), "other", "live"); err != nil || len(got) != 0 {
		t.Errorf("another target is covered to %v, %v", got, err)
	}
	days, err := h.EvidenceDays(t.Context(), "log")
	if err != nil || len(days) != 2 || days["2026-11-01"] != 40 || days["2026-11-02"] != 30 {
		t.Errorf("evidence days are %v, %v", days, err)
	}
}

func readOldest(t *testing.T, p Place) {
	h, dead := begin(t, p), begin(t, p)
	early := noon.Add(-72 * time.Hour)
	h.send(at(purchase("1"), early), reconcile.Sent)
	h.send(at(purchase("2"), early.Add(time.Hour)), reconcile.Rejected)
	h.send(at(purchase("3"), early.Add(3*time.Hour)), reconcile.Retryable)
	h.take(at(purchase("4"), early.Add(2*time.Hour)))
	dead.take(at(purchase("5"), early.Add(4*time.Hour)))
	dead.die()
	till := at(purchase("6"), early.Add(5*time.Hour))
	till.Facts.Source = "till"
	h.send(till, reconcile.InDoubt)
	for _, c := range []struct {
		states []reconcile.State
		want   map[string]time.Duration
	}{
		{[]reconcile.State{reconcile.StateOpen}, map[string]time.Duration{"shop": 3}},
		{[]reconcile.State{reconcile.StateClaimed}, map[string]time.Duration{"shop": 2}},
		{[]reconcile.State{reconcile.StateDoubtful}, map[string]time.Duration{"shop": 4, "till": 5}},
		{[]reconcile.State{reconcile.StateOpen, reconcile.StateRefused}, map[string]time.Duration{"shop": 1}},
		{[]reconcile.State{reconcile.StateDone}, map[string]time.Duration{"shop": 0}},
		{nil, nil},
	} {
		got, err := h.OldestOpen(t.Context(), target, c.states)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("oldest of %v is %v, %v", c.states, got, err)
		}
		for source, hours := range c.want {
			if want := early.Add(hours * time.Hour); !got[source].Equal(want) {
				t.Errorf("oldest of %v at %s is %v, want %v", c.states, source, got[source], want)
			}
		}
	}
}

func ids(entries []reconcile.Entry) (list []reconcile.EventID) {
	for _, e := range entries {
		list = append(list, e.ID)
	}
	return list
}

func readLost(t *testing.T, p Place) {
	h, first, second := begin(t, p), begin(t, p), begin(t, p)
	a, b, c := purchase("a"), purchase("b"), at(purchase("c"), noon.Add(-time.Hour))
	first.take(a)
	first.take(c)
	second.take(b)
	h.take(purchase("alive"))
	if lost, n, err := h.Lost(t.Context(), target, 9); err != nil || n != 0 || len(lost) != 0 {
		t.Errorf("%d lost while all live: %v, %v", n, ids(lost), err)
	}
	first.die()
	second.die()
	lost, n, err := h.Lost(t.Context(), target, 2)
	if want := []reconcile.EventID{c.ID, a.ID}; err != nil || n != 3 || !slices.Equal(ids(lost), want) {
		t.Fatalf("%d lost, %v, %v, want 3, %v", n, ids(lost), err, want)
	}
	if lost[0].State != reconcile.StateDoubtful || !lost[0].Lost || lost[0].Run != first.run {
		t.Errorf("the first is %+v", lost[0])
	}
}

func readUnfinished(t *testing.T, p Place) {
	h := begin(t, p)
	w := day(noon)
	edge, inside, outside := purchase("edge"), at(purchase("in"), noon.Add(time.Hour)), at(purchase("out"), w.To)
	h.send(edge, reconcile.Rejected)
	h.send(inside, reconcile.Retryable)
	h.send(outside, reconcile.Retryable)
	h.send(purchase("done"), reconcile.Sent)
	got, err := h.Unfinished(t.Context(), target, w, 9)
	if want := []reconcile.EventID{edge.ID, inside.ID}; err != nil || !slices.Equal(ids(got), want) {
		t.Errorf("unfinished are %v, %v, want %v", ids(got), err, want)
	}
	if got, err := h.Unfinished(t.Context(), target, w, 1); err != nil || len(got) != 1 {
		t.Errorf("of at most 1 there are %d, %v", len(got), err)
	}
}

func cart(order string, who reconcile.Person, completed time.Time) reconcile.Event {
	e := at(purchase(order), completed)
	e.ID = reconcile.NewEventID(reconcile.KindCart, reconcile.OrderKey{Shop: "main", Order: order})
	e.Kind, e.Action, e.Person, e.Value = reconcile.KindCart, reconcile.ActionCartClear, who, reconcile.Value{}
	return e
}

func readCartEvents(t *testing.T, p Place) {
	h := begin(t, p)
	ann, bob, cat := reconcile.EmailPerson("ann@example.com"), reconcile.EmailPerson("bob@example.com"), reconcile.Person("")
	h.send(cart("2", ann, noon.Add(time.Hour)), reconcile.InDoubt)
	h.send(cart("1", ann, noon), reconcile.Sent)
	h.send(cart("3", ann, noon.Add(2*time.Hour)), reconcile.Rejected)
	h.send(cart("4", ann, noon.Add(3*time.Hour)), reconcile.Unsent)
	h.send(at(purchase("5"), noon.Add(4*time.Hour)), reconcile.Sent) // of ann
	h.send(cart("6", cat, noon.Add(5*time.Hour)), reconcile.Sent)
	h.send(cart("8", bob, noon.Add(-time.Minute)), reconcile.Sent)
	h.take(cart("7", ann, noon.Add(6*time.Hour)))
	states := func(persons []reconcile.Person, since time.Time) string {
		got, err := h.CartEvents(t.Context(), target, persons, since)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, person := range persons {
			for _, e := range got[person] {
				text += fmt.Sprintf(" %s %s", e.ID, e.State)
			}
		}
		return text
	}
	for _, c := range []struct {
		persons []reconcile.Person
		since   time.Time
		want    string
	}{
		{[]reconcile.Person{ann, bob, cat}, noon, " cart/main/1 done cart/main/2 doubtful cart/main/7 claimed"},
		{[]reconcile.Person{ann}, noon.Add(time.Nanosecond * 1000), " cart/main/2 doubtful cart/main/7 claimed"},
		{[]reconcile.Person{bob}, time.Time{}, " cart/main/8 done"},
		{nil, time.Time{}, ""},
	} {
		if got := states(c.persons, c.since); got != c.want {
			t.Errorf("cart events of %d persons since %s are%s, want%s", len(c.persons), c.since, got, c.want)
		}
	}
}

func readAlike(t *testing.T, p Place) {
	h := begin(t, p)
	ann, goods := reconcile.EmailPerson("ann@example.com"), reconcile.HashFields("tea")
	bought := func(order string, who reconcile.Person, completed time.Time) reconcile.Event {
		e := at(purchase(order), completed)
		e.Person, e.Facts.Goods = who, goods
		return e
	}
	h.send(bought("1", ann, noon), reconcile.Sent)
	h.send(bought("2", ann, noon.Add(time.Hour)), reconcile.InDoubt)
	h.send(bought("3", ann, noon), reconcile.Rejected)
	h.send(bought("4", ann, noon.Add(48*time.Hour)), reconcile.Sent)
	h.send(bought("5", reconcile.EmailPerson("bob@example.com"), noon), reconcile.Sent)
	h.send(at(purchase("6"), noon), reconcile.Sent) // its goods are not known
	other := bought("7", ann, noon)
	other.Facts.Goods = reconcile.HashFields("cup")
	h.send(other, reconcile.Sent)
	h.take(bought("8", ann, noon))
	if n, err := h.Adopt(t.Context(), target, h.run, []reconcile.Adoption{adoption(bought("9", ann, noon), 0)}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	like, ok := reconcile.LikenessOf(ann, bought("1", ann, noon).Value, goods)
	none, _ := reconcile.LikenessOf(ann, bought("1", ann, noon).Value, reconcile.HashFields("pot"))
	got, err := h.Alike(t.Context(), target, []reconcile.Likeness{like, none}, reconcile.Window{From: noon, To: noon.Add(24 * time.Hour)})
	var orders []string
	for _, e := range got[like] {
		key, _ := e.ID.Key()
		orders = append(orders, key.Order)
	}
	slices.Sort(orders)
	if err != nil || !ok || len(got) != 1 || !slices.Equal(orders, []string{"1", "2", "8", "9"}) {
		t.Errorf("alike are %v, %v, %v", orders, got, err)
	}
	if got, err := h.Alike(t.Context(), "other", []reconcile.Likeness{like}, reconcile.Window{From: noon, To: noon.Add(24 * time.Hour)}); err != nil || len(got) != 0 {
		t.Errorf("alike at another target are %v, %v", got, err)
	}
}

// witness is the ledger as proofs ask it.
func (h hand) witness() reconcile.Witness {
	h.t.Helper()
	w, ok := h.Ledger.(reconcile.Witness)
	if !ok {
		h.t.Fatal("the ledger does not tell who said what")
	}
	return w
}

func readSaid(t *testing.T, p Place) {
	h := begin(t, p)
	sent, adopted, spoken := purchase("1"), purchase("2"), purchase("3")
	h.send(sent, reconcile.Sent)
	if _, err := h.Adopt(t.Context(), target, h.run, []reconcile.Adoption{adoption(adopted, 0)}); err != nil {
		t.Fatal(err)
	}
	h.send(spoken, reconcile.InDoubt)
	word := reconcile.Resolution{State: reconcile.StateDone, By: reconcile.ByAssumed, Who: "desk", Note: "in their list"}
	if err := h.Resolve(t.Context(), target, spoken.ID, word); err != nil {
		t.Fatal(err)
	}
	ids := []reconcile.EventID{spoken.ID, sent.ID, adopted.ID, purchase("absent").ID}
	got, err := h.witness().Said(t.Context(), target, ids)
	if err != nil || len(got) != 2 {
		t.Fatalf("said was %+v, %v", got, err)
	}
	if s := got[adopted.ID]; s.Who != "live_log" || !s.At.Equal(noon) {
		t.Errorf("of what was adopted: %+v", s)
	}
	if s := got[spoken.ID]; s != (reconcile.Said{Who: "desk", Note: "in their list", At: s.At}) || !s.At.IsZero() {
		t.Errorf("of what was resolved: %+v", s)
	}
	beats, err := h.witness().Beats(t.Context(), []reconcile.RunID{h.run, "unknown", h.run})
	if err != nil || len(beats) != 1 || beats[h.run].IsZero() {
		t.Errorf("the beats are %v, %v", beats, err)
	}
}

func readDone(t *testing.T, p Place) {
	h := begin(t, p)
	for _, order := range []string{"3", "1", "2", "4"} {
		h.send(purchase(order), reconcile.Sent)
	}
	h.send(purchase("5"), reconcile.InDoubt)
	h.take(purchase("6"))
	var got []reconcile.EventID
	for after := reconcile.EventID(""); ; {
		page, err := h.witness().Done(t.Context(), target, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].ID
		got = append(got, ids(page)...)
	}
	want := []reconcile.EventID{purchase("1").ID, purchase("2").ID, purchase("3").ID, purchase("4").ID}
	if !slices.Equal(got, want) {
		t.Errorf("done are %v, want %v", got, want)
	}
	if none, err := h.witness().Done(t.Context(), "other", "", 9); err != nil || len(none) != 0 {
		t.Errorf("done at another target are %v, %v", ids(none), err)
	}
}

func readFacts(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	e.Facts.CompletedAt = noon.Add(123456 * time.Microsecond)
	h.take(e)
	got := h.find(e.ID)
	if got.Facts != e.Facts || got.Action != e.Action || got.Shown != e.Shown || !got.NotBefore.IsZero() || got.At.IsZero() {
		t.Errorf("read back %+v, want %+v", got, e)
	}
	if v := got.Value; v.Amount == nil || v.Amount.String() != "12.5" || v.Currency != "EUR" || v.Of != "lines" {
		t.Errorf("the value is %+v, want 12.5 EUR of lines", v)
	}
	bare := cart("1002", "", time.Time{})
	bare.Facts = reconcile.Facts{}
	h.take(bare)
	if got := h.find(bare.ID); got.Value != (reconcile.Value{}) || got.Facts != (reconcile.Facts{}) {
		t.Errorf("nothing was read back as %+v", got)
	}
	if found, err := h.Find(t.Context(), "other", []reconcile.EventID{e.ID}); err != nil || len(found) != 0 {
		t.Errorf("another target knows %v, %v", found, err)
	}
	if found, err := h.Find(t.Context(), target, nil); err != nil || len(found) != 0 {
		t.Errorf("of no ids %v were found, %v", found, err)
	}
}

func readShops(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1")
	e.ID = reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "a/b", Order: "1"})
	h.take(e)
	h.take(purchase("2"))
	h.take(purchase("3"))
	if got, err := h.Shops(t.Context()); err != nil || !slices.Equal(got, []string{"a/b", "main"}) {
		t.Errorf("shops are %q, %v", got, err)
	}
}

// privacy searches everything that was stored for what must not be there.
func privacy(t *testing.T, p Place) {
	canaries := []string{"canary@example.com", "canary-body", "canary-words", "canary-store", "canary-code"}
	h := begin(t, p)
	for n, v := range []reconcile.Verdict{reconcile.Sent, reconcile.Rejected, reconcile.InDoubt, reconcile.Unsent} {
		e := purchase("seen-" + string(rune('0'+n)))
		e.Person = reconcile.EmailPerson("canary@example.com")
		e.Body = []byte(`{"email":"canary@example.com","secret":"canary-body"}`)
		e.Facts.Store = reconcile.StoreMark("canary-store")
		h.settle(reconcile.Outcome{
			ID: e.ID, Version: h.take(e), Verdict: v, Why: "canary-words",
			Attempts: []reconcile.Attempt{{At: noon, Verdict: v, Status: 400, Code: "canary-code: no such address"}},
		})
	}
	check := func(when string, stored []byte) {
		if !bytes.Contains(stored, []byte("purchase/main/seen-3")) {
			t.Errorf("%s the search does not see what is stored", when)
		}
		for _, c := range canaries {
			if bytes.Contains(bytes.ToLower(stored), []byte(c)) {
				t.Errorf("%s %q is stored", when, c)
			}
		}
	}
	check("open,", p.Stored(t))
	h.die()
	check("closed,", p.Stored(t))
}
