package reports

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"makegood/reconcile"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func dec(text string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func money(pairs ...string) reconcile.Money {
	m := reconcile.Money{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i+1]] = dec(pairs[i])
	}
	return m
}

func n(orders, events int, pairs ...string) *reconcile.Count {
	return &reconcile.Count{Orders: orders, Events: events, Money: money(pairs...)}
}

func value(amount, currency string) reconcile.Value {
	d := dec(amount)
	return reconcile.Value{Amount: &d, Currency: currency}
}

func amsterdam(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Skip("the zone database is missing: ", err)
	}
	return zone
}

type places = map[reconcile.Place]*reconcile.Count

// night begins a result whose facts do not matter to the balance.
func night(command string) reconcile.Result {
	return reconcile.Result{
		Run: "01934f2e-7a10-7cc3-98c4-dc0c0c07398f", Command: command,
		Started: at("2026-11-21T01:30:00.25Z"), Finished: at("2026-11-21T01:41:07.9Z"),
		Window: reconcile.Window{From: at("2026-11-13T23:00:00Z"), To: at("2026-11-21T01:30:00Z")},
		Head:   reconcile.LedgerHead{Ledger: "5d2f9a31", Epoch: 1, Sequence: 88},
	}
}

// design is the night of DESIGN.md section 6.
func design() reconcile.Result {
	r := night("run")
	r.Window = reconcile.Window{From: at("2010-12-01T00:00:00Z"), To: at("2011-12-10T00:00:00Z")}
	r.Sources = []reconcile.SourceResult{{Source: "shop", Tally: reconcile.Tally{
		Rows: 541909, Read: 25900, Orders: 22061, Newest: at("2011-12-09T12:50:00Z"),
		LeftOut: map[reconcile.Reason]int{"bad_debt": 3, "cancelled": 3836},
	}}}
	r.Targets = []reconcile.TargetResult{{
		Target: "activate", Type: "squeezely", Mode: reconcile.ModeLive, Attempts: 18356,
		CoveredTo: map[string]time.Time{"shop": at("2011-12-10T00:00:00Z")},
		Balance: reconcile.Balance{
			Eligible: *n(22061, 22061, "10655622.484", "GBP"),
			Places: places{
				{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}:        n(18356, 18356, "8785927.524", "GBP"),
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}: n(3705, 3705, "1869694.96", "GBP"),
			},
			Examples: map[reconcile.Place][]reconcile.Example{
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}: {
					{Order: "536414", Kind: reconcile.KindPurchase, CompletedAt: at("2010-12-01T11:52:00Z"), Value: value("0", "GBP"),
						Origin: reconcile.Origin{File: "online_retail.csv", Rows: []reconcile.RowRange{{First: 624, Last: 624}}}},
					{Order: "536544", Kind: reconcile.KindPurchase, CompletedAt: at("2010-12-01T14:32:00Z"), Value: value("5318.04", "GBP"),
						Origin: reconcile.Origin{File: "online_retail.csv", Rows: []reconcile.RowRange{{First: 1445, Last: 1971}}}},
				},
			},
		},
	}}
	return r
}

