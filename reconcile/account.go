package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// account counts where the steps of one target's plan end. It starts from the
// balance of what the plan does not send. Safe for concurrent use.
type account struct {
	mu      sync.Mutex
	result  *TargetResult
	open    map[OrderKey]mates
	left    map[string]time.Time // by source: the earliest order that is left
	failure error                // arithmetic that overflowed, or the ledger's
	// keep writes decisions into the ledger; nil: they are not kept.
	keep    func([]Decision) error
	decided []Decision
	target  *Target        // nil: what expires is not counted
	seen    func(Decision) // Runner.Seen; nil: nobody is told
	clock   func() time.Time
}

// mates are the events of one order that have not all ended.
type mates struct {
	missing int
	worst   Place
}

func newAccount(result *TargetResult, left map[string]time.Time) *account {
	a := &account{result: result, open: map[OrderKey]mates{}, left: map[string]time.Time{}}
	for source, at := range left {
		a.left[source] = at
	}
	return a
}

// end counts one step. why tells a person what came back, "" when that is
// plain from the place.
func (a *account) end(s PlannedStep, p Place, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := &a.result.Balance
	if err := b.CountEvent(p, s.Event.Facts.CompletedAt, s.Event.ID.counted(s.Event.Value)); err != nil {
		a.failure = err
	}
	a.expire(s.Event, p)
	key, _ := s.Event.ID.Key() // ids in a plan were built by NewEventID
	m, known := a.open[key]
	if !known {
		m = mates{missing: s.Mates}
		if s.Beside != nil {
			m.worst = *s.Beside
		}
	}
	if p.Bucket != BucketSent || s.Event.ID.Revision() == 1 { // a corrected order stays already sent
		m.worst = Worse(m.worst, p)
	}
	if m.missing--; m.missing > 0 {
		a.open[key] = m
	} else {
		delete(a.open, key)
		b.CountOrder(m.worst)
	}
	a.note(s, p, why)
	a.tell(s, p, why)
	a.time(s, p)
	a.decide(s, p, why)
}

// time counts what was sent against the platform's mail.
func (a *account) time(s PlannedStep, p Place) {
	mail := &a.result.Mail
	if mail.After == 0 || p.Bucket != BucketSent {
		return
	}
	if a.clock().Sub(s.Event.Facts.CompletedAt) <= mail.After {
		mail.InTime++
		return
	}
	mail.Late++
}

// count completes the count when everything has ended: what is in scope and was
// neither sent now nor before was not sent.
func (m *MailTiming) count(b *Balance) {
	if m.After > 0 {
		m.NotSent = b.Eligible.Events - b.Of(BucketAlreadySent).Events - b.Of(BucketSent).Events
	}
}

// expire counts an event that is not over and soon cannot be sent any more.
func (a *account) expire(e Event, p Place) {
	if a.target == nil || !p.unfinished() {
		return
	}
	w := Want{ID: e.ID, Kind: e.Kind, Value: e.Value, Facts: e.Facts}
	if err := a.result.Expiring.note(w, a.target.maxAge(e.Kind), a.clock()); err != nil {
		a.failure = err
	}
}

// tell says where a step ended.
func (a *account) tell(s PlannedStep, p Place, why string) {
	if a.seen != nil {
		a.seen(a.decision(s, p, why))
	}
}

// decide notes why a step was not sent after all, where its entry does not say
// so.
func (a *account) decide(s PlannedStep, p Place, why string) {
	if a.keep == nil || p.Bucket != BucketLeft && p.Bucket != BucketHeldBack {
		return
	}
	if a.decided = append(a.decided, a.decision(s, p, why)); len(a.decided) == decideOnce {
		a.flush()
	}
}

func (a *account) decision(s PlannedStep, p Place, why string) Decision {
	d := Decision{Target: a.result.Target, Source: s.Event.Facts.Source, ID: s.Event.ID, Place: p, Detail: why, Value: s.Event.Value,
		CompletedAt: s.Event.Facts.CompletedAt, Mark: s.Event.Facts.Mark}
	if s.Origin != nil {
		d.Origin = *s.Origin
	}
	return d
}

// flush keeps what was decided; the caller holds the lock, or is alone.
func (a *account) flush() {
	if len(a.decided) == 0 || a.keep == nil {
		return
	}
	if err := a.keep(a.decided); err != nil {
		a.failure = errors.Join(a.failure, fmt.Errorf("keep what was decided: %w", err))
		a.keep = nil
	}
	a.decided = a.decided[:0]
}

func (a *account) note(s PlannedStep, p Place, why string) {
	if p.Bucket == BucketLeft && p.Reason != ReasonShadow {
		at := s.Event.Facts.CompletedAt
		if have, ok := a.left[s.Event.Facts.Source]; !ok || at.Before(have) {
			a.left[s.Event.Facts.Source] = at
		}
	}
	if p.Bucket == BucketSent {
		a.result.keepNewest(s.Event)
	}
	looked := a.target != nil && a.target.Mode == ModeTrial // at what a trial sent, too
	if p.Bucket == BucketSent && !looked || p.Bucket == BucketAlreadySent {
		return
	}
	ex := Example{Order: orderOf(s.Event.ID), Kind: s.Event.Kind, CompletedAt: s.Event.Facts.CompletedAt, Value: s.Event.Value, Text: why}
	if s.Origin != nil {
		ex.Origin = *s.Origin
	}
	a.result.Balance.Show(p, ex)
}

func (a *account) attempts(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.result.Attempts += n
}

// failed notes what kept some of the target's events from being judged.
func (a *account) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.result.Err == nil {
		a.result.Err = err
	}
}

func (a *account) repeats(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.result.Repeats += n
}

// placeOf gives the place where an outcome leaves its event. Like the ledger it
// takes nothing that may have been accepted for not sent.
func placeOf(o Outcome) Place {
	unsure := func(a Attempt) bool { return a.Verdict == InDoubt || a.Verdict == Sent }
	if (o.Verdict == Retryable || o.Verdict == Unsent) && slices.ContainsFunc(o.Attempts, unsure) {
		return Place{BucketInDoubt, ReasonNoAnswer}
	}
	switch o.Verdict {
	case Sent:
		return Place{BucketSent, ReasonSent}
	case Retryable:
		return Place{BucketLeft, ReasonRetryable}
	case Rejected:
		return Place{BucketRefused, ReasonRejected}
	case Unsent:
		switch o.Reason {
		case "":
			return Place{BucketLeft, ReasonInterrupted}
		case ReasonTooOld, ReasonSuppressed, ReasonNoCart, ReasonCartNewer, ReasonCartOrderUnknown, ReasonCartUnknown:
			return Place{BucketHeldBack, o.Reason}
		}
		return Place{BucketLeft, o.Reason}
	}
	return Place{BucketInDoubt, ReasonNoAnswer}
}
