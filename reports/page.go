package reports

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

//go:embed templates
var templates embed.FS

// pages is parsed once, when the program starts: a template that does not
// parse cannot be shipped.
var pages = template.Must(template.New("page.html").ParseFS(templates, "templates/*"))

// HTML writes the report as one page that needs nothing else: no script, no
// font, no picture from elsewhere. It can be printed and is read aloud in its
// order: what a person must do, what was repaired, how fresh the sources are,
// then the balance of each destination.
func HTML(w io.Writer, r Report) error {
	if err := pages.ExecuteTemplate(w, "page.html", newPage(r.legible())); err != nil {
		return fmt.Errorf("write the report as a page: %w", err)
	}
	return nil
}

// page is what the template shows. It holds words and formatted numbers only.
type page struct {
	Lead, Rest   string // the first line, its verdict and its reason
	Needed       bool
	Period       string
	Error        string
	Steps        []Step
	Plan         string
	PlanCommand  string
	ChangedTitle string
	Changed      []news
	Destinations []destination
	Sources      []sourceView
	LookupNotes  []string
	Left         bool // some source has bad rows
	Facts        []Fact
	NotShown     string
	Started      string
}

// destination is one target's section.
type destination struct {
	ID, Title, Kind string
	Mode            string
	Business        string
	Usual           string
	Missing, Done   string
	DoneLabel       string
	Bar             []segment
	BarWords        string
	Rows            []rowView
	Holds           bool
	BalanceWords    string
	Stopped, Error  string
	Asides          []Step
	Urgent          []exampleList // a person must look at them
	Examples        []exampleList
	Charts          []chart
	Changes         []Correction
	MoreChanges     string
	Missed          []missedView
	Doubts          []doubtView
	MoreDoubts      string
}

// figure is an amount, its currency and the digits that it lacks to stand
// under the longest one of its table.
type figure struct{ Text, Pad, Currency string }

type rowView struct {
	Bucket, Mark, Label string
	Orders, Events      string
	Money               []figure
	Empty               bool
	Reasons             []rowView
}

// exampleList says whether any of its orders has a time.
type exampleList struct {
	Target, Label string
	Open          bool
	Of            string // "2 of 3 705 shown"
	Next, Command string // what to do about them
	Times         bool
	place         reconcile.Place
	Rows          []exampleView
}

type exampleView struct{ Order, Kind, At, Money, Origin, Text string }

type doubtView struct{ Order, Kind, At, Money, What string }

type sourceView struct {
	Name, Freshness, Rows, Read, Counted string
	Aside, LeftOut, Bad                  string
	Silent                               string
	Stores                               []storeView
	Unit                                 string // of Days
	Days                                 []dayView
	Late                                 bool
	Error                                string
	Notes                                []string
	Problems                             []problemView
	MoreProblems                         string
	BadWords                             string
}

type storeView struct{ Store, Newest, Orders string }

type problemView struct{ File, Sheet, Row, Column, Order, Text string }

func newPage(r Report) page {
	lead, rest, _ := strings.Cut(r.firstLine(), ": ")
	p := page{
		Lead: lead, Rest: thinned(rest), Needed: len(r.PersonNeeded) > 0, Period: r.period(),
		NotShown: r.notShown(),
		Steps:    thinSteps(r.steps()), ChangedTitle: r.changedTitle(), Changed: r.changed(), Facts: r.facts(), Started: moment(r.Started, r.location()),
	}
	if !p.Needed {
		p.Error = r.Error
	}
	p.Plan, p.PlanCommand = r.planWords()
	p.Plan = thinned(p.Plan)
	for i, t := range r.Targets {
		p.Destinations = append(p.Destinations, r.destination(i, t))
	}
	for _, l := range r.Lookups {
		for _, note := range l.Notes {
			p.LookupNotes = append(p.LookupNotes, lookupNote(l, note))
		}
	}
	for _, s := range r.Sources {
		p.Sources = append(p.Sources, r.sourceView(s))
		p.Left = p.Left || s.Bad > 0 && len(s.Problems) > 0
	}
	return p
}

