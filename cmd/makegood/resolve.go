package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reports"
)

// resolveFlags are what resolve can be told.
type resolveFlags struct {
	sent, notSent, reopen bool
	lost, ask             bool
	by, complete          string
	all                   bool
	targets               []string
	run, note, who        string
	receipt               string
	json                  bool
	orders                []string
}

func (a *app) resolveCommand() *cobra.Command {
	var f resolveFlags
	c := &cobra.Command{
		Use:   "resolve [ORDER ...]",
		Short: "List what is in doubt or refused, and end it: by your word, the platform's export or its answer",
		Long: `Lists the messages that were sent and never answered, and those that a platform
refused, with everything that is known of each. With --sent, --not-sent or
--reopen and a note it ends them: what you say was sent is never sent again,
what you say was not sent goes with the next run, and what was refused is tried
once more. Look it up at the platform first; nobody else can know.

Name orders, or all of a destination or of a run, or --all.

--by NAME ends doubts by the platform's own export: evidence of the configuration
with trust: proven. What it has was sent. What it lacks stays in doubt, unless
you say with --complete-until TIME that it holds everything that the platform
accepted before TIME, and the message was tried before that and its order is not
older than covers_from: then it goes with the next run. What counts as sent and
should be in it, but is not, is listed. --ask asks the platforms that can be
asked. Both are about everything in doubt, unless you name less.

--receipt SESSION says with which session, or other receipt, the platform answered
one message: with --sent of one in doubt, alone of one that counts as sent. What
needs that receipt can then go.

--lost is your word that a platform does not have what counts as sent: the next
run sends it again.`,
		GroupID: "outage",
		Example: `  makegood resolve
  makegood resolve --sent --note "in the platform's order list, 21 Nov" 1001 1002
  makegood resolve --not-sent --run RUN --note "the platform was down, its log is empty"
  makegood resolve --reopen --target activate --note "the field was mended"
  makegood resolve --by platform_export --complete-until "2026-11-20 06:00"
  makegood resolve --sent --receipt SESSION --note "seen in its back office" cart_create/main/1001/1
  makegood resolve --ask
  makegood resolve --lost --target activate --note "not in their order list" 1001`,
		RunE: func(c *cobra.Command, args []string) error {
			f.orders = args
			return a.resolve(c.Context(), &f)
		},
	}
	c.Flags().BoolVar(&f.sent, "sent", false, "they were sent: never again")
	c.Flags().BoolVar(&f.notSent, "not-sent", false, "they were not sent: the next run sends them")
	c.Flags().BoolVar(&f.reopen, "reopen", false, "what was refused is tried once more")
	c.Flags().BoolVar(&f.lost, "lost", false, "they count as sent, and the platform does not have them: the next run sends them again")
	c.Flags().StringVar(&f.by, "by", "", "what the platform's export `NAME` has was sent")
	c.Flags().StringVar(&f.complete, "complete-until", "", "the export holds everything that the platform accepted before this `TIME`")
	c.Flags().BoolVar(&f.ask, "ask", false, "ask the platforms that can be asked")
	c.Flags().StringVar(&f.receipt, "receipt", "", "the `SESSION` with which the platform answered one message")
	c.Flags().BoolVar(&f.all, "all", false, "everything that is listed")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().StringVar(&f.run, "run", "", "only what this `RUN` left")
	c.Flags().StringVar(&f.note, "note", "", "how you know; kept with each, without names of customers")
	c.Flags().StringVar(&f.who, "who", os.Getenv("USER"), "who says so")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

// check refuses what would end a doubt by mistake.
func (f *resolveFlags) check() error {
	words := 0
	for _, said := range []bool{f.sent || f.receipt != "", f.notSent, f.reopen, f.lost, f.by != "", f.ask} {
		if said {
			words++
		}
	}
	proof := f.by != "" || f.ask
	chosen := f.all || len(f.orders) > 0 || len(f.targets) > 0 || f.run != ""
	var err error
	switch {
	case words > 1:
		err = errors.New("say one of --sent, --not-sent, --reopen, --lost, --by and --ask")
	case words == 0 && (f.note != "" || f.all):
		err = errors.New("say --sent, --not-sent or --reopen")
	case f.complete != "" && f.by == "":
		err = errors.New("--complete-until is about the export of --by NAME")
	case words == 1 && !proof && strings.TrimSpace(f.note) == "":
		err = errors.New("--note is missing: how do you know?")
	case strings.Contains(f.note+f.who, "@"):
		err = errors.New("--note and --who are kept for good and hold no addresses")
	case f.receipt != "" && (len(f.orders) != 1 || f.all || f.run != ""):
		err = errors.New("--receipt takes one message by its order number or, of several, its name such as cart_create/main/1001/1")
	case f.lost && (len(f.orders) == 0 || f.all || f.run != ""):
		err = errors.New("--lost takes orders by their numbers, and nothing else")
	case words == 1 && !proof && !chosen:
		err = errors.New("name orders, --target, --run, or --all")
	}
	if err != nil {
		return &usageError{command: "makegood resolve", err: err}
	}
	return nil
}

// open is one message that a person can end.
type openCase struct {
	Target   string        `json:"target"`
	Event    string        `json:"event"`
	Order    string        `json:"order"`
	Kind     string        `json:"kind"`
	State    string        `json:"state"` // in_doubt, refused or, of what was lost, sent
	Run      string        `json:"run"`
	At       time.Time     `json:"at"`
	Amount   string        `json:"amount,omitempty"`
	Currency string        `json:"currency,omitempty"`
	Resends  bool          `json:"resends"` // the platform merges repeats: the next run ends it
	Attempts []caseAttempt `json:"attempts"`

	entry reconcile.Entry
}

// caseAttempt is one request about it.
type caseAttempt struct {
	At      time.Time `json:"at"`
	Verdict string    `json:"verdict"`
	Status  int       `json:"status,omitempty"`
	Code    string    `json:"code,omitempty"`
	Lost    bool      `json:"lost,omitempty"` // its run was cut off: whether it left is not known
}

// maxCases bounds how many are listed and ended at once.
const maxCases = 100_000

func (a *app) resolve(ctx context.Context, f *resolveFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	switch {
	case f.by != "":
		return a.resolveBy(ctx, f)
	case f.ask:
		return a.resolveAsk(ctx, f)
	case f.lost:
		return a.resolveLost(ctx, f)
	case f.receipt != "" && !f.sent:
		return a.resolveReceipt(ctx, f)
	}
	s, err := a.begin(ctx, &runFlags{targets: f.targets}, "resolve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	cases, err := s.openCases(ctx, f)
	if err != nil {
		return err
	}
	if !f.sent && !f.notSent && !f.reopen {
		return s.listCases(cases, f.json)
	}
	return s.endCases(ctx, f, cases)
}

// openCases reads what can be ended, as far as it was asked for.
func (s *session) openCases(ctx context.Context, f *resolveFlags) (cases []openCase, err error) {
	led, err := s.readLedger(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	if s.answers, err = answersIn(ctx, led); err != nil {
		return nil, err
	}
	always := reconcile.Window{From: time.Unix(0, 0), To: s.Clock().AddDate(100, 0, 0)}
	for _, t := range s.Targets {
		entries, err := led.Unfinished(ctx, t.Name(), always, maxCases)
		if err != nil {
			return nil, err
		}
		var ids []reconcile.EventID
		var chosen []reconcile.Entry
		for _, e := range entries {
			if (e.State == reconcile.StateDoubtful || e.State == reconcile.StateRefused) && f.wants(e) {
				ids, chosen = append(ids, e.ID), append(chosen, e)
			}
		}
		made, err := led.Made(ctx, t.Name(), ids)
		if err != nil {
			return nil, err
		}
		for _, e := range chosen {
			cases = append(cases, caseOf(t, e, made[e.ID]))
		}
	}
	return cases, f.unknown(cases)
}

// wants reports whether an entry was asked for.
func (f *resolveFlags) wants(e reconcile.Entry) bool {
	key, err := e.ID.Key()
	named := len(f.orders) == 0 || slices.Contains(f.orders, string(e.ID)) || err == nil && slices.Contains(f.orders, key.Order)
	kind := !f.reopen || e.State == reconcile.StateRefused
	if f.sent || f.notSent || f.by != "" || f.ask {
		kind = e.State == reconcile.StateDoubtful
	}
	return named && kind && (f.run == "" || string(e.Run) == f.run)
}

// unknown names orders that were asked for and are neither in doubt nor
// refused: a slip must not pass for something that was ended.
func (f *resolveFlags) unknown(cases []openCase) error {
	var missing []string
	for _, o := range f.orders {
		if !slices.ContainsFunc(cases, func(c openCase) bool { return c.Order == o || c.Event == o }) {
			missing = append(missing, o)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &usageError{command: "makegood resolve",
		err: fmt.Errorf("nothing was changed: not to be ended in this way: %s; makegood resolve lists what there is", strings.Join(missing, ", "))}
}

func caseOf(t *reconcile.Target, e reconcile.Entry, made []reconcile.MadeAttempt) openCase {
	c := openCase{Target: t.Name(), Event: string(e.ID), Kind: string(e.ID.Kind()), State: "in_doubt", Run: string(e.Run), At: e.At.UTC(),
		Currency: e.Value.Currency, entry: e, Attempts: []caseAttempt{},
		Resends: e.State == reconcile.StateDoubtful && t.Traits()[e.ID.Kind()].MergesRepeats}
	switch e.State {
	case reconcile.StateRefused:
		c.State = "refused"
	case reconcile.StateDone:
		c.State = "sent"
	}
	if key, err := e.ID.Key(); err == nil {
		c.Order = key.Order
	}
	if e.Value.Amount != nil {
		c.Amount = e.Value.Amount.String()
	}
	for _, m := range made {
		c.Attempts = append(c.Attempts, caseAttempt{At: m.At, Verdict: m.Verdict.String(), Status: m.Status, Code: m.Code, Lost: m.Lost})
	}
	return c
}

// listCases shows what can be ended. Something in doubt that no run ends needs
// a person: exit 2.
func (s *session) listCases(cases []openCase, asJSON bool) error {
	if slices.ContainsFunc(cases, func(c openCase) bool { return !c.Resends }) {
		s.code = exitPerson
	}
	said := s.answersTo(cases)
	if asJSON {
		return s.encode(map[string]any{"schema": 1, "open": slices.Concat([]openCase{}, cases), "merges_repeats": said})
	}
	if len(cases) == 0 {
		_, err := fmt.Fprintln(s.io.out, "Nothing is in doubt, and nothing was refused.")
		return err
	}
	w := tabwriter.NewWriter(s.io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ORDER\tMESSAGE\tDESTINATION\tMONEY\tWHAT HAPPENED\tRUN")
	for _, c := range cases {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", reports.Mask(c.Order), messageWords(c.Event), c.Target,
			cmp.Or(strings.TrimSpace(c.Amount+" "+c.Currency), "-"), c.words(), c.Run)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, target := range slices.Sorted(maps.Keys(said)) {
		fmt.Fprintf(s.io.out, "\nOf %s %s\n", target, said[target].Words(s.Zone))
	}
	_, err := fmt.Fprint(s.io.out, "\nLook at the platform what became of them, then end them, for example:\n",
		"  makegood resolve --sent --note \"in the platform's order list\" ", quotedArgument(cases[0].Order), "\n")
	return err
}

// words say what is known of a message.
func (c openCase) words() string {
	if c.State == "refused" {
		text := "refused"
		if n := len(c.Attempts); n > 0 && c.Attempts[n-1].Status > 0 {
			text += fmt.Sprintf(" with %d %s", c.Attempts[n-1].Status, c.Attempts[n-1].Code)
		}
		return strings.TrimSpace(text) + ", " + c.At.Format("2006-01-02 15:04 MST")
	}
	text := "sent, no answer"
	switch n := len(c.Attempts); {
	case c.entry.Lost || n > 0 && c.Attempts[n-1].Lost:
		text = "its run was cut off while it was sent"
	case n > 0 && c.Attempts[n-1].Status > 0:
		text = fmt.Sprintf("answered with %d, which says neither yes nor no", c.Attempts[n-1].Status)
	}
	text += ", " + c.At.Format("2006-01-02 15:04 MST")
	if c.Resends {
		text += "; the next run sends it again, the platform merges repeats"
	}
	return text
}

// endCases writes the person's word into the ledger, one by one: each stands by
// itself, and what is done stays done when one fails.
func (s *session) endCases(ctx context.Context, f *resolveFlags, cases []openCase) (err error) {
	switch {
	case len(cases) == 0:
		return s.tellEnded(f, nil)
	case f.receipt != "" && len(cases) > 1:
		return &usageError{command: "makegood resolve", err: fmt.Errorf("--receipt is of one message, and %s has %d: name one, such as %s",
			reports.Mask(f.orders[0]), len(cases), quotedArgument(reports.Mask(cases[0].Event)))}
	}
	if s.led == nil {
		if err := s.openLedger(ctx); err != nil {
			return err
		}
	}
	resolution := reconcile.Resolution{State: reconcile.StateOpen, Note: f.note, Who: cmp.Or(f.who, "somebody"), Lost: f.lost, Receipt: f.receipt}
	if f.sent || f.receipt != "" {
		resolution.State, resolution.By = reconcile.StateDone, reconcile.ByAssumed
	}
	done := 0
	defer func() {
		if done > 0 {
			err = errors.Join(err, s.SaveHead(s.led.Head()))
		}
	}()
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.led.Resolve(ctx, c.Target, c.entry.ID, resolution); err != nil {
			return fmt.Errorf("%d of %d were ended; %w", done, len(cases), err)
		}
		done++
	}
	return s.tellEnded(f, cases)
}

// tellEnded says what was ended, and how.
func (s *session) tellEnded(f *resolveFlags, cases []openCase) error {
	if f.json {
		as := map[bool]reconcile.State{true: reconcile.StateDone, false: reconcile.StateOpen}[f.sent || f.receipt != ""]
		enc := json.NewEncoder(s.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"schema": 1, "as": as, "ended": slices.Concat([]openCase{}, cases)})
	}
	if len(cases) == 0 {
		_, err := fmt.Fprintln(s.io.out, "Nothing fits: nothing was changed.")
		return err
	}
	what := map[bool]string{true: "counts as sent, and is never sent again", false: "goes with the next run"}[f.sent || f.receipt != ""]
	_, err := fmt.Fprintf(s.io.out, "%d ended: each %s.\n", len(cases), what)
	return err
}
