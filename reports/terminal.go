package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"makegood/reconcile"
)

// TerminalOptions say what the terminal can show. The zero value is 80 columns
// without colour.
type TerminalOptions struct {
	Width  int  // in columns; text is folded to it, tables and commands are not
	Colour bool // ANSI colours, beside the signs and words that say the same
}

// How much of a list a terminal shows.
const (
	maxBadRows  = 10
	maxExamples = 3
	maxChanges  = 5
	maxSilent   = 5
)

// Terminal writes the report as text for a person. Its first line is FirstLine.
func Terminal(w io.Writer, r Report, o TerminalOptions) error {
	if o.Width <= 0 {
		o.Width = 80
	}
	r = r.legible()
	t := &terminal{report: r, width: o.Width, colour: o.Colour}
	t.head()
	for _, target := range r.Targets {
		t.target(target)
	}
	for _, source := range r.Sources {
		t.bad(source)
	}
	for _, source := range r.Sources {
		t.survey(source)
	}
	t.facts()
	if _, err := io.WriteString(w, t.text.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type terminal struct {
	report Report
	width  int
	colour bool
	text   strings.Builder
}

// paint is an ANSI style.
type paint string

const (
	plain  paint = ""
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "1;31"
	green  paint = "32"
	yellow paint = "33"
)

func (t *terminal) painted(p paint, text string) string {
	if !t.colour || p == plain || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

// line writes one line. What stands in it is legible: it moves no cursor.
func (t *terminal) line(p paint, text string) {
	t.text.WriteString(t.painted(p, text) + "\n")
}

// fold writes text within the width; indent stands before the first line,
// blanks of the same length before the others.
func (t *terminal) fold(p paint, indent, text string) {
	hang := strings.Repeat(" ", utf8.RuneCountInString(indent))
	line := indent
	for _, word := range strings.Fields(text) {
		fits := utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= t.width
		switch {
		case strings.TrimSpace(line) == "" || line == indent:
			line += word
		case fits:
			line += " " + word
		default:
			t.line(p, line)
			line = hang + word
		}
	}
	t.line(p, line)
}

func (t *terminal) head() {
	r := t.report
	first := green
	if len(r.PersonNeeded) > 0 {
		first = red
	}
	t.line(first, r.firstLine())
	for _, step := range r.steps() {
		t.step("  * ", step)
	}
	if len(r.PersonNeeded) == 0 && r.Error != "" {
		t.fold(plain, "  ", r.Error)
	}
	if text, command := r.planWords(); text != "" {
		t.line(plain, "")
		t.fold(bold, "", text)
		if command != "" {
			t.line(bold, "  "+command)
		}
	}
	t.changed()
	for i, target := range r.Targets {
		if i == 0 {
			t.line(plain, "")
		}
		t.fold(plain, "", target.Target+": "+r.business(target)+".")
		if usual := usualWords(target.Usual, target.missing()); usual != "" {
			t.fold(dim, "  ", sentence(usual))
		}
	}
	t.fresh()
}

// changed writes what is new, still there and gone.
func (t *terminal) changed() {
	list := t.report.changed()
	if len(list) == 0 {
		return
	}
	t.line(plain, "")
	t.line(bold, t.report.changedTitle())
	for _, one := range list {
		t.fold(plain, "  "+padded(one.Kind+":", -13), one.Text)
	}
}

// step writes what can be done; a command has a line of its own, uncut.
func (t *terminal) step(indent string, s Step) {
	blank := strings.Repeat(" ", len(indent))
	text := s.What
	if s.By != "" {
		text += ", by " + s.By
	}
	if s.Why != "" {
		text += ": " + s.Why
	}
	t.fold(plain, indent, ended(text))
	if s.Next != "" {
		t.fold(plain, blank, s.Next)
	}
	if s.Command != "" {
		t.line(bold, blank+"  "+s.Command)
	}
}

func (t *terminal) fresh() {
	if len(t.report.Sources) == 0 {
		return
	}
	t.line(plain, "")
	t.line(bold, "How fresh the sources are")
	for _, s := range t.report.Sources {
		p, newest := plain, ": newest order "
		if s.Newest.IsZero() {
			p, newest = yellow, ": "
		}
		t.fold(p, "  ", s.Source+newest+t.report.freshness(s)+".")
		t.fold(dim, "    ", sentence(readWords(s)))
		if silent := t.report.silentWords(s, maxSilent); silent != "" {
			t.fold(yellow, "    ", sentence(silent))
		}
		if len(s.LeftOut) > 0 {
			t.fold(dim, "    ", "Not counted as orders: "+leftOutWords(s.LeftOut)+".")
		}
		if len(s.Numbers) > 0 && t.report.planned() {
			t.fold(dim, "    ", numberWords(s.Numbers))
		}
		if s.Error != "" && !s.Newest.IsZero() {
			t.fold(red, "    ", "Could not be read to its end, see above.")
		}
		for _, note := range t.report.fewNotes(s.Notes) {
			t.fold(dim, "    ", "Note: "+note)
		}
	}
	for _, l := range t.report.Lookups {
		for _, note := range l.Notes {
			t.fold(dim, "    ", lookupNote(l, note))
		}
	}
}

func (t *terminal) target(target Target) {
	t.line(plain, "")
	t.table(target)
	if target.Balance.Holds {
		t.line(green, "  "+balanceWords(target.Balance))
	} else {
		t.fold(red, "  ", balanceWords(target.Balance)+".")
	}
	if target.Stopped != "" {
		t.fold(red, "  ", "Stopped: "+target.Stopped)
	}
	if target.Error != "" && target.Error != target.Stopped {
		t.fold(red, "  ", "Not worked on: "+target.Error)
	}
	for _, outage := range t.report.outageWords(target) {
		t.fold(plain, "  ", outage+".")
	}
	for _, aside := range t.report.asides(target) {
		t.step("  ", aside)
	}
	t.changes(target)
}

func (t *terminal) changes(target Target) {
	shown := target.Corrections[:min(len(target.Corrections), maxChanges)]
	for _, c := range shown {
		t.fold(dim, "    ", c.Words())
	}
	if more := target.CorrectionsFound - len(shown); more > 0 && len(shown) > 0 {
		t.line(dim, fmt.Sprintf("    and %s more", number(more)))
	}
}

// Words gives "536365 is worth less now: sent with 10 GBP, now 8 GBP", and
// whether that is sent.
func (c Correction) Words() string {
	text := c.Order + " " + changeWords(c.Change)
	if c.Before != c.After {
		text += ": sent with " + amountText(c.Before, c.Currency) + ", now " + amountText(c.After, c.Currency)
	}
	if c.Resend {
		text += ", which is to take its place"
	}
	return text
}

func (t *terminal) bad(s Source) {
	rows, more := s.badOrders(maxBadRows)
	if s.Bad == 0 || len(rows) == 0 {
		return
	}
	t.line(plain, "")
	t.line(bold, plural(s.Bad, "bad order")+" in "+s.Source+", of which nothing is sent")
	for _, p := range rows {
		text := p.where() + ": " + p.Text
		if p.Order != "" {
			text += " (order " + p.Order + ")"
		}
		t.fold(plain, "  ", text)
	}
	if more > 0 {
		t.line(dim, "  and "+number(more)+" more")
	}
}

func (t *terminal) facts() {
	t.line(plain, "")
	for _, f := range t.report.facts() {
		t.fold(dim, "", f.Name+": "+f.Text)
	}
}

// exampleWords names a few orders: "for example 1001 (400: no such product)".
func exampleWords(list []Example) string {
	var parts []string
	for _, e := range list[:min(len(list), maxExamples)] {
		text := e.Order
		if e.Text != "" {
			text += " (" + e.Text + ")"
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return "for example " + strings.Join(parts, ", ")
}

// title gives "activate (squeezely, live)".
func (t Target) title() string {
	kind := slices.DeleteFunc([]string{t.Type, modeWords(t.Mode)}, func(s string) bool { return s == "" })
	if len(kind) == 0 {
		return t.Target
	}
	return t.Target + " (" + strings.Join(kind, ", ") + ")"
}

func modeWords(mode string) string {
	switch mode {
	case reconcile.ModeShadow:
		return "in shadow: nothing is sent"
	case reconcile.ModeTrial:
		return "on trial: only the first few are sent"
	}
	return mode
}