// notShown says what a page leaves out, and where that is.
func (r Report) notShown() string {
	text := fmt.Sprintf("Lists name at most %d orders for each reason, and %d bad rows for each source. What became of any order, and why, says: %s",
		r.mostExamples(), reconcile.MaxProblems, r.command("explain ORDER"))
	if r.planned() || r.Window.To.IsZero() {
		return text
	}
	day := func(t time.Time) string { return t.In(r.location()).Format(time.DateOnly) }
	return text + "; every order in one line: " + r.command("audit --from "+day(r.Window.From)+" --to "+day(r.Window.To.AddDate(0, 0, 1))+" --lines orders.csv")
}

func (r Report) destination(i int, t Target) destination {
	missing, rows := t.missing(), t.rows()
	d := destination{
		ID: fmt.Sprintf("d%d", i+1), Title: t.Target, Kind: t.Type, Mode: modeWords(t.Mode),
		Business: thinned(sentence(r.business(t))), Missing: whole(missing.Orders), Done: whole(t.Balance.Sent.Orders), DoneLabel: "repaired",
		Bar: bar(t.Balance), BarWords: barWords(t.Balance),
		Rows: rowViews(rows, digits(rows)), Holds: t.Balance.Holds, BalanceWords: thinned(balanceWords(t.Balance)),
		Stopped: t.Stopped, Error: t.Error, Asides: thinSteps(r.asides(t)),
		Missed: missedViews(t.FrontEndMissed), Changes: t.Corrections, Doubts: r.doubtViews(t), Usual: thinned(sentence(usualWords(t.Usual, missing))),
	}
	for _, list := range r.exampleLists(rows) {
		list.Target = t.Target
		if !list.Open {
			d.Examples = append(d.Examples, list)
			continue
		}
		list.Next, list.Command = r.nextOf(list.place)
		d.Urgent = append(d.Urgent, list.split()...)
	}
	d.Charts = r.charts(d.ID, t)
	if r.planned() || t.inShadow() {
		d.Done, d.DoneLabel = "0", "sent"
	}
	if t.Stopped == t.Error {
		d.Stopped = ""
	}
	d.MoreChanges = moreWords(t.CorrectionsFound - len(t.Corrections))
	d.MoreDoubts = moreWords(t.DoubtsFound - len(t.Doubts))
	return d
}

func moreWords(n int) string {
	if n <= 0 {
		return ""
	}
	return "and " + whole(n) + " more"
}

// whole gives a count as the page shows it.
func whole(n int) string { return grouped(fmt.Sprint(n), thin) }

// thinned gives words the page's separators of thousands.
func thinned(words string) string {
	digits := func(text string) int {
		return len(text) - len(strings.TrimLeft(text, "0123456789"))
	}
	parts := strings.Split(words, comma)
	text := parts[0]
	for _, part := range parts[1:] {
		between := text != "" && digits(text[len(text)-1:]) == 1 && digits(part) == 3
		if between {
			text += thin + part
		} else {
			text += comma + part
		}
	}
	return text
}

func thinSteps(steps []Step) []Step {
	for i := range steps {
		steps[i].What = thinned(steps[i].What)
	}
	return steps
}

// digits is the longest fraction in a table.
func digits(rows []row) int {
	longest := 0
	measure := func(money map[string]string) {
		for currency, amount := range money {
			_, fraction, _ := strings.Cut(coins(amount, currency), ".")
			longest = max(longest, len(fraction))
		}
	}
	for _, r := range rows {
		measure(r.Count.Money)
		for _, reason := range r.Reasons {
			measure(reason.Count.Money)
		}
	}
	return longest
}

func figures(money map[string]string, digits int) []figure {
	var list []figure
	for _, currency := range currencies(money) {
		amount := coins(money[currency], currency)
		list = append(list, figure{grouped(amount, thin), pad(amount, digits), currency})
	}
	return list
}

