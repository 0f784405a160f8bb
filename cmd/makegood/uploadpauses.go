package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// brake is makegood pause and makegood resume, for the pages of makegood serve.
type brake struct {
	*app
	cfg *config.Config
}

var _ upload.Brake = brake{}

// Pauses implements upload.Brake. Nothing is changed.
func (b brake) Pauses(ctx context.Context) (list []upload.Pause, err error) {
	err = b.pastOf(ctx, b.cfg, nil, func(led *ledger.Reader, zone *time.Location) error {
		if led.Absent() {
			return nil
		}
		words, err := b.pauses(ctx, led)
		for _, w := range words {
			list = append(list, upload.Pause{Target: b.named(w), Text: pausedJSON{w.Target, w.At, w.Until, w.Who, w.Note}.words(zone)})
		}
		return err
	})
	return list, err
}

// named is what people call what a pause is of; a trial that charges nobody is in
// the ledger under a name of its own.
func (b brake) named(w reconcile.Word) string {
	switch before, _, _ := strings.Cut(w.Target, "."); {
	case w.Target == "":
		return upload.Everything
	case b.cfg.Targets[w.Target] != nil:
		return w.Target
	case b.cfg.Targets[before] != nil:
		return before
	}
	return ""
}

// Say implements upload.Brake: it is the command itself.
func (b brake) Say(ctx context.Context, w upload.Word) error {
	one := b.apart(io.Discard)
	if err := one.startLog(); err != nil {
		return err
	}
	f := &wordFlags{who: w.Who, note: w.Note}
	var err error
	if w.Resume {
		err = one.resume(ctx, f, w.Target)
	} else {
		err = one.pause(ctx, f, w.Target, w.Until)
	}
	return pageWords(err)
}

// ofThePage says of a field what a command says of a flag.
var ofThePage = strings.NewReplacer("--note and --who are", "the reason is", "hold no addresses", "holds no addresses", "--note or --who", "the reason",
	"--note", "the reason", "--until", "the end", "; makegood pause lists what is", "", "change the ledger: there is none yet", "there is no ledger yet")

// pageWords makes what a person did wrong an error that the page shows.
func pageWords(err error) error {
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		return &upload.Refused{Text: sentenceOf(ofThePage.Replace(reports.Mask(usage.err.Error())))}
	case errors.Is(err, errNoLedgerYet):
		return &upload.Refused{Text: sentenceOf(ofThePage.Replace(errNoLedgerYet.Error()))}
	}
	return err
}
