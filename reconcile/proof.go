package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Witness is what a ledger tells of who said what, beside what planning needs.
// It changes nothing.
type Witness interface {
	Reader
	// Made lists the requests about events, the oldest first.
	Made(ctx context.Context, target string, ids []EventID) (map[EventID][]MadeAttempt, error)
	// Said tells on whose word entries stand as they do; those that nobody
	// said anything about are missing.
	Said(ctx context.Context, target string, ids []EventID) (map[EventID]Said, error)
	// Done lists entries that are done, in the order of their ids, from behind
	// after on, at most limit.
	Done(ctx context.Context, target string, after EventID, limit int) ([]Entry, error)
	// Beats tells when runs last showed that they live; unknown ones are missing.
	Beats(ctx context.Context, runs []RunID) (map[RunID]time.Time, error)
}

// WitnessLedger is a ledger in which doubts can be ended by proof.
type WitnessLedger interface {
	Ledger
	Witness
}

// Said is a word about an entry: evidence's, a platform's or a person's.
type Said struct {
	Who  string
	Note string
	At   time.Time // when it was sent, as far as evidence says; else zero
}

// Contradicted is what the ledger has as sent and the evidence, which should
// have it, lacks.
type Contradicted struct {
	Lacking      []Lacking `json:"lacking,omitempty"` // at most MaxProblems of them
	LackingFound int       `json:"lacking_found"`
	// Confirmed counts those that the evidence should have and has.
	Confirmed int `json:"confirmed"`
}

// Lacking is one such order.
type Lacking struct {
	Target   string    `json:"target"`
	Order    string    `json:"order"`
	Event    EventID   `json:"event"`
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"`
	By       By        `json:"by"`
	Who      string    `json:"who,omitempty"`
	At       time.Time `json:"at"` // when it was sent, at the latest
}

// proofMargin is how far this machine's clock and that of who made an export
// may differ, a request under way included.
const proofMargin = 5 * time.Minute

// fewProofs is how many orders an export may lack before most of them must be
// known to it.
const fewProofs = 20

// completes refuses a time until when the evidence cannot hold everything.
func (r *Runner) completes(k *known, until time.Time) error {
	switch {
	case until.IsZero():
		return nil
	case k.Trust != ByProven:
		return fmt.Errorf("take %s for complete: it is assumed, and what it lacks says nothing; that needs the platform's own export", k.Name())
	case until.After(r.Clock()):
		return fmt.Errorf("take %s for complete until %s: that is still to come", k.Name(), until.In(r.Zone).Format(whenLayout))
	case k.FreshWithin > 0 && until.Sub(k.newest) > k.FreshWithin:
		return fmt.Errorf("take %s for complete until %s: its newest row is of %s", k.Name(),
			until.In(r.Zone).Format(whenLayout), k.newest.In(r.Zone).Format(whenLayout))
	}
	return nil
}

// whenLayout is how errors write times.
const whenLayout = "2006-01-02 15:04 MST"

// expects reports whether evidence that is complete until a time must have an
// order of an entry, if the platform accepted it, at the latest, at last.
func (k *known) expects(e Entry, last, until time.Time) bool {
	return e.ID.Kind() == KindPurchase && !e.Facts.CompletedAt.Before(k.CoversFrom) && last.Add(proofMargin).Before(until)
}

// contradicted lists what was sent here, or assumed to be, and is not in the
// evidence although it should be. Corrections repeat an order's number.
func (r *Runner) contradicted(ctx context.Context, led Witness, t *Target, k *known, until time.Time) (c Contradicted, err error) {
	shops, after := r.shopsAt(t), EventID("")
	for {
		page, err := led.Done(ctx, t.Name(), after, decideAtOnce)
		if err != nil {
			return c, fmt.Errorf("list what %s was sent: %w", t.Name(), err)
		}
		if len(page) == 0 {
			return c, nil
		}
		after = page[len(page)-1].ID
		page = slices.DeleteFunc(page, func(e Entry) bool {
			key, err := e.ID.Key()
			return err != nil || !slices.Contains(shops, key.Shop) || e.ID.Revision() > 1 || e.By != BySentHere && e.By != ByAssumed
		})
		if err := k.compare(ctx, led, t, comparison{page, until}, &c); err != nil {
			return c, err
		}
	}
}

