package simulation

import (
	"context"
	"slices"
	"time"

	"makegood/reconcile"
)

// history is what was seen of one event at the ledger's door, and what its
// entry must be therefore.
type history struct {
	state  reconcile.State
	prior  reconcile.State  // before the claim
	holder *process         // of the newest claim
	digest reconcile.Digest // of the newest claim that was not given back
	before reconcile.Digest // of the one before it
	not    time.Time        // not to be claimed before
	by     reconcile.By

	unclear int  // claims that ended without a clear answer, or did not end
	words   int  // how often a person reopened it
	unknown bool // which state it is in cannot be said from outside
}

func (w *world) history(at spot) *history {
	if w.histories[at] == nil {
		w.histories[at] = &history{}
	}
	return w.histories[at]
}

func spotOf(name string, id reconcile.EventID) spot {
	key, err := id.Key()
	if err != nil {
		panic(err)
	}
	return spot{name, key.Order, id.Revision()}
}

// lives reports whether others must take a process for alive. After a jump of
// the clock nobody can say.
func (p *process) lives() bool { return !p.dead && !p.ended && !p.over }

// sawClaim judges a claim by what was seen before.
func (w *world) sawClaim(p *process, name string, e reconcile.Event) {
	at := spotOf(name, e.ID)
	h := w.history(at)
	t := w.target(name)
	w.tracef("%s claims %v, which is %q", p.name, at, h.state)
	prior := h.state
	if prior == reconcile.StateClaimed {
		if h.holder.lives() && h.holder.jumps == w.jumps && !h.holder.fate.mute {
			w.violate("%s claims %v, which %s holds and is alive", p.name, at, h.holder.name)
		}
		prior, h.unclear = reconcile.StateDoubtful, h.unclear+1
	}
	switch prior {
	case reconcile.StateDone:
		w.violate("%s claims %v, which is done", p.name, at)
	case reconcile.StateDoubtful:
		if !t.platform.merges {
			w.violate("%s claims %v, which is in doubt, and %s does not merge repeats", p.name, at, name)
		}
	case reconcile.StateRefused:
		if h.digest == e.Facts.Digest {
			w.violate("%s claims %v, which was refused and has not changed", p.name, at)
		}
	case reconcile.StateOpen:
		if h.not.After(p.newest) {
			w.violate("%s claims %v at %s, before %s", p.name, at, p.newest, h.not)
		}
	}
	w.judgeShop(p, at, e)
	if at.version > 1 {
		w.judgeCorrection(p, at, prior, e)
	}
	h.before, h.digest = h.digest, e.Facts.Digest
	h.state, h.prior, h.holder, h.unknown = reconcile.StateClaimed, prior, p, false
}

// judgeCorrection wants a correction to follow something that was sent, and to
// say something new.
func (w *world) judgeCorrection(p *process, at spot, prior reconcile.State, e reconcile.Event) {
	last := at
	last.version--
	was := w.history(last)
	switch {
	case !w.target(at.target).resend:
		w.violate("%s claims %v, and changes are not to be sent", p.name, at)
	case was.state != reconcile.StateDone:
		w.violate("%s claims %v, and the version before it is %q", p.name, at, was.state)
	case prior == reconcile.StateAbsent && was.digest == e.Facts.Digest:
		w.violate("%s claims %v, which corrects nothing", p.name, at)
	}
}

// judgeShop wants an event to be what the shop said when the process read it.
func (w *world) judgeShop(p *process, at spot, e reconcile.Event) {
	o := p.orders[at.order]
	switch {
	case o == nil || !o.counts():
		w.violate("%s claims %v, which is no order", p.name, at)
	case o.hold() != "":
		w.violate("%s claims %v, which is held back: %s", p.name, at, o.hold())
	case o.source.Digest != e.Facts.Digest:
		w.violate("%s claims %v as it was before it changed", p.name, at)
	case w.target(at.target).evidence && w.sentBeside[at]:
		w.violate("%s claims %v, and the log says that it was sent", p.name, at)
	}
}

// judgeRequest wants nothing to be asked that must not be any more. It tells
// which event was sent: of the versions that the process claimed the newest.
func (w *world) judgeRequest(p *process, to *platform, m message) (at spot) {
	for _, v := range w.versions(w.target(to.name), m.order) {
		if at.version == 0 || w.history(v).holder == p {
			at = v
		}
	}
	now := p.clock()
	o := p.orders[m.order]
	if o == nil {
		w.violate("%s sends %v, which the shop does not have", p.name, at)
		return at
	}
	if since, is := w.erased[o.email]; is && time.Since(since) > 2*time.Second && w.jumps == p.jumps {
		w.violate("%s sends %v to %s, who was erased %s ago", p.name, at, o.email, time.Since(since))
	}
	if most := time.Duration(w.target(to.name).config.MaxAge); most > 0 && w.jumps == p.jumps && now.Sub(o.completed) > most+time.Second {
		w.violate("%s sends %v, which is %s old", p.name, at, now.Sub(o.completed))
	}
	if h := w.history(at); h.state != reconcile.StateClaimed || h.holder != p {
		w.violate("%s sends %v without a claim", p.name, at)
	}
	return at
}

