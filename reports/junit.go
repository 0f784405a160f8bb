package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"makegood/reconcile"
)

// The form that pipelines read. A case has an error when something failed, and
// a failure when a person is needed.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		junitCounts
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitCounts struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Time     string `xml:"time,attr"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		Error   *junitFault `xml:"error,omitempty"`
		Failure *junitFault `xml:"failure,omitempty"`
		Out     string      `xml:"system-out,omitempty"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the report as the results of tests: a case for the run, for each
// source and for each destination.
func JUnit(w io.Writer, r Report) error {
	r = r.legible()
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write the report as JUnit XML: %w", err)
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(r.junit()); err != nil {
		return fmt.Errorf("write the report as JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r Report) junit() junitSuites {
	suite := junitSuite{Timestamp: r.Started.UTC().Format(time.RFC3339), Properties: []junitProperty{{"run", r.Run}, {"command", r.Command}}}
	for _, f := range r.facts() {
		if f.Name != "Run" {
			suite.Properties = append(suite.Properties, junitProperty{strings.ToLower(f.Name), f.Text})
		}
	}
	suite.Cases = append(suite.Cases, r.junitCase("run", Need{}, r.firstLine()))
	for _, s := range r.Sources {
		said := "newest order " + r.freshness(s) + "\n" + readWords(s)
		if silent := r.silentWords(s, maxSilent); silent != "" {
			said += "\n" + silent
		}
		suite.Cases = append(suite.Cases, r.junitCase("source", Need{Source: s.Source}, said))
	}
	for _, t := range r.Targets {
		said := r.business(t) + "\n" + barWords(t.Balance) + "\n" + balanceWords(t.Balance)
		suite.Cases = append(suite.Cases, r.junitCase("destination", Need{Target: t.Target}, said))
	}
	suite.junitCounts = junitCounts{Name: strings.TrimSpace("makegood " + r.Command), Tests: len(suite.Cases), Time: "0"}
	if took := r.Finished.Sub(r.Started); took > 0 {
		suite.Time = fmt.Sprintf("%.0f", took.Seconds())
	}
	for _, c := range suite.Cases {
		if c.Error != nil {
			suite.Errors++
		}
		if c.Failure != nil {
			suite.Failures++
		}
	}
	all := suite.junitCounts
	return junitSuites{junitCounts: all, Suites: []junitSuite{suite}}
}

// junitCase gathers what a person is needed for at one source or destination,
// or at neither.
func (r Report) junitCase(kind string, about Need, said string) junitCase {
	c := junitCase{Class: "makegood." + kind, Name: about.Source + about.Target, Time: "0", Out: said}
	if c.Name == "" {
		c.Name = "run"
	}
	for _, n := range r.PersonNeeded {
		if n.Source != about.Source || n.Target != about.Target {
			continue
		}
		fault := &c.Failure
		if n.What == reconcile.NeedFailed {
			fault = &c.Error
		}
		step := r.stepOf(n)
		if *fault == nil {
			*fault = &junitFault{Message: step.What, Type: n.What}
		}
		(*fault).Text += step.line() + "\n"
	}
	for _, n := range r.StillThere {
		if n.Source == about.Source && n.Target == about.Target {
			c.Out += "\n" + needWords(n) + r.knownWords(n)
		}
	}
	return c
}

// line is a step in one line.
func (s Step) line() string {
	text := s.What
	if s.By != "" {
		text += ", by " + s.By
	}
	if s.Why != "" {
		text += ": " + s.Why
	}
	return strings.Join(strings.Fields(ended(text)+" "+s.Next+" "+s.Command), " ")
}
