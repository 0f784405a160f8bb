package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reports"
)

func (a *app) explainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain ORDER ...",
		Short: "Tell what the ledger knows of an order: what was sent, when, and who says so",
		Long: `Reads the ledger alone: for each destination the messages about the order, what
was tried and what came back, and who says that it was sent. An order that was
held back, or never read, has no entry; makegood plan says what would become of
it now. An order number may be written with its shop: SHOP/ORDER.`,
		GroupID: "questions",
		Args:    arguments(cobra.MinimumNArgs(1)),
		Example: "  makegood explain 1001\n  makegood explain tills/31198459044 --json",
		RunE:    func(c *cobra.Command, args []string) error { return a.explain(c.Context(), args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// story is what the ledger knows of one message about an order.
type story struct {
	Order     string        `json:"order"`
	Shop      string        `json:"shop"`
	Target    string        `json:"target"`
	Event     string        `json:"event"`
	Kind      string        `json:"kind"`
	State     string        `json:"state"` // open, claimed, done, refused or doubtful
	By        string        `json:"by,omitempty"`
	Run       string        `json:"run,omitempty"`
	At        time.Time     `json:"at"`
	Completed time.Time     `json:"completed_at,omitzero"`
	Source    string        `json:"source,omitempty"`
	Amount    string        `json:"amount,omitempty"`
	Currency  string        `json:"currency,omitempty"`
	Attempts  []caseAttempt `json:"attempts"`
}

// kindsOfEvents are those that an order can have at a platform.
var kindsOfEvents = []reconcile.Kind{reconcile.KindPurchase, reconcile.KindCart}

func (a *app) explain(ctx context.Context, orders []string, asJSON bool) (err error) {
	s, err := a.begin(ctx, &runFlags{}, "explain")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	var all []story
	for _, order := range orders {
		for _, t := range s.Targets {
			list, err := s.stories(ctx, led, t, order)
			if err != nil {
				return err
			}
			all = append(all, list...)
		}
		if !asJSON && !slices.ContainsFunc(all, func(one story) bool { return one.of(order) }) {
			fmt.Fprintf(a.io.out, "%s: the ledger knows nothing of it. It was held back, is too old or too new, or was never read; makegood plan tells.\n",
				reports.Mask(order))
		}
	}
	if asJSON {
		enc := json.NewEncoder(a.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"schema": 1, "stories": slices.Concat([]story{}, all)})
	}
	for _, one := range all {
		one.tell(a, s.Zone)
	}
	return nil
}

// of reports whether the story is about an order as a person wrote it.
func (s story) of(order string) bool { return order == s.Order || order == s.Shop+"/"+s.Order }

// asker is what explain asks of a ledger.
type asker interface {
	reconcile.Reader
	Made(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.MadeAttempt, error)
}

func (s *session) stories(ctx context.Context, led asker, t *reconcile.Target, order string) ([]story, error) {
	var ids []reconcile.EventID
	for _, shop := range s.Shops {
		for _, kind := range kindsOfEvents {
			ids = append(ids, reconcile.NewEventID(kind, reconcile.OrderKey{Shop: shop, Order: order}))
			if own, ok := strings.CutPrefix(order, shop+"/"); ok {
				ids = append(ids, reconcile.NewEventID(kind, reconcile.OrderKey{Shop: shop, Order: own}))
			}
		}
	}
	slices.Sort(ids)
	found, err := led.Find(ctx, t.Name(), ids)
	if err == nil {
		err = reconcile.FindRevisions(ctx, led, t.Name(), found)
	}
	if err != nil {
		return nil, err
	}
	for id := range found {
		if id.Revision() > 1 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	made, err := led.Made(ctx, t.Name(), ids)
	if err != nil {
		return nil, err
	}
	var list []story
	for _, id := range ids {
		if e, ok := found[id]; ok {
			list = append(list, storyOf(t, e, made[id]))
		}
	}
	return list, nil
}

func storyOf(t *reconcile.Target, e reconcile.Entry, made []reconcile.MadeAttempt) story {
	c := caseOf(t, e, made)
	one := story{Order: c.Order, Target: c.Target, Event: c.Event, Kind: c.Kind, State: string(e.State), By: string(e.By), Run: c.Run, At: c.At,
		Completed: e.Facts.CompletedAt, Source: e.Facts.Source, Amount: c.Amount, Currency: c.Currency, Attempts: c.Attempts}
	if key, err := e.ID.Key(); err == nil {
		one.Shop = key.Shop
	}
	return one
}

// tell writes the story for a person, times in the configured zone.
func (s story) tell(a *app, zone *time.Location) {
	at := func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04:05") }
	fmt.Fprintf(a.io.out, "%s, %s at %s: %s", reports.Mask(s.Order), messageWords(s.Event), s.Target, s.words())
	if s.Amount != "" {
		fmt.Fprintf(a.io.out, ", %s %s", s.Amount, s.Currency)
	}
	fmt.Fprintf(a.io.out, "\n  written %s", at(s.At))
	if !s.Completed.IsZero() {
		fmt.Fprintf(a.io.out, "; the order was completed %s (%s)", at(s.Completed), cmp.Or(s.Source, "source not known"))
	}
	fmt.Fprintln(a.io.out)
	if s.Run != "" {
		fmt.Fprintf(a.io.out, "  run %s\n", s.Run)
	}
	for i, m := range s.Attempts {
		what := strings.ReplaceAll(m.Verdict, "_", " ")
		if m.Status > 0 {
			what += fmt.Sprintf(", status %d", m.Status)
		}
		if m.Code != "" {
			what += ", " + m.Code
		}
		if m.Lost {
			what += ", its run was cut off"
		}
		fmt.Fprintf(a.io.out, "  attempt %d  %s  %s\n", i+1, at(m.At), what)
	}
}

// messageWords say what kind of message it is, and whether it corrects one.
func messageWords(event string) string {
	id := reconcile.EventID(event)
	text := strings.ReplaceAll(string(id.Kind()), "_", " ")
	if n := id.Revision(); n > 1 {
		text += fmt.Sprintf(" (correction %d)", n-1)
	}
	return text
}

// words say how the message stands.
func (s story) words() string {
	switch reconcile.State(s.State) {
	case reconcile.StateDone:
		return map[reconcile.By]string{
			reconcile.BySentHere: "sent by makegood", reconcile.ByProven: "sent, as the live integration recorded",
			reconcile.ByAssumed: "taken as sent",
		}[reconcile.By(s.By)]
	case reconcile.StateRefused:
		return "refused by the platform"
	case reconcile.StateDoubtful:
		return "sent, answer unknown"
	case reconcile.StateClaimed:
		return "being sent by another run"
	}
	return "still to send"
}
