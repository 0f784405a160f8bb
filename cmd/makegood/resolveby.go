package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
	"makegood/reports"
)

// proofJSON is what --by and --ask have done.
type proofJSON struct {
	Schema   int                `json:"schema"`
	Command  string             `json:"command"`
	Evidence string             `json:"evidence,omitempty"`
	Targets  []reconcile.Proved `json:"targets"`
}

// resolveBy ends doubts by the platform's own export.
func (a *app) resolveBy(ctx context.Context, f *resolveFlags) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	targets, err := evidenceTargets(cfg, f.by, f.targets)
	if err != nil {
		return &usageError{command: "makegood resolve", err: err}
	}
	req := f.proof("makegood resolve --by")
	if req.Complete, err = completeUntil(cfg, f.complete); err != nil {
		return &usageError{command: "makegood resolve", err: err}
	}
	s, err := a.begin(ctx, &runFlags{targets: targets}, "resolve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.addEvidence(f.by); err != nil {
		return &configError{fmt.Errorf("open evidence %s: %w", f.by, err)}
	}
	return s.proveWith(ctx, f, func() ([]reconcile.Proved, error) { return s.Prove(ctx, s.led, req) })
}

// resolveAsk ends doubts by asking the platforms.
func (a *app) resolveAsk(ctx context.Context, f *resolveFlags) (err error) {
	s, err := a.begin(ctx, &runFlags{targets: f.targets}, "resolve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	return s.proveWith(ctx, f, func() ([]reconcile.Proved, error) {
		return s.Inquire(ctx, s.led, f.proof("makegood resolve --ask"))
	})
}

// proof is which doubts are meant, and what is kept with each that ends.
func (f *resolveFlags) proof(way string) reconcile.ProofRequest {
	note := cmp.Or(strings.TrimSpace(f.note), way)
	if f.who != "" {
		note += " (" + f.who + ")"
	}
	return reconcile.ProofRequest{Evidence: f.by, Note: note, Wanted: func(_ string, e reconcile.Entry) bool { return f.wants(e) }}
}

// proveWith makes sure that everything that was named is in doubt, lets it end,
// and tells what became of it. An error comes after what was done until then.
func (s *session) proveWith(ctx context.Context, f *resolveFlags, end func() ([]reconcile.Proved, error)) error {
	if _, err := s.openCases(ctx, f); err != nil {
		return err
	}
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	all, err := end()
	s.stop()
	err = errors.Join(err, s.SaveHead(s.led.Head()))
	if len(all) == 0 {
		return err
	}
	s.code = proofCode(all)
	if f.json {
		enc := json.NewEncoder(s.io.out)
		enc.SetIndent("", "  ")
		return errors.Join(err, enc.Encode(proofJSON{1, "resolve", f.by, all}))
	}
	return errors.Join(err, s.tellProved(f, all))
}

// proofCode wants a person for what stays in doubt and no run ends, and for
// what the export lacks.
func proofCode(all []reconcile.Proved) int {
	for _, p := range all {
		if p.LackingFound > 0 || p.Stay > 0 && !p.Resends {
			return exitPerson
		}
	}
	return exitDone
}

func (s *session) tellProved(f *resolveFlags, all []reconcile.Proved) error {
	var lacking []reconcile.Contradicted
	for _, p := range all {
		s.tellProvedAt(p)
		lacking = append(lacking, p.Contradicted)
		switch {
		case p.Why != "":
			fmt.Fprintf(s.io.out, "  %s.\n", p.Why)
		case p.Stay > 0 && f.by != "" && f.complete == "":
			fmt.Fprintf(s.io.out, "  If %s holds everything that the platform accepted before a time, say so: --complete-until TIME.\n", f.by)
		}
		if p.Stay > 0 && !p.Asked && !p.Resends {
			fmt.Fprintf(s.io.out, "  Export its orders there and end the doubts by it, or look them up:\n    %s --by NAME --target %s\n    %s --sent --note \"in the platform's order list\" ORDER ...\n",
				s.called("resolve"), p.Target, s.called("resolve"))
		}
	}
	return s.tellLacking(f.by, lacking)
}

