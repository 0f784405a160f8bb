package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// legend is everything that is known of one order as a person wrote it.
type legend struct {
	Order   string     `json:"order"`
	Stories []story    `json:"stories"` // messages that the ledger has an entry of
	Decided []judgment `json:"decided"` // why others were not sent
	Now     []judgment `json:"now,omitempty"`

	keys []reconcile.OrderKey // that it may be
	read bool
}

// judgment is one decision in words.
type judgment struct {
	Order    string    `json:"order"`
	Target   string    `json:"target,omitempty"` // absent: the order at its source
	Source   string    `json:"source,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Bucket   string    `json:"bucket"`
	Reason   string    `json:"reason"`
	Words    string    `json:"words"`
	Detail   string    `json:"detail,omitempty"`
	Next     string    `json:"next,omitempty"`
	Origin   string    `json:"origin,omitempty"`
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"`
	Run      string    `json:"run,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// idsOf names the events that orders can have, those of chains of upgrades
// among them.
func idsOf(keys []reconcile.OrderKey, kinds ...reconcile.Kind) []reconcile.EventID {
	var ids []reconcile.EventID
	for _, key := range keys {
		for _, kind := range kinds {
			ids = append(ids, reconcile.NewEventID(kind, key))
		}
		if !slices.Contains(kinds, reconcile.KindCartCreate) {
			continue
		}
		ids = append(ids, reconcile.NewEventID(reconcile.KindCartCreate, key).At(1))
		for n := 1; n <= reconcile.MaxChain; n++ {
			ids = append(ids, reconcile.NewEventID(reconcile.KindCartUpgrade, key).At(n))
		}
	}
	slices.Sort(ids)
	return ids
}

// legend asks the ledger for everything about an order.
func (s *session) legend(ctx context.Context, led asker, order string) (legend, error) {
	one := legend{Order: order, Stories: []story{}, Decided: []judgment{}}
	for _, shop := range s.Shops {
		one.keys = append(one.keys, reconcile.OrderKey{Shop: shop, Order: reconcile.ShortID(order)})
		if own, ok := strings.CutPrefix(order, shop+"/"); ok {
			one.keys = append(one.keys, reconcile.OrderKey{Shop: shop, Order: reconcile.ShortID(own)})
		}
	}
	orders := idsOf(one.keys, reconcile.KindOrder)
	if err := one.decide(ctx, led, "", orders); err != nil {
		return one, err
	}
	for _, t := range s.withTried() {
		list, err := s.stories(ctx, led, t, one.keys)
		if err != nil {
			return one, err
		}
		one.Stories = append(one.Stories, list...)
		if err := one.decide(ctx, led, t.Name(), append(corrected(list, idsOf(one.keys, kindsOfEvents...)), orders...)); err != nil {
			return one, err
		}
	}
	return one, nil
}

// withTried lists the destinations, and beside them where the ledger keeps what
// was tried there.
func (s *session) withTried() (all []*reconcile.Target) {
	for _, t := range s.Targets {
		all = append(all, t)
		test := reconcile.TestName(t.Name())
		for _, name := range []string{test, reconcile.AgainName(t.Name()), reconcile.AgainName(test)} {
			if name != t.Name() {
				tried := *t
				tried.Sink = &renamed{Sink: t.Sink, name: name}
				all = append(all, &tried)
			}
		}
	}
	return all
}

// corrected adds to events their corrections: those with a story, and the one
// after, which may have been held back before it had one.
func corrected(stories []story, ids []reconcile.EventID) []reconcile.EventID {
	all := slices.Clone(ids)
	for _, id := range ids {
		next := 2
		for _, s := range stories {
			if n := reconcile.EventID(s.Event).Revision(); n > 1 && s.Event == string(id.Revised(n)) {
				all, next = append(all, id.Revised(n)), max(next, n+1)
			}
		}
		all = append(all, id.Revised(next))
	}
	return all
}

// decide asks why events are where they are. What was decided before a message
// ended says nothing of it any more.
func (l *legend) decide(ctx context.Context, led asker, target string, ids []reconcile.EventID) error {
	slices.Sort(ids)
	decided, err := led.Decided(ctx, target, ids)
	if err != nil {
		return err
	}
	for _, d := range decided {
		over := func(s story) bool {
			return s.Target == d.Target && s.Event == string(d.ID) && s.State != string(reconcile.StateOpen) && s.At.After(d.At)
		}
		if !slices.ContainsFunc(l.Stories, over) {
			l.Decided = append(l.Decided, judgmentOf(d))
		}
	}
	return nil
}

func judgmentOf(d reconcile.Decision) judgment {
	j := judgment{Target: d.Target, Source: d.Source, Kind: string(d.ID.Kind()), Bucket: string(d.Place.Bucket), Reason: string(d.Place.Reason),
		Words: reports.PlaceWords(d.Place), Detail: d.Detail, Next: reports.ReasonWords(d.Place.Reason).Next, Origin: d.Origin.String(),
		Currency: d.Value.Currency, Run: string(d.Run), At: d.At}
	if d.Value.Amount != nil {
		j.Amount = d.Value.Amount.String()
	}
	if key, err := d.ID.Key(); err == nil {
		j.Order = key.Order
	}
	return j
}

// readAgain asks the sources what would become of the orders now.
func (s *session) readAgain(ctx context.Context, led reconcile.Reader, all []legend) error {
	var keys []reconcile.OrderKey
	for _, one := range all {
		keys = append(keys, one.keys...)
	}
	decided, err := s.Ask(ctx, led, s.req, keys)
	for i := range all {
		all[i].read = true
		for _, d := range decided {
			if key, err := d.ID.Key(); err == nil && slices.Contains(all[i].keys, key) {
				all[i].Now = append(all[i].Now, judgmentOf(d))
			}
		}
	}
	return err
}

func (a *app) encodeLegends(all []legend) error {
	enc := json.NewEncoder(a.io.out)
	enc.SetIndent("", "  ")
	for i := range all {
		all[i].Order = reports.Mask(all[i].Order)
		for _, list := range [][]judgment{all[i].Decided, all[i].Now} {
			for n := range list {
				list[n].Order = reports.Mask(list[n].Order)
			}
		}
	}
	return enc.Encode(map[string]any{"schema": 1, "orders": all})
}

// tell writes everything for a person, times in the configured zone.
func (l legend) tell(a *app, zone *time.Location) {
	for _, one := range l.Stories {
		one.tell(a, zone)
	}
	for _, j := range l.Decided {
		j.tell(a, zone)
	}
	if len(l.Stories)+len(l.Decided) == 0 {
		fmt.Fprintf(a.io.out, "%s: the ledger knows nothing of it. No run has met it, or it is for none of the destinations; makegood explain --read tells.\n",
			reports.Mask(l.Order))
	}
	if !l.read {
		return
	}
	if len(l.Now) == 0 {
		fmt.Fprintf(a.io.out, "%s, read again now: nothing is to be done, or no source shows it in this period; name another with --from.\n", reports.Mask(l.Order))
	}
	for _, j := range l.Now {
		j.Words += " (read again now)"
		j.tell(a, zone)
	}
}

func (j judgment) tell(a *app, zone *time.Location) {
	what := reports.Mask(j.Order)
	if j.Target != "" {
		what += " at " + j.Target
		if kind := reconcile.Kind(j.Kind); kind != reconcile.KindOrder {
			what = fmt.Sprintf("%s, %s at %s", reports.Mask(j.Order), strings.ReplaceAll(j.Kind, "_", " "), j.Target)
		}
	}
	fmt.Fprintf(a.io.out, "%s: %s", what, j.Words)
	if j.Amount != "" {
		fmt.Fprintf(a.io.out, ", %s %s", j.Amount, j.Currency)
	}
	fmt.Fprintln(a.io.out)
	if j.Detail != "" {
		fmt.Fprintf(a.io.out, "  %s\n", reports.Mask(j.Detail))
	}
	fmt.Fprintf(a.io.out, "  it stands in %s\n", reports.Mask(cmp.Or(strings.Join(slices.DeleteFunc([]string{j.Source, j.Origin}, func(s string) bool { return s == "" }), ": "), "a source that is not known")))
	if j.Run != "" {
		fmt.Fprintf(a.io.out, "  decided %s, run %s\n", j.At.In(zone).Format("2 Jan 2006 15:04:05"), j.Run)
	}
	if j.Next != "" {
		fmt.Fprintf(a.io.out, "  %s\n", j.Next)
	}
}
