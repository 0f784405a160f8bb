package reconcile

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// PlanPart says of a plan that it is a part of another one: what it sends to one
// target and some of the persons.
type PlanPart struct {
	Of    RunID `json:"of"` // that made the whole plan
	N     int   `json:"n"`  // from 0
	Parts int   `json:"parts"`
}

// Parts cuts what a plan sends to a target into plans of their own, in files
// beside it, signed with key: each can be carried out (Carry) by another
// process. All events of a person are in one part, so that they go in their
// order. Parts without a step are not made. On an error none is left.
func (p *Plan) Parts(key []byte, target string, parts int) (list []*Plan, err error) {
	eligible, err := p.eligible(target, parts)
	if err != nil {
		return nil, err
	}
	writers := make([]*planWriter, parts)
	defer func() {
		for _, w := range writers {
			if w != nil {
				w.abandon()
			}
		}
		for _, part := range list {
			if err != nil {
				err = errors.Join(err, os.Remove(part.Path))
			}
		}
		if err != nil {
			list = nil
		}
	}()
	for _, kind := range p.Kinds(target) {
		for step, err := range p.Steps(target, kind) {
			if err != nil {
				return nil, err
			}
			n := step.part(parts)
			if writers[n] == nil {
				if writers[n], err = newPlanWriter(filepath.Dir(p.Path)); err != nil {
					return nil, err
				}
				if err := writers[n].line(envelopeLine{Envelope: p.partEnvelope(target, n, eligible)}); err != nil {
					return nil, err
				}
			}
			sorted, err := newSortedStep(step)
			if err == nil {
				err = writers[n].step(sorted)
			}
			if err != nil {
				return nil, fmt.Errorf("cut the plan into parts: %w", err)
			}
		}
	}
	for n, w := range writers {
		if w == nil {
			continue
		}
		part := &Plan{PlanEnvelope: *p.partEnvelope(target, n, eligible), Path: fmt.Sprintf("%s.%s.%d", p.Path, target, n), index: w.index}
		if part.Digest, err = w.finish(part.Path, key, nil); err != nil {
			return list, err
		}
		writers[n] = nil
		list = append(list, part)
	}
	return list, nil
}

// eligible counts what each part sends.
func (p *Plan) eligible(target string, parts int) ([]Count, error) {
	counts, met := make([]Count, parts), map[OrderKey]bool{}
	for _, kind := range p.Kinds(target) {
		for step, err := range p.Steps(target, kind) {
			if err != nil {
				return nil, err
			}
			if step.Do != DoSend {
				continue
			}
			c := countOf(step.Event.ID.counted(step.Event.Value), 1)
			if key, _ := step.Event.ID.Key(); step.Mates > 1 && met[key] { // ids in a plan were built by NewEventID
				c.Orders = 0
			} else if step.Mates > 1 {
				met[key] = true
			}
			if err := counts[step.part(parts)].Add(c); err != nil {
				return nil, fmt.Errorf("count what the parts send: %w", err)
			}
		}
	}
	return counts, nil
}

// part is the part that the step is in: that of its person or, where nobody is
// known, of its order.
func (s PlannedStep) part(parts int) int {
	who := string(s.Event.Person)
	if who == "" {
		key, _ := s.Event.ID.Key() // ids in a plan were built by NewEventID
		who = key.Shop + "/" + key.Order
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(who)) // never fails
	return int(h.Sum64() >> 32 % uint64(parts))
}

// partEnvelope is the envelope of a part: that of the plan, without what planning
// found.
func (p *Plan) partEnvelope(target string, n int, eligible []Count) *PlanEnvelope {
	whole := p.target(target)
	return &PlanEnvelope{Schema: 1, Run: p.Run, AsOf: p.AsOf, Expires: p.Expires, Window: p.Window, Backfill: true, Named: p.Named, Listed: p.Listed,
		Ledger: p.Ledger, Part: &PlanPart{Of: p.Run, N: n, Parts: len(eligible)},
		Targets: []PlannedTarget{{Target: target, Mode: whole.Mode, Digest: whole.Digest, Balance: Balance{Eligible: eligible[n]}}}}
}

