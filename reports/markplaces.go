package reports

import (
	"strings"

	"makegood/reconcile"
)

// Places gives where an order ended by destination, where the balance counts it:
// at its worst message. Under "" stands what its source said, which holds for
// all destinations that have no word of their own; nil: nothing was told.
func (m *Marks) Places(source string, key reconcile.OrderKey) map[string]reconcile.Place {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, met := m.orders[m.hash(key)]
	if !met {
		return nil
	}
	places := map[string]reconcile.Place{}
	for at := last; at >= 0; at = m.seen[at].before {
		name, place := m.names[m.seen[at].name], m.places[m.seen[at].place]
		if from, is := strings.CutPrefix(name, ":"); is {
			if from != source {
				continue
			}
			name = ""
		}
		if before, known := places[name]; known {
			place = reconcile.Worse(place, before)
		}
		places[name] = place
	}
	return places
}
