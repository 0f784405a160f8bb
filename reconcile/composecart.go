package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// composeCarts decides the cart events, after all orders of the window: per
// person only the newest checkout keeps its cart event (CONTRACTS 17).
func (p *planner) composeCarts(ctx context.Context) error {
	for _, t := range p.targets {
		if len(t.checkouts) == 0 || t.stopped != "" {
			continue
		}
		persons := slices.Sorted(maps.Keys(t.checkouts))
		carts, err := p.ReadCarts(ctx, t.Target, persons)
		if err != nil && ctx.Err() != nil {
			return err
		}
		t.err = err
		sent, err := p.led.CartEvents(ctx, t.Name(), persons, p.cartHorizon(t, carts))
		if err != nil {
			return fmt.Errorf("look up cart events at %s: %w", t.Name(), err)
		}
		if err := p.noteTaken(ctx, t, sent); err != nil {
			return err
		}
		for _, person := range persons {
			if err := cmp.Or(p.composePerson(t, t.checkouts[person], carts, sent[person]), p.first.catchUp(ctx)); err != nil {
				return err
			}
		}
	}
	return nil
}

// cartHorizon is the earliest completion time at which another checkout of one
// of the persons matters: those before it were surely before the cart's last
// use.
func (p *planner) cartHorizon(t *targetPlan, carts Carts) time.Time {
	earliest := p.asOf
	meet := func(at time.Time) {
		if !at.IsZero() && at.Before(earliest) {
			earliest = at
		}
	}
	for person, list := range t.checkouts {
		for _, c := range list {
			meet(c.order.CompletedAt.Add(-besideWindow))
		}
		for name := range carts.ByName {
			meet(carts.Of(name, person).LastActivity)
		}
	}
	return earliest.Add(-t.ClockMargin)
}

// ReadCarts reads the open carts of the persons from every feed that a
// target's rules ask. Feeds that were read stay in the answer when another
// one fails.
func (r *Runner) ReadCarts(ctx context.Context, t *Target, persons []Person) (Carts, error) {
	carts := Carts{ReadAt: map[string]time.Time{}, ByName: map[string]map[Person]Cart{}, Stale: map[string]time.Time{}, LookedAt: map[string]time.Time{}}
	ask := make(map[Person]bool, len(persons))
	for _, person := range persons {
		ask[person] = true
	}
	for _, name := range t.CartFeeds {
		at, feed := r.Clock().UTC(), r.Carts[name]
		byPerson, asOf, err := feed.Read(ctx, ask)
		if err != nil {
			return carts, fmt.Errorf("read open carts %s: %w", name, err)
		}
		if asOf.IsZero() || asOf.After(at) {
			asOf = at
		}
		if feed.FreshWithin > 0 && at.Sub(asOf) > feed.FreshWithin {
			carts.Stale[name] = asOf
			continue
		}
		carts.ReadAt[name], carts.ByName[name], carts.LookedAt[name] = asOf, byPerson, at
	}
	return carts, nil
}

// composePerson decides all checkouts of one person. sent are the person's cart
// events in the ledger; whose lines are not among the checkouts is not known.
func (p *planner) composePerson(t *targetPlan, list []checkout, carts Carts, sent []Entry) error {
	byCompletion(list)
	var unknown []time.Time
	for _, e := range sent {
		if !slices.ContainsFunc(list, func(c checkout) bool { return c.want.ID == e.ID }) {
			unknown = append(unknown, e.Facts.CompletedAt)
		}
	}
	decides := decisive(list, unknown)
	for i, c := range list {
		if !c.send {
			continue
		}
		if i != decides {
			if err := p.supersede(t, c, p.sendsOf(t, c.order)); err != nil {
				return err
			}
			continue
		}
		others := slices.Concat(list[:i], list[i+1:])
		if err := p.decideCart(t, c, others, carts, cartsKnown{sent, unknown}); err != nil {
			return err
		}
	}
	return nil
}

// supersede plans an order without its cart event: a newer checkout of the
// same person decides.
func (p *planner) supersede(t *targetPlan, c checkout, wants []Want) error {
	others := slices.DeleteFunc(slices.Clone(wants), func(w Want) bool { return w.ID == c.want.ID })
	var events []Event
	var err error
	if len(others) > 0 {
		events, err = p.compose(t, c.order, others, Carts{})
	}
	holds := p.holdsOf(others, events, err)
	holds[c.want.ID] = Held{ID: c.want.ID, Reason: ReasonSuperseded}
	return p.planOrder(t, c.order, wants, events, holds)
}

// cartsKnown is what the ledger has of a person's cart events: all of them, and
// the completion times of those whose lines are not known here.
type cartsKnown struct {
	sent    []Entry
	unknown []time.Time
}

// decideCart composes a checkout against the cart that the person's others
// left.
func (p *planner) decideCart(t *targetPlan, c checkout, others []checkout, carts Carts, led cartsKnown) error {
	person := c.want.Person
	left := Carts{ReadAt: carts.ReadAt, ByName: map[string]map[Person]Cart{}}
	for name := range carts.ByName {
		left.ByName[name] = map[Person]Cart{person: leftBy(carts.Of(name, person), others, led.unknown, t.ClockMargin)}
	}
	wants := p.sendsOf(t, c.order)
	events, err := p.compose(t, c.order, wants, left)
	holds := p.holdsOf(wants, events, err)
	if held, is := holds[c.want.ID]; is && held.Reason == ReasonCartUnknown {
		switch {
		case t.err != nil:
			holds[c.want.ID] = Held{ID: c.want.ID, Reason: ReasonSourceFailed, Text: "the open carts could not be read"}
		case len(carts.Stale) > 0:
			holds[c.want.ID] = Held{ID: c.want.ID, Reason: ReasonCartsStale, Text: carts.staleText(p.Zone)}
		}
	}
	for i, e := range events {
		if e.ID != c.want.ID {
			continue
		}
		events[i].Cart.Others = othersDigest(e, led.sent)
		switch name := e.Cart.Carts; {
		case name == "" && newerThan(c, others):
			holds[c.want.ID] = Held{ID: c.want.ID, Reason: ReasonSuperseded} // nobody knows what the newer one left
		case name == "":
		case !carts.Knows(name, c.order.CompletedAt, t.ClockMargin):
			holds[c.want.ID] = Held{ID: c.want.ID, Reason: ReasonCartsStale, Text: carts.shown(name, carts.ReadAt[name], p.Zone)}
		default:
			events[i].Cart.Digest = carts.Of(name, person).Digest()
		}
	}
	return p.planOrder(t, c.order, wants, events, holds)
}

func newerThan(c checkout, others []checkout) bool {
	return slices.ContainsFunc(others, func(o checkout) bool { return !o.order.CompletedAt.Before(c.order.CompletedAt) })
}
