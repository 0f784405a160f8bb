package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"text/template"
	"time"

	"makegood/reports"
)

// asked is what a place was asked.
type asked struct {
	method, path, kind, extra, body string
}

// listener answers one after another with the statuses it is given, then 200.
type listener struct {
	*httptest.Server
	asked    []asked
	statuses []int
	header   http.Header
	answer   string
}

func listen(t *testing.T, statuses ...int) *listener {
	l := &listener{statuses: statuses, header: http.Header{}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.asked = append(l.asked, asked{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)})
		for name, values := range l.header {
			w.Header()[name] = values
		}
		if len(l.statuses) > 0 {
			w.WriteHeader(l.statuses[0])
			l.statuses = l.statuses[1:]
		}
		fmt.Fprint(w, l.answer)
	}))
	t.Cleanup(l.Close)
	return l
}

// patient waits for nothing, and writes down for how long it would have.
func patient(waited *[]time.Duration) Poster {
	return Poster{Pause: func(_ context.Context, d time.Duration) error {
		*waited = append(*waited, d)
		return nil
	}}
}

func sample() Message {
	r := missed(2)
	r.PersonNeeded, *r.Exit = []reports.Need{need("refused", 3)}, 2
	return board(nil, 0).newMessage(r, Told{State: Person, Problems: []Problem{{Target: "activate", What: "refused", Count: 3}}}, Told{}, time.Time{})
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		header   http.Header
		asked    int
		waits    string
		want     string // of the error
	}{
		"at once":              {nil, nil, 1, "[]", ""},
		"on the third try":     {[]int{500, 502}, nil, 3, "[1s 4s]", ""},
		"never":                {[]int{503, 503, 503, 503}, nil, 3, "[1s 4s]", "answered 503 Service Unavailable"},
		"when it says":         {[]int{429}, http.Header{"Retry-After": {"7"}}, 2, "[7s]", ""},
		"much too late":        {[]int{429}, http.Header{"Retry-After": {"3600"}}, 2, "[10s]", ""},
		"at a date":            {[]int{503}, http.Header{"Retry-After": {"Fri, 01 Jan 2100 00:00:00 GMT"}}, 2, "[10s]", ""},
		"at a date long ago":   {[]int{503}, http.Header{"Retry-After": {"Fri, 01 Jan 2010 00:00:00 GMT"}}, 2, "[1s]", ""},
		"refused":              {[]int{400}, nil, 1, "[]", "answered 400 Bad Request"},
		"nobody knows it":      {[]int{404}, nil, 1, "[]", "answered 404 Not Found: correct url, or make a new one there"},
		"another host":         {[]int{307}, http.Header{"Location": {"https://elsewhere.example.com/SECRET"}}, 1, "[]", "names another address, at elsewhere.example.com, which is not followed: correct url"},
		"the same host":        {[]int{302}, http.Header{"Location": {"/other"}}, 1, "[]", "which is not followed"},
		"a redirect to nobody": {[]int{301}, nil, 1, "[]", "answered 301"},
	} {
		l := listen(t, c.statuses...)
		l.header = c.header
		var waited []time.Duration
		err := Slack{URL: l.URL + "/SECRET", Poster: patient(&waited)}.Notify(t.Context(), sample())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || len(l.asked) != c.asked || fmt.Sprint(waited) != c.waits {
			t.Errorf("%s: %v after %d requests and %v", name, err, len(l.asked), waited)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: it tells of the address: %v", name, err)
		}
	}
	if err := (Slack{URL: "http://127.0.0.1:1/SECRET", Poster: patient(new([]time.Duration))}).Notify(t.Context(), sample()); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("nobody listens: %v", err)
	}
	if err := (Slack{URL: "http://SECRET\x00"}).Notify(t.Context(), sample()); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("no address: %v", err)
	}
}

// TestSendEnds: when there is no more time, the last answer is told.
func TestSendEnds(t *testing.T) {
	l := listen(t, 503, 503, 503)
	ctx, cancel := context.WithCancel(t.Context())
	p := Poster{Pause: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }}
	if err := (Slack{URL: l.URL, Poster: p}).Notify(ctx, sample()); err == nil || !strings.Contains(err.Error(), "503") || len(l.asked) != 1 {
		t.Errorf("got %v after %d", err, len(l.asked))
	}
}

func TestSlack(t *testing.T) {
	l := listen(t)
	m := sample()
	m.note.First = "A <b> & c @all"
	m.note.Steps[0].Command = "makegood `resolve` <x>"
	if err := (Slack{URL: l.URL}).Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var got struct{ Text string }
	if err := json.Unmarshal([]byte(l.asked[0].body), &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"*A &lt;b&gt; &amp; c @\u200ball*\n", "activate: 2 orders were missing (12.50 EUR); all repaired.\n", "```makegood 'resolve' &lt;x&gt;```",
		"<https://reports.example.com/run-1.html|The report>", "_makegood run, production,"} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("%q is not in %s", want, got.Text)
		}
	}
}

