package reconcile

import (
	"context"
	"fmt"
	"slices"
)

// decideAtOnce is how many orders are compared with the ledger at a time.
const decideAtOnce = 1000

// groups puts sources that share a numbering and a target together: one id
// from two of them must be looked at before anything is decided.
func (p *planner) groups() [][]SourceSpec {
	var groups [][]SourceSpec
	for _, s := range p.Sources {
		joined := []SourceSpec{s}
		groups = slices.DeleteFunc(groups, func(g []SourceSpec) bool {
			if g[0].Shop != s.Shop || !p.meet(g, s) {
				return false
			}
			joined = append(joined, g...)
			return true
		})
		groups = append(groups, p.inOrder(joined))
	}
	return groups
}

// inOrder sorts sources as the configuration has them.
func (p *planner) inOrder(group []SourceSpec) []SourceSpec {
	place := func(s SourceSpec) int {
		return slices.IndexFunc(p.Sources, func(o SourceSpec) bool { return o.Name() == s.Name() })
	}
	slices.SortFunc(group, func(a, b SourceSpec) int { return place(a) - place(b) })
	return group
}

// meet reports whether a target reads both a source and one of the group.
func (p *planner) meet(group []SourceSpec, s SourceSpec) bool {
	return slices.ContainsFunc(p.targets, func(t *targetPlan) bool {
		return t.Reads(s.Name()) && slices.ContainsFunc(group, func(g SourceSpec) bool { return t.Reads(g.Name()) })
	})
}

func (p *planner) readGroup(ctx context.Context, group []SourceSpec) error {
	p.undo = newReversals(group)
	read := p.readTogether
	if len(group) == 1 && !p.undo.ahead() {
		read = func(ctx context.Context, group []SourceSpec) error {
			return p.readSource(ctx, group[0], p.decider(ctx, group[0], nil))
		}
	}
	if err := read(ctx, group); err != nil {
		return err
	}
	for _, s := range group {
		if err := p.proposeOrders(ctx, s); err != nil {
			return err
		}
	}
	p.damaged = nil
	return p.closeReversals(ctx, group)
}

// noteBad keeps why an order is bad. What was not asked for, nobody is told of: it
// is not kept, for the next run to tell it as new.
func (p *planner) noteBad(h Head) error {
	place := Place{BucketBad, h.Bad[0].Reason}
	if p.list.excludes(h.Key.Order) == "" {
		return p.decideHead("", h, place, badDetail(h.Bad))
	}
	d := Decision{Source: h.Source, ID: NewEventID(KindOrder, h.Key), Place: place, Origin: h.Origin}
	p.first.note(d)
	p.tell(d)
	return nil
}

