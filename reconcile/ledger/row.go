package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"makegood/reconcile"
)

// row is an entry as it is stored. Its methods decide what becomes of an entry
// and touch nothing.
type row struct {
	Target         string  `db:"target" journal:"key" json:"target"`
	Event          string  `db:"event" journal:"key" json:"event"`
	Version        int64   `db:"version" json:"version"`
	State          string  `db:"state" json:"state"`
	Lost           bool    `db:"lost" json:"lost"`
	By             string  `db:"done_by" json:"done_by"`
	Who            string  `db:"who" json:"who"`
	Note           string  `db:"note" json:"note"`
	SaidAt         int64   `db:"said_at" json:"said_at"`
	Run            string  `db:"run" json:"run"`
	Kind           string  `db:"kind" json:"kind"`
	Action         string  `db:"action" json:"action"`
	Person         blob    `db:"person" json:"person"`
	Amount         *string `db:"amount" json:"amount"`
	Currency       string  `db:"currency" json:"currency"`
	AmountOf       string  `db:"amount_of" json:"amount_of"`
	Source         string  `db:"source" json:"source"`
	CompletedAt    int64   `db:"completed_at" json:"completed_at"`
	Store          string  `db:"store" json:"store"`
	Digest         blob    `db:"digest" json:"digest"`
	Cosmetic       blob    `db:"cosmetic" json:"cosmetic"`
	CosmeticFields string  `db:"cosmetic_fields" json:"cosmetic_fields"`
	Payload        blob    `db:"payload" json:"payload"`
	Twin           blob    `db:"twin" json:"twin"`
	Mark           blob    `db:"mark" json:"mark"`
	Shown          string  `db:"shown" json:"shown"`
	Attempts       int     `db:"attempts" json:"attempts"`
	NotBefore      int64   `db:"not_before" json:"not_before"`
	At             int64   `db:"at" json:"at"`
	Receipt        string  `db:"receipt" journal:"sealed" json:"receipt"`
	Before         string  `db:"before" journal:"hash" json:"before"`
}

// micros and instant turn times into what is stored, and back. The zero time
// survives both ways.
func micros(t time.Time) int64       { return t.UnixMicro() }
func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// never is the zero time as it is stored.
func never() int64 { return micros(time.Time{}) }

// newRow is what both claims and adoptions know of an event.
func newRow(target string, id reconcile.EventID, v reconcile.Value, f reconcile.Facts) row {
	r := row{
		Target: target, Event: string(id), Kind: string(id.Kind()),
		SaidAt: never(), NotBefore: never(),
		Currency: v.Currency, AmountOf: string(v.Of),
		Source: f.Source, CompletedAt: micros(f.CompletedAt), Store: f.Store,
		Digest: digestBlob(f.Digest), Cosmetic: digestBlob(f.Cosmetic), CosmeticFields: f.CosmeticFields,
	}
	if v.Amount != nil {
		text := canonical(*v.Amount)
		r.Amount = &text
	}
	return r
}

// canonical is an amount's one text: no trailing zeros, no -0.
func canonical(d reconcile.Decimal) string {
	if d.IsZero() {
		return "0"
	}
	return d.Trim(0).String()
}

// digestBlob stores a digest that is not known as nothing.
func digestBlob(d reconcile.Digest) blob {
	if d == (reconcile.Digest{}) {
		return blob{}
	}
	return d[:]
}

func (r row) id() reconcile.EventID     { return reconcile.EventID(r.Event) }
func (r row) is(s reconcile.State) bool { return r.State == string(s) }

// claimable reports whether a ticket that saw a version may take the entry.
// The claim of a dead run reads as doubtful here.
func (r row) claimable(seen int64) bool {
	return r.Version == seen && !r.is(reconcile.StateDone) && !r.is(reconcile.StateClaimed)
}

