package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reports"
)

// approveFlags are on whose word a plan may be carried out.
type approveFlags struct {
	by, note string
	key      string // a key file
	json     bool
}

func (a *app) approveCommand() *cobra.Command {
	var f approveFlags
	c := &cobra.Command{
		Use:   "approve PLAN",
		Short: "Approve a plan by your name: without it, nothing that charges customers is sent",
		Long: `Writes your name and your note beside a plan, signed and bound to exactly what
the plan says. Destinations that charge customers (type emanage, mode live) are
sent approved plans only; makegood run leaves what is for them to a person.

Look at the plan first: its orders and amounts stand in the report of makegood
plan, and what it would send in makegood plan --canonical.

With --key the approval is signed with your own key file, on any machine: bring
the plan there and PLAN.approval back, beside the plan. The machine that sends
believes the keys that its plans.approvers lists, and takes your name from
there. The one that approves needs a configuration with zone and plans.signers,
the public key of the machine that makes plans, and nothing else.`,
		GroupID: "decisions",
		Args:    arguments(onePlan),
		Example: `  makegood plan --html plan.html
  makegood approve .makegood/plans/0198c1f0-....plan --by "night desk" --note "compared with the shop's list, 21 Nov"
  makegood apply .makegood/plans/0198c1f0-....plan
  makegood approve 0198c1f0-....plan --key ann.key --note "compared with the shop's list, 21 Nov"`,
		RunE: func(c *cobra.Command, args []string) error { return a.approve(c.Context(), &f, args[0]) },
	}
	c.Flags().StringVar(&f.by, "by", "", "your `NAME`; it is kept with the run")
	c.Flags().StringVar(&f.key, "key", "", "sign with your key `FILE`, in place of --by (makegood key makes one)")
	c.Flags().StringVar(&f.note, "note", "", "what you have looked at; it is kept with the run")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

// check refuses an approval that says nothing.
func (f *approveFlags) check() error {
	var err error
	switch {
	case f.key != "" && f.by != "":
		err = errors.New("--by goes without --key: your name is the one under which plans.approvers lists your key")
	case f.key == "" && strings.TrimSpace(f.by) == "":
		err = errors.New("--by is missing: who approves it?")
	case strings.TrimSpace(f.note) == "":
		err = errors.New("--note is missing: what have you looked at?")
	case strings.Contains(f.by+f.note, "@"):
		err = errors.New("--by and --note are kept for good and hold no addresses")
	case len(f.by) > 200 || len(f.note) > 2000:
		err = errors.New("--by or --note is too long")
	}
	if err != nil {
		return &usageError{command: "makegood approve", err: err}
	}
	return nil
}

// approvedJSON is what was approved.
type approvedJSON struct {
	Schema   int                  `json:"schema"`
	Plan     string               `json:"plan"`
	Digest   string               `json:"digest"`
	By       string               `json:"by"`
	Key      string               `json:"key,omitempty"` // the public key of the key file that signed it
	Note     string               `json:"note"`
	At       time.Time            `json:"at"`
	Expires  time.Time            `json:"expires"`
	Charging map[string]chargeSum `json:"charging"` // by destination: what it would charge
}

type chargeSum struct {
	Events int             `json:"events"`
	Money  reconcile.Money `json:"money"`
}

func (a *app) approve(ctx context.Context, f *approveFlags, path string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if f.key != "" {
		return a.approveByKey(f, path)
	}
	s, err := a.begin(ctx, &runFlags{}, "approve")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	plan, err := openPlan(s.Runner, "makegood approve", path)
	if err != nil {
		return err
	}
	needed, err := s.NeedsApproval(plan)
	if err != nil {
		return err
	}
	word, err := s.Approve(plan, strings.TrimSpace(f.by), strings.TrimSpace(f.note))
	if err != nil {
		return err
	}
	if f.json {
		return a.approvedAs(plan, word, needed)
	}
	a.charging(needed)
	_, err = fmt.Fprintf(a.io.out, "Approved by %s until %s. Send it with:\n  %s %s\n", reports.Mask(word.By),
		plan.Expires.In(s.Zone).Format("2006-01-02 15:04 MST"), s.called("apply"), quotedArgument(path))
	return err
}

// approveByKey approves a plan with the key file of a person. Neither ledger nor
// destination is looked at: what charges customers stands in the plan.
func (a *app) approveByKey(f *approveFlags, path string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	own, err := readKeyFile(f.key)
	if err != nil {
		return &usageError{command: "makegood approve", err: err}
	}
	r, err := a.approver(cfg)
	if err != nil {
		return err
	}
	plan, err := openPlan(r, "makegood approve", path)
	if err != nil {
		return err
	}
	needed, err := plan.Charging()
	if err != nil {
		return err
	}
	word, err := r.ApproveAs(plan, own, strings.TrimSpace(f.note))
	if err != nil {
		return err
	}
	if f.json {
		return a.approvedAs(plan, word, needed)
	}
	a.charging(needed)
	by := word.By
	if by == "" {
		by = "the key " + word.Key
	}
	_, err = fmt.Fprintf(a.io.out, "Approved by %s until %s. Bring %s to the machine that sends, beside its plan; there:\n  makegood apply %s\n", by,
		plan.Expires.In(r.Zone).Format("2006-01-02 15:04 MST"), quotedArgument(filepath.Base(path)+".approval"), quotedArgument(filepath.Base(path)))
	return err
}

func (a *app) approvedAs(plan *reconcile.Plan, word reconcile.Approval, needed map[string]reconcile.Count) error {
	said := approvedJSON{Schema: 1, Plan: plan.Path, Digest: plan.Digest, By: reports.Mask(word.By), Key: word.Key, Note: reports.Mask(word.Note), At: word.At,
		Expires: plan.Expires, Charging: map[string]chargeSum{}}
	for target, c := range needed {
		said.Charging[target] = chargeSum{c.Events, c.Money}
	}
	enc := json.NewEncoder(a.io.out)
	enc.SetIndent("", "  ")
	return enc.Encode(said)
}

// charging tells what the plan would charge.
func (a *app) charging(needed map[string]reconcile.Count) {
	for _, target := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintf(a.io.out, "%s: %d charges, %s\n", target, needed[target].Events, needed[target].Money)
	}
	if len(needed) == 0 {
		fmt.Fprintln(a.io.out, "Nothing in this plan charges anybody; it can be sent without an approval, too.")
	}
}
