package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile"
)

// forgottenFile, in state_dir, has one person or order per line; it is read
// with the lists of suppress.
const forgottenFile = "forgotten.csv"

func (a *app) forgetCommand() *cobra.Command {
	var emails, orders []string
	c := &cobra.Command{
		Use:   "forget --email ADDRESS | --order NUMBER",
		Short: "Forget a person: remove plans that name them, and send nothing about them any more",
		Long: `Deletes the plans in state_dir that hold a person's address or an order, and what
killed runs left of them, and uploads with a row about them, and remembers never to send anything about them: the
address as its SHA-256, in state_dir/` + forgottenFile + `. Where workers share the work, plans in
the queue that hold it are erased and made anew without it, and the workers of all
machines remember it, too. The ledger holds no names and no
addresses: of a person it has a keyed hash, which nobody can turn back without
person.key. What was sent to a platform has to be erased there.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood forget --email ann@example.com\n  makegood forget --order 1001",
		RunE:    func(c *cobra.Command, _ []string) error { return a.forget(c.Context(), emails, orders) },
	}
	c.Flags().StringSliceVar(&emails, "email", nil, "the person's `ADDRESS` (may be repeated)")
	c.Flags().StringSliceVar(&orders, "order", nil, "an order's `NUMBER` (may be repeated)")
	return c
}

func (a *app) forget(ctx context.Context, emails, orders []string) error {
	if len(emails)+len(orders) == 0 {
		return &usageError{command: "makegood forget", err: errors.New("name a person with --email, or an order with --order")}
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	var lines, addresses []string
	var traces [][]byte
	for i, email := range emails {
		parsed, err := mail.ParseAddress(strings.TrimSpace(email))
		if err != nil {
			return &usageError{command: "makegood forget", err: fmt.Errorf("--email number %d is no address", i+1)}
		}
		address := strings.ToLower(parsed.Address)
		sum := sha256.Sum256([]byte(address))
		hash := hex.EncodeToString(sum[:])
		lines, addresses = append(lines, hash), append(addresses, address)
		traces = append(traces, []byte(address), []byte(hash))
	}
	for _, order := range orders {
		lines = append(lines, strings.ToLower(order))
		id := string(reconcile.NewEventID("", reconcile.OrderKey{Order: order}))
		id = strings.ToLower(strings.TrimPrefix(id, "/"))
		for _, end := range []string{`"`, "~", "/"} { // itself, its corrections, its upgrades
			traces = append(traces, []byte(id+end))
		}
	}
	if err := remember(cfg.StateDir, lines); err != nil {
		return err
	}
	removed, err := removeTraces(ctx, cfg.StateDir, traces)
	fmt.Fprintf(a.io.out, "Nothing is sent about them any more. %d files that named them were removed.\n", removed)
	if err != nil {
		return err
	}
	removed, err = removeUploads(ctx, cfg.StateDir, uploadTraces(addresses, orders))
	if removed > 0 {
		fmt.Fprintf(a.io.out, "%d uploads that named them were removed, with what was made of them.\n", removed)
	}
	return errors.Join(err, a.forgetQueued(ctx, cfg, lines, traces))
}

// forgetQueued erases plans that lie in the queue beside the ledger, and tells the
// workers of all machines.
func (a *app) forgetQueued(ctx context.Context, cfg *config.Config, lines []string, traces [][]byte) error {
	if mayShare(cfg) != nil {
		return nil
	}
	there, err := workers.Look(ctx, cfg.Ledger, a.log)
	if err != nil || there == nil {
		return err
	}
	there.Close()
	hidden, err := sealed(cfg, lines)
	if err != nil {
		return err
	}
	q, err := workers.Open(ctx, cfg.Ledger, a.log) // it may be of an older version
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Forget(ctx, hidden); err != nil {
		return err
	}
	erased, err := q.Drop(ctx, cfg.StateDir, func(path string) (bool, error) { return names(path, traces) })
	fmt.Fprintf(a.io.out, "All workers know. The plans of %s in the queue named them, and are made anew without them.\n", counted(erased, "slice"))
	return err
}

// tellForgotten tells the workers of all machines whom this one was told to forget,
// perhaps before there was a queue.
func tellForgotten(ctx context.Context, q *workers.Queue, cfg *config.Config) error {
	known, err := os.ReadFile(filepath.Join(cfg.StateDir, forgottenFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read whom to forget: %w", err)
	}
	lines := slices.DeleteFunc(strings.Split(string(known), "\n"), func(line string) bool { return line == "" })
	if len(lines) == 0 {
		return nil
	}
	hidden, err := sealed(cfg, lines)
	if err != nil {
		return err
	}
	return q.Forget(ctx, hidden)
}

// remember adds lines to those that nothing is sent about.
func remember(stateDir string, lines []string) error {
	path := filepath.Join(stateDir, forgottenFile)
	err := os.MkdirAll(stateDir, 0o700)
	if err == nil {
		err = appendTo(path, lines)
	}
	if err != nil {
		return fmt.Errorf("remember whom to forget: %w", err)
	}
	return nil
}

func appendTo(path string, lines []string) error {
	known, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	have := strings.Split(string(known), "\n")
	lines = slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(have, line) })
	if len(lines) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// removeTraces removes plans and leftovers that hold one of the traces.
func removeTraces(ctx context.Context, stateDir string, traces [][]byte) (removed int, err error) {
	var files []string
	for _, pattern := range []string{filepath.Join("plans", "*"), "*.tmp"} {
		found, err := filepath.Glob(filepath.Join(stateDir, pattern))
		if err != nil {
			return 0, fmt.Errorf("look for plans: %w", err)
		}
		files = append(files, found...)
	}
	for _, path := range files {
		if ctx.Err() != nil {
			return removed, context.Cause(ctx)
		}
		named, err := names(path, traces)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went with its plan
		}
		if err != nil {
			return removed, fmt.Errorf("look into %s: %w", filepath.Base(path), err)
		}
		if !named {
			continue
		}
		plan := strings.TrimSuffix(path, decisionsOf)
		for _, part := range []string{plan, plan + decisionsOf} {
			if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return removed, fmt.Errorf("remove a plan: %w", err)
			}
		}
		removed++
	}
	return removed, nil
}

// decisionsOf ends the name of the file beside a plan that says why the rest is
// not sent.
const decisionsOf = ".decisions"

// names reports whether a file holds one of the traces, in small letters or in
// large ones. What lies there deflated is looked into as well.
func names(path string, traces [][]byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // read only
	if found, err := holds(f, traces); found || err != nil {
		return found, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	found, _ := holds(flate.NewReader(bufio.NewReader(f)), traces) // most files are not deflated
	return found, nil
}

// holds looks through a text piece by piece: plans may be larger than memory.
func holds(in io.Reader, traces [][]byte) (bool, error) {
	longest := 0
	for _, trace := range traces {
		longest = max(longest, len(trace))
	}
	buf := make([]byte, 0, 1<<16+longest)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		text := bytes.ToLower(buf)
		if slices.ContainsFunc(traces, func(trace []byte) bool { return bytes.Contains(text, trace) }) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if keep := min(longest, len(buf)); len(buf) == cap(buf) {
			buf = buf[:copy(buf, buf[len(buf)-keep:])]
		}
	}
}

// suppressed lists the files of those that nothing is sent about. The one of
// makegood forget is made where it is missing, so that whoever is forgotten for
// the first time while a run sends is not sent, either.
func suppressed(stateDir string, configured []string) ([]string, error) {
	path := filepath.Join(stateDir, forgottenFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the list of whom to forget: %w", err)
	}
	return append(slices.Clone(configured), path), f.Close()
}
