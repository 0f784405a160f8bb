package config

import (
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Serve is what makegood serve answers.
type Serve struct {
	// Listen is a host and a port. Browsers reach it through the shop's own proxy, which speaks TLS.
	Listen string  `yaml:"listen" default:"127.0.0.1:8090"`
	Bridge *Bridge `yaml:"bridge"`
	// Availability is off unless it is written.
	Availability *Availability `yaml:"availability"`
	// Metrics is off unless it is written.
	Metrics *ServeMetrics `yaml:"metrics"`
	// Uploads is off unless it is written.
	Uploads *Uploads `yaml:"uploads"`
}

// Availability asks Rokt on a shop backend's behalf whether a placement is available.
type Availability struct {
	URL    string `yaml:"url" required:"the host of Rokt's cart API, which Rokt tells its partners"`
	APIKey Secret `yaml:"api_key" required:"what Rokt knows the shop by, such as ${ROKT_KEY}"`
	TagID  Secret `yaml:"tag_id" required:"what Rokt knows the shop by, such as ${ROKT_TAG}"`
	// Key is what the shop's backend proves itself with.
	Key Secret `yaml:"key" required:"what the shop's backend proves itself with, such as file:/run/secrets/shop"`
	// Timeout is how long a customer may be kept waiting: without an answer the page is skipped.
	Timeout Duration `yaml:"timeout" default:"300ms"`
}

// Bridge takes the messages of Rokt's placements while pages are open, and hands out what aligns them with the shop's
// cart.
type Bridge struct {
	// Messages names the entry of messages whose file they are written to.
	Messages string `yaml:"messages" required:"the entry of messages whose path the messages are written to"`
	// Origins are the pages that may talk to it, as browsers name them: https://shop.example.com.
	Origins []string `yaml:"origins" required:"the pages that may talk to it, as in [https://shop.example.com]"`
	// Key is what the shop's backend proves itself with.
	Key Secret `yaml:"key" required:"what the shop's backend proves itself with, such as file:/run/secrets/bridge"`
	// Settle is how long the shop's page may take to reflect what a placement said, Answer how long the placement may take
	// to close a loop.
	Settle Duration `yaml:"settle" default:"3s"`
	Answer Duration `yaml:"answer" default:"10s"`
}

func (s *Serve) check(d *document, c *Config) {
	if _, port, err := net.SplitHostPort(s.Listen); (err != nil || port == "") && !d.failed("serve.listen") {
		d.fail("serve.listen", "serve.listen: %s is no address; write a host and a port, such as 127.0.0.1:8090", d.quote("serve.listen"))
	}
	parts := []string{"serve.bridge", "serve.availability", "serve.metrics", "serve.uploads"}
	if s.Bridge == nil && s.Availability == nil && s.Metrics == nil && s.Uploads == nil && !slices.ContainsFunc(parts, d.given) {
		d.fail("serve", "serve answers nothing; write serve.bridge, serve.availability, serve.metrics or serve.uploads")
	}
	if s.Uploads != nil {
		s.Uploads.check(d, "serve.uploads", c)
	}
	if s.Metrics != nil {
		s.Metrics.check(d, "serve.metrics")
	}
	if s.Availability != nil {
		s.Availability.check(d, "serve.availability")
	}
	if s.Bridge != nil {
		s.Bridge.check(d, "serve.bridge", c)
	}
}

// maxWait is how long a customer may be kept waiting at most.
const maxWait = Duration(2 * time.Second)

func (a *Availability) check(d *document, path string) {
	if !isAddress(a.URL, true) && a.URL != "" && !d.failed(path+".url") {
		d.fail(path+".url", "%s.url is no usable address; write https://host, without a user or password", path)
	}
	if (a.Timeout == 0 || a.Timeout > maxWait) && !d.failed(path+".timeout") {
		d.fail(path+".timeout", "%s.timeout must be more than 0s and at most 2s: a customer waits for it", path)
	}
	for key, text := range map[string]Secret{"api_key": a.APIKey, "tag_id": a.TagID} {
		if strings.ContainsFunc(string(text), func(r rune) bool { return r < ' ' || r > '~' }) {
			d.fail(path+"."+key, "%s.%s holds a character that no header can", path, key)
		}
	}
	if len(a.Key) < minKey && d.given(path+".key") && !d.failed(path+".key") {
		d.fail(path+".key", "%s.key is shorter than %d characters; make one with: openssl rand -hex 32", path, minKey)
	}
}

// minKey is how long a key must be, so that nobody guesses it.
const minKey = 16

func (b *Bridge) check(d *document, path string, c *Config) {
	refer(d, path+".messages", []string{b.Messages}, c.Messages, "messages")
	m := c.Messages[b.Messages]
	if m != nil && (m.Type != "rokt" || strings.ContainsAny(m.Path, "*?[") || filepath.Ext(m.Path) == "") && !d.failed(path+".messages") {
		d.fail(path+".messages", "%s.messages: messages.%s.path must name a file that lines can be written to, such as rokt/said-{date}.jsonl", path, b.Messages)
	}
	if len(b.Origins) == 0 && d.given(path+".origins") && !d.failed(path+".origins") {
		d.fail(path+".origins", "%s.origins names no page; nobody could send a message", path)
	}
	for i, origin := range b.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || !isNear(u.Hostname())) {
			d.fail(at(path+".origins", i), "%s.origins: %s is no origin as browsers name them; write https://shop.example.com, without a path",
				path, d.quote(at(path+".origins", i)))
		}
	}
	if len(b.Key) < minKey && d.given(path+".key") && !d.failed(path+".key") {
		d.fail(path+".key", "%s.key is shorter than %d characters; make one with: openssl rand -hex 32", path, minKey)
	}
}
