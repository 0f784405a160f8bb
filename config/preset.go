package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Preset is what is known of an export that many people have. Its facts are graded as those of platforms are: [P] the
// vendor says so, [C] seen in files of others, [I] inferred, [U] not known.
type Preset struct {
	Name  string
	Title string // what people call the export
	// Columns has for each name of ColumnNames the columns' names or "= expressions" that it is read from: the first one
	// of which the file has all columns. Spaces, signs and case of a header do not matter.
	Columns map[string][]string
	Channel string // a literal; empty: among the columns
	// CompletedWhen, NotCompleted, LeaveOut and SkipLines go where the source says nothing else. A rule over columns that
	// the file lacks is left out.
	CompletedWhen, NotCompleted []string
	LeaveOut                    []Rule
	SkipLines                   []LineRule
	// Refused are headers of exports that look alike but have no lines, and what to do about it.
	Refused []RefusedHeader
}

// RefusedHeader names columns by which an export is known that cannot be read.
type RefusedHeader struct {
	Columns []string
	Text    string
}

// needed are the columns without which there is no order.
var needed = []string{"order", "completed_at", "sku", "quantity"}

// PresetNamed gives the preset of a name, nil when there is none.
func PresetNamed(name string) *Preset {
	for i := range presets {
		if presets[i].Name == name {
			return &presets[i]
		}
	}
	return nil
}

// PresetOf gives the preset whose needed columns a header has, nil when there is none or more than one.
func PresetOf(header []string) *Preset {
	var found *Preset
	for i := range presets {
		if _, err := presets[i].columns(header); err != nil {
			continue
		}
		if found != nil {
			return nil
		}
		found = &presets[i]
	}
	return found
}

// RefusedBy says what is wrong with a header of an export that is known not to do, "" with any other.
func RefusedBy(header []string) string {
	named := newHeader(header)
	for _, p := range presets {
		for _, r := range p.Refused {
			if named.all(r.Columns) {
				return r.Text
			}
		}
	}
	return ""
}

// Resolved gives the source with what its preset says of a file with this header, where the source itself says nothing.
// A source without a preset is given back as it is. An error names what the header lacks.
func (s *Source) Resolved(header []string) (*Source, error) {
	p := PresetNamed(s.Preset)
	if p == nil {
		return s, nil
	}
	columns, err := p.columnsBut(header, s.Columns)
	if err != nil {
		return nil, err
	}
	r := *s
	maps.Copy(columns, s.Columns)
	r.Columns = columns
	if r.Channel == "" && columns["channel"] == "" {
		r.Channel = p.Channel
	}
	if s.Channel != "" {
		delete(r.Columns, "channel")
	}
	if s.Currency != "" {
		delete(r.Columns, "currency")
	}
	if len(s.CompletedWhen) == 0 && columns["status"] != "" {
		r.CompletedWhen, r.NotCompleted = p.CompletedWhen, p.NotCompleted
	}
	named := newHeader(header)
	for _, rule := range p.LeaveOut {
		if when, ok := named.expression(rule.When); ok {
			r.LeaveOut = append(r.LeaveOut, Rule{rule.Reason, when})
		}
	}
	for _, rule := range p.SkipLines {
		if when, ok := named.expression(rule.When); ok {
			r.SkipLines = append(r.SkipLines, LineRule{Rule{rule.Reason, when}, rule.KeepMoney})
		}
	}
	return &r, nil
}

// Wanted are the columns by which a header of the export is known.
func (p *Preset) Wanted() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(p.Columns)) {
		for _, value := range p.Columns[name] {
			if strings.HasPrefix(value, "=") {
				for _, m := range rowColumn.FindAllStringSubmatch(value, -1) {
					names = append(names, m[1])
				}
			} else {
				names = append(names, value)
			}
		}
	}
	return names
}

func (p *Preset) columns(header []string) (map[string]string, error) {
	return p.columnsBut(header, nil)
}

// columnsBut finds the columns of the export in a header; those in own need not be there.
func (p *Preset) columnsBut(header []string, own map[string]string) (map[string]string, error) {
	named := newHeader(header)
	columns := map[string]string{}
	for name, values := range p.Columns {
		for _, value := range values {
			if found, ok := named.value(value); ok {
				columns[name] = found
				break
			}
		}
	}
	var missing []string
	for _, name := range needed {
		if columns[name] == "" && own[name] == "" {
			missing = append(missing, name)
		}
	}
	if columns["price"]+columns["line_total"]+own["price"]+own["line_total"] == "" {
		missing = append(missing, "price")
	}
	if len(missing) == 0 {
		return columns, nil
	}
	for _, r := range p.Refused {
		if named.all(r.Columns) {
			return nil, fmt.Errorf("read the header as %s: %s", p.Title, r.Text)
		}
	}
	return nil, fmt.Errorf("read the header as %s: nothing in it is %s, for which there would be %s; map it in columns, or take another preset",
		p.Title, strings.Join(missing, ", "), strings.Join(p.Columns[missing[0]], " or "))
}

// header finds columns whatever the case and signs of their names.
type header map[string]string

func newHeader(columns []string) header {
	h := header{}
	for _, c := range columns {
		if key := plainName(c); h[key] == "" {
			h[key] = strings.TrimSpace(c)
		}
	}
	return h
}

// plainName drops what varies between versions of an export: case, spaces and signs.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.\ufeff\"", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

func (h header) all(columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return h[plainName(c)] == "" })
}

func (h header) value(value string) (string, bool) {
	if strings.HasPrefix(value, "=") {
		return h.expression(value)
	}
	found := h[plainName(value)]
	return found, found != ""
}

var rowColumn = regexp.MustCompile(`row\["([^"]+)"\]`)

// expression writes the names that the header has into an expression; ok is false when it lacks one.
func (h header) expression(text string) (string, bool) {
	ok := true
	text = rowColumn.ReplaceAllStringFunc(text, func(m string) string {
		found := h[plainName(rowColumn.FindStringSubmatch(m)[1])]
		ok = ok && found != ""
		return fmt.Sprintf("row[%q]", found)
	})
	return text, ok
}