// comparison is a page of entries and until when evidence is complete.
type comparison struct {
	page  []Entry
	until time.Time
}

func (k *known) compare(ctx context.Context, led Witness, t *Target, page comparison, c *Contradicted) error {
	ids := idsOf(page.page)
	said, err := led.Said(ctx, t.Name(), ids)
	if err != nil {
		return fmt.Errorf("read who said what at %s: %w", t.Name(), err)
	}
	made, err := led.Made(ctx, t.Name(), ids)
	if err != nil {
		return fmt.Errorf("read what was tried at %s: %w", t.Name(), err)
	}
	for _, e := range page.page {
		key, _ := e.ID.Key() // it was read before
		last := sentBy(e, made[e.ID], said[e.ID])
		_, has := k.orders[key]
		switch {
		case !k.expects(e, last, page.until):
		case has:
			c.Confirmed++
		default:
			c.LackingFound++
			if len(c.Lacking) < MaxProblems {
				c.Lacking = append(c.Lacking, lackingOf(t, e, said[e.ID], last))
			}
		}
	}
	return nil
}

func lackingOf(t *Target, e Entry, said Said, last time.Time) Lacking {
	key, _ := e.ID.Key() // it was read before
	l := Lacking{Target: t.Name(), Order: key.Order, Event: e.ID, Currency: e.Value.Currency, By: e.By, Who: said.Who, At: last}
	if e.Value.Amount != nil {
		l.Amount = e.Value.Amount.String()
	}
	return l
}

// sentBy is when what is done was sent, at the latest: at the last attempt,
// else when evidence says, else when it was written down.
func sentBy(e Entry, made []MadeAttempt, said Said) time.Time {
	last := said.At
	for _, m := range made {
		if m.At.After(last) {
			last = m.At
		}
	}
	if last.IsZero() {
		return e.At
	}
	return last
}

// lastTry is when a doubtful event can have been sent at the latest. The claim
// of a run that was cut off may have gone as long as that run lived.
func lastTry(e Entry, made []MadeAttempt, beat time.Time) time.Time {
	last := sentBy(e, made, Said{})
	for _, at := range []time.Time{beat, e.At} {
		if e.Lost && at.After(last) {
			last = at
		}
	}
	return last
}

// shopsAt lists the numberings of a target's sources.
func (r *Runner) shopsAt(t *Target) []string {
	var shops []string
	for _, s := range r.Sources {
		if t.Reads(s.Name()) {
			shops = append(shops, s.Shop)
		}
	}
	return shops
}