// errNoPart says that a whole plan was given where a part is carried out.
var errNoPart = errors.New("carry out a part of a plan: this is a whole one; makegood apply carries it out")

// Carry carries out a part of a plan, as a run of its own. It judges every step
// again when it claims it, but reads no source. A plan that has expired, or was
// made for another configuration or ledger, is a *PlanRefused: it is to be made
// anew. It goes on where earlier runs of the part stopped or died.
func (r *Runner) Carry(ctx context.Context, led Ledger, part *Plan, earlier []RunID, req Request) (Result, error) {
	res := r.newResult(req.Command)
	if part.Part == nil {
		return res, errNoPart
	}
	if err := errors.Join(r.expired(part), r.sameTargets(part), sameLedger(led, part)); err != nil {
		return res, err
	}
	if err := r.open(ctx, led, &res, req); err != nil {
		return res, err
	}
	r.describe(&res, part, nil)
	var err error
	if req.Begun != nil {
		err = req.Begun(ctx)
	}
	if err == nil {
		err = r.resume(ctx, led, part, earlier)
	}
	if err == nil {
		err = r.carry(ctx, led, part, &res)
	}
	return res, errors.Join(err, r.close(led, &res, part, err))
}

// resume finds the steps that earlier runs of the part gave back, or lost where a
// repeat does no harm: they are sent although their entries have moved. Those that
// are over are not claimed in vain.
func (r *Runner) resume(ctx context.Context, led Reader, part *Plan, earlier []RunID) error {
	if len(earlier) == 0 {
		return nil
	}
	t := r.target(part.Targets[0].Target)
	part.seen, part.over = map[EventID]int64{}, map[EventID]Place{}
	var ids []EventID
	planned := map[EventID]PlannedStep{}
	look := func() error {
		have, err := led.Find(ctx, t.Name(), ids)
		if err != nil {
			return fmt.Errorf("look up where the part was left: %w", err)
		}
		for id, e := range have {
			again := e.State == StateOpen && !e.NotBefore.After(r.Clock()) || e.State == StateDoubtful && t.Traits()[id.Kind()].MergesRepeats
			own := slices.Contains(earlier, e.Run) || e.Facts.Digest == planned[id].Event.Facts.Digest // a claim that was given back leaves the run before it
			if again && own {
				part.seen[id] = e.Version
			} else if e.Version != planned[id].Seen {
				part.over[id] = movedPlace(planned[id].Event, e)
			}
		}
		ids = ids[:0]
		clear(planned)
		return nil
	}
	for step, err := range part.All() {
		if err != nil {
			return err
		}
		planned[step.Event.ID] = PlannedStep{Seen: step.Seen, Event: Event{Facts: Facts{CompletedAt: step.Event.Facts.CompletedAt, Digest: step.Event.Facts.Digest, Store: step.Event.Facts.Store}}}
		if ids = append(ids, step.Event.ID); len(ids) == decideAtOnce {
			if err := look(); err != nil {
				return err
			}
		}
	}
	return look()
}

// CarriedOut is how the parts of a plan were carried out.
type CarriedOut struct {
	Runs    []RunID           // that worked on them, or on plans of the same work before
	Stopped map[string]string // by target, why it took no more
	// Ended says that the last run of each part came to its end: each of its steps
	// was sent or decided on.
	Ended bool
}

