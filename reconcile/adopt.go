package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// AdoptRequest says which evidence is to be recorded in the ledger.
type AdoptRequest struct {
	Evidence string
	From, To time.Time // of the evidence's rows; zero: all of them
	// Unseen records orders that no source shows as well, without an amount.
	Unseen bool
	// Complete is until when the evidence holds everything that the platform
	// accepted, by a person's word; zero: nothing follows from what it lacks.
	Complete time.Time
	// Exit gives the exit code that the ledger keeps of the run.
	Exit func(AdoptResult, error) int
}

// AdoptResult is what an adoption found and recorded. Times are UTC.
type AdoptResult struct {
	Schema   int         `json:"schema"`
	Run      RunID       `json:"run,omitempty"` // none where nothing was to be changed
	Command  string      `json:"command"`
	DryRun   bool        `json:"dry_run,omitempty"`
	Started  time.Time   `json:"started"`
	Finished time.Time   `json:"finished"`
	Evidence string      `json:"evidence"`
	Trust    By          `json:"trust"`
	Period   *Window     `json:"period,omitempty"` // nil: all rows
	Rows     int         `json:"rows"`
	Orders   int         `json:"orders"`
	Newest   time.Time   `json:"newest,omitzero"`
	Targets  []AdoptedAt `json:"targets"`
}

// AdoptedAt is what became of the evidence's orders at one target. Each order,
// and of carts that are charged each step, is counted once: recorded, ended, known, busy, moved, kept, refused, reopened,
// other order, not for the target, other shop or unseen.
type AdoptedAt struct {
	Target       string `json:"target"`
	Recorded     int    `json:"recorded"` // as done, on the evidence's word; a dry run would record so many
	Money        Money  `json:"money,omitempty"`
	Ended        int    `json:"doubts_ended"`
	Known        int    `json:"known_before"`
	Busy         int    `json:"busy"`  // a live run is about to send it
	Moved        int    `json:"moved"` // changed by somebody else meanwhile
	Kept         int    `json:"still_in_doubt"`
	Refused      int    `json:"still_refused"`
	Reopened     int    `json:"reopened"`    // a person said that it never arrived: the next run sends it
	OtherOrder   int    `json:"other_order"` // the ledger knows another order by its number
	NotForTarget int    `json:"not_for_target"`
	OtherShop    int    `json:"other_shop"` // of a numbering that no source of the target has
	Unseen       int    `json:"unseen"`     // no source shows them, and they were not recorded
	UnseenKept   int    `json:"unseen_recorded"`
	// UnseenOrders are some of those that no source shows.
	UnseenOrders []string `json:"unseen_orders,omitempty"`
	Contradicted
}

// adopter records evidence while sources are read.
type adopter struct {
	known   *known
	unseen  bool
	targets map[string]*AdoptedAt
	// shown holds, by target, the evidence's orders that a source shows: true
	// when they are for the target.
	shown  map[string]map[OrderKey]bool
	led    Reader
	record func(ctx context.Context, target string, batch []Adoption) (int, error)
	end    func(ctx context.Context, target string, id EventID) error
}

// adoptable is one page of a source as one target sees it.
type adoptable struct {
	heads []Head
	batch []ordered
	have  map[EventID]Entry
}

// PlanAdoption tells what Adopt would record. It changes nothing.
func (r *Runner) PlanAdoption(ctx context.Context, led Witness, req AdoptRequest) (AdoptResult, error) {
	res := r.newAdoption(req)
	res.DryRun = true
	a := &adopter{led: led,
		record: func(_ context.Context, _ string, batch []Adoption) (int, error) { return len(batch), nil },
		end:    func(context.Context, string, EventID) error { return nil }}
	err := r.adoptAll(ctx, led, req, a, &res)
	res.Finished = r.Clock().UTC()
	return res, err
}

