// Command makegood finds the purchases and cart clears that the marketing
// platforms never received, and sends exactly those.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
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
	return run(ctx, os.Args[1:], os.LookupEnv, stdio{os.Stdin, os.Stdout, os.Stderr})
}

// run carries out one command line.
func run(ctx context.Context, args []string, env func(string) (string, bool), io stdio) int {
	a := &app{env: env, io: io}
	cmd := a.root()
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return a.exit(err)
}