// claimed is the entry once a run has claimed it for next. It remembers what it
// was, so that a claim can be given back.
func (r row) claimed(next row, run reconcile.RunID) (row, error) {
	if r.Version > 0 {
		r.Before = ""
		before, err := json.Marshal(r)
		if err != nil {
			return row{}, fmt.Errorf("remember entry %s: %w", r.Event, err)
		}
		next.Before = string(before)
	}
	next.Version, next.Attempts = r.Version, r.Attempts
	next.State, next.Run = string(reconcile.StateClaimed), string(run)
	return next, nil
}

// prior is what the entry was before its claim; known is false when it was
// absent.
func (r row) prior() (before row, known bool, err error) {
	if r.Before == "" {
		return row{}, false, nil
	}
	if err := json.Unmarshal([]byte(r.Before), &before); err != nil {
		return row{}, false, fmt.Errorf("read what entry %s was before its claim: %w", r.Event, err)
	}
	before.Version, before.Attempts = r.Version, r.Attempts
	return before, true, nil
}

// settled is a claimed entry after its outcome.
func (r row) settled(o reconcile.Outcome) (row, error) {
	before, known, err := r.prior()
	if err != nil {
		return row{}, err
	}
	r.Before = ""
	switch verdictOf(o) {
	case reconcile.Sent:
		return r.sent(o), nil
	case reconcile.Rejected:
		r.State = string(reconcile.StateRefused)
	case reconcile.Retryable:
		// That this attempt was not accepted says nothing of an earlier one.
		r.State, r.Lost, r.NotBefore = string(reconcile.StateOpen), false, micros(o.NotBefore)
		if known && (before.is(reconcile.StateDoubtful) || before.is(reconcile.StateOpen)) {
			r.State, r.Lost = before.State, before.Lost
		}
	case reconcile.Unsent:
		if known {
			return before, nil
		}
		r.State = string(reconcile.StateOpen)
	default:
		r.State = string(reconcile.StateDoubtful)
	}
	return r, nil
}

// sent is the entry once its outcome said that it was accepted.
func (r row) sent(o reconcile.Outcome) row {
	r.State, r.By, r.Receipt = string(reconcile.StateDone), string(reconcile.BySentHere), o.Receipt
	r.Lost, r.NotBefore, r.Before = false, never(), ""
	return r
}

// verdictOf is an outcome's verdict, but nothing that may have been accepted
// counts as not sent.
func verdictOf(o reconcile.Outcome) reconcile.Verdict {
	if o.Verdict != reconcile.Unsent && o.Verdict != reconcile.Retryable {
		return o.Verdict
	}
	for _, a := range o.Attempts {
		switch a.Verdict {
		case reconcile.Retryable, reconcile.Unsent, reconcile.Rejected:
		default:
			return reconcile.InDoubt
		}
	}
	return o.Verdict
}

// entry is the row in the words of the core.
func (r row) entry() (reconcile.Entry, error) {
	e := reconcile.Entry{
		ID: r.id(), Version: r.Version, State: reconcile.State(r.State), Lost: r.Lost,
		By: reconcile.By(r.By), Run: reconcile.RunID(r.Run), Action: reconcile.Action(r.Action),
		Value: reconcile.Value{Currency: r.Currency, Of: reconcile.AmountOf(r.AmountOf)},
		Facts: reconcile.Facts{
			Source: r.Source, CompletedAt: instant(r.CompletedAt), Store: r.Store, CosmeticFields: r.CosmeticFields,
		},
		Attempts: r.Attempts, Shown: r.Shown, NotBefore: instant(r.NotBefore), At: instant(r.At), Receipt: r.Receipt,
	}
	copy(e.Facts.Digest[:], r.Digest)
	copy(e.Facts.Cosmetic[:], r.Cosmetic)
	if r.Amount != nil {
		amount, err := reconcile.ParseDecimal(*r.Amount)
		if err != nil {
			return e, fmt.Errorf("read the amount of entry %s: %w", r.Event, err)
		}
		e.Value.Amount = &amount
	}
	return e, nil
}
