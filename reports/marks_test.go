package reports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"makegood/reconcile"
)

// told tells of one message of an order.
func told(m *Marks, target, kind, order string, p reconcile.Place, detail string) {
	m.Seen(reconcile.Decision{Target: target, Source: "shop", Place: p, Detail: detail,
		ID: reconcile.NewEventID(reconcile.Kind(kind), reconcile.OrderKey{Shop: "main", Order: order})})
}

func orderMark(m *Marks, source, order string, row int) Mark {
	return m.Order(RowAt{source, "orders.xlsx", "Orders", row}, reconcile.OrderKey{Shop: "main", Order: order})
}

// TestMarks: the last word about a message counts, of several the worst place,
// and what needs a person before all others.
func TestMarks(t *testing.T) {
	m := NewMarks("run")
	sent := reconcile.Place{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}
	planned := reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonPlanned}
	noEmail := reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}
	mismatch := reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonTotalMismatch}
	refused := reconcile.Place{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}
	doubt := reconcile.Place{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}
	other := reconcile.Place{Bucket: reconcile.BucketNotForTarget, Reason: reconcile.ReasonChannel}
	bad := reconcile.Place{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonBadValue}

	told(m, "activate", "purchase", "1", planned, "")
	told(m, "activate", "purchase", "1", sent, "")
	told(m, "stores", "order", "1", other, "")
	told(m, "activate", "purchase", "2", sent, "")
	told(m, "stores", "purchase", "2", refused, "the answer was: a@example.com is blocked")
	told(m, "activate", "purchase", "3", planned, "")
	told(m, "stores", "purchase", "3", mismatch, "lines 3, total 4")
	told(m, "activate", "purchase", "4", sent, "")
	told(m, "activate", "cart", "4", noEmail, "")
	told(m, "activate", "purchase", "5", doubt, "")
	told(m, "", "order", "6", bad, "orders.xlsx, Orders, cell D8, column Quantity: not a number")
	told(m, "", "order", "7", reconcile.Place{Bucket: reconcile.BucketLeftOut, Reason: "cancelled"}, "")
	told(m, "activate", "order", "8", other, "")
	m.Blame("shop", reconcile.RowProblem{File: "orders.xlsx", Sheet: "Orders", Row: 8, Cell: "D8", Column: "Quantity", Text: "not a number"})
	m.Blame("shop", reconcile.RowProblem{File: "orders.xlsx", Sheet: "Orders", Row: 8, Cell: "D8", Column: "Quantity", Text: "not a number"})

	for _, c := range []struct {
		order string
		row   int
		want  Mark
	}{
		{"1", 2, Mark{Status: "accepted by the platform", Reason: "at activate"}},
		{"2", 3, Mark{Status: "refused by the platform", Reason: "at stores: refused for what it says: the answer was: a***@example.com is blocked", Fix: true}},
		{"3", 4, Mark{Status: "not sent on purpose", Reason: "at stores: lines that do not add up to the total: lines 3, total 4", Fix: true}},
		{"4", 5, Mark{Status: "not sent on purpose", Reason: "no address on the order"}},
		{"5", 6, Mark{Status: "sent, answer unknown", Reason: "no answer came"}},
		{"6", 8, Mark{Status: "fix this row", Reason: "orders.xlsx, Orders, cell D8, column Quantity: not a number", Fix: true, Here: true}},
		{"6", 9, Mark{Status: "to fix with its order", Reason: "orders.xlsx, Orders, cell D8, column Quantity: not a number", Fix: true}},
		{"7", 10, Mark{Status: "not counted as an order", Reason: "cancelled"}},
		{"8", 11, Mark{Status: "not for this destination", Reason: "another channel"}},
		{"9", 12, Mark{Status: "not in this period", Reason: "completed before the period of this run, or after it"}},
	} {
		got := orderMark(m, "shop", c.order, c.row)
		if got.Fix && got.Next == "" {
			t.Errorf("order %s: nothing says what to do", c.order)
		}
		got.Next = ""
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("order %s, row %d:\n%s", c.order, c.row, diff)
		}
	}
	if got := orderMark(m, "another", "6", 8); got.Fix {
		t.Errorf("what one source says of its order is said of another's: %+v", got)
	}
	if got := m.Loose(RowAt{"shop", "orders.xlsx", "Orders", 20}); got.Fix || !got.Here {
		t.Errorf("a row without an order would go among the rows to fix: %+v", got)
	}
}

// TestMarkSummary counts rows by status, and each order once, for each file
// anew.
func TestMarkSummary(t *testing.T) {
	m := NewMarks("run")
	told(m, "activate", "purchase", "1", reconcile.Place{Bucket: reconcile.BucketSent}, "")
	told(m, "", "order", "2", reconcile.Place{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonBadValue}, "row 3")
	m.Blame("shop", reconcile.RowProblem{File: "orders.xlsx", Sheet: "Orders", Row: 3, Text: "x"})
	for range 2 {
		for row, order := range []string{"1", "1", "2", "1", "2", "9"} {
			orderMark(m, "shop", order, row+1)
		}
		s := m.Summary(Report{Run: "a run", Command: "run", Targets: []Target{{Target: "activate"}}})
		text := fmt.Sprint(s.Rows)
		want := [][]any{{"fix this row", 1, 1}, {"to fix with its order", 1}, {"accepted by the platform", 3, 1}, {"not in this period", 1}}
		if diff := cmp.Diff(want, s.Rows[s.ChartFrom-1:s.ChartEnd]); diff != "" {
			t.Errorf("statuses:\n%s", diff)
		}
		if !strings.Contains(text, "Orders at activate") || !strings.Contains(text, "How to give it back") {
			t.Errorf("summary is %s", text)
		}
	}
}

// TestMarksAreBounded: what is wrong with more rows than are kept is said of
// their orders alone.
func TestMarksAreBounded(t *testing.T) {
	m := NewMarks("run")
	for row := range maxBlamed + 10 {
		m.Blame("shop", reconcile.RowProblem{File: "orders.csv", Row: row + 1, Text: "x"})
	}
	if len(m.blamed) != maxBlamed {
		t.Errorf("%d rows are kept", len(m.blamed))
	}
	told(m, "", "order", "1", reconcile.Place{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonBadValue}, "row 30000: \x1b[31mred\u202e "+strings.Repeat("x", 5000))
	got := m.Order(RowAt{"shop", "orders.csv", "", maxBlamed + 5}, reconcile.OrderKey{Shop: "main", Order: "1"})
	if !strings.HasPrefix(got.Next, "This row, or another one") {
		t.Errorf("nobody knows which row it is: %q", got.Next)
	}
	if got := m.Loose(RowAt{"shop", "orders.csv", "", maxBlamed + 6}); got.Reason != "the row does not say which order it belongs to" {
		t.Errorf("a loose row: %q", got.Reason)
	}
	if !got.Fix || len(got.Reason) > maxText+10 || strings.ContainsAny(got.Reason, "\x1b\u202e") {
		t.Errorf("got %+v", got)
	}
}
