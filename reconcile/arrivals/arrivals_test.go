package arrivals_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/arrivals"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func amount(t *testing.T, text string) *reconcile.Decimal {
	t.Helper()
	if text == "" {
		return nil
	}
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// world is a book of one destination and what is told to it.
type world struct {
	*testing.T
	*arrivals.Book
}

func newWorld(t *testing.T) world {
	return world{t, arrivals.New("activate", reconcile.KindPurchase, nil)}
}

func (w world) row(number string, at time.Time, money string) {
	w.Helper()
	if err := w.Add(arrivals.Row{Number: number, At: at, Amount: amount(w.T, money), Currency: "EUR"}); err != nil {
		w.Fatal(err)
	}
}

func key(number string) reconcile.OrderKey { return reconcile.OrderKey{Shop: "main", Order: number} }

// order is one here that was completed at noon and is worth 10.
func (w world) order(number string, p reconcile.Place) {
	w.Helper()
	w.Meet(reconcile.Head{Key: key(number), CompletedAt: noon, Currency: "EUR", Amount: *amount(w.T, "10"), AmountOf: reconcile.AmountOfPrices})
	w.Seen(reconcile.Decision{Target: "activate", ID: reconcile.NewEventID(reconcile.KindPurchase, key(number)), Place: p})
}

func (w world) compare() arrivals.Comparison {
	w.Helper()
	c, err := w.Compare(nil)
	if err != nil {
		w.Fatal(err)
	}
	if n := c.Of(arrivals.Completed, "") + c.Of(arrivals.NotCompleted, ""); n != c.Numbers {
		w.Errorf("%d of %d numbers are in a place: %+v", n, c.Numbers, c.Groups)
	}
	if n := c.Known + c.Of(arrivals.NotCompleted, arrivals.ReasonUnknown); n != c.Numbers {
		w.Errorf("%d of %d numbers are known or not", n, c.Numbers)
	}
	return c
}

// said gives the groups in short.
func said(c arrivals.Comparison) string {
	text := ""
	for _, g := range c.Groups {
		text += fmt.Sprintf("%s %s %s %d %s %v\n", g.Side, g.Bucket, g.Reason, g.Orders, g.Money, g.Fine)
	}
	return text
}

