package notice

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"makegood/reports"
)

// How long texts may become, in characters.
const (
	maxSubject = 180
	maxMessage = 6000
)

// Message is what somebody is told, and what the template of a webhook is
// carried out over.
type Message struct {
	Subject string         // one line: the first line of the report
	Text    string         // all of it, in lines
	Why     Reason         // why it is told
	State   State          // how things stand
	Was     State          // how they stood when this place was last told
	News    []Problem      // what is new of it
	Link    string         // to the report, "" where none is known
	Shop    string         // the environment, "" where none is named
	Report  reports.Report // all there is to know; of a test, nearly nothing

	note   reports.Note
	aside  string // of what is told beside the report
	footer string
}

// newMessage puts a message into words. at is when it is told.
func (b *Board) newMessage(r reports.Report, now, was Told, at time.Time) Message {
	why, news := Decide(now, was)
	m := Message{Why: why, State: now.state(), Was: was.state(), News: news, Shop: b.Shop, Report: r, note: reports.NoteOf(r)}
	if b.ReportURL != "" && r.Run != "" {
		m.Link = strings.ReplaceAll(b.ReportURL, "{run}", r.Run)
	}
	m.aside = aside(m)
	m.footer = "makegood " + r.Command
	if b.Shop != "" {
		m.footer += ", " + b.Shop
	}
	m.footer += ", " + cmp.Or(m.note.When, at.UTC().Format("2 Jan 2006 15:04 UTC"))
	if r.Run != "" {
		m.footer += ", run " + r.Run
	}
	return m.worded()
}

// aside says what the report does not say by itself.
func aside(m Message) string {
	if m.Why == Again {
		return "Well again: what was told before is over."
	}
	var parts []string
	for _, p := range m.News {
		switch p.What {
		case NeedMissing:
			parts = append(parts, "More orders were missing at "+p.Target+" than the bound of this notice.")
		case NeedExpiring:
			parts = append(parts, "What was not sent to "+p.Target+" yet begins to become too old for it within a day.")
		}
	}
	return strings.Join(parts, " ")
}

// worded fills in the texts that are made of the others.
func (m Message) worded() Message {
	m.Subject = cut(m.note.First, maxSubject)
	lines := []string{m.note.First}
	if m.aside != "" {
		lines = append(lines, m.aside)
	}
	if len(m.note.Business) > 0 {
		lines = append(append(lines, ""), m.note.Business...)
	}
	for _, step := range m.note.Steps {
		lines = append(lines, "", "* "+stepTitle(step))
		for _, text := range []string{step.Why, step.Next} {
			if text != "" {
				lines = append(lines, "  "+text)
			}
		}
		if step.Command != "" {
			lines = append(lines, "    "+step.Command)
		}
	}
	m.Text = cut(strings.Join(lines, "\n"), maxMessage)
	if m.Link != "" {
		m.Text += "\n\nReport: " + m.Link
	}
	m.Text += "\n\n" + m.footer
	return m
}

func stepTitle(s reports.Step) string {
	if s.By == "" {
		return s.What
	}
	return s.What + ", by " + s.By
}

// testMessage is what a test tells.
func (b *Board) testMessage(now time.Time) Message {
	m := Message{Why: Tested, State: Well, Was: Well, Shop: b.Shop, Report: reports.Report{Schema: reports.Schema, Command: "notify"},
		note: reports.Note{First: "This is a test of makegood's notices. No one is needed.", Business: []string{"Notices of this kind come when something has changed."}}}
	m.footer = "makegood notify --test, " + now.UTC().Format("2 Jan 2006 15:04 UTC")
	if b.Shop != "" {
		m.footer += ", " + b.Shop
	}
	if b.ReportURL != "" {
		m.Link = strings.ReplaceAll(b.ReportURL, "{run}", "test")
	}
	return m.worded()
}

// cut keeps at most limit characters.
func cut(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}
