package verify

import (
	"strings"

	"makegood/reconcile"
)

// Proof is what was found.
type Proof struct {
	Window   reconcile.Window `json:"window"`
	Run      reconcile.RunID  `json:"run,omitempty"`
	Sources  []SourceProof    `json:"sources"`
	Targets  []TargetProof    `json:"targets"`
	Findings []Finding        `json:"findings"`
}

// SourceProof counts what a source gave, orders once each.
type SourceProof struct {
	Source  string `json:"source"`
	Orders  int    `json:"orders"`
	LeftOut int    `json:"left_out"`
	Bad     int    `json:"bad"`
	Merged  int    `json:"merged"`
}

// TargetProof is the balance of a target, counted again. Eligible is what the
// sources hold for it, Buckets where the ledger has it.
type TargetProof struct {
	Target       string                     `json:"target"`
	NotForTarget int                        `json:"not_for_target"`
	Eligible     Sum                        `json:"eligible"`
	Buckets      map[reconcile.Bucket]Sum   `json:"buckets"`
	Assumed      Sum                        `json:"assumed"` // in already_sent, on somebody's word
	met          map[reconcile.EventID]bool // events that sources showed
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
	Order  string `json:"order,omitempty"`
	Origin string `json:"origin,omitempty"` // where it stands
	What   string `json:"what"`
	Text   string `json:"text"`
}

// What can be found.
const (
	Altered     = "altered"     // the source says something else than when it was decided
	Gone        = "gone"        // the ledger knows the order, the source does not show it
	Unseen      = "unseen"      // the source shows an order that no run has decided
	Unexplained = "unexplained" // it is in no bucket, or in two
	Miscounted  = "miscounted"  // the report's sums are others
)

// String names the order.
func (f Finding) String() string {
	parts := []string{f.What}
	for _, p := range []struct{ name, value string }{{"order ", f.Order}, {"at ", f.Target}, {"source ", f.Source}, {"", f.Origin}} {
		if p.value != "" {
			parts = append(parts, p.name+p.value)
		}
	}
	return strings.Join(parts, ", ") + ": " + f.Text
}
