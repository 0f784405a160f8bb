package reports

import (
	"strings"

	"makegood/reconcile"
)

// Listed is what became of a list of order numbers: Missing are those that no
// source holds, the first 100 of MissingFound.
type Listed struct {
	Asked        int            `json:"asked"`
	Found        int            `json:"found"`
	Missing      []MissingOrder `json:"missing,omitempty"`
	MissingFound int            `json:"missing_found"`
}

// MissingOrder is such a number, and the one that is most like it.
type MissingOrder struct {
	Order   string `json:"order"`
	Nearest string `json:"nearest,omitempty"`
}

// maxMissing bounds how many numbers a report names.
const maxMissing = 100

func listedOf(found *reconcile.Listed) *Listed {
	if found == nil {
		return nil
	}
	l := &Listed{Asked: found.Asked, Found: found.Found, MissingFound: len(found.Missing)}
	for _, m := range found.Missing[:min(len(found.Missing), maxMissing)] {
		l.Missing = append(l.Missing, MissingOrder{Mask(m.Order), Mask(m.Nearest)})
	}
	return l
}

// missingWords gives "1099 (like 1009), 77".
func (l *Listed) missingWords() string {
	if l == nil {
		return ""
	}
	var parts []string
	for _, m := range l.Missing[:min(len(l.Missing), 10)] {
		text := m.Order
		if m.Nearest != "" {
			text += " (like " + m.Nearest + ")"
		}
		parts = append(parts, text)
	}
	if more := l.MissingFound - len(parts); more > 0 {
		parts = append(parts, "and "+number(more)+" more")
	}
	return strings.Join(parts, ", ")
}
