package metrics

import _ "embed" // the files below

// Dashboard is a dashboard for Grafana 10 and later: import it, or provision it.
//
//go:embed dashboard.json
var Dashboard []byte

// Alerts are alerting rules for Prometheus.
//
//go:embed alerts.yaml
var Alerts []byte
