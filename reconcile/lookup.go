package reconcile

import (
	"slices"
	"time"
)

// Noted is an optional interface of an [EvidenceReader] and of a [CartFeed]. It
// is safe for concurrent use.
type Noted interface {
	// Notes says in words what a person should know of how the last Read found
	// its table to be written.
	Notes() []string
}

// Lookup is a table that was read beside the sources: never as orders.
type Lookup struct {
	Name   string    `json:"name"`
	Kind   string    `json:"kind"` // evidence or carts
	Rows   int       `json:"rows,omitempty"`
	Newest time.Time `json:"newest,omitzero"` // of evidence with times
	Notes  []string  `json:"notes,omitempty"`
}

// lookups lists what the targets looked up, each table once.
func (p *planner) lookups() []Lookup {
	var list []Lookup
	add := func(l Lookup, reader any) {
		if slices.ContainsFunc(list, func(o Lookup) bool { return o.Name == l.Name && o.Kind == l.Kind }) {
			return
		}
		if n, ok := reader.(Noted); ok {
			l.Notes = n.Notes()
		}
		list = append(list, l)
	}
	for _, t := range p.targets {
		for _, name := range t.Evidence {
			if k := p.evidence[name]; k != nil {
				add(Lookup{Name: name, Kind: "evidence", Rows: k.rows, Newest: k.newest}, k.EvidenceReader)
			}
		}
		for _, name := range t.CartFeeds {
			if len(t.checkouts) > 0 {
				add(Lookup{Name: name, Kind: "carts"}, p.Carts[name].CartFeed)
			}
		}
	}
	return list
}
