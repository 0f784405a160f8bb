package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const notifyWhole = `zone: Europe/Amsterdam
notify:
  report_url: https://reports.example.com/{run}.html
  to:
    heartbeat: {type: health_check, url: "https://hc.example.com/SECRET"}
    desk: {type: slack, url: "https://hooks.example.com/SECRET", missing_over: 200}
    team: {type: teams, url: "https://teams.example.com/SECRET"}
    hook:
      type: webhook
      url: http://127.0.0.1:8080/SECRET
      headers: {Authorization: Bearer SECRET}
      template: '{"text": {{json .Text}}}'
    mail: {type: email, host: mail.example.com, username: makegood, password: SECRET, from: makegood@example.com, to: [night-desk@example.com]}
metrics:
  textfile: metrics/makegood.prom
  push: {url: "https://push.example.com", username: makegood, password: SECRET}
serve:
  metrics: {key: SECRET0123456789}
`

func TestNotify(t *testing.T) {
	c, err := Parse([]byte(notifyWhole), "/etc/makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	hook, mail := c.Notify.To["hook"], c.Notify.To["mail"]
	if hook.Name != "hook" || hook.Method != "POST" || hook.HeaderOf().Get("authorization") != "Bearer SECRET" || mail.Port != 587 || mail.TLS != "starttls" ||
		c.Notify.To["heartbeat"].Failure != "exit" || c.Notify.To["desk"].MissingOver != 200 {
		t.Errorf("got %+v %+v", hook, mail)
	}
	if c.Metrics.TextFile != "/etc/metrics/makegood.prom" || c.Metrics.Push.Job != "makegood" {
		t.Errorf("got %+v", c.Metrics)
	}
	if text := fmt.Sprintf("%+v %v %+v %+v", *hook, *mail, *c.Metrics.Push, *c.Serve.Metrics); strings.Contains(text, "SECRET") {
		t.Errorf("it tells of secrets: %s", text)
	}
}

// TestNotifyFaults: each fault is named, with its key, and no secret with it.
func TestNotifyFaults(t *testing.T) {
	for want, change := range map[string][2]string{
		"notify.report_url: \"nowhere\" is no usable address":     {"https://reports.example.com/{run}.html", "nowhere"},
		"notify.to is missing":                                    {"  to:\n    heartbeat:", "  whomever:\n    heartbeat:"},
		"a name has letters":                                      {"    desk: {", "    \"night desk\": {"},
		"notify.to.desk.type: \"slak\" is not known":              {"type: slack", "type: slak"},
		"notify.to.desk.url is missing: type slack":               {"url: \"https://hooks.example.com/SECRET\", missing", "missing"},
		"notify.to.desk.url is no usable address":                 {"https://hooks.example.com/SECRET", "http://hooks.example.com/SECRET"},
		"notify.to.team.url is no usable address":                 {"https://teams.example.com/SECRET", "https://u:SECRET@teams.example.com"},
		"notify.to.desk.missing_over must be 1 or more":           {"missing_over: 200", "missing_over: 0"},
		"notify.to.heartbeat.missing_over has no effect":          {"health_check, url", "health_check, missing_over: 1, url"},
		"notify.to.hook.template is no template":                  {"{{json .Text}}", "{{jsn .Text}}"},
		"headers: \"Content-Length\" is no header":                {"Authorization: Bearer", "Content-Length: Bearer"},
		"headers: \"a b\" is no header":                           {"{Authorization: Bearer", "{a b: Bearer"},
		"Authorization holds a character that no header can":      {"Bearer SECRET", "Bearér SECRET"},
		"notify.to.mail.host is missing: type email":              {"host: mail.example.com, ", ""},
		"host: \"mail.example.com:25\" is no name of a host":      {"host: mail.example.com", "host: mail.example.com:25"},
		"notify.to.mail.port must be between":                     {"host: mail.example.com", "host: mail.example.com, port: 0"},
		"tls: none is for servers on this machine":                {"host: mail.example.com", "host: mail.example.com, tls: none"},
		"username and notify.to.mail.password go together":        {"username: makegood, password: SECRET, from", "password: SECRET, from"},
		"notify.to.mail.from is no address":                       {"from: makegood@example.com", "from: makegood"},
		"notify.to.mail.to: one of them is no address":            {"[night-desk@example.com]", "[night desk]"},
		"notify.to.mail.to names nobody":                          {"[night-desk@example.com]", "[]"},
		"metrics.textfile: \"metrics/makegood.txt\" does not end": {"makegood.prom", "makegood.txt"},
		"metrics.push.url is no usable address":                   {"https://push.example.com", "http://push.example.com"},
		"metrics.push.username and metrics.push.password go":      {"https://push.example.com\", username: makegood,", "https://push.example.com\","},
		"metrics.push.job: \"a/b\" is no name":                    {"https://push.example.com\",", "https://push.example.com\", job: a/b,"},
		"metrics go nowhere":                                      {"metrics:\n  textfile: metrics/makegood.prom\n  push: {url: \"https://push.example.com\", username: makegood, password: SECRET}", "metrics: {}"},
		"serve.metrics.key is shorter than 16":                    {"SECRET0123456789", "SECRET"},
	} {
		text := strings.Replace(notifyWhole, change[0], change[1], 1)
		_, err := Parse([]byte(text), "makegood.yaml", nil)
		var faults Errors
		switch {
		case text == notifyWhole:
			t.Errorf("%s: nothing was changed", want)
		case !errors.As(err, &faults) || !strings.Contains(err.Error(), want):
			t.Errorf("%s: got %v", want, err)
		case strings.Contains(err.Error(), "SECRET"):
			t.Errorf("it tells of a secret: %v", err)
		}
	}
}