// ordinary is a night on which live integrations missed a few orders, for two
// live destinations with purchases and cart changes in two currencies.
func ordinary() reconcile.Result {
	r := night("run")
	r.Sources = []reconcile.SourceResult{
		{Source: "shop", Tally: reconcile.Tally{Rows: 9120, Read: 3044, OutsideWindow: 4, Orders: 2893, Merged: 2,
			Newest: at("2026-11-21T01:21:00Z"), LeftOut: map[reconcile.Reason]int{"cancelled": 131, "test_order": 14}}},
		{Source: "tills", Tally: reconcile.Tally{Rows: 2210, Read: 1150, Orders: 1150, Newest: at("2026-11-20T19:58:00Z"),
			Notes: []string{"2 hidden sheets were not read: Draft, Old"}}},
	}
	r.Targets = []reconcile.TargetResult{
		{Target: "activate", Type: "squeezely", Mode: reconcile.ModeLive, Attempts: 213, Balance: reconcile.Balance{
			NotForTarget: *n(40, 40, "2104.5", "EUR"),
			NotReasons:   map[reconcile.Reason]int{reconcile.ReasonBeforeSince: 12, reconcile.ReasonChannel: 28},
			Eligible:     *n(4003, 4003, "251903.75", "EUR", "48120", "SEK"),
			Places: places{
				{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven}:   n(2680, 2680, "171204.25", "EUR", "46890", "SEK"),
				{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}: n(905, 905, "60311.1", "EUR"),
				{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}:            n(212, 212, "13660.4", "EUR", "1230", "SEK"),
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}:     n(164, 164, "5320", "EUR"),
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonSuppressed}:  n(30, 30, "1008", "EUR"),
				{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonTooYoung}:        n(12, 12, "400", "EUR"),
			},
			FrontEndHad: 150, FrontEndMissed: 62,
			Examples: map[reconcile.Place][]reconcile.Example{
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}: {
					{Order: "T-100231", Kind: reconcile.KindPurchase, CompletedAt: at("2026-11-19T15:02:00Z"), Value: value("31.25", "EUR"),
						Origin: reconcile.Origin{File: "tills.xlsx", Sheet: "Utrecht", Rows: []reconcile.RowRange{{First: 12, Last: 15}}}},
				}},
		}},
		{Target: "collect", Type: "collect", Mode: reconcile.ModeLive, Attempts: 31,
			CorrectionsFound: 1,
			Corrections: []reconcile.Correction{{ID: "purchase/main/100012345", Change: "refund",
				Before: value("129.95", "EUR"), After: value("89.95", "EUR"),
				Origin: reconcile.Origin{File: "orders-2026-11-20.csv", Rows: []reconcile.RowRange{{First: 441, Last: 442}}}}},
			Balance: reconcile.Balance{
				Eligible: *n(1150, 2300, "80412.6", "EUR"),
				Places: places{
					{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}:                 n(25, 31, "1812", "EUR"),
					{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}:      n(1119, 1119, "78600.6", "EUR"),
					{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonCartNewer}:        n(1, 46),
					{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoCart}:           n(5, 1100),
					{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonCartOrderUnknown}: n(0, 4),
				},
			}},
	}
	return r
}

// plan is the design's night, planned.
func plan() reconcile.Result {
	r := design()
	r.Command = "plan"
	r.Plan = &reconcile.PlanRef{Path: ".makegood/plans/2026-11-21T013000Z.plan",
		Digest: "9c1185a5c5e9fc54612808977ee8f548b2258d31", Expires: at("2026-11-22T01:30:00Z")}
	places := r.Targets[0].Balance.Places
	sent := reconcile.Place{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}
	places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonPlanned}] = places[sent]
	delete(places, sent)
	r.Targets[0].Attempts, r.Targets[0].CoveredTo = 0, nil
	return r
}

