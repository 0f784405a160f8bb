// Package sinks opens the targets of a configuration: one switch over their
// types, and the decorators that every target wears.
package sinks

import (
	"fmt"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks/collect"
	"makegood/sinks/httpapi"
	"makegood/sinks/squeezely"
)

// Options are what a target needs beside its configuration. The zero value
// works.
type Options struct {
	// OrderID gives the number that the platform's front end uses; nil is the
	// order's own.
	OrderID func(reconcile.Head) (string, error)
	// VAT converts the money of sources, by their names.
	VAT map[string]Conversion
	// Fit is asked about each event right before it is sent, after all waiting:
	// the reason why it must not go any more, or "". Age is always asked for.
	Fit func(reconcile.Event) reconcile.Reason
	// Clock is the time of attempts and ages; nil is time.Now.
	Clock func() time.Time
	// Dial opens the platform's connections; nil is the network.
	Dial httpapi.Dial
	// Random spreads the pauses before repeats: from 0 up to 1; nil is math/rand.
	Random func() float64
}

// Open makes the sink of a target: fuse before retry before rate before a last
// look at each event before the platform. It opens no connection. The sink is
// the fuse, which is for one run; Fuse.Close ends its connections.
func Open(t *config.Target, o Options) (reconcile.Sink, *Fuse, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	pace := NewPace(t.Rate.PerSecond)
	platform, err := open(t, o, pace)
	if err != nil {
		return nil, nil, fmt.Errorf("open target %s: %w", t.Name, err)
	}
	sink := Still(VAT(platform, o.VAT), o.lastLook())
	waits := make([]time.Duration, len(t.ProbeAfter))
	for i, d := range t.ProbeAfter {
		waits[i] = time.Duration(d)
	}
	fuse := NewFuse(Retry(Limit(sink, pace), RetryOptions{Random: o.Random}), FuseOptions{ProbeAfter: waits})
	fuse.close = platform.Close
	return fuse, fuse, nil
}

// lastLook asks about age, and what the lane asks.
func (o Options) lastLook() func(reconcile.Event) reconcile.Reason {
	inTime := InTime(o.Clock)
	return func(e reconcile.Event) reconcile.Reason {
		reason := inTime(e)
		if reason == "" && o.Fit != nil {
			reason = o.Fit(e)
		}
		return reason
	}
}

// platform is a sink that keeps connections.
type platform interface {
	reconcile.Sink
	Close()
}

func open(t *config.Target, o Options, pace *Pace) (platform, error) {
	switch t.Type {
	case "squeezely", "spotler":
		return squeezely.New(squeezelyOptions(t, o, pace))
	case "collect":
		return collect.New(collectOptions(t, o))
	}
	return nil, fmt.Errorf("type %q is not known", t.Type)
}

func squeezelyOptions(t *config.Target, o Options, pace *Pace) squeezely.Options {
	options := squeezely.Options{
		Name: t.Name, URL: t.URL, Account: t.Account, Key: t.APIKey.Reveal(),
		Batch: t.Batch, CountsRepeats: !t.Merges(),
		MaxAge: time.Duration(t.MaxAge), Language: t.Language, Value: reconcile.ValueOf(t.Value),
		OrderID: o.OrderID, Pace: pace.Wait, Fit: o.lastLook(), HTTP: httpOptions(t, o),
	}
	if t.EmailForm == "sha256" {
		options.Email = squeezely.EmailSHA256
	}
	if t.ProfileFields != "never" {
		options.Profile = squeezely.ProfileFields(t.ProfileFields)
	}
	return options
}

func collectOptions(t *config.Target, o Options) collect.Options {
	options := collect.Options{
		Name: t.Name, URL: t.URL, MID: t.MID, Suffix: t.PathSuffix,
		Cart: map[string]collect.CartRule{}, Margin: time.Duration(t.ClockMargin),
		CartURL: t.CartURL, ClearURL: t.ClearURL,
		MaxAge: time.Duration(t.MaxAge), Value: reconcile.ValueOf(t.Value),
		OrderID: o.OrderID, HTTP: httpOptions(t, o),
	}
	for _, kind := range t.Send {
		options.Send = append(options.Send, reconcile.Action(kind))
	}
	for channel, rule := range t.Cart {
		options.Cart[channel] = collect.CartRule{
			KnownBy: collect.KnownBy(rule.KnownBy), Source: rule.Source, MaxAge: t.ClearAge(channel),
		}
	}
	if t.Identity == "email_sha256" {
		options.Identity = collect.IdentitySHA256
	}
	if t.ClearForm == "nested" {
		options.Clear = collect.ClearNested
	}
	return options
}

func httpOptions(t *config.Target, o Options) httpapi.Options {
	return httpapi.Options{Timeout: time.Duration(t.Timeout), Connections: t.Concurrency, Clock: o.Clock, Dial: o.Dial}
}
