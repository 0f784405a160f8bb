// Package proposal looks at a file of orders that nobody has described yet, and
// proposes how to read it: which column is what, by its name and by what stands
// in it. What it is not sure of is a doubt, told with its reason.
package proposal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"makegood/config"
	"makegood/sources/table"
)

// Proposal is a mapping, and the doubts about it.
type Proposal struct {
	Preset  string // of a known export; "" when it is none
	Columns []Column
	// Missing are names without which no order can be read, and for which no
	// column was found.
	Missing []string
	// Statuses are the values of the status column in the sample, the most
	// frequent first, at most 12; none when a value could be a name.
	Statuses []string
	Unused   []string // columns that nothing was found for
	First    string   // the first column that has a name
	// Refused says what to export instead, where the file is known to have no
	// lines; "" otherwise.
	Refused string
}

// Column is one field and the column that it is read from.
type Column struct {
	Name  string // of config.ColumnNames
	From  string // the column's name, or "= expression"
	Doubt string // why a person should look; "" when there is no reason to
}

// Of proposes a mapping for a sample of a file.
func Of(s table.Sample) Proposal {
	p := proposed(s)
	for _, name := range s.Header.Columns {
		if p.First == "" {
			p.First = name
		}
	}
	return p
}

func proposed(s table.Sample) Proposal {
	if p := config.PresetOf(s.Header.Columns); p != nil {
		return Proposal{Preset: p.Name}
	}
	g := &guess{sample: s, taken: map[int]bool{}, found: map[string]Column{}}
	for _, f := range fields {
		g.look(f)
	}
	g.money()
	return g.proposal()
}

// guess is the work on one file.
type guess struct {
	sample table.Sample
	taken  map[int]bool
	found  map[string]Column
}

// look takes the column whose name fits a field best and whose values do not
// contradict it.
func (g *guess) look(f field) {
	type candidate struct{ at, score int }
	var best []candidate
	for at, name := range g.sample.Header.Columns {
		score := f.score(name)
		if score == 0 || g.taken[at] || f.holds != nil && !g.mostly(at, f.holds) {
			continue
		}
		best = append(best, candidate{at, score})
	}
	if len(best) == 0 {
		g.byValues(f)
		return
	}
	slices.SortStableFunc(best, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	doubt := ""
	switch {
	case len(best) > 1 && best[0].score == best[1].score:
		doubt = fmt.Sprintf("%q fits as well", g.name(best[1].at))
	case best[0].score < exact:
		doubt = "by a part of its name only"
	}
	g.take(f.name, best[0].at, doubt)
}

// byValues finds an address whatever its column is called.
func (g *guess) byValues(f field) {
	if f.name != "email" {
		return
	}
	for at := range g.sample.Header.Columns {
		if !g.taken[at] && g.mostly(at, isAddress) {
			g.take(f.name, at, "its values look like addresses, its name does not say so")
			return
		}
	}
}

func (g *guess) name(at int) string { return strings.TrimSpace(g.sample.Header.Columns[at]) }

func (g *guess) take(name string, at int, doubt string) {
	g.taken[at] = true
	g.found[name] = Column{name, g.name(at), doubt}
}

// mostly reports whether more than half of the filled cells of a column fit. A
// column without a filled cell contradicts nothing.
func (g *guess) mostly(at int, fits func(string) bool) bool {
	if g.sample.Numbers[at] {
		return true // the format says that they are numbers; dates are numbers, too
	}
	filled, fit := 0, 0
	for _, row := range g.sample.Rows {
		if at < len(row) && strings.TrimSpace(row[at]) != "" {
			filled++
			if fits(strings.TrimSpace(row[at])) {
				fit++
			}
		}
	}
	return 2*fit > filled || filled == 0
}

// money tells a price of one unit from the total of a line: two columns decide
// it by their values, one alone is a doubt.
func (g *guess) money() {
	price, has := g.found["price"]
	total, hasTotal := g.found["line_total"]
	switch {
	case has && hasTotal:
		delete(g.found, "price") // the exact one; both would have to agree in every row
		total.Doubt = cmp.Or(total.Doubt, fmt.Sprintf("price could be read from %q instead", price.From))
		g.found["line_total"] = total
	case has && price.Doubt == "" && slices.Contains([]string{"price", "prijs", "preis", "prix", "precio"}, plain(price.From)):
		price.Doubt = "is it of one unit? of the whole line it would be line_total"
		g.found["price"] = price
	}
}

func (g *guess) proposal() Proposal {
	p := Proposal{Statuses: g.statuses(), Refused: config.RefusedBy(g.sample.Header.Columns)}
	for _, f := range fields {
		if c, ok := g.found[f.name]; ok {
			p.Columns = append(p.Columns, c)
		}
	}
	for _, name := range []string{"order", "completed_at", "sku", "quantity"} {
		if _, ok := g.found[name]; !ok {
			p.Missing = append(p.Missing, name)
		}
	}
	if _, has := g.found["price"]; !has {
		if _, has := g.found["line_total"]; !has {
			p.Missing = append(p.Missing, "price")
		}
	}
	for at := range g.sample.Header.Columns {
		if !g.taken[at] && g.name(at) != "" {
			p.Unused = append(p.Unused, g.name(at))
		}
	}
	return p
}

// statuses lists what the status column says.
func (g *guess) statuses() []string {
	status, ok := g.found["status"]
	if !ok {
		return nil
	}
	at := slices.IndexFunc(g.sample.Header.Columns, func(c string) bool { return strings.TrimSpace(c) == status.From })
	counts := map[string]int{}
	for _, row := range g.sample.Rows {
		if text := strings.TrimSpace(row[at]); text != "" {
			counts[text]++
		}
		if len(counts) > 12 {
			return nil // these are no statuses
		}
	}
	for text := range counts {
		if strings.ContainsAny(text, "@\n") || len(text) > 40 {
			return nil
		}
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}
