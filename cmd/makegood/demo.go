package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"makegood/sinks/simulator"
)

func (a *app) demoCommand() *cobra.Command {
	dir := "makegood-demo"
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a small shop, the platforms, an outage, and a kill in the middle",
		Long: `Makes a small shop in a folder (an order database, a spreadsheet of in-store
checkouts, a table of open carts), starts stand-ins of the platforms on this
machine, and runs makegood against them: it is killed while sending, and runs
again. Nothing leaves this machine. The folder stays, to be looked at and
changed.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood demo\n  makegood demo --dir /tmp/shop",
		RunE:    func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), dir) },
	}
	c.Flags().StringVar(&dir, "dir", dir, "the `FOLDER` to make; it must not exist yet")
	return c
}

// demonstration is one showing.
type demonstration struct {
	*app
	shop     demoShop
	sim      *simulator.Simulator
	self     string
	accepted atomic.Int64
}

func (a *app) demo(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return &usageError{command: "makegood demo", err: fmt.Errorf("%s is there already: remove it, or name another folder with --dir", dir)}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen on this machine: %w", err)
	}
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		return err
	}
	d := &demonstration{app: a, self: self, sim: simulator.New(simulator.Options{}),
		shop: demoShop{dir: dir, listen: l.Addr().String(), now: time.Now(), zone: zone}}
	server := d.sim.Server(d.shop.listen)
	go func() { _ = server.Serve(l) }() // ends with Close below
	defer func() { d.sim.Close(); _ = server.Close() }()
	return d.show(ctx)
}

func (d *demonstration) show(ctx context.Context) error {
	d.say("1. A small shop is made in %s, and the platforms start on this machine (http://%s).", d.shop.dir, d.shop.listen)
	if err := errors.Join(d.shop.make(ctx), d.shop.fillCarts(ctx)); err != nil {
		return err
	}
	for _, p := range demoPeople {
		d.say("     %-18s %s", p.email, p.what)
	}
	d.say("\n2. makegood runs, and is killed (SIGKILL) in the middle of sending.")
	if err := d.killed(ctx); err != nil {
		return err
	}
	d.say("\n3. makegood runs again. What the killed run had in its hands is in doubt: the\n   platform that merges repeats is sent it again, the other one never is.\n")
	if err := d.makegood(ctx, "run", "--html", filepath.Join(d.shop.dir, "report.html")); err != nil {
		return err
	}
	d.say("\n4. And once more: nothing is left to send.\n")
	if err := d.makegood(ctx, "run"); err != nil {
		return err
	}
	return d.platforms()
}

func (d *demonstration) say(format string, args ...any) {
	fmt.Fprintf(d.io.out, format+"\n", args...)
}

// command makes a makegood of the demonstration's shop.
func (d *demonstration) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, d.self, append(args, "-c", filepath.Join(d.shop.dir, "makegood.yaml"))...)
}

func (d *demonstration) makegood(ctx context.Context, args ...string) error {
	cmd := d.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = d.io.out, d.io.err
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() <= exitPerson {
		return nil // its report has said it
	}
	if err != nil {
		return fmt.Errorf("run makegood: %w", err)
	}
	return nil
}

// demoKillAfter is how many messages the platforms have accepted when the
// first run is killed, at least demoQuiet of them at the first one since the
// second one, whose carts are looked at later, has accepted anything.
const (
	demoKillAfter = 60
	demoQuiet     = 10
)

func (d *demonstration) killed(ctx context.Context) error {
	enough := make(chan struct{})
	var mu sync.Mutex
	quiet, once := 0, sync.Once{}
	d.sim.OnAccept(func(a simulator.Accepted) {
		mu.Lock()
		defer mu.Unlock()
		if quiet++; a.Platform == simulator.Collect {
			quiet = 0
		}
		if d.accepted.Add(1) >= demoKillAfter && quiet >= demoQuiet {
			once.Do(func() { close(enough) })
		}
	})
	cmd := d.command(ctx, "run")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start makegood: %w", err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case <-enough:
	case err := <-over:
		return fmt.Errorf("the run ended before it could be killed: %w", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the run: %w", err)
	}
	if err := <-over; err == nil {
		return errors.New("the run ended before it could be killed")
	}
	d.say("   Killed after the platforms had accepted %d messages.", d.accepted.Load())
	return nil
}

// platforms tells what the platforms believe now.
func (d *demonstration) platforms() error {
	counts := d.sim.Counts().Platforms
	d.say("\n5. What the platforms hold now, by their own count:")
	for _, name := range []string{simulator.Squeezely, simulator.Collect} {
		p := counts[name]
		d.say("     %-10s %d purchases, %d of them received a second time and merged or refused", name, p.Orders, p.Repeats)
	}
	for _, p := range demoPeople {
		d.say("     %-18s %s", p.email, d.cart(p.email))
	}
	d.say("\nThe folder %s stays: the orders, the configuration, the ledger, report.html.", d.shop.dir)
	d.say("To go on:   makegood simulate --listen %s", d.shop.listen)
	d.say("and then:   makegood run -c %s", filepath.Join(d.shop.dir, "makegood.yaml"))
	return nil
}

func (d *demonstration) cart(email string) string {
	cart, known := d.sim.Cart("123456", email)
	if !known {
		return "is not known there: nothing was sent"
	}
	var lines []string
	for _, l := range cart.Lines {
		lines = append(lines, l.Quantity+" x "+l.Item)
	}
	what := "cart is empty"
	if len(lines) > 0 {
		what = "cart holds " + strings.Join(lines, ", ")
	}
	return fmt.Sprintf("%s; purchases: %d", what, cart.Conversions)
}
