package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// acceptFlags say which problems are known from now on.
type acceptFlags struct {
	wordFlags
	targets []string
	what    []string
	orders  []string
	all     bool
	until   string
}

func (a *app) acceptCommand() *cobra.Command {
	var f acceptFlags
	c := &cobra.Command{
		Use:   "accept [ORDER ...]",
		Short: "List what a person has to look at, and say that it is known",
		Long: `Without an order, --what or --all, everything is listed that the runs have told
of: bad orders, orders to look at, refusals and doubts. What is accepted calls
nobody any more, as long as the order stays in that place; in reports it stays,
as known. An order that gets into the same trouble later is new again. Doubts
and refusals are ended by makegood resolve; accepting only stops the calling.`,
		GroupID: "decisions",
		Example: `  makegood accept
  makegood accept 1001 1002 --note "customs papers, finance knows"
  makegood accept --what total_mismatch --target activate --note "shipping, ticket 4711" --until 2026-12-31
  makegood accept --all --note "looked at all of them"`,
		RunE: func(c *cobra.Command, args []string) error {
			f.orders = args
			return a.accept(c.Context(), &f)
		},
	}
	f.add(c)
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only at this destination (may be repeated)")
	c.Flags().StringSliceVar(&f.what, "what", nil, "only what has this `REASON`, such as total_mismatch, refused or in_doubt (may be repeated)")
	c.Flags().BoolVar(&f.all, "all", false, "everything that is listed")
	c.Flags().StringVar(&f.until, "until", "", "when it calls again, such as 2026-12-31, in the configured zone")
	return c
}

// trouble is one event, or order, that a person may have to look at.
type trouble struct {
	target, source string
	id             reconcile.EventID
	place          reconcile.Place
	since          time.Time
	accepted       bool
}

// what is by which word a person names the trouble's place.
func (t trouble) what() string {
	switch t.place.Bucket {
	case reconcile.BucketRefused, reconcile.BucketInDoubt:
		return string(t.place.Bucket)
	}
	return string(t.place.Reason)
}

func (a *app) accept(ctx context.Context, f *acceptFlags) error {
	says := len(f.orders)+len(f.what) > 0 || f.all
	if says {
		if err := f.check("accept"); err != nil {
			return err
		}
	}
	if f.all && len(f.orders)+len(f.what) > 0 {
		return &usageError{command: "makegood accept", err: errors.New("--all is everything: name no orders and no --what beside it")}
	}
	if !says {
		return a.reading(ctx, &runFlags{targets: f.targets}, "accept", func(s *session, led *ledger.Reader) error {
			s.stop()
			found, err := s.troubles(ctx, led, f)
			if err != nil {
				return err
			}
			return s.tellTroubles(found, f)
		})
	}
	return a.onLedgerOf(ctx, &runFlags{targets: f.targets}, func(s *session) error { return s.acceptTroubles(ctx, f) })
}

// knower is what accept asks of a ledger.
type knower interface {
	reconcile.Reader
	Problems(ctx context.Context, target string, do func(reconcile.Decision) error) error
}

// maxTroubles bounds how much is listed and accepted at once.
const maxTroubles = 100_000

// troubles lists what the ledger knows a person has to look at, as far as it was
// asked for.
func (s *session) troubles(ctx context.Context, led knower, f *acceptFlags) ([]trouble, error) {
	var list []trouble
	keep := func(t trouble) error {
		if f.wants(t) {
			list = append(list, t)
		}
		if len(list) > maxTroubles {
			return fmt.Errorf("list what is to be looked at: it is more than %d; name a --target, a --what or orders", maxTroubles)
		}
		return nil
	}
	targets := []string{""}
	if len(f.targets) > 0 {
		targets = nil
	}
	for _, t := range s.Targets {
		targets = append(targets, t.Name())
	}
	always := reconcile.Window{From: time.Unix(0, 0), To: s.Clock().AddDate(100, 0, 0)}
	for _, target := range targets {
		if err := led.Problems(ctx, target, func(d reconcile.Decision) error {
			return keep(trouble{target: target, source: d.Source, id: d.ID, place: d.Place, since: d.At})
		}); err != nil {
			return nil, err
		}
		entries, err := led.Unfinished(ctx, target, always, maxTroubles)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if p := e.Place(); p.Bucket == reconcile.BucketRefused || p.Bucket == reconcile.BucketInDoubt {
				if err := keep(trouble{target: target, source: e.Facts.Source, id: e.ID, place: p, since: e.At}); err != nil {
					return nil, err
				}
			}
		}
	}
	return list, s.markAccepted(ctx, led, list)
}