// Adopt records in the ledger what the evidence says was sent, as far as the
// ledger does not know it as done. It sends nothing, and never touches an entry
// that is done, claimed by a live run, or moved meanwhile; a doubt is ended by
// proven evidence only. What was recorded before an error or the end of ctx
// stays, and repeating it records the rest.
func (r *Runner) Adopt(ctx context.Context, led WitnessLedger, req AdoptRequest) (res AdoptResult, err error) {
	res = r.newAdoption(req)
	begun := Result{Run: r.NewRun(), Command: res.Command, Started: res.Started}
	res.Run = begun.Run
	if err := r.open(ctx, led, &begun, Request{From: req.From, To: req.To}); err != nil {
		return res, err
	}
	a := &adopter{led: led,
		record: func(ctx context.Context, target string, batch []Adoption) (int, error) {
			return led.Adopt(ctx, target, res.Run, batch)
		},
		end: func(ctx context.Context, target string, id EventID) error {
			return led.Resolve(ctx, target, id, Resolution{State: StateDone, By: ByProven, Who: req.Evidence, Note: "makegood adopt"})
		}}
	err = r.adoptAll(ctx, led, req, a, &res)
	return res, errors.Join(err, r.closeAdoption(led, req, &res, err))
}

func (r *Runner) newAdoption(req AdoptRequest) AdoptResult {
	res := AdoptResult{Schema: 1, Command: "adopt", Evidence: req.Evidence, Trust: r.Evidence[req.Evidence].Trust,
		Started: r.Clock().UTC(), Targets: []AdoptedAt{}}
	if !req.From.IsZero() || !req.To.IsZero() {
		w := r.rowsOf(req)
		res.Period = &w
	}
	return res
}

// closeAdoption stores the run's end. It does not listen to cancellation.
func (r *Runner) closeAdoption(led Ledger, req AdoptRequest, res *AdoptResult, failed error) error {
	res.Finished = r.Clock().UTC()
	end := RunEnd{Run: res.Run, Finished: res.Finished, Window: r.rowsOf(req), Exit: req.Exit(*res, failed)}
	var err error
	if end.Summary, err = json.Marshal(res); err != nil {
		return fmt.Errorf("keep what was adopted: %w", err)
	}
	if err := led.End(context.Background(), end); err != nil {
		return fmt.Errorf("end the run: %w", err)
	}
	return r.SaveHead(led.Head())
}

// rowsOf is the period of the rows that are asked for.
func (r *Runner) rowsOf(req AdoptRequest) Window {
	w := r.always()
	if !req.From.IsZero() {
		w.From = req.From
	}
	if !req.To.IsZero() {
		w.To = req.To
	}
	return w
}

// always is a period that holds every row.
func (r *Runner) always() Window {
	return Window{From: time.Unix(0, 0).UTC(), To: r.Clock().UTC().Add(evidenceMargin)}
}

// adoptAll reads the evidence, then the sources, and judges each order of the
// evidence at each target.
func (r *Runner) adoptAll(ctx context.Context, led Witness, req AdoptRequest, a *adopter, res *AdoptResult) error {
	k, err := r.readKnown(ctx, req.Evidence, r.rowsOf(req))
	if err != nil {
		return err
	}
	res.Rows, res.Orders, res.Newest = k.rows, len(k.orders), k.newest
	if k.rows == 0 {
		return fmt.Errorf("read evidence %s: it holds no row for this period: nothing follows from that", req.Evidence)
	}
	if err := r.completes(k, req.Complete); err != nil {
		return err
	}
	for _, t := range r.Targets {
		if !k.settles(t) {
			return fmt.Errorf("adopt %s for %s: the platform takes what the shop's pages report and what the shop's backend reports as one; "+
				"that the pages reported an order says nothing of the backend's message", req.Evidence, t.Name())
		}
	}
	a.known, a.unseen = k, req.Unseen
	a.targets, a.shown = map[string]*AdoptedAt{}, map[string]map[OrderKey]bool{}
	for _, t := range r.Targets {
		a.targets[t.Name()], a.shown[t.Name()] = &AdoptedAt{Target: t.Name()}, map[OrderKey]bool{}
	}
	err = r.readForAdoption(ctx, led, a)
	for _, t := range r.Targets {
		at := a.targets[t.Name()]
		if err == nil && !req.Complete.IsZero() {
			at.Contradicted, err = r.contradicted(ctx, led, t, k, req.Complete)
		}
		res.Targets = append(res.Targets, *at)
	}
	return err
}

