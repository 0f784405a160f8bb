package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// Ledger is what proving needs of a ledger.
type Ledger interface {
	// Kept returns the entries that exist, with what is kept of their orders.
	Kept(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Kept, error)
	// DecidedMarks lists decisions with what is kept of their orders.
	DecidedMarks(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.DecidedMark, error)
	// EachIn calls do for every entry and decision of a target about an order
	// completed in w; at "" for decisions about orders at their sources.
	EachIn(ctx context.Context, target string, w reconcile.Window, do func(id reconcile.EventID, source string) error) error
	// SealMark gives a mark as the ledger keeps it.
	SealMark(m reconcile.Digest) []byte
}

// Verifier proves one period. All fields but Report are required.
type Verifier struct {
	Sources []reconcile.SourceSpec
	Targets []*reconcile.Target
	Ledger  Ledger
	Window  reconcile.Window
	// AsOf is when the run judged the orders.
	AsOf time.Time
	// Run and Report are of the run that is proven; nil: the ledger alone is
	// compared with the sources.
	Run    reconcile.RunID
	Report []byte
}

// verification is one proof on its way.
type verification struct {
	*Verifier
	proof   Proof
	told    told
	runs    []reconcile.RunID // whose sending is that of the run
	targets map[string]*TargetProof
	left    map[reconcile.EventID]bool // decisions at the sources that were met
}

// Verify reads everything and proves it. An error is of a source or of the
// ledger; what is wrong with them stands in the proof.
func (v *Verifier) Verify(ctx context.Context) (Proof, error) {
	r := verification{Verifier: v, targets: map[string]*TargetProof{}, left: map[reconcile.EventID]bool{}}
	r.proof = Proof{Window: v.Window, Run: v.Run, Findings: []Finding{}}
	if err := r.readReport(); err != nil {
		return r.proof, err
	}
	for _, t := range v.Targets {
		r.targets[t.Name()] = &TargetProof{Target: t.Name(), Buckets: map[reconcile.Bucket]Sum{}, met: map[reconcile.EventID]bool{}}
	}
	for _, s := range v.Sources {
		if err := r.source(ctx, s); err != nil {
			return r.proof, fmt.Errorf("read source %s again: %w", s.Name(), err)
		}
	}
	if err := r.gone(ctx); err != nil {
		return r.proof, err
	}
	for _, name := range slices.Sorted(maps.Keys(r.targets)) {
		r.proof.Targets = append(r.proof.Targets, *r.targets[name])
	}
	if err := r.compareReport(); err != nil {
		return r.proof, err
	}
	slices.SortStableFunc(r.proof.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Target, b.Target))
	})
	return r.proof, nil
}

// gone finds what the ledger knows of the period and no source shows.
func (r *verification) gone(ctx context.Context) error {
	read := map[string]bool{}
	for _, s := range r.Sources {
		read[s.Name()] = true
	}
	look := func(target string, met map[reconcile.EventID]bool) error {
		return r.Ledger.EachIn(ctx, target, r.Window, func(id reconcile.EventID, source string) error {
			base, _, _ := strings.Cut(string(id), "~") // a correction belongs to its order
			if !read[source] || met[reconcile.EventID(base)] || strings.Contains(base, "/hidden-") {
				return nil
			}
			key, err := id.Key()
			r.find(Finding{Source: source, Target: target, Order: key.Order, What: Gone, Text: "the ledger knows it, the source does not show it any more"})
			return err
		})
	}
	for _, name := range slices.Sorted(maps.Keys(r.targets)) {
		if err := look(name, r.targets[name].met); err != nil {
			return err
		}
	}
	return look("", r.left)
}