func TestCompare(t *testing.T) {
	sent := reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}
	purchase := func(number string) reconcile.EventID {
		return reconcile.NewEventID(reconcile.KindPurchase, key(number))
	}
	order := func(number string) reconcile.EventID { return reconcile.NewEventID(reconcile.KindOrder, key(number)) }
	for name, c := range map[string]struct {
		does func(w world)
		want string
	}{
		"sent":        {func(w world) { w.row("1", noon, "10"); w.order("1", sent) }, "completed already_sent sent_here 1 10 EUR true\n"},
		"a cent more": {func(w world) { w.row("1", noon, "10.01"); w.order("1", sent) }, "completed already_sent sent_here 1 10.01 EUR true\n"},
		"another amount": {func(w world) { w.row("1", noon, "12.10"); w.order("1", sent) },
			"completed already_sent sent_here 1 12.1 EUR true\namount   1 12.1 EUR false\n"},
		"of another year":                      {func(w world) { w.row("1", noon.AddDate(-1, 0, 0), "12.10"); w.order("1", sent) }, "not_completed  another_order 1 12.1 EUR false\n"},
		"of another year, and the same amount": {func(w world) { w.row("1", noon.AddDate(-1, 0, 0), "10"); w.order("1", sent) }, "completed already_sent sent_here 1 10 EUR true\n"},
		"before it was placed":                 {func(w world) { w.row("1", noon.AddDate(0, 0, -2), ""); w.order("1", sent) }, "not_completed  another_order 1  false\n"},
		"sent two months later":                {func(w world) { w.row("1", noon.AddDate(0, 0, 60), ""); w.order("1", sent) }, "completed already_sent sent_here 1 10 EUR true\n"},
		"would be sent": {func(w world) {
			w.row("1", noon, "")
			w.order("1", reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow})
		}, "completed left shadow 1 10 EUR false\n"},
		"too young to be sent after others": {func(w world) {
			w.row("1", noon, "")
			w.order("1", reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonTooYoung})
		}, "completed left too_young 1 10 EUR true\n"},
		"the last word counts": {func(w world) {
			w.row("1", noon, "")
			w.order("1", sent)
			w.Seen(reconcile.Decision{Target: "activate", ID: purchase("1"), Place: reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}})
			w.Seen(reconcile.Decision{ID: order("1"), Place: reconcile.Place{Bucket: reconcile.BucketNotForTarget, Reason: reconcile.ReasonNoDestination}})
			w.Seen(reconcile.Decision{Target: "second", ID: purchase("1"), Place: sent})
		}, "completed held_back no_email 1 10 EUR false\n"},
		"left out": {func(w world) {
			w.row("1", noon, "9")
			w.Meet(reconcile.Head{Key: key("1"), CompletedAt: noon, LeftOut: "cancelled"})
			w.Seen(reconcile.Decision{ID: order("1"), Place: reconcile.Place{Bucket: reconcile.BucketLeftOut, Reason: "cancelled"}})
		}, "not_completed left_out cancelled 1 9 EUR false\n"},
		"left out of one source, completed in another shop": {func(w world) {
			w.row("1", noon, "10")
			other := reconcile.OrderKey{Shop: "app", Order: "1"}
			w.Meet(reconcile.Head{Key: other, CompletedAt: noon, LeftOut: "cancelled"})
			w.Seen(reconcile.Decision{ID: reconcile.NewEventID(reconcile.KindOrder, other), Place: reconcile.Place{Bucket: reconcile.BucketLeftOut, Reason: "cancelled"}})
			w.order("1", sent)
		}, "completed already_sent sent_here 1 10 EUR true\n"},
		"unknown, without a currency of its own": {func(w world) {
			if err := w.Add(arrivals.Row{Number: "2", At: noon, Amount: amount(w.T, "3")}); err != nil {
				w.Fatal(err)
			}
			w.order("1", sent)
		}, "not_completed  unknown 1 3 EUR false\n"},
		"twice": {func(w world) {
			w.row("1", noon, "10")
			w.row("2", noon, "10")
			w.row("1", noon.Add(time.Minute), "10")
			w.row("1", noon.Add(time.Hour), "10.5")
			w.order("1", sent)
			w.order("2", sent)
		}, "completed already_sent sent_here 2 20 EUR true\ntwice   2 20.5 EUR false\n"},
		"twice at the same time": {func(w world) {
			for _, n := range []string{"1", "1", "2", "3"} {
				w.row(n, noon, "10")
				w.order(n, sent)
			}
		}, "completed already_sent sent_here 3 30 EUR true\ntwice   1 10 EUR false\n"},
		"lines": {func(w world) {
			for _, n := range []string{"1", "2", "3", "4"} {
				w.row(n, noon, "4")
				w.row(n, noon, "6")
				w.order(n, sent)
			}
			w.row("1", noon.Add(time.Hour), "10")
		}, "completed already_sent sent_here 4 40 EUR true\ntwice   1 10 EUR false\n"},
		"lines that repeat the total": {func(w world) {
			for _, n := range []string{"1", "2", "3", "4"} {
				w.row(n, noon, "10")
				w.row(n, noon, "10")
				w.order(n, sent)
			}
		}, "completed already_sent sent_here 4 40 EUR true\n"},
		"a number as the platform sees it comes before a bare one": {func(w world) {
			*w.Book = *arrivals.New("activate", reconcile.KindPurchase, func(h reconcile.Head) string { return "1" + h.Key.Order })
			w.row("11", noon, "")
			w.order("11", reconcile.Place{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected})
			w.order("1", sent)
		}, "completed already_sent sent_here 1 10 EUR true\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.does(w)
			if got := said(w.compare()); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What the ledger has and the export lacks counts only where the export's period
// holds it; what it has in another form is there.
func TestLacking(t *testing.T) {
	here := reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}
	proven := reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven}
	for name, c := range map[string]struct {
		sent           arrivals.Sent
		lacking, later int
	}{
		"in the middle":                    {arrivals.Sent{Place: here, Completed: noon, At: noon.Add(time.Hour)}, 1, 0},
		"by others":                        {arrivals.Sent{Place: proven, Completed: noon, At: noon.AddDate(0, 0, 9)}, 1, 0},
		"sent after the last row":          {arrivals.Sent{Place: here, Completed: noon, At: noon.AddDate(0, 0, 9)}, 0, 1},
		"completed after it":               {arrivals.Sent{Place: proven, Completed: noon.AddDate(0, 0, 9)}, 0, 1},
		"before the first row":             {arrivals.Sent{Place: here, Completed: noon.AddDate(0, 0, -9)}, 0, 0},
		"not accepted":                     {arrivals.Sent{Place: reconcile.Place{Bucket: reconcile.BucketRefused}, Completed: noon}, 0, 0},
		"there, as the platform sees it":   {arrivals.Sent{Place: here, Completed: noon, Shown: "W1"}, 0, 0},
		"there, and in no source any more": {arrivals.Sent{Place: here, Completed: noon, Key: key("W2")}, 0, 0},
	} {
		w := newWorld(t)
		w.row("W1", noon.AddDate(0, 0, -3), "")
		w.row("W2", noon.AddDate(0, 0, 3), "")
		if c.sent.Key.Order == "" {
			c.sent.Key = key("77")
		}
		if err := w.Sent(c.sent); err != nil {
			t.Fatal(err)
		}
		got := w.compare()
		if n := got.Of(arrivals.Lacking, ""); n != c.lacking || got.Later != c.later {
			t.Errorf("%s: %d lacking, %d later; want %d and %d", name, n, got.Later, c.lacking, c.later)
		}
		if name == "there, and in no source any more" && got.Of(arrivals.Completed, reconcile.ReasonSentHere) != 1 {
			t.Errorf("%s: %s", name, said(got))
		}
	}
}

