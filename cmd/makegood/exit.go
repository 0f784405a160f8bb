package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// Exit codes. Those of a refused plan are reconcile's.
const (
	exitDone   = 0
	exitLeft   = 1
	exitPerson = 2
	exitFailed = 3
	exitUsage  = 64
	exitConfig = 78
)

// usageError is a command line that cannot be understood.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nsee: %s --help", e.err, e.command)
}
func (e *usageError) Unwrap() error { return e.err }

// configError is a configuration that cannot be used.
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }

// notReady lists everything that live destinations lack.
type notReady []config.Requirement

func (n notReady) Error() string {
	var b strings.Builder
	b.WriteString("not ready to go live; nothing was sent:")
	for _, r := range n {
		b.WriteString("\n  " + r.String())
	}
	return b.String()
}

// exit turns what a command ended with into an exit code, and says it.
func (a *app) exit(err error) int {
	if err == nil {
		return a.code
	}
	err = advised(err)
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "stopped before the end; the same command goes on from here"
	}
	var conf *configError
	if !errors.As(err, &conf) { // what is wrong in a configuration comes from no shop's rows
		text = reports.Mask(text)
	}
	a.complain(text)
	var refused *reconcile.PlanRefused
	if errors.As(err, &refused) {
		for _, m := range refused.Moved {
			fmt.Fprintln(a.io.err, "  "+hideKeys(reports.Mask(m)))
		}
	}
	return codeOf(err)
}

func codeOf(err error) int {
	var refused *reconcile.PlanRefused
	var usage *usageError
	var conf *configError
	var lacking notReady
	var renamed *reconcile.ShopRenamed
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command"):
		return exitUsage
	case errors.As(err, &conf), errors.As(err, &lacking), errors.As(err, &renamed):
		return exitConfig
	case errors.As(err, &refused):
		return refused.Code
	case errors.Is(err, context.Canceled):
		return exitLeft
	}
	return exitFailed
}

// resultCode is the exit code of a run.
func resultCode(r reconcile.Result) int {
	if r.Err != nil {
		return codeOf(r.Err)
	}
	code := exitDone
	for _, need := range r.Needs() {
		if need.What == reconcile.NeedFailed {
			return exitFailed
		}
		if r.Urgent(need) {
			code = exitPerson
		}
	}
	if code == exitDone && (anythingLeft(r) || errors.Is(r.Err, context.Canceled)) {
		return exitLeft
	}
	return code
}

// noRunEnds are reasons for being left that time or somebody else ends.
var noRunEnds = []reconcile.Reason{reconcile.ReasonShadow, reconcile.ReasonTrial, reconcile.ReasonShadowPeriod, reconcile.ReasonTooYoung, reconcile.ReasonPaymentPending, reconcile.ReasonPaused}

// anythingLeft reports whether the next run has something to end. What shadow
// would have sent, what is too young, and what is not paid yet, is not it.
func anythingLeft(r reconcile.Result) bool {
	for _, t := range r.Targets {
		for _, p := range t.Balance.Reasons() {
			waits := p.Bucket == reconcile.BucketLeft && !slices.Contains(noRunEnds, p.Reason)
			if waits || p.Bucket == reconcile.BucketInDoubt {
				return true
			}
		}
	}
	return false
}

// version is the module's version as the build recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
