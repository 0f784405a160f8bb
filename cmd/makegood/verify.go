package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/verify"
	"makegood/reports"
)

func (a *app) verifyCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that nothing is missing: read sources and ledger again and count a second time",
		Long: `Follows the ledger's journal from its beginning and compares what it says with
every row of every table. Then reads the sources again over the period of the
last run, or the one that you name, and counts again, apart from what the run
counted: every order must be in one bucket, as it was when the run met it, and
events and money must be what the run reported. What was altered, doubled, is
gone or was never seen is named. Nothing is changed, nothing is sent.

An order that left its source before makegood ever read it cannot be known.
Exit 0: proven; 1: something differs.`,
		GroupID: "questions",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood verify
  makegood verify --from 2026-11-01 --to 2026-11-08
  makegood verify --json`,
		RunE: func(c *cobra.Command, _ []string) error { return a.verify(c.Context(), &f) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, in the configured zone; without it, the last run's")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it")
	return c
}

// proof is what verify tells.
type proof struct {
	Schema int                  `json:"schema"`
	Holds  bool                 `json:"holds"`
	Head   reconcile.LedgerHead `json:"head"`
	Ledger []ledger.Finding     `json:"ledger"`
	Proof  *verify.Proof        `json:"proof,omitempty"` // absent when no run has ended and no period was named
}

func (a *app) verify(ctx context.Context, f *runFlags) error {
	return a.reading(ctx, f, "verify", func(s *session, led *ledger.Reader) error { return s.verify(ctx, led) })
}

func (s *session) verify(ctx context.Context, led *ledger.Reader) (err error) {
	if led.Absent() {
		return errors.New("verify the ledger: there is none yet; the first run begins it")
	}
	p := proof{Schema: 1, Head: led.Head()}
	if p.Ledger, err = led.Check(ctx, s.StateDir); err != nil {
		return err
	}
	verifier, err := s.verifier(ctx, led)
	if err != nil {
		return err
	}
	if verifier != nil {
		second, err := verifier.Verify(ctx)
		if err != nil {
			return err
		}
		p.Proof = &second
	}
	s.stop()
	p.Holds = len(p.Ledger) == 0 && (p.Proof == nil || len(p.Proof.Findings) == 0)
	if !p.Holds {
		s.code = exitLeft
	}
	return p.tell(s)
}

// lastRuns is how many runs are looked through for one that can be proven.
const lastRuns = 100

// verifier proves the period that was named, or that of the last run.
func (s *session) verifier(ctx context.Context, led *ledger.Reader) (*verify.Verifier, error) {
	v := &verify.Verifier{Sources: s.Sources, Targets: s.Targets, Ledger: led, AsOf: s.Clock().UTC()}
	if !s.req.From.IsZero() || !s.req.To.IsZero() {
		v.Window = reconcile.Window{From: s.req.From.UTC(), To: s.req.To.UTC()}
		if s.req.To.IsZero() {
			v.Window.To = v.AsOf
		}
		return v, v.Window.Check()
	}
	runs, err := led.Ended(ctx, lastRuns)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		sends := r.Command == "run" || r.Command == "apply" || r.Command == "backfill"
		if sends && len(r.Summary) > 0 && r.Window.Check() == nil {
			v.Run, v.Report, v.Window, v.AsOf = r.Run, r.Summary, r.Window, r.Started
			return v, nil
		}
	}
	return nil, nil
}

func (p proof) tell(s *session) error {
	if s.flags.json {
		p.Ledger = slices.Concat([]ledger.Finding{}, p.Ledger)
		return s.encode(p)
	}
	var b strings.Builder
	p.tellLedger(&b)
	if p.Proof == nil {
		b.WriteString("No run has ended yet, and no period was named: the sources were not read.\n")
	} else {
		p.tellSecond(&b, s.Zone)
	}
	if !p.Holds {
		b.WriteString("\nSomething differs. makegood explain ORDER tells what is known of an order;\nafter a change in the shop a new run takes it in; rows of the ledger never change by themselves.\n")
	}
	_, err := s.io.out.Write([]byte(b.String()))
	return err
}

func (p proof) tellLedger(b io.Writer) {
	fmt.Fprintf(b, "The ledger: %d commits, head %s\n", p.Head.Sequence, p.Head.Hash)
	for _, f := range p.Ledger {
		fmt.Fprintf(b, "  ! %s\n", reports.Mask(f.String()))
	}
	if len(p.Ledger) == 0 {
		fmt.Fprintln(b, "  every row of every table is what the journal says")
	}
}

func (p proof) tellSecond(b *strings.Builder, zone *time.Location) {
	at := func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04") }
	fmt.Fprintf(b, "The orders from %s to %s", at(p.Proof.Window.From), at(p.Proof.Window.To))
	if p.Proof.Run != "" {
		fmt.Fprintf(b, ", run %s", p.Proof.Run)
	}
	b.WriteString("\n")
	for _, s := range p.Proof.Sources {
		fmt.Fprintf(b, "  source %s: %d orders, %d left out, %d bad, %d merged\n", s.Source, s.Orders, s.LeftOut, s.Bad, s.Merged)
	}
	for _, t := range p.Proof.Targets {
		fmt.Fprintf(b, "  %s: %s; %d orders not for it\n", t.Target, t.Eligible, t.NotForTarget)
		for _, bucket := range reconcile.Buckets {
			if sum := t.Buckets[bucket]; sum.Events > 0 {
				fmt.Fprintf(b, "    %-24s %s\n", reports.BucketWords(bucket), sum)
			}
		}
		if t.Assumed.Events > 0 {
			fmt.Fprintf(b, "    of them assumed: %s\n", t.Assumed)
		}
	}
	for _, f := range p.Proof.Findings {
		fmt.Fprintf(b, "  ! %s\n", reports.Mask(f.String()))
	}
	if len(p.Proof.Findings) == 0 {
		b.WriteString("  every order is in one bucket, as it was when a run met it\n")
	}
}
