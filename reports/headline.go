package reports

import (
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

// FirstLine says whether a person is needed, for what, and by when where
// something becomes too old to be sent. It is one line.
func FirstLine(r Report) string { return r.legible().firstLine() }

func (r Report) firstLine() string {
	line := "No one is needed: " + calm(r) + "."
	if known := len(r.StillThere); known > 0 {
		line = "No one is needed: " + calm(r) + "; " + plural(known, "known problem") + " still there."
	}
	if len(r.PersonNeeded) > 0 {
		line = "A person is needed: " + listed(r.PersonNeeded) + "."
		if by := r.deadline(); !by.IsZero() {
			line = strings.TrimSuffix(line, ".") + ", by " + moment(by, r.location()) + "."
		}
	}
	if left := r.leftOfUpload(); left.Events > 0 {
		line = "A person is needed: " + leftWords(left) + "."
		if len(r.PersonNeeded) > 0 {
			line = "A person is needed: " + listed(r.PersonNeeded) + "; " + leftWords(left) + "."
		}
	}
	if r.NewLedger {
		line += " A new ledger was begun."
	}
	return line
}

// leftOfUpload counts what was not sent of an uploaded file, or has no answer:
// no later run reads that file.
func (r Report) leftOfUpload() (left Count) {
	if !r.Upload || r.planned() {
		return left
	}
	for _, t := range r.Targets {
		left = sum(left, sum(t.Balance.Left, t.Balance.InDoubt))
	}
	return left
}

func leftWords(left Count) string {
	return plural(left.Orders, "order") + " of an uploaded file not known to have gone, and no run reads it again"
}

// maxListed is how many needs the first line names.
const maxListed = 3

func listed(needs []Need) string {
	var parts []string
	for _, n := range needs[:min(len(needs), maxListed)] {
		parts = append(parts, needWords(n))
	}
	if more := len(needs) - maxListed; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}

// calm says how the night went when nobody is needed.
func calm(r Report) string {
	var done, left, trial, asks Count
	shadows := 0
	for _, t := range r.Targets {
		done, trial, asks = sum(done, t.Balance.Sent), sum(trial, t.onTrial()), sum(asks, t.unasked())
		switch {
		case t.inShadow():
			shadows++
		case t.onTrial().Events == 0:
			left = sum(left, t.leftBut(slices.Concat(notMissingYet, []string{string(reconcile.ReasonShadowPeriod)})...))
		}
	}
	switch {
	case r.planned():
		return "this is a plan, and nothing was sent"
	case r.Error != "":
		return "the run was stopped before its end, and the next run goes on"
	case left.Orders > 0:
		return plural(left.Orders, "order") + " still to send, and the next run sends them"
	case trial.Events > 0:
		return "a trial sent " + plural(done.Orders, "order") + ", and " + number(trial.Orders) + " wait until it is widened"
	case asks.Events > 0:
		return "what is new was sent; " + subject(asks) + " that shadow or a trial left wait until somebody asks for them"
	case shadows > 0 && shadows == len(r.Targets):
		return "every destination is in shadow, and nothing was sent"
	case done.Events > 0:
		return "everything that was missing has been sent"
	}
	return "nothing was missing"
}

func (r Report) planned() bool { return r.Command == "plan" || r.Command == "check" }

func (t Target) inShadow() bool { return t.Mode == reconcile.ModeShadow }

// notMissingYet are reasons for being left that make no gap at the platform.
var notMissingYet = []string{string(reconcile.ReasonTooYoung), string(reconcile.ReasonPaymentPending)}

// pending is what is left and missing at the platform; what is too recent, or
// not paid yet, is not.
func (t Target) pending() Count { return t.leftBut(notMissingYet...) }

// leftBut counts what is left for other reasons.
func (t Target) leftBut(reasons ...string) Count {
	var left Count
	for _, reason := range t.Reasons {
		if reason.Bucket == reconcile.BucketLeft && !slices.Contains(reasons, reason.Reason) {
			left = sum(left, reason.Count)
		}
	}
	return left
}

// missing is what the platform lacked and should have had when the run began.
func (t Target) missing() Count {
	return sum(t.Balance.Sent, t.Balance.Refused, t.Balance.InDoubt, t.pending())
}

// needWords says in a few words what a person is needed for.
func needWords(n Need) string {
	where := n.Source + n.Target
	switch n.What {
	case reconcile.NeedFailed:
		if where == "" {
			return "the run failed"
		}
		if n.Source != "" {
			return where + " could not be read"
		}
		return where + " was not sent to"
	case reconcile.NeedBad:
		return plural(n.Count, "bad order") + " in " + where
	case reconcile.NeedLoose:
		return plural(n.Count, "row") + " without an order number in " + where
	case reconcile.NeedQuiet:
		return where + " holds no row at all"
	case reconcile.NeedUnknown:
		return plural(n.Count, "number") + " of the list in no source"
	case reconcile.NeedLess:
		return where + " holds far fewer orders than usual"
	case reconcile.NeedSilent:
		return plural(n.Count, "store") + " of " + where + " without any order, unlike on other such days"
	case reconcile.NeedBalance:
		return "the balance of " + where + " does not add up"
	case reconcile.NeedStopped:
		return where + " was stopped"
	case reconcile.NeedBrake:
		return where + " was not sent to: " + plural(n.Count, "message") + ", much more than usual"
	case reconcile.NeedFallen:
		return "a time that is not done at " + where + " lies further back than runs reach"
	case reconcile.NeedDoubt:
		return plural(n.Count, "message") + " to " + where + " without a known answer"
	case reconcile.NeedRefused:
		return plural(n.Count, "message") + " refused by " + where
	}
	if n.What == string(reconcile.ReasonShadowPeriod) {
		return plural(n.Count, "message") + " to " + where + " left by shadow or a trial"
	}
	return plural(n.Count, "message") + " to " + where + " held: " + ReasonWords(reconcile.Reason(n.What)).Text
}

// Step is something that a person can do: what for, why, and how. Command is
// what to type, "" where there is nothing to type.
type Step struct {
	What    string
	By      string // when it is too late; "" where nothing is
	Why     string // "" when What says it
	Next    string
	Command string
}

// maxSteps is how many steps are listed before what is known of each source and
// destination.
const maxSteps = 10

// steps lists what is to be done, in the order of the first line.
func (r Report) steps() []Step {
	var list []Step
	for _, n := range r.PersonNeeded[:min(len(r.PersonNeeded), maxSteps)] {
		list = append(list, r.stepOf(n))
	}
	if more := len(r.PersonNeeded) - maxSteps; more > 0 {
		list = append(list, Step{What: "and " + number(more) + " more, told below with each source and destination"})
	}
	if left := r.leftOfUpload(); left.Events > 0 {
		list = append(list, Step{What: leftWords(left), Next: "Make another preview of the file on the upload page: it shows what is still to send, and nothing goes twice."})
	}
	return list
}

func (r Report) stepOf(n Need) Step {
	step := r.next(n)
	step.What, step.Why = needWords(n)+r.knownWords(n), r.why(n)
	if by := r.deadlineOf(n); !by.IsZero() {
		step.By = moment(by, r.location())
	}
	return step
}

// why gives the words of what failed or stopped.
func (r Report) why(n Need) string {
	if n.What == reconcile.NeedUnknown {
		return r.Listed.missingWords()
	}
	if n.What == reconcile.NeedQuiet || n.What == reconcile.NeedLess || n.What == reconcile.NeedSilent {
		return r.quietWhy(n)
	}
	if n.What == reconcile.NeedDoubt {
		return r.answered(n.Target)
	}
	if n.What != reconcile.NeedFailed && n.What != reconcile.NeedStopped {
		return ""
	}
	for _, s := range r.Sources {
		if n.Source != "" && s.Source == n.Source {
			return strings.TrimPrefix(s.Error, "read source "+s.Source+": ")
		}
	}
	for _, t := range r.Targets {
		if n.Target == "" || t.Target != n.Target {
			continue
		}
		if n.What == reconcile.NeedStopped {
			return t.Stopped
		}
		return t.Error
	}
	return r.Error
}

// command is what to type for a command of makegood.
func (r Report) command(words string) string {
	if r.config != "" {
		words += " -c " + quoted(r.config)
	}
	return "makegood " + words
}

func (r Report) next(n Need) Step {
	again := r.command("run")
	if r.planned() {
		again = r.command("plan")
	}
	switch n.What {
	case reconcile.NeedFailed:
		if n.Source+n.Target == "" {
			return Step{} // its words name the next step
		}
		return Step{Next: "Mend what is named here, then:", Command: again}
	case reconcile.NeedBad, reconcile.NeedLoose:
		return Step{Next: "Mend the rows named below where they are kept, then:", Command: again}
	case reconcile.NeedUnknown:
		return Step{Next: "Compare the numbers with the shop; a name beside one is the most alike that there is."}
	case reconcile.NeedLess:
		return Step{Next: "Look at the shop: were there so few, or is an export cut off? A day on which it is closed belongs into closed of the source. Then:", Command: again}
	case reconcile.NeedSilent:
		return Step{Next: "Ask the stores below, or who keeps their line. A day on which they are closed belongs into closed of the source."}
	case reconcile.NeedQuiet:
		return Step{Next: "Find out why: an empty export or query is no proof that nothing was sold. Then:", Command: again}
	case reconcile.NeedBalance:
		return Step{Next: "This is a mistake in makegood: keep this report, and send nothing more before it is found."}
	case reconcile.NeedStopped:
		return Step{Next: "Mend what is named here. What was not tried is still to send, by:", Command: again}
	case reconcile.NeedBrake:
		if r.Plan == nil {
			return Step{Next: "Make a plan, look at it, and apply it:", Command: r.command("plan")}
		}
		return Step{Next: "Look at what it would send (makegood plan shows it). If it is right:", Command: r.command("apply " + quoted(r.Plan.Path))}
	case reconcile.NeedFallen:
		return r.fallenStep(n)
	case reconcile.NeedDoubt:
		return Step{Next: "Look up at the platform whether it has the orders named below, and say so with:", Command: r.command("resolve")}
	case reconcile.NeedRefused:
		return Step{Next: "Mend the orders named below at their source; a changed order is sent again. What was refused by mistake is listed, and tried again, by:",
			Command: r.command("resolve")}
	}
	if n.What == string(reconcile.ReasonShadowPeriod) {
		return r.backlogStep(n)
	}
	return Step{Next: ReasonWords(reconcile.Reason(n.What)).Next}
}