// sawSettle says what becomes of an entry.
func (w *world) sawSettle(p *process, name string, o reconcile.Outcome, repeats []reconcile.EventID) {
	at := spotOf(name, o.ID)
	h := w.history(at)
	verdict := o.Verdict
	unsure := func(a reconcile.Attempt) bool { return a.Verdict == reconcile.InDoubt || a.Verdict == reconcile.Sent }
	if verdict != reconcile.Sent && verdict != reconcile.Rejected && slices.ContainsFunc(o.Attempts, unsure) {
		verdict = reconcile.InDoubt
	}
	mine := h.state == reconcile.StateClaimed && h.holder == p
	w.tracef("%s settles %v as %s (%s), repeats %v, mine %v", p.name, at, verdict, o.Why, repeats, mine)
	w.judgeVerdict(p, at, verdict)
	if !mine {
		if verdict == reconcile.Sent {
			h.late(w)
		}
		return
	}
	h.settled(verdict, o)
	p.counted[at] = verdict
}

// late is what becomes of an entry when another run than its holder's says that
// the event was accepted.
func (h *history) late(w *world) {
	switch {
	case h.state == reconcile.StateDoubtful, h.state == reconcile.StateClaimed && !h.holder.lives():
		h.state, h.by = reconcile.StateDone, reconcile.BySentHere
	case h.state == reconcile.StateClaimed && (h.holder.jumps != w.jumps || h.holder.fate.mute):
		h.unknown = true // by a clock that jumped the holder may be dead
	}
}

// settled is what the outcome of its holder makes of an entry.
func (h *history) settled(verdict reconcile.Verdict, o reconcile.Outcome) {
	doubtful := h.prior == reconcile.StateDoubtful
	switch verdict {
	case reconcile.Sent:
		h.state, h.by = reconcile.StateDone, reconcile.BySentHere
	case reconcile.Rejected:
		h.state = reconcile.StateRefused
	case reconcile.Retryable:
		h.state, h.not = reconcile.StateOpen, o.NotBefore
		if doubtful {
			h.state = reconcile.StateDoubtful
		}
	case reconcile.Unsent:
		h.digest = h.before
		if h.state = h.prior; h.prior == reconcile.StateAbsent {
			h.state = reconcile.StateOpen
		}
	default:
		h.state = reconcile.StateDoubtful
		h.unclear++
	}
}

// judgeVerdict compares what is said of an attempt with what the platform
// knows of it.
func (w *world) judgeVerdict(p *process, at spot, v reconcile.Verdict) {
	t := w.target(at.target)
	made := slices.DeleteFunc(slices.Clone(t.platform.requests[at]), func(r *request) bool { return r.by != p })
	accepted := slices.ContainsFunc(made, func(r *request) bool { return r.accepted })
	open := slices.ContainsFunc(made, func(r *request) bool { return !r.clear || !r.arrived })
	switch {
	case v == reconcile.Sent && !accepted:
		w.violate("%s settles %v as sent, which was not accepted", p.name, at)
	case v != reconcile.Sent && v != reconcile.InDoubt && accepted:
		w.violate("%s settles %v as %s, which was accepted", p.name, at, v)
	case v == reconcile.InDoubt && !open:
		w.violate("%s settles %v as in doubt, and every answer was clear", p.name, at)
	}
}

// sawAdoption says what evidence makes of an entry.
func (w *world) sawAdoption(name string, a reconcile.Adoption) {
	at := spotOf(name, a.Want.ID)
	h := w.history(at)
	w.tracef("adoption of %v, which is %q", at, h.state)
	if !w.sentBeside[at] {
		w.violate("%v is adopted, and nobody recorded it", at)
	}
	if h.state == reconcile.StateAbsent || h.state == reconcile.StateOpen {
		h.state, h.by = reconcile.StateDone, a.By
	}
}

// judgeRepeat wants an older doubt in the ledger when something is accepted
// again. It is called at the moment of the acceptance.
func (w *world) judgeRepeat(p *platform, at spot) {
	h := w.history(at)
	times := len(p.book[at])
	if !p.merges {
		if times > 1+h.words {
			w.violate("%v was accepted %d times, and a person reopened it %d times", at, times, h.words)
		}
		return
	}
	if doubts := w.doubtsOf(at); doubts < times-1 {
		w.violate("%v was accepted %d times, and the ledger holds %d attempts in doubt", at, times, doubts)
	}
}

// doubtsOf counts the attempts in doubt that the ledger holds of an event.
func (w *world) doubtsOf(at spot) (n int) {
	id := eventOf(at)
	made, err := w.reader().Made(context.Background(), at.target, []reconcile.EventID{id})
	if err != nil {
		w.violate("read the attempts: %v", err)
	}
	for _, a := range made[id] {
		if a.Verdict == reconcile.InDoubt {
			n++
		}
	}
	return n
}

func eventOf(at spot) reconcile.EventID {
	id := reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: at.order})
	if at.version > 1 {
		return id.Revised(at.version)
	}
	return id
}
