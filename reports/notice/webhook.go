package notice

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"text/template"
	"time"

	"makegood/reports"
)

// Webhook tells any other place.
type Webhook struct {
	URL    string
	Method string      // "" is POST
	Header http.Header // it may hold secrets
	// Template makes the body of a Message; nil: it goes as JSON.
	Template *template.Template
	Poster
}

// Check carries the template out over a message, as Notify does, so that a
// field that there is not is found before the night in which it is needed: of
// something new, and of being well again, in which nothing is.
func (w Webhook) Check() error {
	needed := Told{State: Person, Problems: []Problem{{What: NeedMissing}}}
	for _, r := range []reports.Report{{}, sampleReport()} {
		for _, m := range []Message{(&Board{}).newMessage(r, needed, Told{}, time.Time{}), (&Board{}).newMessage(r, Told{}, needed, time.Time{})} {
			if _, err := w.body(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// sampleReport has one of each.
func sampleReport() reports.Report {
	exit := 2
	return reports.Report{Schema: reports.Schema, Run: "run", Command: "run", Exit: &exit, Last: &reports.Last{}, Plan: &reports.Plan{},
		PersonNeeded: []reports.Need{{Target: "activate", What: "refused", Count: 1}}, Sources: []reports.Source{{Source: "shop"}},
		Targets: []reports.Target{{Target: "activate"}}}
}

// Notify implements Notifier.
func (w Webhook) Notify(ctx context.Context, m Message) error {
	body, err := w.body(m)
	if err != nil {
		return err
	}
	return w.send(ctx, request{method: cmp.Or(w.Method, http.MethodPost), address: w.URL, header: w.Header, contentType: "application/json", body: body})
}

// message is the form in JSON. Keys are added, never changed.
type message struct {
	Version  int       `json:"version"`
	Why      Reason    `json:"why"`
	State    State     `json:"state"`
	Was      State     `json:"was"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	News     []Problem `json:"news"`
	Link     string    `json:"link,omitempty"`
	Shop     string    `json:"environment,omitempty"`
	Run      string    `json:"run,omitempty"`
	Command  string    `json:"command"`
	Exit     *int      `json:"exit,omitempty"`
	Finished time.Time `json:"finished,omitzero"`
}

func (w Webhook) body(m Message) ([]byte, error) {
	if w.Template == nil {
		return json.Marshal(message{Version: 1, Why: m.Why, State: m.State, Was: m.Was, Subject: m.Subject, Text: m.Text, News: append([]Problem{}, m.News...),
			Link: m.Link, Shop: m.Shop, Run: m.Report.Run, Command: m.Report.Command, Exit: m.Report.Exit, Finished: m.Report.Finished})
	}
	var out bounded
	if err := w.Template.Execute(&out, m); err != nil {
		return nil, fmt.Errorf("carry out the template: %w", err)
	}
	return out.Bytes(), nil // what it is carried out over is masked; what it says itself is the shop's own
}

// bounded takes no more than a notice may have.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxBody {
		return 0, errors.New("what it makes is too long")
	}
	return b.Buffer.Write(p)
}