// Whatever is told in whatever order, each number ends in one place, and rows are
// the numbers and their further rows.
func TestEachNumberOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	places := []reconcile.Place{{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven}, {Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow},
		{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}, {Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}}
	for range 200 {
		w := newWorld(t)
		for range random.IntN(40) {
			w.row(fmt.Sprint(random.IntN(20)), noon.Add(time.Duration(random.IntN(5))*24*time.Hour), []string{"", "10", "3.21"}[random.IntN(3)])
		}
		for range random.IntN(40) {
			w.order(fmt.Sprint(random.IntN(25)), places[random.IntN(len(places))])
		}
		c := w.compare()
		if further := c.Of(arrivals.Twice, ""); !c.Lines && c.Numbers+further != c.Rows {
			t.Fatalf("%d rows, %d numbers, %d further rows", c.Rows, c.Numbers, further)
		}
	}
}

// Times that are all off by the same hours are those of another zone; what was
// sent in a night, or is off by less, is not.
func TestTimesOfAnotherZone(t *testing.T) {
	sent := reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven}
	for name, c := range map[string]struct {
		at   func(i int, completed time.Time) time.Time
		days bool
		want int
	}{
		"the same":               {func(_ int, at time.Time) time.Time { return at.Add(9 * time.Second) }, false, 0},
		"two hours earlier":      {func(_ int, at time.Time) time.Time { return at.Add(-2*time.Hour + 5*time.Second) }, false, -2},
		"five hours later":       {func(i int, at time.Time) time.Time { return at.Add(5*time.Hour + time.Duration(i)*time.Second) }, false, 5},
		"half an hour later":     {func(_ int, at time.Time) time.Time { return at.Add(30 * time.Minute) }, false, 0},
		"in one night":           {func(int, time.Time) time.Time { return noon.Add(14 * time.Hour) }, false, 0},
		"one with another":       {func(i int, at time.Time) time.Time { return at.Add(time.Duration(i%2) * time.Hour) }, false, 0},
		"days alone say nothing": {func(_ int, at time.Time) time.Time { return at.Add(time.Hour) }, true, 0},
	} {
		w := newWorld(t)
		for i := range 20 {
			number, completed := fmt.Sprint(i), noon.Add(time.Duration(i)*37*time.Minute)
			if err := w.Add(arrivals.Row{Number: number, At: c.at(i, completed), DayOnly: c.days}); err != nil {
				t.Fatal(err)
			}
			w.Meet(reconcile.Head{Key: key(number), CompletedAt: completed})
			w.Seen(reconcile.Decision{Target: "activate", ID: reconcile.NewEventID(reconcile.KindPurchase, key(number)), Place: sent})
		}
		if got := w.compare(); got.Hours != c.want {
			t.Errorf("%s: %d hours, want %d", name, got.Hours, c.want)
		}
	}
}

