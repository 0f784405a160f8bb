package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// write gives the plan its file.
func (p *planner) write(dir string) (*Plan, error) {
	env, err := p.envelope()
	if err != nil {
		return nil, err
	}
	w, err := newPlanWriter(dir)
	if err != nil {
		return nil, err
	}
	if err := p.writeLines(w, env); err != nil {
		w.abandon()
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	path := filepath.Join(dir, string(p.run)+".plan")
	digest, err := w.finish(path, p.Key, p.PlanKey)
	if err != nil {
		w.abandon()
		return nil, err
	}
	return &Plan{PlanEnvelope: *env, Path: path, Digest: digest, index: w.index}, nil
}

func (p *planner) writeLines(w *planWriter, env *PlanEnvelope) error {
	if err := w.line(envelopeLine{Envelope: env}); err != nil {
		return err
	}
	for rec, err := range p.steps.all() {
		if err != nil {
			return err
		}
		step, err := sortedStepOf(rec)
		if err != nil {
			return err
		}
		if p.dropped(step.brief) {
			continue
		}
		if err := errors.Join(w.step(step), p.count(step)); err != nil {
			return err
		}
	}
	return nil
}

// count notes a step that is left when the plan is not carried out.
func (p *planner) count(s sortedStep) (err error) {
	if s.brief.Do != DoSend {
		return nil
	}
	name := s.brief.Target
	acct := p.unsent[name]
	if acct == nil {
		acct = newAccount(&TargetResult{Target: name, Balance: Balance{Times: NewTimeline(p.Zone)}}, nil)
		acct.target, acct.clock, acct.seen = p.target(name), p.Clock, p.Seen
		p.unsent[name] = acct
	}
	place := Place{BucketLeft, p.unsentReason(p.target(name).Mode)}
	if p.target(name).Mode == ModeTrial && !p.onTrial(s.brief) {
		place.Reason = ReasonTrial
	}
	if len(acct.result.Balance.Examples[place]) < MaxExamples {
		s.brief.Origin, err = s.originOf()
	}
	acct.end(s.brief, place, "")
	return err
}

// dropped reports whether a step belongs to a source that failed after it was
// made, or to a target that was stopped.
func (p *planner) dropped(s PlannedStep) bool {
	for _, t := range p.targets {
		if t.Name() == s.Target {
			return t.feeds[s.Event.Facts.Source] == nil || t.stopped != "" && s.Do == DoSend
		}
	}
	return true
}

// onTrial reports whether a step is one of those that a trial picks.
func (p *planner) onTrial(s PlannedStep) bool {
	a := p.trials[s.Target]
	if a == nil {
		all := candidates{}
		for of, more := range p.candidates {
			if of.target == s.Target && !p.dropped(PlannedStep{Do: DoSend, Target: of.target, Event: Event{Facts: Facts{Source: of.source}}}) {
				for kind, list := range more {
					all[kind] = append(all[kind], list...)
				}
			}
		}
		a = newAllowance(p.target(s.Target), all)
		p.trials[s.Target] = a
	}
	reason, err := a.admit(s.Event)
	return reason != ReasonTrial && err == nil
}

func (p *planner) envelope() (*PlanEnvelope, error) {
	env := &PlanEnvelope{Schema: 1, Run: p.run, AsOf: p.asOf, Expires: p.asOf.Add(planAhead), Window: p.win, Backfill: p.backfill,
		Named: p.named, Listed: p.lists()}
	if led, ok := p.led.(interface{ Head() LedgerHead }); ok {
		env.Ledger = led.Head()
	}
	env.Lookups = p.lookups()
	for source, s := range p.samples {
		p.sources[source].Custom = s.found()
	}
	for _, s := range p.Sources {
		line := plannedSource(p.sources[s.Name()])
		line.BadEarlier, line.NotUnique = p.first.bad(s.Name()), p.notUnique[s.Name()]
		env.Sources = append(env.Sources, line)
	}
	for _, t := range p.targets {
		line, err := p.plannedTarget(t)
		if err != nil {
			return nil, err
		}
		env.Targets = append(env.Targets, line)
	}
	return env, nil
}

func plannedSource(r *SourceResult) PlannedSource {
	s := PlannedSource{Source: r.Source, Tally: r.Tally, Problems: r.Tally.Problems, Notes: r.Tally.Notes,
		Newest: r.Tally.Newest, Bad: r.Bad, NoDestination: r.NoDestination, Stray: r.Stray, Numbers: r.Numbers, Custom: r.Custom, Stores: r.Stores, Loose: r.Tally.Loose,
		Quiet: r.Quiet, Silent: r.SilentStores, SeenLate: r.SeenLate, Closed: r.Closed, Days: r.Days}
	if r.Err != nil {
		s.Error = r.Err.Error()
	}
	return s
}

func (p *planner) plannedTarget(t *targetPlan) (PlannedTarget, error) {
	line := PlannedTarget{Target: t.Name(), Mode: t.Mode, Digest: t.Digest, Doubts: t.doubts, DoubtsFound: t.doubtsFound,
		Stopped: t.stopped, EarliestLeft: map[string]time.Time{}, HeldTimes: map[string][]int64{},
		Evidence: map[string]map[string]int{}}
	line.Earlier = p.first.at(t.Name(), t.feeds)
	if m := t.meetings(); len(t.Evidence) > 0 {
		line.Met = EvidenceShare{m.met + m.missed, m.met}
	}
	if t.err != nil {
		line.Error = t.err.Error()
	}
	frontEnd := missedBy{}
	for _, source := range slices.Sorted(maps.Keys(t.feeds)) {
		f := t.feeds[source]
		if err := line.Balance.Merge(f.balance); err != nil {
			return line, err
		}
		if !f.earliestLeft.IsZero() {
			line.EarliestLeft[source] = f.earliestLeft
		}
		line.HeldTimes[source] = p.heldTimes(t, source)
		if p.manyChanges(f) {
			f.resent = 0
			for i := range f.corrections {
				f.corrections[i].Resend = false
			}
		}
		frontEnd.merge(f.frontEnd)
		line.TooEarly.add(f.tooEarly)
		line.Falling += f.falling
		if err := line.Expiring.merge(f.expiring); err != nil {
			return line, err
		}
		line.Corrections = append(line.Corrections, f.corrections...)
		line.CorrectionsFound += f.changed
		line.CorrectionsResent += f.resent
		if t.stopped == "" {
			if err := line.Reversals.Add(f.undone); err != nil {
				return line, err
			}
		}
	}
	for source := range t.feeds {
		if w := p.begins[pair{source, t.Name()}].fallen; w.From.Before(w.To) {
			line.Fallen = Window{earlier(line.Fallen.From, w.From), later(line.Fallen.To, w.To)}
		}
	}
	line.MissedBy, line.Backlog = frontEnd.list(), t.backlog
	if t.products != nil {
		line.Unknown = t.strangers.told(t.products)
	}
	for _, name := range t.Evidence {
		if k := p.evidence[name]; k != nil {
			line.Evidence[name] = k.days
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.orphans)) {
		if !p.Part && p.wasRead(t, t.orphans[id].Facts.Source) {
			line.Orphans = append(line.Orphans, t.orphans[id])
		}
	}
	return line, nil
}

// heldTimes lists when held-back orders were completed, sorted. Those before
// the pair's lookback, read for the sake of something older, were counted as
// leaving by an earlier run.
func (p *planner) heldTimes(t *targetPlan, source string) []int64 {
	held := t.feeds[source].held
	slices.Sort(held)
	i, _ := slices.BinarySearch(held, p.begins[pair{source, t.Name()}].lookback.Unix())
	return held[i:]
}

// wasRead reports whether a source of the target was read to its end.
func (p *planner) wasRead(t *targetPlan, source string) bool {
	res := p.sources[source]
	return res != nil && res.Err == nil && t.feeds[source] != nil
}
