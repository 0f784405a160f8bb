package metrics

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

var (
	metricName = regexp.MustCompile(`makegood_[a-z_]+`)
	selector   = regexp.MustCompile(`(makegood_[a-z_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`^([a-z_]+)(=|!=|=~|!~)"[^"]*"$`)
	grouping   = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	firstBy    = regexp.MustCompile(`^(?:time\(\) - )?(?:max|sum) by \(([^)]*)\)`) // what the labels of the result are then
	labelUse   = regexp.MustCompile(`\{\{ ?(?:\$labels\.)?([a-z]+) ?\}\}`)
	labelQuery = regexp.MustCompile(`^label_values\((makegood_[a-z_]+), ([a-z]+)\)$`)
	words      = regexp.MustCompile(`"[^"]*"|[a-z_]+`)
)

// language are the words of PromQL that the files use.
var language = strings.Fields("time max sum by or absent and on")

// labelsOf are a metric's labels, with those that all of them have; nil where
// there is no such metric.
func labelsOf(name string) []string {
	for _, m := range List() {
		if m.Name == name {
			return append([]string{"environment", "instance"}, m.Labels...)
		}
	}
	return nil
}

// checkExpression says what is wrong with an expression, and which labels its
// results may have. It knows the part of the language that the files use; all
// of them were read with Prometheus's own parser once, whose module is too
// heavy to be asked for by each test.
func checkExpression(t *testing.T, expression string) (labels []string) {
	t.Helper()
	names := metricName.FindAllString(expression, -1)
	if len(names) == 0 {
		t.Errorf("%s: there is no metric in it", expression)
	}
	for _, name := range names {
		if labelsOf(name) == nil {
			t.Errorf("%s: %s is not exported", expression, name)
		}
		labels = append(labels, labelsOf(name)...)
	}
	for _, found := range selector.FindAllStringSubmatch(expression, -1) {
		for _, part := range strings.Split(found[2], ",") {
			m := matcher.FindStringSubmatch(part)
			if m == nil || !slices.Contains(labelsOf(found[1]), m[1]) {
				t.Errorf("%s: %s has no such label: %s", expression, found[1], part)
			}
		}
	}
	for _, found := range grouping.FindAllStringSubmatch(expression, -1) {
		for _, label := range strings.Split(found[1], ", ") {
			if !slices.Contains(labels, label) {
				t.Errorf("%s: no metric has the label %s", expression, label)
			}
		}
	}
	known := append(slices.Concat(language, labels), names...)
	for _, word := range words.FindAllString(selector.ReplaceAllString(expression, ""), -1) {
		if !slices.Contains(known, word) {
			t.Errorf("%s: what is %s?", expression, word)
		}
	}
	depth := 0
	for _, c := range expression {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		t.Errorf("%s: its brackets do not pair", expression)
	}
	if by := firstBy.FindStringSubmatch(expression); by != nil {
		return strings.Split(by[1], ", ")
	}
	return labelsOf(names[0])
}

func TestAlerts(t *testing.T) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Load(Alerts, &file, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("got %+v", file)
	}
	seen := map[string]bool{}
	for _, r := range file.Groups[0].Rules {
		labels := checkExpression(t, r.Expr)
		if !strings.Contains(r.Expr, "absent(") && !strings.Contains(r.Expr, "makegood_last_run_timestamp_seconds") {
			t.Errorf("%s rings for ever where a host no longer runs makegood", r.Alert)
		}
		if seen[r.Alert] || !strings.HasPrefix(r.Alert, "Makegood") || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s lacks something, or stands there twice", r.Alert)
		}
		seen[r.Alert] = true
		for _, found := range labelUse.FindAllStringSubmatch(r.Annotations["summary"]+r.Annotations["description"], -1) {
			if found[1] != "value" && !slices.Contains(labels, found[1]) {
				t.Errorf("%s names the label %s, which its expression has not", r.Alert, found[1])
			}
		}
	}
}

type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Datasource  struct{ Type, UID string }
	Targets     []struct{ RefID, Expr, LegendFormat string }
	FieldConfig struct{ Defaults map[string]any }
	Options     map[string]any
}

// TestDashboard: it has what Grafana's import asks for, panels lie beside each
// other, and every name is one that is exported.
func TestDashboard(t *testing.T) {
	var file struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []panel
	}
	if err := json.Unmarshal(Dashboard, &file); err != nil {
		t.Fatal(err)
	}
	if file.Title == "" || file.UID == "" || file.SchemaVersion < 36 || len(file.Panels) < 10 || strings.Contains(string(Dashboard), `"id": null`) {
		t.Errorf("got %s %s, schema %d, %d panels", file.Title, file.UID, file.SchemaVersion, len(file.Panels))
	}
	for _, v := range file.Templating.List {
		if m := labelQuery.FindStringSubmatch(v.Definition); v.Type == "query" && (m == nil || !slices.Contains(labelsOf(m[1]), m[2])) {
			t.Errorf("the variable %s asks for %s", v.Name, v.Definition)
		}
	}
	ids, taken := map[int]bool{}, map[[2]int]bool{}
	for _, p := range file.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" || p.Type == "" || len(p.Targets) == 0 || p.Datasource.Type != "prometheus" || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %d, %s, lacks something, or has another's id", p.ID, p.Title)
		}
		ids[p.ID] = true
		p.alone(t, taken)
		for _, target := range p.Targets {
			labels := checkExpression(t, strings.NewReplacer("$destination", ".*", "$environment", ".*").Replace(target.Expr))
			if target.RefID == "" {
				t.Errorf("%s: a query without a name", p.Title)
			}
			for _, found := range labelUse.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(labels, found[1]) {
					t.Errorf("%s: its legend names %s, which %s has not", p.Title, found[1], target.Expr)
				}
			}
		}
	}
}

// alone wants a panel to lie within 24 columns, on no other.
func (p panel) alone(t *testing.T, taken map[[2]int]bool) {
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
		t.Errorf("%s lies at %+v", p.Title, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if taken[[2]int{x, y}] {
				t.Errorf("%s lies on another panel", p.Title)
				return
			}
			taken[[2]int{x, y}] = true
		}
	}
}

// TestEverythingIsSomewhere: what is exported is on the dashboard or in an
// alert.
func TestEverythingIsSomewhere(t *testing.T) {
	for _, m := range List() {
		if !strings.Contains(string(Dashboard)+string(Alerts), m.Name) && m.Name != sourceRows && m.Name != orders && m.Name != expiringFirst && m.Name != lastSuccess {
			t.Errorf("%s is shown nowhere", m.Name)
		}
	}
}