func (s *session) tellProvedAt(p reconcile.Proved) {
	if p.Doubts == 0 {
		fmt.Fprintf(s.io.out, "%s: nothing is in doubt.\n", p.Target)
		return
	}
	fmt.Fprintf(s.io.out, "%s: %d in doubt", p.Target, p.Doubts)
	for _, part := range []struct {
		n    int
		text string
	}{
		{p.Done, "was sent"}, {p.Open, "was not, and goes with the next run"}, {p.Moved, "was changed by somebody else meanwhile"},
		{p.Stay, map[bool]string{true: "stays in doubt until the next run sends it again, the platform merges repeats", false: "stays in doubt"}[p.Resends]},
	} {
		if part.n > 0 {
			fmt.Fprintf(s.io.out, "; %d %s", part.n, part.text)
		}
	}
	fmt.Fprintln(s.io.out, ".")
}

// resolveLost opens again what counts as sent, by a person's word.
func (a *app) resolveLost(ctx context.Context, f *resolveFlags) (err error) {
	s, err := a.begin(ctx, &runFlags{targets: f.targets}, "resolve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	cases, err := s.sentCases(ctx, f)
	if err != nil {
		return err
	}
	if err := s.endCases(ctx, f, cases); err != nil {
		return err
	}
	var twice []string
	for _, c := range cases {
		if !s.target(c.Target).Traits()[reconcile.KindPurchase].MergesRepeats && !slices.Contains(twice, c.Target) {
			twice = append(twice, c.Target)
		}
	}
	if len(twice) > 0 && !f.json {
		fmt.Fprintf(s.io.out, "%s is not known to merge repeats: an order that it has after all counts twice there.\n",
			strings.Join(twice, ", "))
	}
	return nil
}

func (s *session) target(name string) *reconcile.Target {
	i := slices.IndexFunc(s.Targets, func(t *reconcile.Target) bool { return t.Name() == name })
	return s.Targets[i]
}

// resolveReceipt keeps the receipt of one message that counts as sent.
func (a *app) resolveReceipt(ctx context.Context, f *resolveFlags) (err error) {
	s, err := a.begin(ctx, &runFlags{targets: f.targets}, "resolve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	cases, err := s.sentCases(ctx, f)
	if err != nil {
		return err
	}
	return s.endCases(ctx, f, cases)
}

// eventsOf are the ids that an order, written with its shop or without, or an
// event, written as its id, can have.
func eventsOf(shops []string, order string) []reconcile.EventID {
	id := reconcile.EventID(order)
	if slices.Contains(kindsOfEvents, id.Kind()) || id.Kind() == reconcile.KindCartUpgrade {
		return []reconcile.EventID{id}
	}
	var keys []reconcile.OrderKey
	for _, shop := range shops {
		keys = append(keys, reconcile.OrderKey{Shop: shop, Order: order})
		if own, is := strings.CutPrefix(order, shop+"/"); is {
			keys = append(keys, reconcile.OrderKey{Shop: shop, Order: own})
		}
	}
	return idsOf(keys, kindsOfEvents...)
}

// sentCases finds the messages that count as sent, of the orders that were
// named. One that cannot be meant changes nothing at all.
func (s *session) sentCases(ctx context.Context, f *resolveFlags) ([]openCase, error) {
	var all []openCase
	for _, order := range f.orders {
		var found []openCase
		for _, t := range s.Targets {
			ids := purchasesOf(s.Shops, order)
			if f.receipt != "" {
				ids = eventsOf(s.Shops, order)
			}
			entries, err := s.led.Find(ctx, t.Name(), ids)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				if e.State == reconcile.StateDone {
					found = append(found, caseOf(t, e, nil))
				}
			}
		}
		var err error
		switch {
		case len(found) == 0:
			err = fmt.Errorf("nothing was changed: %s does not count as sent", reports.Mask(order))
		case len(found) > 1:
			err = fmt.Errorf("nothing was changed: %s counts as sent at %s and %s: say which with --target, or with its shop, as in SHOP/ORDER, "+
				"or one message by its name, such as %s", reports.Mask(order), found[0].Target, found[1].Target, reports.Mask(found[0].Event))
		}
		if err != nil {
			return nil, &usageError{command: "makegood resolve", err: err}
		}
		all = append(all, found...)
	}
	return all, nil
}

// purchasesOf are the ids that an order, written with its shop or without, or
// as an id, can have.
func purchasesOf(shops []string, order string) []reconcile.EventID {
	var ids []reconcile.EventID
	for _, shop := range shops {
		for _, key := range []reconcile.OrderKey{{Shop: shop, Order: order}, {Shop: shop, Order: strings.TrimPrefix(order, shop+"/")}} {
			ids = append(ids, reconcile.NewEventID(reconcile.KindPurchase, key))
		}
	}
	if id := reconcile.EventID(order); id.Kind() == reconcile.KindPurchase && id.Revision() == 1 {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
