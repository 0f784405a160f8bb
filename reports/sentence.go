package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// business says what was missing at a destination and what became of it.
func (r Report) business(t Target) string {
	missing := t.missing()
	if t.Error != "" && missing.Events == 0 {
		return "not worked on: " + t.Error
	}
	if len(t.Unread) > 0 {
		without := strings.Join(t.Unread, ", ") + " could not be read"
		if missing.Events == 0 {
			return "what is missing is not known: " + without
		}
		t.Unread = nil
		return r.business(t) + " (more is not known: " + without + ")"
	}
	if missing.Events == 0 {
		return "nothing was missing"
	}
	found := subject(missing) + were(missing, r.planned() || t.inShadow()) + worth(missing)
	switch {
	case t.inShadow():
		return found + ". Nothing was sent: this destination is in shadow"
	case r.planned():
		return found + ". Nothing was sent: this is a plan"
	}
	return found + "; " + repaired(t, missing)
}

// subject counts what a sentence is about: orders, or messages where the
// orders themselves are counted elsewhere.
func subject(c Count) string {
	if c.Orders == 0 {
		return plural(c.Events, "message")
	}
	return plural(c.Orders, "order")
}

func were(c Count, still bool) string {
	one := c.Orders == 1 || c.Orders == 0 && c.Events == 1
	switch {
	case still && one:
		return " is missing"
	case still:
		return " are missing"
	case one:
		return " was missing"
	}
	return " were missing"
}

func worth(c Count) string {
	if money := moneyText(c.Money); money != "" {
		return " (" + money + ")"
	}
	return ""
}

func repaired(t Target, missing Count) string {
	done := t.Balance.Sent
	switch done.Events {
	case missing.Events:
		return "all repaired"
	case 0:
		return "none repaired"
	}
	return subject(done) + " repaired" + worth(done)
}

// freshness says when the newest order of a source was completed.
func (r Report) freshness(s Source) string {
	if s.Newest.IsZero() && s.Error != "" {
		return "could not be read"
	}
	if s.Newest.IsZero() {
		return "no completed order was found"
	}
	text := moment(s.Newest, r.location())
	if ago := r.Started.Sub(s.Newest); ago >= 0 {
		text += ", " + span(ago) + " before this run"
	} else {
		text += ", after this run began"
	}
	return text
}

// readWords says where the orders that were read went.
func readWords(s Source) string {
	parts := []string{number(s.Orders) + " in this period"}
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.OutsideWindow, "outside of it"},
		{leftOutOrders(s), "not counted as orders"},
		{s.Bad, "bad"},
		{s.Merged, "merged with another record"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	text := plural(s.Rows, "row") + ", " + plural(s.OrdersRead, "order") + " read: " + strings.Join(parts, ", ")
	if s.NoDestination > 0 {
		text += "; " + strayWords(s)
	}
	if s.RowsWithoutOrder > 0 {
		text += "; " + plural(s.RowsWithoutOrder, "row") + " without an order number"
	}
	return text
}

// strayWords counts the orders that are for no destination.
func strayWords(s Source) string {
	text := plural(s.NoDestination, "order") + " for no destination, by their channel or rule"
	if len(s.Stray) > 0 {
		text += " (" + exampleWords(s.Stray) + ")"
	}
	return text
}

func leftOutOrders(s Source) int {
	n := 0
	for _, l := range s.LeftOut {
		n += l.Orders
	}
	return n
}

// leftOutWords gives "3,836 cancelled, 3 bad debt".
func leftOutWords(list []LeftOut) string {
	var parts []string
	for _, l := range list {
		parts = append(parts, number(l.Orders)+" "+ReasonWords(reconcile.Reason(l.Reason)).Text)
	}
	return strings.Join(parts, ", ")
}

// moment gives a time as people of the zone read it.
func moment(t time.Time, zone *time.Location) string { return t.In(zone).Format("2 Jan 2006 15:04") }

func span(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return plural(int(d/time.Hour), "hour")
	}
	return plural(int(d/(24*time.Hour)), "day")
}

// period gives the run's window with its zone; "" when the run ended before it
// had one.
func (r Report) period() string {
	if r.Window.To.IsZero() {
		return ""
	}
	zone := r.location()
	return fmt.Sprintf("%s up to and not including %s (%s)",
		moment(r.Window.From, zone), moment(r.Window.To, zone), zone)
}

