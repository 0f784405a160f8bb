package main

import (
	"context"
	"errors"
	"fmt"

	"makegood/reconcile"
	"makegood/reports"
)

// mayRepeat looks up whether there is something to repeat, and whether that has
// been done before.
func (o *oneOrder) mayRepeat(ctx context.Context, s *session) error {
	if !o.again {
		return nil
	}
	done, err := o.sent(ctx, s)
	if err != nil {
		return err
	}
	first := done.ID
	if key, err := first.Key(); err == nil {
		first = reconcile.NewEventID(reconcile.KindPurchase, key)
	}
	before, err := s.led.Find(ctx, o.ledgerName(), []reconcile.EventID{first})
	if err != nil {
		return err
	}
	e := before[first]
	at := e.At.In(s.Zone).Format(momentLayout)
	switch e.State {
	case reconcile.StateAbsent, reconcile.StateOpen: // surely not accepted
		return nil
	case reconcile.StateDone:
		return fmt.Errorf("%s was sent to %s once more on %s: one repeat of an order is all that is sent. %s", reports.Mask(o.order), o.cfg.Name, at, o.question(s))
	case reconcile.StateClaimed:
		return fmt.Errorf("%s is being sent to %s once more at this moment, since %s", reports.Mask(o.order), o.cfg.Name, at)
	case reconcile.StateRefused:
		return fmt.Errorf("%s was sent to %s once more on %s, and the repeat was refused: one repeat of an order is all that is sent", reports.Mask(o.order), o.cfg.Name, at)
	}
	return fmt.Errorf("%s was sent to %s once more on %s, and nobody knows whether it arrived: one repeat of an order is all that is sent. "+
		"Look whether it is counted twice there, or repeat another order", reports.Mask(o.order), o.cfg.Name, at)
}

// sent gives the purchase that the platform has accepted, the newest version of
// it.
func (o *oneOrder) sent(ctx context.Context, s *session) (reconcile.Entry, error) {
	var none reconcile.Entry
	var ids []reconcile.EventID
	for _, shop := range s.Shops {
		ids = append(ids, reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: shop, Order: o.number()}))
	}
	have, err := s.led.Find(ctx, o.base(), ids)
	if err == nil {
		err = reconcile.FindRevisions(ctx, s.led, o.base(), have)
	}
	if err != nil {
		return none, err
	}
	first := " first: " + s.called("send") + " --order " + quotedArgument(o.order) + " --target " + o.cfg.Name
	if o.toSelf != "" {
		first += " --to-self " + o.toSelf
	}
	newest, known, shops := none, none, map[string]bool{}
	for id, e := range have {
		if key, err := id.Key(); err == nil {
			shops[key.Shop] = true
		}
		known = e
		if e.State == reconcile.StateDone && (newest.ID == "" || e.ID.Revision() > newest.ID.Revision()) {
			newest = e
		}
	}
	switch {
	case len(shops) > 1:
		return none, fmt.Errorf("%s is the number of orders of %d shops: repeat another one", reports.Mask(o.order), len(shops))
	case newest.ID != "" && newest.By != reconcile.BySentHere:
		return none, fmt.Errorf("%s was sent to %s by somebody else: makegood does not know what they sent, and repeats only what it sent itself", reports.Mask(o.order), o.cfg.Name)
	case newest.ID != "":
		return newest, nil
	case known.State == reconcile.StateDoubtful:
		return none, fmt.Errorf("nobody knows whether %s arrived at %s: end the doubt first, with makegood resolve", reports.Mask(o.order), o.cfg.Name)
	}
	return none, errors.New(reports.Mask(o.order) + " was not accepted by " + o.cfg.Name + " yet, so there is nothing to repeat; send it" + first)
}

// identical makes sure that a repeat is one.
func (o *oneOrder) identical(ctx context.Context, s *session, plan *reconcile.Plan) error {
	if !o.again {
		return nil
	}
	done, err := o.sent(ctx, s)
	if err != nil {
		return err
	}
	for step, err := range plan.All() {
		if err != nil {
			return err
		}
		same, err := s.led.Same(ctx, o.base(), done.ID, step.Event)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("nothing was sent: what would go for %s now is no longer what %s was sent on %s (the order, the configuration or its age has changed it), "+
				"so it would be no repeat; take an order that was sent lately", reports.Mask(o.order), o.cfg.Name, done.At.In(s.Zone).Format(momentLayout))
		}
	}
	return nil
}

// question is what a repeat is sent for, and where its answer goes.
func (o *oneOrder) question(s *session) string {
	return fmt.Sprintf("Look at %s whether it counts order %s once or twice, then say it: %s merges-repeats yes --target %s --note \"...\" (no, where it counts it twice)",
		o.cfg.Name, reports.Mask(o.number()), s.called("decide"), o.cfg.Name)
}
