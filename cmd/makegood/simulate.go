package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"makegood/sinks/simulator"
)

func (a *app) simulateCommand() *cobra.Command {
	var listen string
	var faults []string
	var quota string
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Run the platforms on this machine, to try things out",
		Long: `Runs faithful stand-ins of the platforms on one local address. Everything that
they are sent can be looked at: the page / in a browser, which also says what
each platform believes about one customer and whether an abandoned-cart mail
would go out; /_sim/state as JSON, /_sim/requests as JSON lines. Faults can be switched on with --fault, and while
it runs by POST /_sim/faults.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood simulate --listen 127.0.0.1:8099
  makegood simulate --fault drop=2% --fault delay=5ms
  makegood simulate --fault status=404@/v1/track`,
		RunE: func(c *cobra.Command, _ []string) error {
			var options simulator.Options
			if quota != "" {
				var err error
				if options.Quota, err = simulator.ParseQuota(quota); err != nil {
					return &usageError{command: c.CommandPath(), err: err}
				}
			}
			sim := simulator.New(options)
			var parsed []simulator.Fault
			for _, text := range faults {
				f, err := simulator.ParseFault(text)
				if err != nil {
					return &usageError{command: c.CommandPath(), err: err}
				}
				parsed = append(parsed, f)
			}
			if err := sim.SetFaults(parsed...); err != nil {
				return &usageError{command: c.CommandPath(), err: err}
			}
			return a.simulate(c.Context(), sim, listen)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8099", "`ADDRESS` to listen on; port 0 takes a free one")
	c.Flags().StringArrayVar(&faults, "fault", nil, "a fault, such as drop=2%, status=500, hang=1% (may be repeated)")
	c.Flags().StringVar(&quota, "quota", "", "a `LIMIT` that the platforms announce in their answers, such as 100/1m")
	return c
}

func (a *app) simulate(ctx context.Context, sim *simulator.Simulator, listen string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("%w; name another address with --listen, or port 0 for a free one", err)
	}
	server := sim.Server(l.Addr().String())
	fmt.Fprintf(a.io.out, "the platforms answer at http://%s, until Ctrl-C\n", l.Addr())
	go func() {
		<-ctx.Done()
		sim.Close()
		bound, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(bound) // the process ends anyway
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}