// pad is what an amount lacks on its right; it is laid out, not shown.
func pad(amount string, digits int) string {
	_, fraction, cut := strings.Cut(amount, ".")
	if digits == 0 {
		return ""
	}
	text := strings.Repeat("0", max(digits-len(fraction), 0))
	if !cut {
		text = "." + text
	}
	return text
}

func rowViews(rows []row, digits int) []rowView {
	var list []rowView
	for _, r := range rows {
		v := countView(r.Label, r.Count, digits)
		v.Bucket, v.Mark = string(r.Bucket), r.Mark
		for _, reason := range r.Reasons {
			below := countView(reason.Label, reason.Count, digits)
			if reason.OrdersOnly {
				below.Events = ""
			}
			v.Reasons = append(v.Reasons, below)
		}
		list = append(list, v)
	}
	return list
}

func countView(label string, c Count, digits int) rowView {
	return rowView{Label: label, Orders: whole(c.Orders), Events: whole(c.Events),
		Money: figures(c.Money, digits), Empty: c.Orders == 0 && c.Events == 0}
}

func (r Report) doubtViews(t Target) []doubtView {
	var list []doubtView
	for _, d := range t.Doubts {
		what := "not sent again by itself"
		if d.Resends {
			what = "sent again: the platform merges repeats"
		}
		list = append(list, doubtView{d.Order, kindWords(d.Kind), r.optional(d.At), thinned(amountText(d.Amount, d.Currency)), what})
	}
	return list
}

func (r Report) sourceView(s Source) sourceView {
	v := sourceView{
		Name: s.Source, Freshness: thinned(sentence(r.freshness(s))), Late: s.Newest.IsZero() || s.Error != "",
		Rows: whole(s.Rows), Read: whole(s.OrdersRead), Counted: whole(s.Orders),
		Aside: whole(s.OutsideWindow + s.Merged), LeftOut: whole(leftOutOrders(s)), Bad: whole(s.Bad),
		Error: s.Error, Notes: r.fewNotes(s.Notes),
	}
	if len(s.LeftOut) > 0 {
		v.Notes = append([]string{"Not counted as orders: " + thinned(leftOutWords(s.LeftOut)) + "."}, v.Notes...)
	}
	if s.NoDestination > 0 {
		v.Notes = append(slices.Clone(v.Notes), thinned(strayWords(s))+".")
	}
	if len(s.Numbers) > 0 && r.planned() {
		v.Notes = append(slices.Clone(v.Notes), thinned(numberWords(s.Numbers)))
	}
	for _, one := range s.silent() {
		v.Stores = append(v.Stores, storeView{one.Store, moment(one.Newest, r.location()), whole(one.Orders)})
	}
	v.Silent = thinned(sentence(r.silentWords(s, 3)))
	if s.Survey != nil {
		for _, text := range s.Survey.words() {
			v.Notes = append(slices.Clone(v.Notes), thinned(text))
		}
		v.Unit, v.Days = s.Survey.Unit, s.Survey.views()
	}
	rows, more := s.badOrders(reconcile.MaxProblems)
	for _, p := range rows {
		v.Problems = append(v.Problems, problemView{p.File, p.Sheet, placeText(p), p.Column, p.Order, p.Text})
	}
	v.BadWords, v.MoreProblems = thinned(plural(s.Bad, "bad order"))+" in "+s.Source, moreWords(more)
	return v
}

// maxNotes is how many notes of a source people are shown.
const maxNotes = 8

// fewNotes cuts notes to some, and says where the others are.
func (r Report) fewNotes(notes []string) []string {
	more := len(notes) - maxNotes
	if more <= 0 {
		return notes
	}
	return append(slices.Clone(notes[:maxNotes]), "and "+plural(more, "more note")+": "+r.command("report "+r.Run+" --format json"))
}

// placeText is a problem's cell, or its row where there are no cells.
func placeText(p Problem) string {
	switch {
	case p.Cell != "":
		return p.Cell
	case p.Row == 0:
		return ""
	}
	return fmt.Sprint(p.Row)
}