// planWords says that nothing was sent, and how it is; "" when the run has no
// plan that is still to be carried out.
func (r Report) planWords() (text, command string) {
	if r.Plan == nil || r.Plan.Path == "" || !r.planned() {
		return "", ""
	}
	var waiting Count
	for _, t := range r.Targets {
		for _, reason := range t.Reasons {
			if reason.Reason == string(reconcile.ReasonPlanned) {
				waiting = sum(waiting, reason.Count)
			}
		}
	}
	if waiting.Events == 0 && slices.ContainsFunc(r.Sources, func(s Source) bool { return s.Error != "" }) {
		return "Nothing was sent, and what there is to send is not known.", ""
	}
	if waiting.Events == 0 {
		return "Nothing was sent, and there is nothing to send.", ""
	}
	text = "Nothing was sent. To send " + plural(waiting.Events, "message") + worth(waiting)
	if !r.Plan.Expires.IsZero() {
		text += ", until " + moment(r.Plan.Expires, r.location())
	}
	switch {
	case r.Plan.ByKey:
		return text + ", approve the plan with your key, for it charges customers, and apply it then:",
			r.command("approve " + quoted(r.Plan.Path) + ` --key FILE --note "..."`)
	case r.Plan.NeedsApproval:
		return text + ", approve the plan by your name, for it charges customers, and apply it then:",
			r.command("approve " + quoted(r.Plan.Path) + ` --by NAME --note "..."`)
	}
	return text + ":", r.command("apply " + quoted(r.Plan.Path))
}

// quoted makes one word of a path for a shell.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\"$&;()*?<>|\\`") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// balanceWords says whether everything is in one place.
func balanceWords(b Balance) string {
	if b.Holds {
		return "adds up: every message is in exactly one place"
	}
	found := sum(b.Sent, b.AlreadySent, b.HeldBack, b.Refused, b.InDoubt, b.Left)
	return fmt.Sprintf("DOES NOT ADD UP: %s in this period, but %s in the places above",
		sizeWords(b.Eligible), sizeWords(found))
}

func sizeWords(c Count) string {
	return plural(c.Orders, "order") + ", " + plural(c.Events, "message") + worth(c)
}

func stepsOf(texts ...string) []Step {
	var list []Step
	for _, text := range texts {
		if text != "" {
			list = append(list, Step{What: text})
		}
	}
	return list
}

func someWords(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return number(n) + " " + many
}

func doubtWords(t Target) string {
	text := someWords(t.DoubtsFound, "message was being sent when an earlier run was cut off",
		"messages were being sent when an earlier run was cut off")
	if slices.ContainsFunc(t.Doubts, func(d Doubt) bool { return d.Resends }) {
		text += "; the platform merges repeats, so what it merges is sent again"
	}
	return text
}

func mailWords(m *Mail) string {
	if m == nil || m.InTime+m.Late == 0 {
		return ""
	}
	after := strings.TrimSuffix(strings.TrimSuffix(m.After, "0s"), "0m")
	return fmt.Sprintf("the platform's mail about a cart may start %s after the checkout: in time for it %s, later %s, not sent %s",
		after, number(m.InTime), number(m.Late), number(m.NotSent))
}

func frontEndWords(f *FrontEnd) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("Of the orders that go there, the web page had reported %s and missed %s", number(f.Had), number(f.Missed))
}

func shareWords(s *EvidenceShare) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("Of %s that the record of the live integration should know, it knows %s", plural(s.Orders, "order"), number(s.Known))
}

// numberWords gives "Order numbers look like 536365, C536379."
func numberWords(list []NumberShape) string {
	var parts []string
	for _, n := range list {
		parts = append(parts, n.Example+" ("+number(n.Orders)+")")
	}
	return "Order numbers look like " + strings.Join(parts, ", ") + "."
}

// sentence makes a sentence of words.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return ended(strings.ToUpper(words[:1]) + words[1:])
}

// ended ends a sentence that may begin with a name, which keeps its case.
func ended(words string) string {
	if words == "" || strings.ContainsAny(words[len(words)-1:], ".:?!") {
		return words
	}
	return words + "."
}

// lookupNote says of which table a note is.
func lookupNote(l reconcile.Lookup, note string) string {
	what := "open carts"
	if l.Kind == "evidence" {
		what = "the record of what others sent"
	}
	return "Note on " + l.Name + " (" + what + "): " + note
}
