package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile/ledger"
)

// ledgerCommand gathers what is done to the ledger itself.
func (a *app) ledgerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "ledger",
		Short:   "Check, back up, move or tidy the ledger",
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Long: `The ledger is the durable record of what each destination was sent: an SQLite
file, or a PostgreSQL database where the key ledger is a postgres:// URL. Never
copy the file of a ledger that is in use; makegood ledger backup does it whole.`,
		Example: "  makegood ledger check\n  makegood ledger backup /backup/makegood-2026-11-21.db\n  makegood ledger copy --to postgres://makegood@db.example.com/shop",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.ledgerCheckCommand(), a.ledgerBackupCommand(), a.ledgerCopyCommand(), a.ledgerExportCommand(), a.ledgerMigrateCommand(),
		a.ledgerRenameCommand(), a.ledgerPruneCommand())
	return c
}

func (a *app) ledgerCheckCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Follow the journal and compare it with every row; nothing else is read",
		Long: `Follows the journal from its beginning, each row by the hash over the one before
it, and compares what it comes to with every row of every table. A row that was
altered, deleted or added behind the ledger's back is named. makegood verify
reads the sources, too. Exit 0: whole; 1: something differs.`,
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood ledger check\n  makegood ledger check --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.ledgerCheck(c.Context(), &f) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func (a *app) ledgerCheck(ctx context.Context, f *runFlags) error {
	return a.reading(ctx, f, "ledger check", func(s *session, led *ledger.Reader) error { return s.checkWhole(ctx, led) })
}

func (s *session) checkWhole(ctx context.Context, led *ledger.Reader) error {
	s.stop()
	if led.Absent() {
		return errors.New("check the ledger: there is none yet; the first run begins it")
	}
	findings, err := led.Check(ctx, s.StateDir)
	if err != nil {
		return err
	}
	p := proof{Schema: 1, Head: led.Head(), Ledger: findings, Holds: len(findings) == 0}
	if !p.Holds {
		s.code = exitLeft
	}
	if s.flags.json {
		p.Ledger = slices.Concat([]ledger.Finding{}, findings)
		return s.encode(p)
	}
	p.tellLedger(s.io.out)
	return nil
}

// encode writes JSON for other programs.
func (a *app) encode(v any) error {
	enc := json.NewEncoder(a.io.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (a *app) ledgerBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the ledger whole into a new file, also while a run is at work",
		Long: `Copies the ledger as it is at one moment, and checks what arrived. A backup does
not know what was sent after it: put back in the place of the ledger it is
refused as older than what this machine has seen, because it would send all of
that again. The README says how to go on with one: with the platform's own list
of orders as evidence. Keep person.key of state_dir with it: without it nobody
is recognised.`,
		Args:    arguments(cobra.ExactArgs(1)),
		Example: "  makegood ledger backup /backup/makegood-2026-11-21.db",
		RunE: func(c *cobra.Command, args []string) error {
			return a.ledgerDuplicate(c.Context(), args[0], "")
		},
	}
}

func (a *app) ledgerCopyCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "copy --to PLACE",
		Short: "Move the ledger to another place: a file, or a PostgreSQL database",
		Long: `Copies the ledger, with its history, to a place where there is none, and checks
what arrived. The copy takes the place of the original: put its place under the
key ledger. A machine that goes on with the original is told so before it sends.`,
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood ledger copy --to postgres://makegood@db.example.com/shop\n  makegood ledger copy --to makegood.db",
		RunE: func(c *cobra.Command, _ []string) error {
			if to == "" {
				return &usageError{command: "makegood ledger copy", err: errors.New("--to is missing: name a file, or a postgres:// URL")}
			}
			return a.ledgerDuplicate(c.Context(), "", to)
		},
	}
	c.Flags().StringVar(&to, "to", "", "a `PLACE` where there is no ledger")
	return c
}

// ledgerDuplicate copies the ledger into a backup, or to where it is to live.
func (a *app) ledgerDuplicate(ctx context.Context, backup, to string) (err error) {
	s, err := a.begin(ctx, &runFlags{}, "ledger")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	led, err := s.readLedger(ctx) // it must be the one that this state_dir knows
	if err != nil {
		return err
	}
	if err := led.Close(); err != nil {
		return err
	}
	o := ledger.Options{Key: s.Key, Environment: s.cfg.Environment}
	if to == "" {
		head, err := ledger.Backup(ctx, s.cfg.Ledger, backup, s.StateDir, o)
		if err != nil {
			return err
		}
		text, err := json.Marshal(head)
		fmt.Fprintf(a.io.out, "Copied and checked, at head %s\nWhat is sent from now on is not in it.\n", text)
		return err
	}
	head, err := ledger.Move(ctx, s.cfg.Ledger, to, s.StateDir, o)
	if err != nil {
		return err
	}
	if err := s.SaveHead(head); err != nil {
		return err
	}
	fmt.Fprintf(a.io.out, "Copied and checked. Now change the configuration, and put the original aside:\n  ledger: %s\n", config.PlaceName(to))
	return nil
}