// readForAdoption reads the sources as a run does, for the orders that the
// evidence has, and then looks at what no source showed.
func (r *Runner) readForAdoption(ctx context.Context, led Reader, a *adopter) error {
	p := &planner{Runner: r, led: led, asOf: r.Clock().UTC().Truncate(time.Second), win: r.ordersOf(a.known), backfill: true,
		sources: map[string]*SourceResult{}, notUnique: map[string]bool{}, steps: newSorter(r.StateDir), adopting: a}
	defer func() { _ = p.steps.close() }()
	if err := p.prepare(ctx); err != nil {
		return err
	}
	for _, group := range p.groups() {
		if err := p.readGroup(ctx, group); err != nil {
			return err
		}
		for _, s := range group {
			if failed := p.sources[s.Name()].Err; failed != nil {
				return fmt.Errorf("read %s: %w", s.Name(), failed)
			}
		}
	}
	for _, t := range p.targets {
		if err := a.rest(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// ordersOf is when the evidence's orders can have been completed: at most
// ReachBack before the first row with a time, if all rows have one.
func (r *Runner) ordersOf(k *known) Window {
	w := r.always()
	first := w.To
	for _, at := range k.orders {
		if at.IsZero() {
			return w
		}
		if at.Before(first) {
			first = at
		}
	}
	if from := r.daysBefore(first, r.ReachBack); from.After(w.From) {
		w.From = from
	}
	return w
}

// decide records a page's orders that the evidence has.
func (a *adopter) decide(ctx context.Context, s SourceSpec, t *targetPlan, page adoptable) error {
	shown, at := a.shown[t.Name()], a.targets[t.Name()]
	for _, h := range page.heads {
		if _, has := a.known.orders[h.Key]; has && !shown[h.Key] {
			shown[h.Key] = false
		}
	}
	var batch []Adoption
	var doubts []EventID
	for _, o := range page.batch {
		if _, has := a.known.orders[o.head.Key]; !has {
			continue
		}
		for _, w := range o.wants {
			if _, speaks := a.known.tells(w.ID, o.head.Key); w.Kind == KindCart || !speaks {
				continue
			}
			shown[o.head.Key] = true
			e := page.have[w.ID]
			if o.foreign || Reused(w, e, s.EditWindow) || Reissued(o.head, w, e) {
				at.OtherOrder++
				continue
			}
			w.Facts.Goods, w.Facts.Mark = o.head.GoodsDigest, o.head.Mark()
			switch a.judge(e, at) {
			case StateAbsent, StateOpen, StateRefused:
				batch = append(batch, a.adoption(w, e, o.head.Key))
			case StateDoubtful:
				if w.Kind.Charges() && !a.known.has(w.ID) {
					at.Kept++ // that there is an order says nothing of its upgrades
					continue
				}
				doubts = append(doubts, w.ID)
			}
		}
	}
	return a.keep(ctx, at, batch, doubts)
}

// judge counts an order whose entry is not to be touched, and gives the state
// of one that is to be ended; StateDone for nothing to do.
func (a *adopter) judge(e Entry, at *AdoptedAt) State {
	proven := a.known.Trust == ByProven
	switch {
	case e.State == StateClaimed:
		at.Busy++
	case e.State == StateDoubtful && !proven:
		at.Kept++
	case e.State == StateRefused && !proven:
		at.Refused++
	case e.State == StateOpen && e.Lost && !proven:
		at.Reopened++
	case e.State == StateAbsent, e.State == StateOpen, e.State == StateRefused, e.State == StateDoubtful:
		return e.State
	default:
		at.Known++
	}
	return StateDone
}

func (a *adopter) adoption(w Want, e Entry, key OrderKey) Adoption {
	receipt, _ := a.known.tells(w.ID, key)
	return Adoption{Want: w, By: a.known.Trust, Who: a.known.Name(), At: a.known.orders[key], Receipt: receipt, Seen: e.Version}
}

// keep records one page. Each doubt is ended by itself.
func (a *adopter) keep(ctx context.Context, at *AdoptedAt, batch []Adoption, doubts []EventID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, id := range doubts {
		switch err := a.end(ctx, at.Target, id); {
		case errors.Is(err, ErrLedgerMoved):
			at.Moved++
		case err != nil:
			return fmt.Errorf("end a doubt at %s: %w", at.Target, err)
		default:
			at.Ended++
		}
	}
	if len(batch) == 0 {
		return nil
	}
	n, err := a.record(ctx, at.Target, batch)
	if err != nil {
		return fmt.Errorf("adopt what others sent to %s: %w", at.Target, err)
	}
	at.Recorded, at.Moved = at.Recorded+n, at.Moved+len(batch)-n
	if n < len(batch) {
		return nil // which of them it was is not told
	}
	for _, one := range batch {
		if v := one.Want.Value; v.Amount != nil {
			if at.Money, err = at.Money.Plus(v.Currency, *v.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}
