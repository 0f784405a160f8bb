// Command makegood finds the purchases and cart clears that the marketing
// platforms never received, and sends exactly those.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// stdio is what a run reads from and writes to: results go to out, progress
// and logs to err.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func main() {
	os.Exit(Main())
}

// Main starts the program as the shell does and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // the first signal finishes what is in flight, the second ends at once
		<-ctx.Done()
		stop()
	}()
	if os.Getenv("GOMEMLIMIT") == "" {
		go beFrugal(ctx)
	}
	return run(ctx, os.Args[1:], os.LookupEnv, stdio{os.Stdin, os.Stdout, os.Stderr})
}

// frugal is the memory in bytes, beside the program and SQLite, from which on
// garbage is collected sooner: a night over ten million rows takes 128 MiB in all.
// GOMEMLIMIT sets another one.
const frugal = 88 << 20

// beFrugal lets what is really needed be had beyond frugal: with half as much for
// garbage, so that collecting it never becomes most of the work.
func beFrugal(ctx context.Context) {
	limit := int64(frugal)
	debug.SetMemoryLimit(limit)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for look := time.NewTicker(time.Second); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			look.Stop()
		case <-look.C:
			if metrics.Read(live); int64(live[0].Value.Uint64())*3/2 > limit {
				limit = int64(live[0].Value.Uint64()) * 3 / 2
				debug.SetMemoryLimit(limit)
			}
		}
	}
}

// run carries out one command line.
func run(ctx context.Context, args []string, env func(string) (string, bool), io stdio) int {
	a := &app{env: env, io: io, clock: time.Now}
	return a.carryOut(ctx, args)
}

func (a *app) carryOut(ctx context.Context, args []string) int {
	for _, arg := range args {
		if hideKeys(arg) != arg { // before anything repeats it
			return a.exit(&usageError{command: "makegood", err: errKeyItself})
		}
	}
	cmd := a.root()
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return a.exit(err)
}