func (a *app) ledgerExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Write every row of the ledger as JSON lines",
		Long: `Writes every row of every table but the journal as one line of JSON, for your
own analyses: {"table": ..., "row": ...}. Times are microseconds since 1970, UTC;
persons are keyed hashes. There are no names and no addresses in it.`,
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood ledger export > ledger.jsonl",
		RunE:    func(c *cobra.Command, _ []string) error { return a.ledgerExport(c.Context()) },
	}
}

func (a *app) ledgerExport(ctx context.Context) error {
	return a.reading(ctx, &runFlags{}, "ledger export", func(s *session, led *ledger.Reader) error {
		s.stop()
		out := bufio.NewWriter(a.io.out)
		enc := json.NewEncoder(out)
		err := led.Each(ctx, func(table string, row any) error {
			return enc.Encode(map[string]any{"table": table, "row": row})
		})
		return errors.Join(err, out.Flush())
	})
}

func (a *app) ledgerMigrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the ledger of an older version up to date, without a run",
		Long: `Brings a ledger up to date as the next run would, and sends nothing. What it
holds becomes the beginning of its journal. Back it up before: an older makegood
cannot read it any more.`,
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood ledger migrate",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.onLedger(c.Context(), func(s *session) error {
				_, err := fmt.Fprintf(a.io.out, "The ledger is up to date, at %d.%d.\n", s.led.Head().Epoch, s.led.Head().Sequence)
				return err
			})
		},
	}
}

func (a *app) ledgerRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename-shop OLD NEW",
		Short: "Give the orders of a shop another name, after its name has changed",
		Long: `The name of a shop, the numbering that order ids belong to, stands before every
order in the ledger. A configuration that calls it otherwise is refused, because
every order would be unsent under the new name. This renames what the ledger
knows. Run it before the next run, with the configuration already changed.`,
		Args:    arguments(cobra.ExactArgs(2)),
		Example: "  makegood ledger rename-shop main web",
		RunE: func(c *cobra.Command, args []string) error {
			return a.onLedger(c.Context(), func(s *session) error {
				n, err := s.led.RenameShop(c.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.io.out, "%s is now %s: %d rows renamed.\n", args[0], args[1], n)
				return err
			})
		},
	}
}

func (a *app) ledgerPruneCommand() *cobra.Command {
	var f runFlags
	var before string
	c := &cobra.Command{
		Use:   "prune --before DATE",
		Short: "Forget what is done of old orders; orders that old are held back from then on",
		Long: `Forgets the messages that are done of orders completed before a date, in the
configured zone. What is not done stays. Orders that old are held back from then
on, never taken for unsent. The journal begins anew with what is left.`,
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood ledger prune --before 2024-01-01\n  makegood ledger prune --before 2024-01-01 --target activate",
		RunE:    func(c *cobra.Command, _ []string) error { return a.ledgerPrune(c.Context(), &f, before) },
	}
	c.Flags().StringVar(&before, "before", "", "a `DATE`, in the configured zone")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	return c
}

func (a *app) ledgerPrune(ctx context.Context, f *runFlags, before string) error {
	var date config.Date
	if err := date.UnmarshalText([]byte(before)); before == "" || err != nil {
		return &usageError{command: "makegood ledger prune", err: fmt.Errorf("--before %q is no date such as 2024-01-01", before)}
	}
	return a.onLedgerOf(ctx, f, func(s *session) error {
		at := date.In(s.Zone)
		if kept := s.Clock().AddDate(0, 0, -int(s.cfg.ReachBack)); at.After(kept) {
			return &usageError{command: "makegood ledger prune",
				err: fmt.Errorf("--before %s is within the %d days that a run may look back (reach_back): orders of that time would be held back", before, s.cfg.ReachBack)}
		}
		for _, t := range s.Targets {
			n, err := s.led.Prune(ctx, t.Name(), at)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.io.out, "%s: %d messages forgotten.\n", t.Name(), n)
		}
		return nil
	})
}

// onLedger opens the ledger for writing, and keeps its head afterwards.
func (a *app) onLedger(ctx context.Context, do func(*session) error) error {
	return a.onLedgerOf(ctx, &runFlags{}, do)
}

var errNoLedgerYet = errors.New("change the ledger: there is none yet; the first run begins it")

func (a *app) onLedgerOf(ctx context.Context, f *runFlags, do func(*session) error) (err error) {
	s, err := a.begin(ctx, f, "ledger")
	if err != nil {
		return err
	}
	defer s.end(&err)
	s.stop()
	begun, err := ledger.Begun(ctx, s.cfg.Ledger)
	if err == nil && !begun {
		err = errNoLedgerYet
	}
	if err != nil {
		return err
	}
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	return errors.Join(do(s), s.SaveHead(s.led.Head()))
}