// bad is a night with all that can go wrong at once.
func bad() reconcile.Result {
	r := night("run")
	r.NewLedger = true
	r.Sources = []reconcile.SourceResult{
		{Source: "tills", Tally: reconcile.Tally{Rows: 412, Read: 200, Orders: 186, Bad: 14, RowsWithoutOrder: 2,
			Newest: at("2026-11-18T16:40:00Z")}, Bad: badOrders(12)},
		{Source: "app", Err: fmt.Errorf("read orders of jane.doe@example.com: %w", reconcile.ErrChanged)},
	}
	r.Targets = []reconcile.TargetResult{{
		Target: "activate", Type: "squeezely", Mode: reconcile.ModeLive,
		Stopped: "401: login refused", Attempts: 61, DoubtsFound: 2, Repeats: 1,
		Leaving: 3, LeavingFrom: at("2026-11-14T09:00:00Z"),
		Doubts: []reconcile.Doubt{
			{ID: "purchase/main/T-1", Run: "r0", At: at("2026-11-20T01:31:00Z"), Value: value("12.5", "EUR"), Resends: true},
			{ID: "purchase/main/T-2", Run: "r0", At: at("2026-11-20T01:31:00Z"), Value: value("20", "EUR"), Resends: true}},
		Orphans: []reconcile.Entry{{ID: "purchase/main/T-77", State: reconcile.StateOpen, Value: value("5", "EUR")}},
		Balance: reconcile.Balance{
			Eligible: *n(186, 186, "9310.05", "EUR"),
			Places: places{
				{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}:         n(51, 51, "2550.05", "EUR"),
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}:  n(20, 20, "1000", "EUR"),
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonIDReused}: n(6, 6, "360", "EUR"),
				{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}:  n(4, 4, "200", "EUR"),
				{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}:  n(2, 2, "100", "EUR"),
				{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonLostClaim}: n(1, 1, "50", "EUR"),
				{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonFuse}:         n(102, 102, "5050", "EUR"),
			},
			Examples: map[reconcile.Place][]reconcile.Example{
				{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}: {
					{Order: "T-31", Kind: reconcile.KindPurchase, Value: value("50", "EUR"), Text: "400: no customer jane.doe@example.com",
						CompletedAt: at("2026-11-18T10:00:00Z"), Origin: reconcile.Origin{File: "tills.xlsx", Sheet: "Utrecht"}}},
				{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonIDReused}: {
					{Order: "7", Kind: reconcile.KindPurchase, Value: value("60", "EUR")},
					{Order: "8", Kind: reconcile.KindPurchase, Value: value("60", "EUR")}},
				{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}: {
					{Order: "T-40", Kind: reconcile.KindPurchase, Value: value("50", "EUR"), CompletedAt: at("2026-11-18T11:12:00Z")},
					{Order: "T-41", Kind: reconcile.KindPurchase, Value: value("50", "EUR"), CompletedAt: at("2026-11-18T11:30:00Z")}},
			},
		},
	}}
	return r
}

func badOrders(count int) []reconcile.BadOrder {
	var list []reconcile.BadOrder
	for i := range count {
		key := reconcile.OrderKey{Shop: "main", Order: fmt.Sprintf("T-%d", 500+i)}
		list = append(list, reconcile.BadOrder{Key: key, Problems: []reconcile.RowProblem{{
			File: "tills.xlsx", Sheet: "Utrecht", Row: 20 + 2*i, Column: "UnitPrice", Reason: reconcile.ReasonBadValue,
			Text: `"1,2,3" is not a plain decimal number`}}})
	}
	list[1].Problems = append(list[1].Problems, reconcile.RowProblem{File: "tills.xlsx", Sheet: "Utrecht", Row: 23,
		Column: "Email", Reason: reconcile.ReasonConflict, Text: "jane@example.com here, john@example.com in row 22"})
	return list
}

// shadow is a first night in shadow.
func shadow() reconcile.Result {
	r := ordinary()
	r.Targets = r.Targets[:1]
	t := &r.Targets[0]
	t.Mode, t.Attempts = reconcile.ModeShadow, 0
	sent := reconcile.Place{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}
	t.Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow}] = t.Balance.Places[sent]
	delete(t.Balance.Places, sent)
	return r
}

// broken is a night on which an event got lost on the way.
func broken() reconcile.Result {
	r := design()
	r.Targets[0].Balance.Eligible = *n(22062, 22062, "10655634.984", "GBP")
	return r
}

// failed is a run that ended before it read anything.
func failed() reconcile.Result {
	r := night("run")
	r.Head, r.Window = reconcile.LedgerHead{}, reconcile.Window{}
	r.Err = errors.New("open the ledger makegood.db: it is missing, but a run has used it; restore it, or start anew with: makegood run --new-host")
	return r
}

// samples are the results that every form has a golden file of.
var samples = []struct {
	name string
	make func() reconcile.Result
}{
	{"ordinary", ordinary}, {"design", design}, {"plan", plan}, {"bad", bad},
	{"shadow", shadow}, {"broken", broken}, {"failed", failed},
}
