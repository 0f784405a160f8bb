// Package sinks opens the targets of a configuration: one switch over their
// types, and the decorators that every target wears.
package sinks

import (
	"context"
	"fmt"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks/collect"
	"makegood/sinks/emanage"
	"makegood/sinks/file"
	"makegood/sinks/httpapi"
	"makegood/sinks/rokt"
	"makegood/sinks/roktads"
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
	// Zone is that of the day in the name of a file; nil is UTC.
	Zone *time.Location
	// Dial opens the platform's connections; nil is the network.
	Dial httpapi.Dial
	// Watch is a person who looks on.
	Watch httpapi.Watch
	heard func(httpapi.Word) // by the pace
	// Pace is that of the target where several runs send to it at once or one after
	// the other; nil: this one has a pace of its own.
	Pace *Pace
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
	pace := o.Pace
	if pace == nil {
		pace = PaceOf(t)
	}
	o.heard = pace.Hear
	platform, err := open(t, o, pace)
	if err != nil {
		return nil, nil, fmt.Errorf("open target %s: %w", t.Name, err)
	}
	sink := Still(VAT(Late(platform, latenessOf(t)), o.VAT), o.lastLook())
	waits := make([]time.Duration, len(t.ProbeAfter))
	for i, d := range t.ProbeAfter {
		waits[i] = time.Duration(d)
	}
	fuse := NewFuse(Retry(Limit(sink, pace), RetryOptions{Random: o.Random}), FuseOptions{ProbeAfter: waits, StopOnDoubt: t.Type == "emanage"})
	fuse.close = platform.Close
	if b, ok := platform.(interface{ Begin(context.Context) error }); ok {
		fuse.begin = b.Begin
	}
	return fuse, fuse, nil
}

// PaceOf is the pace that a target's configuration allows.
func PaceOf(t *config.Target) *Pace { return NewPace(t.Rate.PerSecond, t.Reserve.Fraction()) }

func latenessOf(t *config.Target) Lateness {
	if t.MarkLate == nil {
		return Lateness{}
	}
	return Lateness{After: time.Duration(t.MarkLate.After), Field: t.MarkLate.Field, Value: t.MarkLate.Value}
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
	case "file":
		return file.New(fileOptions(t, o))
	case "emanage":
		return openEmanage(t, o)
	case "rokt":
		return rokt.New(roktOptions(t, o))
	case "rokt_ads":
		return roktads.New(roktAdsOptions(t, o, pace))
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
	if t.BatchAnswer != "unknown" {
		options.BatchAnswer = squeezely.BatchAnswer(t.BatchAnswer)
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
	if t.Identity != "email" {
		options.Identity = collect.Identity(t.Identity)
	}
	if t.ClearForm == "nested" {
		options.Clear = collect.ClearNested
	}
	return options
}

func fileOptions(t *config.Target, o Options) file.Options {
	options := file.Options{
		Name: t.Name, Path: t.Path, Zone: o.Zone, Batch: t.Batch, MaxAge: time.Duration(t.MaxAge),
		Value: reconcile.ValueOf(t.Value), OrderID: o.OrderID, Clock: o.Clock,
	}
	if t.Format == "csv" {
		options.Format = file.CSV
	}
	if t.EmailForm != "plain" {
		options.Email = file.EmailForm(t.EmailForm)
	}
	return options
}

func roktOptions(t *config.Target, o Options) rokt.Options {
	return rokt.Options{
		Name: t.Name, URL: t.URL, Key: t.APIKey.Reveal(), Tag: t.TagID.Reveal(), Session: t.RoktSession, Cart: t.RoktCart,
		Item: rokt.ItemColumn(t.CartItem), MaxAge: time.Duration(t.MaxAge), OrderID: o.OrderID, HTTP: httpOptions(t, o),
	}
}

func roktAdsOptions(t *config.Target, o Options, pace *Pace) roktads.Options {
	options := roktads.Options{
		Name: t.Name, URL: t.URL, API: roktads.API(t.API), Key: t.APIKey.Reveal(), Secret: t.APISecret.Reveal(),
		Account: t.Account, Environment: t.Marked, Test: t.Test, Type: t.ConversionType, Batch: t.Batch,
		MergesRepeats: t.Merges(), MaxAge: time.Duration(t.MaxAge), Value: reconcile.ValueOf(t.Value), Path: t.Path, Zone: o.Zone,
		OrderID: o.OrderID, Pace: pace.Wait, Fit: o.lastLook(), HTTP: httpOptions(t, o),
	}
	for _, id := range t.Identities {
		options.Identities = append(options.Identities, roktads.Identity(id))
	}
	return options
}

// openEmanage makes a sink that sends nothing in shadow, test carts in trial, and
// carts that charge when live.
func openEmanage(t *config.Target, o Options) (platform, error) {
	options := emanage.Options{
		Name: t.Name, URL: t.URL, CID: t.CID.Reveal(), WebKey: t.WebKey.Reveal(), Behavior: t.BehaviorID,
		Use:          map[string]emanage.Use{config.ModeTrial: emanage.Test, config.ModeLive: emanage.Real}[t.Mode],
		TestSessions: t.TestSessions, SessionField: t.SessionField, AnyText: t.TextAnswers, MaxAge: time.Duration(t.MaxAge),
		MaxCharge: map[string]reconcile.Decimal{}, HTTP: httpOptions(t, o),
	}
	for currency, text := range t.MaxCharge {
		most, err := reconcile.ParseDecimal(string(text))
		if err != nil {
			return nil, fmt.Errorf("read max_charge of %s: %w", currency, err)
		}
		options.MaxCharge[currency] = most
	}
	for _, kind := range t.Send {
		options.Send = append(options.Send, reconcile.Action(kind))
	}
	return emanage.New(options)
}

func httpOptions(t *config.Target, o Options) httpapi.Options {
	return httpapi.Options{Timeout: time.Duration(t.Timeout), Connections: t.Concurrency, Clock: o.Clock, Dial: o.Dial, Heard: o.heard, Watch: o.Watch}
}
