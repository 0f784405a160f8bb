package reports

import (
	"strings"
	"time"

	"makegood/reconcile"
)

// asides lists what else is to be known of a destination.
func (r Report) asides(t Target) []Step {
	list := stepsOf(
		doubtWords(t),
		someWords(t.Repeats, "message was accepted although another run had sent it already",
			"messages were accepted although another run had sent them already"),
		someWords(t.CorrectionsFound-t.CorrectionsResent, "order changed after it was sent, and stays as it was sent",
			"orders changed after they were sent, and stay as they were sent"),
		r.resentWords(t),
		someWords(len(t.Orphans), "unfinished order is in no source any more", "unfinished orders are in no source any more"),
		frontEndWords(t.FrontEnd),
		missedWords(t.FrontEndMissed),
		mailWords(t.Mail),
		shareWords(t.EvidenceShare),
	)
	if t.Reversals != nil {
		list = append(list, r.reversalStep(t))
	}
	list = append(list, r.shadowSteps(t)...)
	if t.Mode == reconcile.ModeTrial {
		list = append(list, r.trialStep(t))
	}
	list = append(list, r.checkSteps(t)...)
	if u := t.UnknownSKUs; u != nil {
		list = append(list, Step{What: unknownWords(*u), Next: "Compare them with the catalog; unknown_sku says what becomes of such lines."})
	}
	if x := t.Expiring; x != nil {
		list = append(list, r.expiringStep(*x))
	}
	if l := t.LeavingWindow; l != nil {
		list = append(list, Step{
			What:    someWords(l.Orders, "order not sent on purpose", "orders not sent on purpose") + " will not be read again by the next run",
			Next:    "To read them again:",
			Command: r.command("run --from " + l.From.In(r.location()).Format(time.DateOnly)),
		})
	}
	return list
}

// expiringStep warns of what soon cannot be sent any more.
func (r Report) expiringStep(x Expiring) Step {
	become := " become"
	if x.Orders == 1 {
		become = " becomes"
	}
	hours := int((x.Last.Sub(r.Finished) + time.Hour - 1) / time.Hour)
	return Step{
		What: subject(x.Count) + worth(x.Count) + become + " too old for this destination within " + plural(max(hours, 1), "hour") +
			", the first on " + moment(x.First, r.location()),
		Why:  "what is still to send, in doubt, or waits for a person",
		Next: "Until then it can be sent; what is the matter with it is said above and below.",
	}
}

// resentWords says how many changed orders are sent again.
func (r Report) resentWords(t Target) string {
	if r.planned() || t.inShadow() {
		return someWords(t.CorrectionsResent, "order changed after it was sent, and would go again in place of what was sent",
			"orders changed after they were sent, and would go again in place of what was sent")
	}
	return someWords(t.CorrectionsResent, "order changed after it was sent, and goes again in place of what was sent",
		"orders changed after they were sent, and go again in place of what was sent")
}

// reversalStep says how many orders were bought and given back.
func (r Report) reversalStep(t Target) Step {
	n, which := t.Reversals.Orders, "of the orders sent"
	if r.planned() || t.inShadow() {
		which = "of the orders sent or to be sent"
	}
	text := number(n) + " " + which + " were wholly undone by a later credit note" + worth(t.Reversals.Count)
	if n == 1 {
		text = "1 " + which + " was wholly undone by a later credit note" + worth(t.Reversals.Count)
	}
	switch day := t.Reversals.WithinDay; {
	case day > 0 && n == 1:
		text += ", within a day"
	case day > 0:
		text += ", " + number(day) + " of them within a day"
	}
	step := Step{What: text, Next: "Correct them at the platform; match_reversals: hold keeps such orders back."}
	for _, one := range t.Reversals.Examples[:min(len(t.Reversals.Examples), 3)] {
		step.Why += ", " + one.Order + " by " + one.By
	}
	step.Why = "such as " + strings.TrimPrefix(step.Why, ", ")
	return step
}