// TestTeams: the card has what Teams asks of one, and nothing in it is read as
// Markdown.
func TestTeams(t *testing.T) {
	l := listen(t)
	if err := (Teams{URL: l.URL}).Notify(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type    string
					Inlines []struct{ Type, Text, FontType, Color string }
				}
				Actions []struct{ Type, URL string }
			}
		}
	}
	if err := json.Unmarshal([]byte(l.asked[0].body), &got); err != nil {
		t.Fatal(err)
	}
	card := got.Attachments[0].Content
	if got.Type != "message" || got.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || card.Type != "AdaptiveCard" || card.Version != "1.4" ||
		len(card.Actions) != 1 || card.Actions[0].Type != "Action.OpenUrl" || card.Actions[0].URL != "https://reports.example.com/run-1.html" {
		t.Errorf("got %+v", got)
	}
	var texts []string
	for _, block := range card.Body {
		if block.Type != "RichTextBlock" || len(block.Inlines) != 1 || block.Inlines[0].Type != "TextRun" {
			t.Errorf("a block that is read as Markdown: %+v", block)
		}
		texts = append(texts, block.Inlines[0].Text)
	}
	if all := strings.Join(texts, "\n"); card.Body[0].Inlines[0].Color != "attention" || !strings.HasPrefix(all, "A person is needed: 3 messages refused by activate.") || !strings.Contains(all, "\nmakegood resolve\n") {
		t.Errorf("got %s", all)
	}
	if size := len(l.asked[0].body); size > 28<<10 {
		t.Errorf("%d bytes are too many", size)
	}
	l.answer = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
	var waited []time.Duration
	if err := (Teams{URL: l.URL, Poster: patient(&waited)}).Notify(t.Context(), sample()); err == nil || len(waited) != tries-1 {
		t.Error("what an older connector did not deliver counts as delivered")
	}
}

// TestTeamsIsSmall: also with everything that can be told.
func TestTeamsIsSmall(t *testing.T) {
	l := listen(t)
	m := sample()
	long := strings.Repeat("long ", 2000)
	for range 40 {
		m.note.Steps = append(m.note.Steps, reports.Step{What: long, Next: long, Command: long})
	}
	for range 40 {
		m.note.Business = append(m.note.Business, long)
	}
	if err := (Teams{URL: l.URL}).Notify(t.Context(), m); err != nil || len(l.asked[0].body) > 28<<10 {
		t.Errorf("%v, %d bytes", err, len(l.asked[0].body))
	}
}

func TestWebhook(t *testing.T) {
	l := listen(t)
	hook := Webhook{URL: l.URL + "/x?y=1", Method: http.MethodPut, Header: http.Header{"Authorization": {"Bearer key"}, "Content-Type": {"application/vnd.x+json"}}}
	if err := hook.Notify(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	got := l.asked[0]
	var body map[string]any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	if got.method != "PUT" || got.path != "/x?y=1" || got.kind != "application/vnd.x+json" || got.extra != "Bearer key" ||
		body["state"] != "person_needed" || body["was"] != "well" || body["why"] != "changed" || body["exit"] != 2.0 || body["run"] != "run-1" || len(body["news"].([]any)) != 1 {
		t.Errorf("got %+v", got)
	}
	hook.Template = template.Must(template.New("t").Parse(`{"text":"@here {{.State}}","to":"night-desk@example.com"} {{range .News}}{{.What}} {{.Count}}{{end}}`))
	if err := hook.Notify(t.Context(), sample()); err != nil || l.asked[1].body != `{"text":"@here person_needed","to":"night-desk@example.com"} refused 3` {
		t.Errorf("%v: %s", err, l.asked[1].body)
	}
}

func TestWebhookTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Subject}} {{.Text}} {{.Link}} {{.Why}} {{.Was}} {{.Shop}} {{.Report.Run}}": "",
		"{{.Subjekt}}":                 "can't evaluate field Subjekt",
		"{{.Report.Plan.Subjekt}}":     "can't evaluate field Subjekt",
		"{{range .News}}{{.X}}{{end}}": "can't evaluate field X",
		"{{range .Report.Targets}}{{.Balance.Sent.Orders}}{{end}}": "",
		"{{(index .News 0).What}}":                                 "error calling index", // there is none when it is well again
		"{{with .News}}{{(index . 0).What}}{{end}}":                "",
		`{{printf "%300000s" "x"}}`:                                "too long",
	} {
		hook := Webhook{Template: template.Must(template.New("t").Parse(text))}
		if err := hook.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestHealthCheck(t *testing.T) {
	l := listen(t)
	h := HealthCheck{URL: l.URL + "/uuid?create=1"}
	ctx, r, cut := t.Context(), missed(2), missed(2)
	cut.Error = "context canceled" // by a signal
	for _, err := range []error{h.Start(ctx), h.End(ctx, 0, r), h.End(ctx, 1, r), h.End(ctx, 2, r), h.End(ctx, 78, r), h.End(ctx, 1, cut), h.Test(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
	h.Fail = "fail"
	if err := errors.Join(h.End(ctx, 3, r), h.Test(ctx)); err != nil {
		t.Error(err)
	}
	var paths []string
	for _, a := range l.asked {
		at, _ := url.Parse(a.path)
		paths = append(paths, at.Path)
		if a.method != http.MethodPost || at.RawQuery != "create=1" {
			t.Errorf("got %+v", a)
		}
	}
	if got := strings.Join(paths, " "); got != "/uuid/start /uuid /uuid /uuid/2 /uuid/78 /uuid/1 /uuid/log /uuid/fail /uuid" {
		t.Errorf("got %s", got)
	}
	if want := "No one is needed: everything that was missing has been sent.\nactivate: 2 messages in this period = 2 accepted by the platform: adds up"; l.asked[1].body != want {
		t.Errorf("got %s", l.asked[1].body)
	}
}
