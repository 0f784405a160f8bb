package notice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"makegood/reports"
)

// Slack is an incoming webhook of Slack, or of a chat that speaks the same
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
type Slack struct {
	URL string
	Poster
}

// escapes are the three signs that mean something to Slack, and the one by which
// other chats call everybody: a sign that nobody sees stands behind it.
var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b")

// fence stands around what is shown as it is typed.
const fence = "```"

// Notify implements Notifier.
func (s Slack) Notify(ctx context.Context, m Message) error {
	lines := []string{"*" + escapes.Replace(m.note.First) + "*"}
	if m.aside != "" {
		lines = append(lines, escapes.Replace(m.aside))
	}
	for _, text := range m.note.Business {
		lines = append(lines, escapes.Replace(text))
	}
	for _, step := range m.note.Steps {
		lines = append(lines, "• "+escapes.Replace(stepText(step)))
		if step.Command != "" {
			lines = append(lines, fence+escapes.Replace(strings.ReplaceAll(step.Command, "`", "'"))+fence)
		}
	}
	text := cut(strings.Join(lines, "\n"), maxMessage)
	if strings.Count(text, fence)%2 == 1 { // it was cut inside a command
		text += fence
	}
	if m.Link != "" {
		text += "\n<" + escapes.Replace(m.Link) + "|The report>"
	}
	text += "\n_" + escapes.Replace(m.footer) + "_"
	return s.sendJSON(ctx, s.URL, nil, map[string]any{"text": text, "unfurl_links": false})
}

// Teams is a webhook of a Teams workflow, or of an older connector
// (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
type Teams struct {
	URL string
	Poster
}

// How much a card shows: it may have 28 kB.
const (
	maxSteps = 8
	maxLines = 12
	maxLine  = 400
)

// Notify implements Notifier.
func (t Teams) Notify(ctx context.Context, m Message) error {
	colour := "good"
	if m.State != Well {
		colour = "attention"
	}
	body := []any{paragraph(map[string]any{"text": m.note.First, "weight": "bolder", "size": "medium", "color": colour})}
	lines := append(fill(m.aside), m.note.Business...)
	for _, text := range lines[:min(len(lines), maxLines)] {
		body = append(body, paragraph(map[string]any{"text": cut(text, maxLine)}))
	}
	for _, step := range m.note.Steps[:min(len(m.note.Steps), maxSteps)] {
		body = append(body, paragraph(map[string]any{"text": cut(stepText(step), 2*maxLine)}))
		if step.Command != "" {
			body = append(body, paragraph(map[string]any{"text": cut(step.Command, maxLine), "fontType": "monospace"}))
		}
	}
	body = append(body, paragraph(map[string]any{"text": m.footer, "size": "small", "isSubtle": true}))
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if m.Link != "" {
		card["actions"] = []any{map[string]any{"type": "Action.OpenUrl", "title": "The report", "url": m.Link}}
	}
	return t.sendJSON(ctx, t.URL, connectorFailed, map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}})
}

// paragraph is text that is shown as it is: other blocks read it as Markdown.
func paragraph(run map[string]any) map[string]any {
	run["type"] = "TextRun"
	return map[string]any{"type": "RichTextBlock", "inlines": []any{run}}
}

// connectorFailed reads what older connectors answer with status 200.
func connectorFailed(answer []byte) error {
	if bytes.Contains(answer, []byte("delivery failed")) {
		return errors.New("the connector answered that the delivery failed: make a webhook of a Teams workflow")
	}
	return nil
}

func (p Poster) sendJSON(ctx context.Context, address string, good func([]byte) error, message any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // it is no page
	if err := enc.Encode(message); err != nil {
		return err
	}
	return p.send(ctx, request{method: http.MethodPost, address: address, contentType: "application/json", body: bytes.TrimSpace(body.Bytes()), good: good})
}

// stepText is a step in one paragraph.
func stepText(s reports.Step) string {
	texts := fill(stepTitle(s), s.Why, s.Next)
	for i, text := range texts {
		if !strings.ContainsAny(text[len(text)-1:], ".:!?") {
			texts[i] += "."
		}
	}
	return strings.Join(texts, " ")
}

// fill drops empty texts.
func fill(texts ...string) []string {
	var all []string
	for _, text := range texts {
		if text != "" {
			all = append(all, text)
		}
	}
	return all
}
