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
	"makegood/reports"
)

// explainFlags are what explain can be told.
type explainFlags struct {
	runFlags
	read bool
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain ORDER ...",
		Short: "Tell the whole story of an order: where it was read, what was sent or why not",
		Long: `Reads the ledger alone: for each destination the messages about the order, what
was tried and what came back, who says that it was sent, or the reason why it
was not, with the rule's values, where the order stands, and the next step. With
--read the sources are read again, and what would become of the order now is
told too: also that it is not for a destination at all, which the ledger does
not keep. An order number may be written with its shop: SHOP/ORDER.`,
		GroupID: "questions",
		Args:    arguments(cobra.MinimumNArgs(1)),
		Example: "  makegood explain 1001\n  makegood explain tills/31198459044 --json\n  makegood explain 1001 --read --from 2026-11-01",
		RunE:    func(c *cobra.Command, args []string) error { return a.explain(c.Context(), args, &f) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().BoolVar(&f.read, "read", false, "read the sources again, too")
	c.Flags().StringVar(&f.from, "from", "", "with --read: beginning of the period to read, in the configured zone; else as the next run would")
	c.Flags().StringVar(&f.to, "to", "", "with --read: end of the period, itself not in it")
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
	Reason    string        `json:"reason,omitempty"`
	By        string        `json:"by,omitempty"`
	Who       string        `json:"who,omitempty"`  // on whose word it stands as it does
	Note      string        `json:"note,omitempty"` // how they know
	Run       string        `json:"run,omitempty"`
	At        time.Time     `json:"at"`
	Completed time.Time     `json:"completed_at,omitzero"`
	Source    string        `json:"source,omitempty"`
	Amount    string        `json:"amount,omitempty"`
	Currency  string        `json:"currency,omitempty"`
	Receipt   string        `json:"receipt,omitempty"` // of the platform, kept for 30 days
	Attempts  []caseAttempt `json:"attempts"`
	Resends   bool          `json:"resends,omitempty"` // in doubt, and the next run ends it
	// Repeats is what a person said about repeats, of a doubt alone.
	Repeats *reports.Answer `json:"merges_repeats,omitempty"`
}

// kindsOfEvents are those that an order can have once at a platform.
var kindsOfEvents = []reconcile.Kind{reconcile.KindPurchase, reconcile.KindCart, reconcile.KindCartCreate, reconcile.KindCartConfirm}

func (a *app) explain(ctx context.Context, orders []string, f *explainFlags) (err error) {
	if !f.read && f.from+f.to != "" {
		return &usageError{command: "makegood explain", err: errors.New("--from and --to go with --read")}
	}
	s, err := a.begin(ctx, &f.runFlags, "explain")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if !f.read {
		s.stop()
	}
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	if s.answers, err = answersIn(ctx, led); err != nil {
		return err
	}
	var all []legend
	for _, order := range orders {
		one, err := s.legend(ctx, led, order)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if f.read {
		// A source that fails is said at the end: the ledger's part stands.
		err = s.readAgain(ctx, led, all)
		s.stop()
	}
	if f.json {
		return errors.Join(err, a.encodeLegends(all))
	}
	for _, one := range all {
		one.tell(a, s.Zone)
	}
	return err
}

// asker is what explain asks of a ledger.
type asker interface {
	reconcile.Reader
	Made(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.MadeAttempt, error)
	Said(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Said, error)
	Decided(ctx context.Context, target string, ids []reconcile.EventID) ([]reconcile.Decision, error)
}

func (s *session) stories(ctx context.Context, led asker, t *reconcile.Target, keys []reconcile.OrderKey) ([]story, error) {
	ids := idsOf(keys, kindsOfEvents...)
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
	said, err := led.Said(ctx, t.Name(), ids)
	if err != nil {
		return nil, err
	}
	var list []story
	for _, id := range ids {
		if e, ok := found[id]; ok {
			one := storyOf(t, e, made[id])
			one.Who, one.Note = said[id].Who, said[id].Note
			of, _ := reconcile.TriedAt(t.Name())
			if answer, said := s.answers[of]; said && e.State == reconcile.StateDoubtful {
				one.Repeats = &answer
			}
			list = append(list, one)
		}
	}
	return list, nil
}

func storyOf(t *reconcile.Target, e reconcile.Entry, made []reconcile.MadeAttempt) story {
	c := caseOf(t, e, made)
	one := story{Order: c.Order, Target: c.Target, Event: c.Event, Kind: c.Kind, State: string(e.State), Reason: string(e.Reason()), By: string(e.By),
		Run: c.Run, At: c.At,
		Completed: e.Facts.CompletedAt, Source: e.Facts.Source, Amount: c.Amount, Currency: c.Currency, Receipt: e.Receipt, Attempts: c.Attempts, Resends: c.Resends}
	if key, err := e.ID.Key(); err == nil {
		one.Shop = key.Shop
	}
	return one
}

// shownAttempts is how many attempts a person is shown: the first and the last
// ones.
const shownAttempts = 8

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
	if s.Note != "" {
		fmt.Fprintf(a.io.out, "  %s: %s\n", cmp.Or(s.Who, "somebody"), s.Note)
	}
	skip := len(s.Attempts) - shownAttempts
	for i, m := range s.Attempts {
		if skip > 0 && i > 0 && i <= skip {
			if i == skip {
				fmt.Fprintf(a.io.out, "  %d more attempts: --json tells them\n", skip)
			}
			continue
		}
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
	if s.Receipt != "" {
		fmt.Fprintf(a.io.out, "  the platform's receipt: %s\n", reports.Mask(s.Receipt))
	}
	if s.Repeats != nil {
		fmt.Fprintf(a.io.out, "  %s\n", s.Repeats.Words(zone))
	}
	if next := s.next(); next != "" {
		fmt.Fprintf(a.io.out, "  next: %s\n", next)
	}
}

// next is what a person can do about the message, "" when nothing is needed.
func (s story) next() string {
	if reconcile.Tried(s.Target, reconcile.EventID(s.Event)) {
		if reconcile.State(s.State) == reconcile.StateDoubtful {
			return "nothing: it was tried by hand, and no run sends it again; look at the platform whether it is there"
		}
		return ""
	}
	switch reconcile.State(s.State) {
	case reconcile.StateDoubtful:
		if s.Resends {
			return "the next run sends it again; the platform merges repeats"
		}
		return "look it up at the platform, then end the doubt: makegood resolve --sent or --not-sent --note ... " + quotedArgument(s.Order)
	case reconcile.StateRefused:
		return "mend what the platform refused; a changed order goes by itself, the same one with makegood resolve --reopen --note ... " + quotedArgument(s.Order)
	case reconcile.StateOpen:
		return "the next run sends it, if nothing holds it back"
	}
	return ""
}

// messageWords say what kind of message it is, and whether it corrects one.
func messageWords(event string) string {
	id := reconcile.EventID(event)
	text := strings.ReplaceAll(string(id.Kind()), "_", " ")
	if n := id.Position(); n > 0 {
		text += fmt.Sprintf(" %d", n)
	}
	if n := id.Revision(); n > 1 {
		text += fmt.Sprintf(" (correction %d)", n-1)
	}
	return text
}

// words say how the message stands, and by what.
func (s story) words() string {
	bucket := map[reconcile.State]reconcile.Bucket{reconcile.StateRefused: reconcile.BucketRefused, reconcile.StateDoubtful: reconcile.BucketInDoubt,
		reconcile.StateClaimed: reconcile.BucketLeft}[reconcile.State(s.State)]
	switch {
	case s.By == string(reconcile.BySentHere):
		return "sent by makegood"
	case s.By == string(reconcile.ByProven):
		return "sent, as " + cmp.Or(s.Who, "the live integration") + " recorded"
	case s.By == string(reconcile.ByAssumed):
		return "taken as sent" + onWord(s.Who)
	case bucket == "":
		return "still to send" + onWord(s.Who)
	}
	return reports.PlaceWords(reconcile.Place{Bucket: bucket, Reason: reconcile.Reason(s.Reason)})
}

func onWord(who string) string {
	if who == "" {
		return ""
	}
	return ", on the word of " + who
}
