package reports

import (
	"strings"

	"makegood/reconcile"
)

// Note is a report in a few lines, for those who are told of it elsewhere. Its
// texts are masked, legible, and of one line each.
type Note struct {
	First    string   // the first line of every form
	Business []string // what was missing at each destination, and what became of it
	Balance  []string // where the messages of each destination are
	Steps    []Step   // what a person is to do
	When     string   // the run ended, in the report's zone; "" when that is not known
}

// elsewhere names what the report shows below: who reads a note has it not there.
var elsewhere = strings.NewReplacer(" below", " in the report")

// NoteOf sums a report up.
func NoteOf(r Report) Note {
	r = r.legible()
	n := Note{First: Mask(r.firstLine()), Steps: r.steps()}
	if !r.Finished.IsZero() {
		n.When = moment(r.Finished, r.location())
	}
	for i, step := range n.Steps {
		n.Steps[i] = Step{What: elsewhere.Replace(Mask(step.What)), By: step.By, Why: Mask(step.Why), Next: elsewhere.Replace(Mask(step.Next)), Command: Mask(step.Command)}
	}
	for _, t := range r.Targets {
		line := t.Target + ": " + r.business(t)
		if usual := usualWords(t.Usual, t.missing()); usual != "" {
			line += " (" + usual + ")"
		}
		n.Business = append(n.Business, Mask(ended(line)))
		n.Balance = append(n.Balance, Mask(balanceLine(t)))
	}
	return n
}

// balanceLine is a balance in one line: "activate: 25 messages in this period =
// 20 accepted by the platform + 5 not sent on purpose: adds up".
func balanceLine(t Target) string {
	var parts []string
	for _, bucket := range reconcile.Buckets {
		if c := t.Balance.of(bucket); c.Events > 0 {
			parts = append(parts, number(c.Events)+" "+BucketWords(bucket))
		}
	}
	if len(parts) == 0 {
		parts = []string{"0"}
	}
	text := t.Target + ": " + plural(t.Balance.Eligible.Events, "message") + " in this period = " + strings.Join(parts, " + ")
	if !t.Balance.Holds {
		return text + ": DOES NOT ADD UP"
	}
	return text + ": adds up"
}

// Missing is what each destination lacked when the run began, by its name.
func (r Report) Missing() map[string]Count {
	missing := map[string]Count{}
	for _, t := range r.Targets {
		missing[t.Target] = t.missing()
	}
	return missing
}

// Counted reports whether the need counts orders, messages or rows, which are
// told apart from run to run; of others only that they are there is news.
func (n Need) Counted() bool { return counts(n.What) }
