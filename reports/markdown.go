package reports

import (
	"fmt"
	"io"
	"strings"
)

// How much of a list a ticket shows.
const (
	maxTicketRows     = 10
	maxTicketExamples = 5
	maxTicketText     = 160
	fewDestinations   = 4 // of more, only reasons to look at are named, with one order each
)

// Markdown writes the report for a ticket or a chat: what to do, what changed,
// what was missing, how fresh the sources are, and the balances. Nothing in it
// becomes a link, a mention, a table's border or HTML.
func Markdown(w io.Writer, r Report) error {
	m := &markdown{report: r.legible()}
	m.head()
	m.missing()
	m.fresh()
	for _, t := range m.report.Targets {
		m.target(t)
	}
	m.facts()
	if _, err := io.WriteString(w, m.text.String()); err != nil {
		return fmt.Errorf("write the report as Markdown: %w", err)
	}
	return nil
}

type markdown struct {
	report Report
	text   strings.Builder
}

func (m *markdown) line(parts ...string) { m.text.WriteString(strings.Join(parts, "") + "\n") }

// row writes a row of a table.
func (m *markdown) row(cells ...string) { m.line("| ", strings.Join(cells, " | "), " |") }

func (m *markdown) head() {
	r := m.report
	lead, rest, _ := strings.Cut(r.firstLine(), ": ")
	m.line("**", spoken(lead), ":** ", spoken(rest))
	if len(r.PersonNeeded) == 0 && r.Error != "" {
		m.line("\n", spoken(r.Error))
	}
	for i, step := range r.steps() {
		if i == 0 {
			m.line()
		}
		m.line(fmt.Sprint(i+1, ". "), stepText(step))
	}
	if text, command := r.planWords(); text != "" {
		m.line("\n", spoken(text), " ", code(command))
	}
	for i, one := range r.changed() {
		if i == 0 {
			m.line("\n", spoken(r.changedTitle()), ":\n")
		}
		m.line("- ", one.Kind, ": ", spoken(one.Text))
	}
}

func stepText(s Step) string {
	text := spoken(s.What)
	if s.By != "" {
		text += ", **by " + spoken(s.By) + "**"
	}
	if s.Why != "" {
		text += ": " + spoken(s.Why)
	}
	text = ended(text)
	if s.Next != "" {
		text += " " + spoken(s.Next)
	}
	if s.Command != "" {
		text += " " + code(s.Command)
	}
	return text
}

func (m *markdown) missing() {
	if len(m.report.Targets) == 0 {
		return
	}
	m.line("\n### What was missing\n")
	for _, t := range m.report.Targets {
		text := "- **" + spoken(t.Target) + "**: " + spoken(m.report.business(t)) + "."
		if usual := usualWords(t.Usual, t.missing()); usual != "" {
			text += " " + spoken(sentence(usual))
		}
		m.line(text)
		for _, outage := range m.report.outageWords(t) {
			m.line("  ", spoken(outage), ".")
		}
	}
}

func (m *markdown) fresh() {
	for i, s := range m.report.Sources {
		if i == 0 {
			m.line("\n### How fresh the sources are\n")
		}
		m.line("- **", spoken(s.Source), "**: ", spoken(ended(m.report.freshness(s))), " ", spoken(sentence(readWords(s))))
		if silent := m.report.silentWords(s, maxSilent); silent != "" {
			m.line("  ", spoken(sentence(silent)))
		}
		rows, more := s.badOrders(maxTicketRows)
		for _, p := range rows {
			text := p.where() + ": " + p.Text
			if p.Order != "" {
				text += " (order " + p.Order + ")"
			}
			m.line("  - ", spoken(text))
		}
		if more > 0 {
			m.line("  - and ", number(more), " more")
		}
	}
}

func (m *markdown) target(t Target) {
	m.line("\n### ", spoken(t.title()), "\n")
	m.row("", "place", "orders", "messages", "money")
	m.row("---", "---", "---:", "---:", "---:")
	rows := t.rows()
	for _, row := range rows {
		if row.Bucket != "" && row.Count.Orders == 0 && row.Count.Events == 0 {
			continue
		}
		m.row(coded(row.Mark), "**"+spoken(row.Label)+"**", number(row.Count.Orders), number(row.Count.Events), spoken(moneyText(row.Count.Money)))
		for _, reason := range row.Reasons {
			if m.many() && !reason.Look {
				continue
			}
			events, money := number(reason.Count.Events), moneyText(reason.Count.Money)
			if reason.OrdersOnly {
				events, money = "", ""
			}
			m.row("", spoken(reason.Label), number(reason.Count.Orders), events, spoken(money))
		}
	}
	m.line("\n", spoken(sentence(balanceWords(t.Balance))))
	m.look(rows)
	for i, aside := range m.report.asides(t) {
		if i == 0 {
			m.line()
		}
		m.line("- ", stepText(aside))
	}
}

// look names the orders that somebody must look at.
func (m *markdown) look(rows []row) {
	for _, row := range rows {
		for _, reason := range row.Reasons {
			if !reason.Look || len(reason.Examples) == 0 {
				continue
			}
			m.line("\n", spoken(sentence(reason.Label)), "\n")
			most := maxTicketExamples
			if m.many() {
				most = 1
			}
			for _, e := range reason.Examples[:min(len(reason.Examples), most)] {
				text := code(e.Order) + " " + spoken(amountText(e.Amount, e.Currency))
				if e.Origin != "" {
					text += ", " + spoken(legibleText(e.Origin, maxTicketText))
				}
				if e.Text != "" && !m.many() {
					text += ": " + spoken(legibleText(e.Text, maxTicketText))
				}
				m.line("- ", text)
			}
			if more := reason.Count.Events - min(len(reason.Examples), most); more > 0 {
				m.line("- and ", number(more), " more")
			}
		}
	}
}

// many reports whether a ticket has no room for all reasons.
func (m *markdown) many() bool { return len(m.report.Targets) > fewDestinations }

func (m *markdown) facts() {
	m.line()
	if m.report.Run != "" {
		m.line("- More of it: ", code(m.report.command("report "+m.report.Run+" --out report.html")))
	}
	for _, f := range m.report.facts() {
		m.line("- ", spoken(f.Name), ": ", spoken(f.Text))
	}
}

// joiner is shown as nothing; it takes a word apart that a ticket or a chat
// would make a link or a mention of.
const joiner = "\u2060"

// marks are what Markdown of tickets and chats gives a meaning to.
var marks = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	"@", "@"+joiner, "#", "#"+joiner, "!", "!"+joiner, "://", ":"+joiner+"//",
)

// spoken is a text without any meaning for Markdown.
func spoken(text string) string {
	text = marks.Replace(text)
	for _, link := range []string{"www.", "WWW.", "GH-", "gh-"} {
		text = strings.ReplaceAll(text, link, link[:2]+joiner+link[2:])
	}
	first := strings.TrimLeft(text, " ")
	if first != "" && strings.ContainsAny(first[:1], "-+=") {
		return `\` + first
	}
	return first
}

// code is a command or an order number, uncut and without any meaning for
// Markdown; "" of nothing.
func code(text string) string {
	if text == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

// coded is a mark in a table's cell.
func coded(mark string) string {
	if mark == "" {
		return ""
	}
	return code(mark)
}