// markAccepted notes which of them a person has accepted.
func (s *session) markAccepted(ctx context.Context, led reconcile.Reader, list []trouble) error {
	byTarget := map[string][]reconcile.EventID{}
	for _, t := range list {
		byTarget[t.target] = append(byTarget[t.target], t.id)
	}
	for target, ids := range byTarget {
		words, err := led.Accepted(ctx, target, ids)
		if err != nil {
			return err
		}
		for i, t := range list {
			if w, ok := words[t.id]; ok && t.target == target {
				list[i].accepted = w.Value == reconcile.AcceptedPlace(t.place) && w.Holds(s.Clock())
			}
		}
	}
	return nil
}

func (f *acceptFlags) wants(t trouble) bool {
	key, err := t.id.Key()
	named := len(f.orders) == 0 || slices.Contains(f.orders, string(t.id)) || err == nil && slices.Contains(f.orders, key.Order)
	return named && (len(f.what) == 0 || slices.Contains(f.what, t.what()))
}

func (s *session) acceptTroubles(ctx context.Context, f *acceptFlags) error {
	found, err := s.troubles(ctx, s.led, f)
	if err != nil {
		return err
	}
	var until time.Time
	if f.until != "" {
		if until, err = s.moment(f.until); err != nil {
			return &usageError{command: "makegood accept", err: err}
		}
	}
	for _, order := range f.orders {
		is := func(t trouble) bool {
			key, err := t.id.Key()
			return string(t.id) == order || err == nil && key.Order == order
		}
		if !slices.ContainsFunc(found, is) {
			return &usageError{command: "makegood accept", err: fmt.Errorf("nothing was changed: there is nothing to accept about %s; makegood accept lists what there is", reports.Mask(order))}
		}
	}
	if len(found) == 0 {
		return &usageError{command: "makegood accept", err: errors.New("there is nothing of that kind; makegood accept lists what there is")}
	}
	for part := range slices.Chunk(found, 1000) {
		words := make([]reconcile.Word, len(part))
		for i, t := range part {
			words[i] = reconcile.Word{Kind: reconcile.WordAccept, Target: t.target, About: string(t.id), Value: reconcile.AcceptedPlace(t.place),
				Until: until, Who: cmp.Or(f.who, "somebody"), Note: f.note}
		}
		if err := s.led.Say(ctx, words); err != nil {
			return err
		}
	}
	if f.json {
		return s.encode(map[string]any{"schema": 1, "accepted": len(found)})
	}
	_, err = fmt.Fprintf(s.io.out, "%d accepted: known from now on, and nobody is called for them.\n", len(found))
	return err
}

// troublesJSON is one place of a destination, or bad orders of a source.
type troublesJSON struct {
	Target   string    `json:"target,omitempty"`
	Source   string    `json:"source,omitempty"`
	What     string    `json:"what"`
	Count    int       `json:"count"`
	Accepted int       `json:"accepted"`
	Since    time.Time `json:"since"`
	Orders   []string  `json:"orders"` // the first ten

	place reconcile.Place
}

// tellTroubles lists places with what is in them.
func (s *session) tellTroubles(found []trouble, f *acceptFlags) error {
	list := []troublesJSON{}
	at := map[string]int{}
	for _, t := range found {
		source := t.source
		if t.target != "" {
			source = ""
		}
		key := t.target + "\x00" + source + "\x00" + reconcile.AcceptedPlace(t.place)
		i, known := at[key]
		if !known {
			i = len(list)
			at[key] = i
			list = append(list, troublesJSON{Target: t.target, Source: source, What: t.what(), Since: t.since, Orders: []string{}, place: t.place})
		}
		one := &list[i]
		one.Count++
		if t.accepted {
			one.Accepted++
		}
		if t.since.Before(one.Since) {
			one.Since = t.since
		}
		if order, err := t.id.Key(); err == nil && len(one.Orders) < 10 && !t.accepted {
			one.Orders = append(one.Orders, reports.Mask(order.Order))
		}
	}
	if f.json {
		return s.encode(map[string]any{"schema": 1, "problems": list})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.io.out, "Nobody has to look at anything.")
		return err
	}
	for _, one := range list {
		fmt.Fprintln(s.io.out, one.words(s.Zone))
	}
	_, err := fmt.Fprintln(s.io.out, "\nWhat is known and stays so:  makegood accept ORDER --note \"...\", or --what REASON for all of a kind")
	return err
}

func (t troublesJSON) words(zone *time.Location) string {
	text := fmt.Sprintf("%s: %d %s (%s), since %s", cmp.Or(t.Target, t.Source), t.Count, reports.PlaceWords(t.place), t.What, t.Since.In(zone).Format("2 Jan 2006"))
	if t.Accepted > 0 {
		text += fmt.Sprintf("; %d of them accepted", t.Accepted)
	}
	if len(t.Orders) > 0 {
		text += "\n    " + strings.Join(t.Orders, ", ")
	}
	return text
}
