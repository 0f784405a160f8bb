package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// EvidenceStale says that a target's evidence cannot be trusted.
type EvidenceStale struct{ Target, Text string }

// Error gives the text.
func (e *EvidenceStale) Error() string { return e.Text }

// checkEvidence stops the targets whose evidence is stale, far too small or
// unreadable: "nothing was sent" is never taken from it.
func (p *planner) checkEvidence(ctx context.Context) error {
	for _, t := range p.targets {
		orders, newest := 0, time.Time{}
		for _, f := range t.feeds {
			orders += f.eligible
			if f.newest.After(newest) {
				newest = f.newest
			}
		}
		for _, name := range p.unaccepted(t) {
			why, err := p.evidenceFault(ctx, name, orders, newest)
			if err != nil {
				return err
			}
			if why != "" {
				if err := p.stop(ctx, t, ReasonEvidenceStale, why+p.wayOn(name)); err != nil {
					return err
				}
			}
		}
		if why := p.evidenceUnmet(t); why != "" {
			if err := p.stop(ctx, t, ReasonEvidenceUnmet, why+wayThrough(p.unaccepted(t))); err != nil {
				return err
			}
		}
	}
	return nil
}

// EvidenceShare says how many orders the evidence of a target should know, and
// how many of them it does.
type EvidenceShare struct {
	Orders int `json:"orders"`
	Known  int `json:"known"`
}

// unaccepted lists the evidence of a target that no person let pass. What
// cannot be read at all cannot be let pass.
func (p *planner) unaccepted(t *targetPlan) []string {
	return slices.DeleteFunc(slices.Clone(t.Evidence), func(name string) bool {
		_, accepted := p.Accepted[name]
		return accepted && p.unread[name] == nil
	})
}

// wayOn names what can be done about evidence. Only what was read can be let
// pass.
func (p *planner) wayOn(name string) string {
	if p.unread[name] != nil {
		return "; correct the table, or evidence." + name + " of the configuration, and run again (--accept-evidence " + name + " lets pass only what can be read)"
	}
	return wayThrough([]string{name})
}

func wayThrough(names []string) string {
	return "; if that is right: --accept-evidence " + strings.Join(names, " --accept-evidence ") + ` --note "..."`
}

func (p *planner) evidenceFault(ctx context.Context, name string, orders int, newest time.Time) (string, error) {
	if err := p.unread[name]; err != nil {
		return err.Error(), nil
	}
	if newest.Before(p.evidence[name].CoversFrom) {
		return "", nil // it speaks of none of these orders
	}
	history, err := p.led.EvidenceDays(ctx, name)
	if err != nil {
		return "", fmt.Errorf("read the history of evidence %s: %w", name, err)
	}
	w := p.win
	if w.To.After(p.asOf) { // a day that is not over is not compared
		w.To = p.asOf
	}
	return p.evidence[name].stale(orders, newest, history, w, p.lists()), nil
}

// fewMeetings is how many orders evidence may be asked about without that it
// says anything of the numbers.
const fewMeetings = 20

// meetings count the orders of one channel that evidence could know.
type meetings struct {
	met, missed int
	stranger    string // the number of one that it does not know
}

func (m meetings) plus(o meetings) meetings {
	return meetings{m.met + o.met, m.missed + o.missed, max(m.stranger, o.stranger)}
}

// meetEvidence counts an order that evidence knows, or that it should know if
// nothing were missing.
func (p *planner) meetEvidence(t *targetPlan, f *feed, h Head, steps []Step) {
	asked := false
	for _, name := range t.Evidence {
		k := p.evidence[name]
		if k == nil || !k.speaksOf(h, t.shops) {
			continue
		}
		if _, has := k.orders[h.Key]; has {
			f.met[h.Channel] = f.met[h.Channel].plus(meetings{met: 1})
			return
		}
		asked = true
	}
	if asked && slices.ContainsFunc(steps, func(s Step) bool { return s.Send && s.Want.Kind == KindPurchase }) {
		f.met[h.Channel] = f.met[h.Channel].plus(meetings{missed: 1, stranger: h.Key.Order})
	}
}

// shopsOf lists the numberings of a target's sources.
func (p *planner) shopsOf(t *targetPlan) []string {
	var shops []string
	for _, s := range p.Sources {
		if t.Reads(s.Name()) {
			shops = append(shops, s.Shop)
		}
	}
	return shops
}

// speaksOf reports whether evidence could know an order: one that was completed
// while it recorded, and of its numbering. Evidence of a numbering that none of
// the target's sources has could know any.
func (k *known) speaksOf(h Head, shops []string) bool {
	if h.CompletedAt.Before(k.CoversFrom) || !k.newest.IsZero() && h.CompletedAt.After(k.newest) || k.rows == 0 {
		return false
	}
	_, ours := k.samples[h.Key.Shop]
	return ours || !slices.ContainsFunc(shops, func(s string) bool { _, is := k.samples[s]; return is })
}

// evidenceUnmet tells in words that evidence knows less than half of the
// orders that it should, "" otherwise: the numbers may be other ones.
func (p *planner) evidenceUnmet(t *targetPlan) string {
	all, names := t.meetings(), p.unaccepted(t)
	if all.met+all.missed <= fewMeetings || all.met >= all.missed || len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("of %d orders that %s should know it knows %d: either the numbers are not the same, here %s, there %s, "+
		"then correct columns.order of the one or the other (order_id of the destination only changes what the platform sees); "+
		"or the live integration was down and the others are missing indeed",
		all.met+all.missed, strings.Join(names, " or "), all.met, masked(all.stranger), masked(p.sampleOf(names)))
}

// meetings adds up the channels of a target. Evidence that knows orders of some
// channels is not taken to speak of one of which it knows none: a web page has
// no part in a till.
func (t *targetPlan) meetings() meetings {
	byChannel := map[string]meetings{}
	some := false
	for _, f := range t.feeds {
		for channel, m := range f.met {
			byChannel[channel] = byChannel[channel].plus(m)
			some = some || m.met > 0
		}
	}
	var all meetings
	for _, m := range byChannel {
		if m.met > 0 || !some {
			all = all.plus(m)
		}
	}
	return all
}

// sampleOf is a number that evidence knows.
func (p *planner) sampleOf(names []string) string {
	for _, name := range names {
		if k := p.evidence[name]; k != nil && len(k.samples) > 0 {
			return k.samples[slices.Min(slices.Collect(maps.Keys(k.samples)))]
		}
	}
	return "none"
}

// masked shows the shape of a number whose column may have slipped.
func masked(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return 'a'
		}
		return r
	}, text)
}
