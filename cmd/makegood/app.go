package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reports"
	"makegood/sinks/httpapi"
)

// defaultConfig is the configuration that commands look for by themselves.
const defaultConfig = "makegood.yaml"

// app is one start of the program: its surroundings, and what its commands
// found.
type app struct {
	env   func(string) (string, bool)
	io    stdio
	clock func() time.Time
	file  string // of the configuration
	log   *slog.Logger
	dial  httpapi.Dial // of the platforms; nil is the network
	code  int          // of a command that ended without an error of its own

	upload *uploadFolder // in place of a source's own files; nil: those

	built               *reports.Report // the one that was shown last
	logFormat, logLevel string
	running             atomic.Pointer[string] // the run that is under way, for the log
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "makegood",
		Short: "Find the purchases and cart clears that the platforms never received, and send exactly those",
		Long: `makegood reads completed orders and in-store checkouts, compares them with what
each destination was already sent, and sends exactly what is missing.

Start with:   makegood demo
Every night:  makegood run -c makegood.yaml`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.startLog() },
	}
	root.SetIn(a.io.in)
	root.SetOut(a.io.out)
	root.SetErr(a.io.err)
	root.PersistentFlags().StringVarP(&a.file, "config", "c", defaultConfig, "the configuration `FILE`")
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", logAuto, "`FORM` of the log on standard error: auto, pretty or json")
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "info", "the least `LEVEL` that is logged: debug, info, warn or error")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &usageError{command: c.CommandPath(), err: err} })
	root.AddGroup(&cobra.Group{ID: "daily", Title: "Daily:"}, &cobra.Group{ID: "outage", Title: "After an outage:"}, &cobra.Group{ID: "questions", Title: "Questions:"},
		&cobra.Group{ID: "setup", Title: "Set-up:"}, &cobra.Group{ID: "decisions", Title: "Decisions:"}, &cobra.Group{ID: "service", Title: "Service:"})
	root.AddCommand(
		a.runCommand(),
		a.planCommand(),
		a.applyCommand(),
		a.approveCommand(),
		a.acceptCommand(),
		a.decideCommand(),
		a.reportCommand(),
		a.runsCommand(),
		a.statusCommand(),
		a.gapsCommand(),
		a.backfillCommand(),
		a.resolveCommand(),
		a.sendCommand(),
		a.explainCommand(),
		a.verifyCommand(),
		a.compareCommand(),
		a.auditCommand(),
		a.ledgerCommand(),
		a.forgetCommand(),
		a.initCommand(),
		a.checkCommand(),
		a.notifyCommand(),
		a.adoptCommand(),
		a.demoCommand(),
		a.simulateCommand(),
		a.serveCommand(),
		a.workerCommand(),
		a.metricsCommand(),
		a.pauseCommand(),
		a.resumeCommand(),
		a.userCommand(),
		a.keyCommand(),
		a.uploadCommand(),
		a.versionCommand(),
	)
	return root
}

// terminal reports whether a person is likely to look at w right now.
func (a *app) terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// colours reports whether w may be coloured (https://no-color.org, TERM).
func (a *app) colours(w any) bool {
	return !a.noColour() && a.terminal(w)
}

func (a *app) noColour() bool {
	no, _ := a.env("NO_COLOR")
	terminal, _ := a.env("TERM")
	return no != "" || terminal == "dumb" // which shows them as text
}

// load reads the configuration.
func (a *app) load() (*config.Config, error) {
	cfg, err := config.Load(a.file, a.env)
	if _, gone := os.Stat(a.file); errors.Is(gone, fs.ErrNotExist) {
		return nil, &configError{fmt.Errorf("there is no configuration %s: name one with -c FILE; makegood demo makes one to start from", a.file)}
	}
	if err != nil {
		return nil, &configError{err}
	}
	return cfg, a.upload.into(cfg)
}

// arguments wraps a check of positional arguments so that its error counts as
// wrong usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return &usageError{command: c.CommandPath(), err: err}
		}
		return nil
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "makegood", version())
			return err
		},
	}
}