func idsOf(entries []Entry) []EventID {
	ids := make([]EventID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}

// ProofRequest says by what doubts are to be ended: the evidence, or, without
// one, the platforms themselves.
type ProofRequest struct {
	Evidence string
	Complete time.Time // as in AdoptRequest
	// Wanted says which doubts are meant; nil: all.
	Wanted func(target string, e Entry) bool
	Note   string // kept with each
}

// Proved is what became of the doubts at one target. Each is counted once.
type Proved struct {
	Target string `json:"target"`
	Asked  bool   `json:"asked"` // the evidence speaks of the target, or the target could be asked
	Why    string `json:"why,omitempty"`
	Doubts int    `json:"doubts"`
	Done   int    `json:"ended_as_sent"`
	Open   int    `json:"ended_as_not_sent"` // the next run sends them
	Stay   int    `json:"still_in_doubt"`
	Moved  int    `json:"moved"`
	// Resends says that the next run sends what stays in doubt again: the
	// target merges repeats.
	Resends bool `json:"resends"`
	Contradicted
}

// maxDoubts bounds how many doubts are looked at in one go.
const maxDoubts = 100_000

// Prove ends doubts by the platform's own export. What the export has is done,
// proven. What it lacks stays in doubt unless it is complete until after the
// last attempt and covers the order: then it is open. An export that is empty,
// cannot be read, or knows none or few of the orders that it should ends
// nothing by what it lacks.
func (r *Runner) Prove(ctx context.Context, led WitnessLedger, req ProofRequest) ([]Proved, error) {
	k, err := r.readKnown(ctx, req.Evidence, r.always())
	switch {
	case err != nil:
		return nil, err
	case k.Trust != ByProven:
		return nil, fmt.Errorf("end doubts by %s: it is assumed; only what the platform itself confirms ends a doubt", req.Evidence)
	case k.rows == 0:
		return nil, fmt.Errorf("end doubts by %s: it is empty, which proves nothing", req.Evidence)
	}
	if err := r.completes(k, req.Complete); err != nil {
		return nil, err
	}
	var all []Proved
	for _, t := range r.Targets {
		p, err := r.proveAt(ctx, led, t, proof{req, k})
		all = append(all, p)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

type proof struct {
	ProofRequest
	*known
}

func (r *Runner) proveAt(ctx context.Context, led WitnessLedger, t *Target, by proof) (Proved, error) {
	p := Proved{Target: t.Name(), Resends: mergesAll(t)}
	if !by.settles(t) {
		p.Why = by.Name() + " records what the shop's pages sent, which the platform keeps apart from what the backend sends"
		return p, nil
	}
	p.Asked = true
	doubts, err := r.doubts(ctx, led, t, by.Wanted)
	if err != nil {
		return p, err
	}
	p.Doubts = len(doubts)
	if !by.Complete.IsZero() {
		if p.Contradicted, err = r.contradicted(ctx, led, t, by.known, by.Complete); err != nil {
			return p, err
		}
	}
	known := p.Confirmed + by.hits(doubts)
	missing := p.LackingFound + len(doubts) - by.hits(doubts)
	believed := known > 0 && (missing <= fewProofs || known >= missing)
	if !by.Complete.IsZero() && !believed && missing > 0 {
		p.Why = fmt.Sprintf("%s knows %d of %d orders that it should: are its numbers the same? correct its columns.order; nothing counts as not sent",
			by.Name(), known, known+missing)
	}
	for _, d := range doubts {
		answer := AnswerUnknown
		switch {
		case by.has(d.ID):
			answer = AnswerYes
		case !by.Complete.IsZero() && believed && by.expects(d.Entry, d.last, by.Complete):
			answer = AnswerNo
		}
		said := word{id: d.ID, answer: answer, who: by.Name(), note: by.Note}
		if key, err := d.ID.Key(); err == nil && answer == AnswerYes {
			said.receipt, _ = by.tells(d.ID, key)
		}
		if err := r.answered(ctx, led, &p, said); err != nil {
			return p, err
		}
	}
	return p, nil
}

// has reports whether the evidence says of an event that it was sent. What was
// charged it knows step by step only: that there is an order says nothing of
// its upgrades.
func (k *known) has(id EventID) bool {
	key, err := id.Key()
	if err != nil || id.Revision() > 1 {
		return false
	}
	if id.Kind().Charges() {
		_, named := k.steps[key][id.Position()]
		return named && id.Position() > 0
	}
	_, has := k.orders[key]
	return has && id.Kind() == KindPurchase
}

func (k *known) hits(doubts []doubtful) (n int) {
	for _, d := range doubts {
		if k.has(d.ID) {
			n++
		}
	}
	return n
}

// doubtful is an entry in doubt, and when it can have been sent at the latest.
type doubtful struct {
	Entry
	last time.Time
}

// doubts lists what is in doubt at a target.
func (r *Runner) doubts(ctx context.Context, led Witness, t *Target, wanted func(string, Entry) bool) ([]doubtful, error) {
	entries, err := led.Unfinished(ctx, t.Name(), Window{From: time.Unix(0, 0), To: r.Clock().AddDate(100, 0, 0)}, maxDoubts)
	if err != nil {
		return nil, fmt.Errorf("read what is in doubt at %s: %w", t.Name(), err)
	}
	entries = slices.DeleteFunc(entries, func(e Entry) bool {
		return e.State != StateDoubtful || wanted != nil && !wanted(t.Name(), e)
	})
	made, err := led.Made(ctx, t.Name(), idsOf(entries))
	if err != nil {
		return nil, fmt.Errorf("read what was tried at %s: %w", t.Name(), err)
	}
	var runs []RunID
	for _, e := range entries {
		runs = append(runs, e.Run)
	}
	beats, err := led.Beats(ctx, runs)
	if err != nil {
		return nil, err
	}
	list := make([]doubtful, len(entries))
	for i, e := range entries {
		list[i] = doubtful{e, lastTry(e, made[e.ID], beats[e.Run])}
	}
	return list, nil
}