// Sum tells, as a run of its own, how a plan ended that was carried out in parts:
// where each of its steps is, the ledger says. What the plan has for targets that
// are not sent to is left, as in any run.
func (r *Runner) Sum(ctx context.Context, led Ledger, plan *Plan, by CarriedOut, req Request) (Result, error) {
	res := r.newResult(req.Command)
	if err := r.open(ctx, led, &res, req); err != nil {
		return res, err
	}
	r.describe(&res, plan, nil)
	res.Plan, res.Carried = nil, by.Runs // it was carried out
	err := r.keep(ctx, led, plan, res.Run)
	for i := range res.Targets {
		tr := &res.Targets[i]
		if t := r.target(tr.Target); err == nil && t.live() && !t.NeedsApproval {
			tr.Stopped = by.Stopped[tr.Target]
			err = r.sumTarget(ctx, led, plan, by, tr)
		} else if err == nil {
			err = r.carryTarget(ctx, led, plan, res.Run, tr)
		}
	}
	return res, errors.Join(err, r.close(led, &res, plan, err))
}

// sumTarget counts where the steps of a target are.
func (r *Runner) sumTarget(ctx context.Context, led Reader, plan *Plan, by CarriedOut, tr *TargetResult) error {
	t := r.target(tr.Target)
	acct := newAccount(tr, plan.target(tr.Target).EarliestLeft)
	now := r.Clock()
	acct.target, acct.seen, acct.clock = t, r.Seen, func() time.Time { return now }
	tr.Mail.After = t.MailAfter
	var chunk []PlannedStep
	count := func() error {
		places, err := placesOf(ctx, led, tr.Target, chunk, by)
		if err != nil {
			return err
		}
		for i, step := range chunk {
			e := places[i]
			if now = r.Clock(); e.Bucket == BucketSent {
				now = e.entry.At
			}
			tr.Attempts += e.attempts()
			acct.end(step, e.Place, e.detail)
		}
		chunk = chunk[:0]
		return acct.failure
	}
	for _, kind := range plan.Kinds(tr.Target) {
		for step, err := range plan.Steps(tr.Target, kind) {
			if err != nil {
				return err
			}
			if step.Do != DoSend {
				continue
			}
			if chunk = append(chunk, step); len(chunk) == decideAtOnce {
				if err := count(); err != nil {
					return err
				}
			}
		}
	}
	if err := count(); err != nil {
		return err
	}
	tr.Mail.count(&tr.Balance)
	return nil
}

// ending is where a step is after the runs that carried its plan out.
type ending struct {
	Place
	detail string
	entry  Entry
}

// attempts are those of the runs, as far as the entry tells.
func (e ending) attempts() int {
	if e.Bucket == BucketSent {
		return e.entry.Attempts
	}
	return 0
}

// placesOf looks up where steps are. What one of the runs had accepted is sent;
// what is open is where a run left it. A run that leaves it where an earlier one
// had left it says nothing new: then that one's word holds.
func placesOf(ctx context.Context, led Reader, target string, steps []PlannedStep, by CarriedOut) ([]ending, error) {
	ids := make([]EventID, len(steps))
	for i, s := range steps {
		ids[i] = s.Event.ID
	}
	have, err := led.Find(ctx, target, ids)
	if err != nil {
		return nil, fmt.Errorf("look up what %s was sent: %w", target, err)
	}
	decided, err := led.Decided(ctx, target, ids)
	if err != nil {
		return nil, fmt.Errorf("look up what was decided for %s: %w", target, err)
	}
	why := make(map[EventID]Decision, len(decided))
	for _, d := range decided {
		if by.Ended || slices.Contains(by.Runs, d.Run) {
			why[d.ID] = d
		}
	}
	list := make([]ending, len(steps))
	for i, id := range ids {
		e, there := have[id]
		d, was := why[id]
		switch {
		case there && e.State == StateDone && e.By == BySentHere && slices.Contains(by.Runs, e.Run):
			list[i] = ending{Place{BucketSent, ReasonSent}, "", e}
		case there && e.State != StateOpen:
			list[i] = ending{movedPlace(steps[i].Event, e), "", e}
		case was:
			list[i] = ending{d.Place, d.Detail, e}
		default:
			list[i] = ending{Place{BucketLeft, ReasonInterrupted}, "", e}
		}
	}
	return list, nil
}
