package simulation

import (
	"math/big"
	"slices"
	"time"

	"makegood/reconcile"
)

// check compares the ledger with what was seen at its door, and with the
// platforms' books. No process is at work.
func (w *world) check() {
	entries := w.entries()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.targets {
		if t.platform.followed > 0 {
			w.violate("%d redirects of %s were followed", t.platform.followed, t.platform.name)
		}
		for _, o := range w.shop.orders {
			for _, at := range w.versions(t, o.id) {
				w.judgeEntry(at, entries[at])
			}
		}
	}
}

func (w *world) judgeEntry(at spot, e reconcile.Entry) {
	h := w.history(at)
	want := h.state
	if want == reconcile.StateClaimed {
		if p := h.holder; p.ended && !p.dead && p.err == nil {
			w.violate("%s ended well and left its claim of %v", p.name, at)
		}
		want = reconcile.StateDoubtful
	}
	if e.State != want && !h.unknown {
		w.violate("the entry of %v is %q, and by what was seen it must be %q", at, e.State, want)
	}
	switch e.State {
	case reconcile.StateDone:
		w.judgeDone(at, h, e)
	case reconcile.StateDoubtful:
		w.judgeDoubt(at, h)
	case reconcile.StateRefused:
		clear := func(r *request) bool { return r.clear && r.arrived && !r.accepted }
		if !slices.ContainsFunc(w.target(at.target).platform.requests[at], clear) {
			w.violate("%v is refused, and the platform never said so", at)
		}
	}
	if was, is := w.done[at]; is && (e.State != reconcile.StateDone || e.By != was.By || rat(e.Value.Amount).Cmp(rat(was.Value.Amount)) != 0) {
		w.violate("%v was done by %s with %s, and is %s by %s with %s now", at, was.By, was.Value.Amount, e.State, e.By, e.Value.Amount)
	}
}

// judgeDone wants somebody to stand for what is done, and the ledger's money to
// be the platform's.
func (w *world) judgeDone(at spot, h *history, e reconcile.Entry) {
	book := w.target(at.target).platform.book[at]
	if _, known := w.done[at]; !known {
		w.done[at] = e
	}
	switch e.By {
	case reconcile.BySentHere:
		same := func(a acceptance) bool { return a.by != integration && a.money.Cmp(rat(e.Value.Amount)) == 0 }
		if !slices.ContainsFunc(book, same) {
			w.violate("%v is sent here for %s, which the platform did not accept: %v", at, e.Value.Amount, book)
		}
	case reconcile.ByProven:
		if !w.sentBeside[at] {
			w.violate("%v is proven, and nobody recorded it", at)
		}
	case reconcile.ByAssumed:
		if h.by != reconcile.ByAssumed {
			w.violate("%v is assumed, and nobody said so", at)
		}
	default:
		w.violate("%v is done by %q", at, e.By)
	}
}

// judgeDoubt wants a doubt to have a cause: an answer that was lost or said
// nothing, or a process that could not write down what came back.
func (w *world) judgeDoubt(at spot, h *history) {
	lost := func(r *request) bool { return !r.clear || !r.arrived }
	open := slices.ContainsFunc(w.target(at.target).platform.requests[at], lost)
	if !open && h.unclear == 0 && h.state != reconcile.StateClaimed && !h.unknown {
		w.violate("%v is in doubt without a cause", at)
	}
}

func rat(d *reconcile.Decimal) *big.Rat {
	if d == nil {
		return new(big.Rat)
	}
	r, _ := new(big.Rat).SetString(d.String())
	return r
}

// judgeEnd wants every order to have come to its end, after nights on which
// all was well. What was held back until it had left the period that is read
// again waits for a person to ask for it.
func (w *world) judgeEnd(p *process, req reconcile.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.targets {
		for _, o := range w.shop.orders {
			if !w.wants(t, o) || w.holds(p, t, o) != "" || o.mended && req.From.IsZero() {
				continue
			}
			w.judgeOrder(spot{t.platform.name, o.id, 1}, o)
			if t.resend && !req.From.IsZero() {
				w.judgeVersions(t, o)
			}
		}
	}
	for _, tr := range p.result.Targets {
		if left := tr.Balance.Of(reconcile.BucketLeft); left.Events > 0 {
			w.violate("%s has %d left after good nights", tr.Target, left.Events)
		}
	}
}

func (w *world) judgeOrder(at spot, o *order) {
	t := w.target(at.target)
	h := w.history(at)
	switch h.state {
	case reconcile.StateDone:
		if len(t.platform.book[at]) == 0 && h.by != reconcile.ByAssumed {
			w.violate("%v is done and was never accepted", at)
		}
	case reconcile.StateRefused:
		if !o.cursed && h.digest == o.source.Digest && len(t.platform.requests[at]) == 0 {
			w.violate("%v is refused, and nobody asked", at)
		}
	case reconcile.StateDoubtful, reconcile.StateClaimed:
		if t.platform.merges {
			w.violate("%v is in doubt after good nights at a platform that merges repeats", at)
		}
	default:
		w.violate("%v is lost: %q", at, h.state)
	}
}

// judgeVersions wants the platform to know an order as it is now, where changes
// are sent again and nobody else has spoken of it.
func (w *world) judgeVersions(t *target, o *order) {
	versions := w.versions(t, o.id)
	for _, at := range versions {
		if h := w.history(at); h.state == reconcile.StateDone && h.by != reconcile.BySentHere {
			return
		}
	}
	at := versions[len(versions)-1]
	if h := w.history(at); h.state == reconcile.StateDone && h.digest != o.source.Digest {
		w.violate("%v is what the platform knows, and the order has changed since", at)
	}
	if h := w.history(at); h.state != reconcile.StateDone && h.state != reconcile.StateRefused {
		w.violate("%v is lost: %q", at, h.state)
	}
}

// wants reports whether an order is for a target at all.
func (w *world) wants(t *target, o *order) bool {
	channels := t.config.Channels
	return o.counts() && !o.completed.Before(w.since) && (len(channels) == 0 || slices.Contains(channels, o.channel))
}

// holds is why a process must hold an order back, "" when it must not.
func (w *world) holds(p *process, t *target, o *order) reconcile.Reason {
	if hold := o.hold(); hold != "" {
		return hold
	}
	most := time.Duration(t.config.MaxAge)
	_, erased := w.erased[o.email]
	switch {
	case erased:
		return reconcile.ReasonSuppressed
	case most > 0 && p.result.Started.Sub(o.completed) > most:
		return reconcile.ReasonTooOld
	}
	return ""
}
