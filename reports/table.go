package reports

import (
	"cmp"
	"slices"

	"makegood/reconcile"
)

// row is one line of a balance as people read it: a bucket with its reasons
// below it.
type row struct {
	Bucket  reconcile.Bucket // "" for the lines above the buckets
	Mark    string
	Label   string
	Count   Count
	Reasons []reasonRow
}

// reasonRow is a reason in a bucket. Money and messages of reasons why an order
// is not for the destination are not kept apart.
type reasonRow struct {
	Label      string
	Count      Count
	OrdersOnly bool
	Look       bool // its examples are shown at once: somebody must look at them
	Code       reconcile.Reason
	Examples   []Example
}

// rows lists a balance in the order in which people read it.
func (t Target) rows() []row {
	var list []row
	if t.Balance.NotForTarget.Orders > 0 {
		list = append(list, t.notFor())
	}
	list = append(list, row{Label: "orders in this period", Count: t.Balance.Eligible})
	for _, b := range shown {
		list = append(list, row{Bucket: b, Mark: mark(b), Label: BucketWords(b),
			Count: t.Balance.of(b), Reasons: t.reasonsOf(b)})
	}
	return list
}

// shown is the order in which people read the buckets: what was there, what
// was added, what was not.
var shown = [...]reconcile.Bucket{reconcile.BucketAlreadySent, reconcile.BucketSent, reconcile.BucketHeldBack,
	reconcile.BucketRefused, reconcile.BucketInDoubt, reconcile.BucketLeft}

func (t Target) notFor() row {
	r := row{Label: "not for this destination", Count: t.Balance.NotForTarget}
	for _, n := range t.NotReasons {
		r.Reasons = append(r.Reasons, reasonRow{Label: ReasonWords(reconcile.Reason(n.Reason)).Text,
			Count: Count{Orders: n.Orders}, OrdersOnly: true})
	}
	return r
}

func (t Target) reasonsOf(b reconcile.Bucket) []reasonRow {
	var list []reasonRow
	for _, reason := range t.Reasons {
		if reason.Bucket != b {
			continue
		}
		code := reconcile.Reason(reason.Reason)
		list = append(list, reasonRow{
			Label: ReasonWords(code).Text, Code: code, Count: reason.Count, Examples: t.examplesOf(b, reason.Reason),
			Look: needsLook(b, code),
		})
	}
	slices.SortStableFunc(list, func(x, y reasonRow) int { return cmp.Compare(y.Count.Orders, x.Count.Orders) })
	return list
}

// needsLook reports whether somebody must look at what is in a place.
func needsLook(b reconcile.Bucket, r reconcile.Reason) bool {
	return b == reconcile.BucketRefused || b == reconcile.BucketInDoubt || r.NeedsLook()
}

func (t Target) examplesOf(b reconcile.Bucket, reason string) []Example {
	var list []Example
	for _, e := range t.Examples {
		if e.Bucket == b && e.Reason == reason {
			list = append(list, e)
		}
	}
	return list
}

// of gives the count of one bucket.
func (b Balance) of(bucket reconcile.Bucket) Count {
	switch bucket {
	case reconcile.BucketSent:
		return b.Sent
	case reconcile.BucketAlreadySent:
		return b.AlreadySent
	case reconcile.BucketHeldBack:
		return b.HeldBack
	case reconcile.BucketRefused:
		return b.Refused
	case reconcile.BucketInDoubt:
		return b.InDoubt
	case reconcile.BucketLeft:
		return b.Left
	}
	return Count{}
}

// where says where a problem stands: "tills.csv, row 12, column Total", or
// "tills.xlsx, Sales, cell F12, column Total".
func (p Problem) where() string {
	r := reconcile.RowProblem{File: p.File, Sheet: p.Sheet, Row: p.Row, Column: p.Column, Cell: p.Cell}
	text := r.String()
	return text[:len(text)-len(": ")]
}

// badOrders cuts a source's problems to at most limit rows, and says how many
// bad orders are not among them.
func (s Source) badOrders(limit int) (rows []Problem, more int) {
	rows = s.Problems[:min(len(s.Problems), limit)]
	seen := map[Problem]bool{}
	for _, p := range rows {
		if p.Order != "" {
			p = Problem{Shop: p.Shop, Order: p.Order}
		}
		seen[p] = true
	}
	return rows, max(s.Bad-len(seen), 0)
}