// Numbers that the platform has in another form than it should are counted.
func TestOwnForm(t *testing.T) {
	w := world{t, arrivals.New("activate", reconcile.KindPurchase, func(h reconcile.Head) string { return "W" + h.Key.Order })}
	for _, number := range []string{"1", "W2", "9"} {
		w.row(number, noon, "")
	}
	w.order("1", reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow})
	w.order("2", reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow})
	if got := w.compare(); got.Bare != 1 || got.Known != 2 {
		t.Errorf("%d of %d", got.Bare, got.Known)
	}
}

// A test of somebody's own is neither unknown nor a difference, unless an order
// has its number.
func TestTried(t *testing.T) {
	w := newWorld(t)
	w.row("WTEST-1", noon, "10")
	w.row("2", noon, "10")
	w.order("2", reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow})
	for _, shown := range []string{"WTEST-1", "2", "3"} {
		if err := w.Tried(arrivals.Sent{Key: key("TEST-1"), Shown: shown}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := said(w.compare()), "completed left shadow 1 10 EUR false\nnot_completed  test 1 10 EUR true\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What somebody sent once more on purpose stands there twice for that reason: of a
// test that is as it should be, of an order it is the answer that they look for.
// A third row, or a repeat that did not arrive, has no such reason.
func TestAgain(t *testing.T) {
	w := newWorld(t)
	for _, number := range []string{"WTEST-1", "2", "3", "4", "5", "WTEST-1", "2", "3", "3", "4", "5"} {
		w.row(number, noon, "10")
	}
	sent := reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}
	for _, number := range []string{"2", "3", "4", "5"} {
		w.order(number, sent)
	}
	repeats := map[string]reconcile.Place{"2": sent, "3": sent, "4": {Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected},
		"5": {Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}}
	for number, place := range repeats {
		if err := w.Again(arrivals.Sent{Key: key(number), Shown: number, Place: place}); err != nil {
			t.Fatal(err)
		}
	}
	test := arrivals.Sent{Key: key("TEST-1"), Shown: "WTEST-1", Place: sent}
	if err := errors.Join(w.Tried(test), w.Again(test), w.Again(arrivals.Sent{Key: key("9"), Place: sent})); err != nil {
		t.Fatal(err)
	}
	want := "completed already_sent sent_here 4 40 EUR true\nnot_completed  test 1 10 EUR true\n" +
		"twice   3 30 EUR false\ntwice  repeated 2 20 EUR false\ntwice  test_repeated 1 10 EUR true\n"
	if got := said(w.compare()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTooManyRows(t *testing.T) {
	w := newWorld(t)
	for range arrivals.MaxRows {
		w.row("1", noon, "")
	}
	if err := w.Add(arrivals.Row{Number: "1"}); !errors.Is(err, arrivals.ErrTooMany) {
		t.Errorf("error %v", err)
	}
}