// readSource walks the heads of one source and hands each good one to decide,
// which is called with end true at the end. Only errors of the ledger and
// cancellation are returned: a source that fails is noted.
func (p *planner) readSource(ctx context.Context, s SourceSpec, decide func(h Head, end bool) error) error {
	res := &SourceResult{Source: s.Name()}
	p.sources[s.Name()] = res
	meter := p.begin(StageReading+s.Name(), 0)
	defer meter.End()
	count := meter.Add
	if s.Watch != nil {
		s.Watch(meter)
		defer s.Watch(nil)
		count = func(int) {}
	}
	shapes := numberShapes{}
	if p.samples != nil {
		res.Survey = newSurvey(p.Zone)
	}
	for h, err := range s.Heads(ctx, p.win) {
		if err != nil {
			return p.fail(ctx, s.Name(), err)
		}
		count(1)
		p.undo.note(h)
		p.list.meet(h.Key.Order)
		if p.Met != nil {
			p.Met(h)
		}
		switch {
		case len(h.Bad) > 0:
			if err := p.noteBad(h); err != nil {
				return err
			}
			if err := p.first.catchUp(ctx); err != nil {
				return err
			}
			if slices.ContainsFunc(h.Bad, func(b RowProblem) bool { return b.Reason == ReasonNotUnique }) {
				p.notUnique[s.Name()] = true
			}
			if len(res.Bad) < MaxProblems {
				if onlyDamaged(h) {
					p.damaged = append(p.damaged, damagedOrder{h, len(res.Bad)})
				}
				res.Bad = append(res.Bad, BadOrder{h.Key, h.Origin, h.Bad})
			}
		case h.Merged:
		case h.LeftOut != "":
			if err := p.decideHead("", h, Place{BucketLeftOut, h.LeftOut}, ""); err != nil {
				return err
			}
		default:
			shapes.add(h.Key.Order)
			res.meet(h)
			res.countDay(h, p.Zone, p.asOf)
			if err := res.Survey.meet(h); err != nil {
				return fmt.Errorf("add up order %s: %w", h.Key.Order, err)
			}
			if err := decide(h, false); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	res.Tally, res.Numbers = s.Tally(), shapes.most()
	if err := p.judgeDays(ctx, s, res); err != nil {
		return err
	}
	return decide(Head{}, true)
}

// decider gathers heads and decides on up to decideAtOnce of them at a time.
// met is what is known of sources that share the numbering, nil without any.
func (p *planner) decider(ctx context.Context, s SourceSpec, met *sightings) func(Head, bool) error {
	var chunk []Head
	return func(h Head, end bool) error {
		if !end {
			chunk = append(chunk, h)
		}
		if len(chunk) < decideAtOnce && !end {
			return nil
		}
		err := p.decide(ctx, s, chunk, met)
		chunk = chunk[:0]
		return err
	}
}

// readTogether reads sources that share a numbering: heads are put aside, ids
// compared, and only then decided on. An id that two sources show with the
// same address, money and lines is one order: each target takes it from the
// first source that it reads; otherwise both are held back. A source that
// fails has shown nothing.
func (p *planner) readTogether(ctx context.Context, group []SourceSpec) error {
	met := &sightings{group: group, seen: map[OrderKey]sighting{}}
	aside := make([]*headFile, len(group))
	defer func() {
		for _, f := range aside {
			f.remove()
		}
	}()
	for i, s := range group {
		f, err := newHeadFile(p.StateDir)
		if err != nil {
			return err
		}
		aside[i] = f
		if err := p.putAside(ctx, s, f); err != nil {
			return err
		}
		if p.sources[s.Name()].Err != nil {
			continue
		}
		if err := f.read(func(h Head) error { return met.note(s, h) }); err != nil {
			return err
		}
	}
	err := p.undo.choose(func(each func(Head) error) error {
		for i, s := range group {
			if p.sources[s.Name()].Err != nil {
				continue
			}
			if err := aside[i].read(each); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range group {
		if p.sources[s.Name()].Err != nil {
			continue
		}
		if err := p.replay(ctx, s, aside[i], met); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) putAside(ctx context.Context, s SourceSpec, f *headFile) error {
	return p.readSource(ctx, s, func(h Head, end bool) error {
		if end {
			return nil
		}
		return f.write(h)
	})
}

// replay decides on the heads of one source. One that every target of the
// source has from an earlier source is merged; one that only some have is
// still an order of this source.
func (p *planner) replay(ctx context.Context, s SourceSpec, f *headFile, met *sightings) error {
	decide := p.decider(ctx, s, met)
	err := f.read(func(h Head) error {
		needs := func(t *targetPlan) bool { return !met.earlier(t, s, h.Key) }
		if met.clash(h.Key) || slices.ContainsFunc(p.used(s.Name()), needs) {
			return decide(h, false)
		}
		tally := &p.sources[s.Name()].Tally
		tally.Merged, tally.Orders = tally.Merged+1, tally.Orders-1
		return nil
	})
	if err != nil {
		return err
	}
	return decide(Head{}, true)
}

// meet counts an order for its store. An order without one counts for none.
func (r *SourceResult) meet(h Head) {
	if r.Stores == nil {
		r.Stores = map[string]StoreSeen{}
	}
	seen, known := r.Stores[h.Store]
	if h.Store == "" || !known && len(r.Stores) >= MaxStores {
		return
	}
	seen.Orders++
	if h.CompletedAt.After(seen.Newest) {
		seen.Newest = h.CompletedAt
	}
	r.Stores[h.Store] = seen
}
