package config

import "strings"

// Metrics says where what a run counted goes, for Prometheus.
type Metrics struct {
	// TextFile is the absolute path of a file that node_exporter reads.
	TextFile string `yaml:"textfile"`
	Push     *Push  `yaml:"push"`
}

// Push is a Pushgateway.
type Push struct {
	URL      string `yaml:"url" required:"the address of the Pushgateway, such as http://pushgateway.internal:9091"`
	Job      string `yaml:"job" default:"makegood"`
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
}

func (m *Metrics) check(d *document) {
	if m.TextFile == "" && m.Push == nil && !d.given("metrics.textfile") && !d.given("metrics.push") {
		d.fail("metrics", "metrics go nowhere; write metrics.textfile or metrics.push; makegood serve answers them with serve.metrics")
	}
	if m.TextFile != "" && !strings.HasSuffix(m.TextFile, ".prom") && !d.failed("metrics.textfile") {
		d.fail("metrics.textfile", "metrics.textfile: %s does not end with .prom, and node_exporter reads no others", d.quote("metrics.textfile"))
	}
	if p := m.Push; p != nil {
		if p.URL != "" && !isAddress(p.URL, true) && !d.failed("metrics.push.url") {
			d.fail("metrics.push.url", "metrics.push.url is no usable address; write https://host, without a user or password")
		}
		if (p.Username == "") != (p.Password == "") && !d.failed("metrics.push.password") {
			d.fail("metrics.push", "metrics.push.username and metrics.push.password go together")
		}
		if !nameText.MatchString(p.Job) && !d.failed("metrics.push.job") {
			d.fail("metrics.push.job", "metrics.push.job: %s is no name; write letters, digits, - and _", d.quote("metrics.push.job"))
		}
	}
}

// ServeMetrics answers Prometheus at /metrics.
type ServeMetrics struct {
	// Key is what Prometheus proves itself with (authorization: credentials).
	Key Secret `yaml:"key" required:"what Prometheus proves itself with, such as file:/run/secrets/metrics"`
}

func (m *ServeMetrics) check(d *document, path string) {
	if len(m.Key) < minKey && d.given(path+".key") && !d.failed(path+".key") {
		d.fail(path+".key", "%s.key is shorter than %d characters; make one with: openssl rand -hex 32", path, minKey)
	}
}
