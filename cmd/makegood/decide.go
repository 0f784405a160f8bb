package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// decideFlags are the question's destination, and the word itself.
type decideFlags struct {
	wordFlags
	target string
}

// repeatsQuestion is what people call the question about repeats.
const repeatsQuestion = "merges-repeats"

func (a *app) decideCommand() *cobra.Command {
	var f decideFlags
	c := &cobra.Command{
		Use:   "decide [merges-repeats yes|no]",
		Short: "Keep what you have seen at a platform: whether it counts a repeated order once",
		Long: `Keeps your answer to a question that a platform's documents leave open:

merges-repeats: was an order that was sent twice (makegood send --again) counted
once? The answer stands wherever somebody has to decide about a doubt: in status,
reports, resolve, explain and audits. It changes nothing of what runs send by
themselves: that is the setting merges_repeats of the destination.

A newer answer takes the place of an older one. Without a question the answers
are listed.`,
		GroupID: "decisions",
		Args:    arguments(cobra.MaximumNArgs(2)),
		Example: `  makegood decide merges-repeats yes --target activate --note "TEST-1001 sent twice, one purchase in Inspect"
  makegood decide merges-repeats no --target stores --who "night desk" --note "two conversions"
  makegood decide --json`,
		RunE: func(c *cobra.Command, args []string) error { return a.decide(c.Context(), &f, args) },
	}
	f.add(c)
	c.Flags().StringVar(&f.target, "target", "", "of this destination (default: the only one there is)")
	return c
}

func (a *app) decide(ctx context.Context, f *decideFlags, args []string) error {
	usage := func(err error) error { return &usageError{command: "makegood decide", err: err} }
	switch {
	case len(args) == 0 && f.note+f.who != "":
		return usage(errors.New("say which question, and the answer: merges-repeats yes, or merges-repeats no"))
	case len(args) == 0:
		return a.reading(ctx, &runFlags{}, "decide", func(s *session, led *ledger.Reader) error {
			s.stop()
			return s.tellAnswers(ctx, led, f)
		})
	case args[0] != repeatsQuestion:
		return usage(fmt.Errorf("there is no question %q; there is %s", reports.Mask(args[0]), repeatsQuestion))
	case len(args) == 1 || !slices.Contains([]string{"yes", "no"}, args[1]):
		return usage(errors.New("the answer is yes or no: merges-repeats yes says that a repeated order is counted once"))
	}
	if err := f.check("decide"); err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	t, err := countedTarget(cfg, f.target)
	if err != nil {
		return usage(err)
	}
	return a.onLedger(ctx, func(s *session) error {
		word := reconcile.Word{Kind: reconcile.WordDecide, Target: t.Name, About: reports.AboutRepeats, Value: args[1], Who: cmp.Or(f.who, "somebody"), Note: f.note}
		if err := s.led.Say(ctx, []reconcile.Word{word}); err != nil {
			return err
		}
		if err := s.tellAnswers(ctx, s.led, f); err != nil || f.json {
			return err
		}
		if text := otherwise(t, args[1]); text != "" {
			fmt.Fprintln(s.io.out, text)
		}
		return nil
	})
}

// otherwise says that runs go by another belief than the answer, and where that
// is set.
func otherwise(t *config.Target, answer string) string {
	switch {
	case answer == "no" && t.Merges():
		return fmt.Sprintf("Runs still send again what is in doubt there, for they take repeats to be merged: merges_repeats: false at targets.%s ends that.", t.Name)
	case answer == "yes" && !t.Merges() && slices.Contains([]string{"squeezely", "spotler", "rokt_ads"}, t.Type):
		return fmt.Sprintf("Runs still leave what is in doubt there to a person; merges_repeats: true at targets.%s has them send it again.", t.Name)
	}
	return ""
}

// hearer lists what people said: a ledger, or a reader of one.
type hearer interface {
	Words(ctx context.Context, kind reconcile.WordKind) ([]reconcile.Word, error)
}

// answersIn gives what people said about repeats, by destination.
func answersIn(ctx context.Context, led hearer) (map[string]reports.Answer, error) {
	words, err := led.Words(ctx, reconcile.WordDecide)
	said := map[string]reports.Answer{}
	for _, w := range words {
		if w.About == reports.AboutRepeats {
			said[w.Target] = reports.AnswerOf(w)
		}
	}
	return said, err
}

// answersTo are the answers of destinations at which something is in doubt.
func (s *session) answersTo(cases []openCase) map[string]reports.Answer {
	said := map[string]reports.Answer{}
	for _, c := range cases {
		of, _ := reconcile.TriedAt(c.Target)
		if answer, known := s.answers[of]; known && c.entry.State == reconcile.StateDoubtful {
			said[c.Target] = answer
		}
	}
	return said
}

// answerJSON is one answer in the list.
type answerJSON struct {
	Target   string `json:"target"`
	Question string `json:"question"`
	reports.Answer
}

// tellAnswers lists what people said.
func (s *session) tellAnswers(ctx context.Context, led hearer, f *decideFlags) error {
	words, err := led.Words(ctx, reconcile.WordDecide)
	if err != nil {
		return err
	}
	list := []answerJSON{}
	for _, w := range words {
		if f.target == "" || w.Target == f.target {
			list = append(list, answerJSON{w.Target, repeatsQuestion, reports.AnswerOf(w)})
		}
	}
	if f.json {
		return s.encode(map[string]any{"schema": 1, "answers": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.io.out, "Nobody has decided anything.")
	}
	for _, one := range list {
		fmt.Fprintf(s.io.out, "%s: %s.\n", one.Target, one.Words(s.Zone))
	}
	return nil
}
