package file

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/outfile"
)

// Format is how a line is written.
type Format string

// The formats.
const (
	JSONLines Format = "" // an object a line
	CSV       Format = "csv"
)

// EmailForm is how an address is written.
type EmailForm string

// The forms.
const (
	EmailPlain  EmailForm = ""       // as the source has it
	EmailSHA256 EmailForm = "sha256" // hexadecimal, of the trimmed lower-case address
	EmailNone   EmailForm = "none"   // not at all; orders without one are held back all the same
)

// Options of a Sink. Name and Path are required.
type Options struct {
	Name   string // of the target, in the ledger
	Path   string // of outfile.Options
	Format Format
	Zone   *time.Location // of the day in Path
	Batch  int            // events that are written and synced at once; 0 is 1

	MaxAge time.Duration // older orders are held back; 0: no limit
	Email  EmailForm
	Value  reconcile.ValueOf
	// OrderID gives the order's number as others know it; nil is the order's
	// own. An error holds the event back.
	OrderID func(reconcile.Head) (string, error)
	Clock   func() time.Time // nil is time.Now
}

// Sink is a reconcile.Sink that writes lines.
type Sink struct {
	options Options
	file    *outfile.Sender
}

// New makes a sink; no file is opened.
func New(o Options) (*Sink, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("a target needs a name")
	case o.Path == "":
		return nil, errors.New("a file target needs a path")
	}
	o.Batch = max(o.Batch, 1)
	if o.OrderID == nil {
		o.OrderID = func(h reconcile.Head) (string, error) { return h.Key.Order, nil }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	lines := outfile.Options{Path: o.Path, Zone: o.Zone, ID: idOfObject, Clock: o.Clock}
	if o.Format == CSV {
		lines.Header, lines.ID = columns, func(line []byte) string { return outfile.CSVCell(line, 0) }
	}
	s := &Sink{options: o}
	s.file = &outfile.Sender{File: outfile.New(lines), Line: s.line, Key: func(e reconcile.Event) string { return string(e.ID) }}
	return s, nil
}

// Close does nothing: no file stays open.
func (s *Sink) Close() {}

// Begin makes the book beside the file, so that a crash from now on can be
// looked into.
func (s *Sink) Begin(ctx context.Context) error { return s.file.Begin(ctx) }

// Name is the target's name.
func (s *Sink) Name() string { return s.options.Name }

// Traits speak of purchases. A repeat changes nothing, because a line that is
// there is not written again.
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {
		MaxBatch: s.options.Batch, MergesRepeats: true, MaxAge: s.options.MaxAge,
	}}
}

// Expect wants one purchase of every head, by the rules of every platform that
// knows people by their address.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	return []reconcile.Want{{
		ID:     reconcile.NewEventID(reconcile.KindPurchase, h.Key),
		Kind:   reconcile.KindPurchase,
		Person: reconcile.PersonOf(h),
		Value:  s.options.Value.Of(h),
		Facts:  reconcile.FactsOf(h),
		Hold:   reconcile.HoldOf(h, asOf, reconcile.HeadRules{MaxAge: s.options.MaxAge}),
	}}
}

// Send writes the batch as so many lines, all or none (outfile.Sender).
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	return s.file.Send(ctx, batch)
}

// Confirm looks for the lines of events. A line that is not there is no proof:
// only the next run knows when it would have been written.
func (s *Sink) Confirm(_ context.Context, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Answer, error) {
	answers := map[reconcile.EventID]reconcile.Answer{}
	for _, id := range ids {
		presence, err := s.file.Look(string(id), time.Time{})
		if err != nil {
			return nil, err
		}
		if presence == outfile.There {
			answers[id] = reconcile.AnswerYes
		}
	}
	return answers, nil
}

// VisibleAfter is no time at all: what is written can be read.
func (s *Sink) VisibleAfter() time.Duration { return 0 }

func idOfObject(line []byte) string {
	var l struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(line, &l) != nil {
		return ""
	}
	return l.ID
}

func (s *Sink) line(body []byte) ([]byte, error) {
	if s.options.Format != CSV {
		if strings.ContainsRune(string(body), '\n') || !json.Valid(body) {
			return nil, errors.New("the body is not one line of JSON")
		}
		return slices.Concat(body, []byte{'\n'}), nil
	}
	return row(body)
}
