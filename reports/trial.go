package reports

import (
	"fmt"
	"strings"

	"makegood/reconcile"
)

// fewLooks is how many orders of a trial are named to look at.
const fewLooks = 5

// unknownWords names the products that a catalog does not know.
func unknownWords(u UnknownSKUs) string {
	text := plural(u.Lines, "line") + " of " + plural(u.Orders, "order") + " with products that the catalog does not know"
	var parts []string
	for _, one := range u.List[:min(len(u.List), fewLooks)] {
		part := one.SKU + " (" + plural(one.Lines, "line")
		if one.Nearest != "" {
			part += "; the nearest is " + one.Nearest
		}
		parts = append(parts, part+")")
	}
	return text + ": " + strings.Join(parts, ", ")
}

// onTrial counts what waits until a trial is widened.
func (t Target) onTrial() Count { return t.leftFor(reconcile.ReasonTrial) }

// unasked counts what shadow or a trial left, and nobody has asked for.
func (t Target) unasked() Count { return t.leftFor(reconcile.ReasonShadowPeriod) }

// leftFor counts what is left for one reason.
func (t Target) leftFor(why reconcile.Reason) Count {
	waiting := count(reconcile.Count{})
	for _, reason := range t.Reasons {
		if reason.Reason == string(why) {
			waiting = sum(waiting, reason.Count)
		}
	}
	return waiting
}

// trialStep says what to look at after a trial, and how it goes on.
func (r Report) trialStep(t Target) Step {
	waiting := t.onTrial()
	var look []string
	for _, e := range t.Examples {
		if e.Bucket == reconcile.BucketSent && len(look) < fewLooks {
			look = append(look, e.Order)
		}
	}
	step := Step{
		What: fmt.Sprintf("on trial: %s waiting%s", subject(waiting), worth(waiting)),
		Next: "Each run sends the newest of the last day; trial: {orders: ...} widens it. mode: live sends what is new, and proposes what waits as a plan. What was sent does not go twice.",
	}
	if t.Type == "emanage" {
		step.Next = "Each run makes as many test carts again; trial: {orders: ...} widens it, mode: live ends it. Test carts charge nobody, and count for nothing then."
	}
	tried := t.Balance.Sent.Events + t.Balance.Refused.Events + t.Balance.InDoubt.Events
	none := tried == 0 && !r.Backfill && t.pending().Events == waiting.Events
	if none && waiting.Events > 0 {
		step.Why = "none of them is younger than 24 hours; --from tries older ones"
	}
	if len(look) > 0 {
		step.Why = "look at these at the platform first: " + strings.Join(look, ", ")
	}
	return step
}
