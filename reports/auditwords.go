package reports

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"makegood/reconcile"
)

// maxAudited is how many words or changes of each sort a terminal shows.
const maxAudited = 20

// AuditTerminal writes an audit as text for a person.
func AuditTerminal(w io.Writer, a Audit, o TerminalOptions) error {
	if o.Width <= 0 {
		o.Width = 80
	}
	a = legibleValue(reflect.ValueOf(a), maxText).Interface().(Audit)
	t := &terminal{width: o.Width, colour: o.Colour}
	t.line(bold, fmt.Sprintf("Audit of %s up to and not including %s (%s)", moment(a.Window.From, a.zone), moment(a.Window.To, a.zone), a.zone))
	t.auditRuns(a)
	for _, target := range a.Targets {
		t.auditTarget(target)
	}
	if len(a.Orders) > 0 {
		t.line(plain, "")
		t.auditStates("orders that became no message", a.Orders)
	}
	t.auditPeople(a)
	t.auditChanges(a)
	if a.Head != nil {
		t.line(plain, "")
		t.fold(dim, "", fmt.Sprintf("Ledger: %s, at %d/%d, %s", a.Head.Ledger, a.Head.Epoch, a.Head.Sequence, a.Head.Hash))
	}
	if _, err := io.WriteString(w, t.text.String()); err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

func (t *terminal) auditRuns(a Audit) {
	if len(a.Runs) == 0 {
		t.line(plain, "No run ended in this period.")
	}
	for _, r := range a.Runs {
		t.line(plain, fmt.Sprintf("  %s  %s, %s", padded(number(r.Runs), 7), r.Command, ExitWords(r.Exit)))
	}
	if a.CutOff > 0 {
		t.fold(yellow, "  ", plural(a.CutOff, "run")+" did not reach an end, and nothing is counted of them below; what they sent is in the ledger's lines")
	}
	if a.Unread > 0 {
		t.line(yellow, "  "+plural(a.Unread, "report")+" cannot be read by this version, and not counted below")
	}
}

// ExitWords says what an exit code of a run says.
func ExitWords(code int) string {
	switch code {
	case 0:
		return "nothing was left to do"
	case 1:
		return "something was left for the next run"
	case 2:
		return "a person was needed"
	case 3:
		return "a source, evidence or the ledger failed"
	}
	return fmt.Sprintf("exit %d", code)
}

func (t *terminal) auditTarget(target AuditTarget) {
	t.line(plain, "")
	title := target.Target
	if target.Type != "" {
		title += " (" + target.Type + ")"
	}
	table := []cells{{bold, title, [3]string{"orders", "messages", "money"}, nil},
		countCells(plain, "  "+BucketWords(reconcile.BucketSent)+", by the runs of this period", target.Sent),
		countCells(plain, "  "+BucketWords(reconcile.BucketRefused)+", by the runs of this period", target.Refused)}
	t.align(table, nil)
	t.auditStates("  messages about orders completed in this period, as the ledger has them", target.States)
}

func (t *terminal) auditStates(title string, states []AuditState) {
	table := []cells{{bold, title, [3]string{"", "messages", "money"}, nil}}
	for _, s := range states {
		row := countCells(plain, "    "+PlaceWords(reconcile.Place{Bucket: s.Bucket, Reason: reconcile.Reason(s.Reason)}), Count{Events: s.Messages, Money: s.Money})
		row.cols[0] = ""
		table = append(table, row)
	}
	if len(states) == 0 {
		table = append(table, cells{plain, "    none", [3]string{}, nil})
	}
	t.align(table, nil)
}

func (t *terminal) auditPeople(a Audit) {
	t.line(plain, "")
	t.line(bold, "What people decided")
	if len(a.Approvals)+len(a.Accepted)+len(a.Said)+len(a.Answers) == 0 {
		t.line(plain, "  nothing")
	}
	for _, p := range a.Approvals {
		t.fold(plain, "  ", fmt.Sprintf("approved by %s, %s: %s; %s sent by run %s%s", p.By, moment(p.At, a.zone), p.Note, plural(p.Sent.Events, "message"), p.Run, worth(p.Sent)))
	}
	for _, n := range a.Accepted {
		t.fold(plain, "  ", fmt.Sprintf("evidence %s let pass, %s, run %s: %s", n.Evidence, moment(n.At, a.zone), n.Run, n.Note))
	}
	for _, s := range a.Answers[:min(len(a.Answers), maxAudited)] {
		t.fold(plain, "  ", "of "+s.Target+" "+s.Words(a.zone))
	}
	for _, s := range a.Said[:min(len(a.Said), maxAudited)] {
		t.fold(plain, "  ", fmt.Sprintf("%s of order %s at %s: %s, by %s: %s", kindWords(s.Kind), s.Order, s.Target, s.State, s.Who, s.Note))
	}
	if more := a.SaidFound - maxAudited; more > 0 {
		t.line(dim, "  and "+number(more)+" more; --json and --lines have them all")
	}
}

func (t *terminal) auditChanges(a Audit) {
	t.line(plain, "")
	t.line(bold, "What the configuration changed")
	if len(a.Changes) == 0 {
		t.line(plain, "  nothing")
	}
	for _, c := range a.Changes[:min(len(a.Changes), maxAudited)] {
		t.line(plain, fmt.Sprintf("  %s, run %s", moment(c.At, a.zone), c.Run))
		if len(c.Settings) == 0 {
			t.fold(dim, "    ", "what the file said before is not known any more")
		}
		for _, s := range c.Settings[:min(len(c.Settings), maxAudited)] {
			t.fold(plain, "    ", s.Path+": "+orNone(s.Before)+" -> "+orNone(s.After))
		}
		if more := len(c.Settings) - maxAudited; more > 0 {
			t.line(dim, "    and "+number(more)+" more settings; --json has them all")
		}
		for _, m := range c.Moved {
			t.fold(dim, "      ", fmt.Sprintf("%s, %s: %s before, %s after", m.Target, m.words(), number(m.Before), number(m.After)))
		}
	}
	if more := len(a.Changes) - maxAudited; more > 0 {
		t.line(dim, "  and "+number(more)+" more; --json has them all")
	}
}

func (m Moved) words() string {
	if m.Reason == "" {
		return BucketWords(m.Bucket)
	}
	return PlaceWords(reconcile.Place{Bucket: m.Bucket, Reason: reconcile.Reason(m.Reason)})
}

func orNone(text string) string {
	if strings.TrimSpace(text) == "" {
		return "(none)"
	}
	return text
}
