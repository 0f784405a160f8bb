package config

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"text/template"
)

// Notify says who is told of runs, beside the report.
type Notify struct {
	// ReportURL is where people find reports; {run} in it stands for the run.
	ReportURL string             `yaml:"report_url"`
	To        map[string]*Notice `yaml:"to" required:"who is told, as in to: {desk: {type: slack, url: file:/run/secrets/slack}}"`
}

// Notice is one place that is told of runs: a health check of every run, the others when something has changed.
type Notice struct {
	Name string `yaml:"-"` // its key in the file
	Type string `yaml:"type" enum:"health_check slack teams webhook email" required:"health_check, slack, teams, webhook or email"`
	// URL is a secret: who knows it can write there.
	URL Secret `yaml:"url" for:"health_check slack teams webhook" need:"health_check slack teams webhook"`
	// Failure is how a health check is told of one: at URL/EXIT, or at URL/fail.
	Failure string `yaml:"failure" enum:"exit fail" default:"exit" for:"health_check"`
	// Targets are the destinations whose runs a health check waits for: it hears of runs to all of them, of others not. None: of every run.
	Targets []string `yaml:"targets" for:"health_check"`
	// MissingOver is the number of orders missing at one destination from which on that is a reason to tell; 0: never.
	MissingOver int `yaml:"missing_over" for:"slack teams webhook email"`

	Method  string            `yaml:"method" enum:"POST PUT" default:"POST" for:"webhook"`
	Headers map[string]Secret `yaml:"headers" for:"webhook"`
	// Template is a text/template over notice.Message; without one the message goes as JSON.
	Template string `yaml:"template" for:"webhook"`

	Host string `yaml:"host" for:"email" need:"email"`
	Port int    `yaml:"port" default:"587" for:"email"`
	// TLS none is for this machine and its private neighbours.
	TLS      string   `yaml:"tls" enum:"starttls tls none" default:"starttls" for:"email"`
	Username string   `yaml:"username" for:"email"`
	Password Secret   `yaml:"password" for:"email"`
	From     string   `yaml:"from" for:"email" need:"email"`
	To       []string `yaml:"to" for:"email" need:"email"`
}

// TemplateFuncs are what a notice's template can call beside the builtins: json, which makes JSON of any value.
func TemplateFuncs() template.FuncMap {
	return template.FuncMap{"json": func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	}}
}

func (n *Notify) check(d *document, c *Config) {
	if plain := strings.ReplaceAll(n.ReportURL, "{run}", "run"); plain != "" && !isAddress(plain, false) && !d.failed("notify.report_url") {
		d.fail("notify.report_url", "notify.report_url: %s is no usable address; write https://host/{run}.html", d.quote("notify.report_url"))
	}
	if len(n.To) == 0 && d.given("notify.to") && !d.failed("notify.to") {
		d.fail("notify.to", "notify.to names nobody; take notify out, or write to: {desk: {type: slack, url: file:/run/secrets/slack}}")
	}
	for _, name := range sortedKeys(n.To) {
		path := "notify.to." + name
		d.name(path, name)
		n.To[name].check(d, path)
		refer(d, path+".targets", n.To[name].Targets, c.Targets, "target")
	}
}

func (n *Notice) check(d *document, path string) {
	if n.URL != "" && !isAddress(n.URL.Reveal(), true) && !d.failed(path+".url") { // never shown
		d.fail(path+".url", "%s.url is no usable address; write https://host/..., without a user or password", path)
	}
	if d.given(path+".missing_over") && n.MissingOver < 1 && !d.failed(path+".missing_over") {
		d.fail(path+".missing_over", "%s.missing_over must be 1 or more; take it out for no bound", path)
	}
	n.checkWebhook(d, path)
	if n.Type == "email" {
		n.checkEmail(d, path)
	}
}

// ownHeaders are set by whoever sends.
var ownHeaders = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"}

func (n *Notice) checkWebhook(d *document, path string) {
	for _, name := range sortedKeys(n.Headers) {
		switch at := path + ".headers." + name; {
		case d.failed(at):
		case name == "" || strings.ContainsFunc(name, notToken) || slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)):
			d.fail(at, "%s.headers: %s is no header that can be set", path, quoted(name))
		case strings.ContainsFunc(n.Headers[name].Reveal(), func(r rune) bool { return r < ' ' || r > '~' }):
			d.fail(at, "%s holds a character that no header can", at)
		}
	}
	if n.Template == "" || d.failed(path+".template") {
		return
	}
	if _, err := template.New("template").Funcs(TemplateFuncs()).Option("missingkey=error").Parse(n.Template); err != nil {
		d.fail(path+".template", "%s.template is no template: %v", path, err)
	}
}

// notToken finds what a name of a header cannot hold.
func notToken(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func (n *Notice) checkEmail(d *document, path string) {
	if (n.Port < 1 || n.Port > 65535) && !d.failed(path+".port") {
		d.fail(path+".port", "%s.port must be between 1 and 65535; 587 goes with starttls, 465 with tls", path)
	}
	if n.Host != "" && strings.ContainsAny(n.Host, ":/@ ") && !d.failed(path+".host") {
		d.fail(path+".host", "%s.host: %s is no name of a host; the port goes into port", path, d.quote(path+".host"))
	}
	if n.TLS == "none" && n.Host != "" && !isNear(n.Host) && !d.failed(path+".tls") {
		d.fail(path+".tls", "%s.tls: none is for servers on this machine or its private network; write starttls or tls", path)
	}
	if (n.Username == "") != (n.Password == "") && !d.failed(path+".username") && !d.failed(path+".password") {
		d.fail(path, "%s.username and %s.password go together", path, path)
	}
	if n.From != "" && !isMailbox(n.From) && !d.failed(path+".from") {
		d.fail(path+".from", "%s.from is no address; write makegood@example.com", path)
	}
	if len(n.To) == 0 && d.given(path+".to") && !d.failed(path+".to") {
		d.fail(path+".to", "%s.to names nobody", path)
	}
	for i, to := range n.To {
		if !isMailbox(to) && !d.failed(at(path+".to", i)) {
			d.fail(at(path+".to", i), "%s.to: one of them is no address; write night-desk@example.com", path)
		}
	}
}

func isMailbox(text string) bool {
	_, err := mail.ParseAddress(text)
	return err == nil
}

// HeaderOf gives the headers of a webhook, for the one place that sends them.
func (n *Notice) HeaderOf() http.Header {
	header := http.Header{}
	for name, value := range n.Headers {
		header.Set(name, value.Reveal())
	}
	return header
}
