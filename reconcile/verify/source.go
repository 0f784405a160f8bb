package verify

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"makegood/reconcile"
)

// atOnce is how many orders are compared with the ledger at a time.
const atOnce = 1000

// source walks the orders of a source, and their lines a second time.
func (r *verification) source(ctx context.Context, s reconcile.SourceSpec) error {
	count := SourceProof{Source: s.Name()}
	lines := map[reconcile.OrderKey]reconcile.Head{}
	var batch []reconcile.Head
	for h, err := range s.Heads(ctx, r.Window) {
		if err != nil {
			return err
		}
		switch {
		case h.Merged:
			count.Merged++
			continue
		case len(h.Bad) > 0:
			count.Bad++
		case h.LeftOut != "":
			count.LeftOut++
		default:
			count.Orders++
			lines[h.Key] = reconcile.Head{LinesSum: h.LinesSum, Lines: h.Lines, Origin: h.Origin}
		}
		if batch = append(batch, h); len(batch) == atOnce {
			if err := r.heads(ctx, s, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := r.heads(ctx, s, batch); err != nil {
		return err
	}
	r.proof.Sources = append(r.proof.Sources, count)
	return r.lines(ctx, s, lines)
}

// lines adds every order up again from its lines.
func (r *verification) lines(ctx context.Context, s reconcile.SourceSpec, heads map[reconcile.OrderKey]reconcile.Head) error {
	for o, err := range s.Orders(ctx, slices.Collect(maps.Keys(heads))) {
		if err != nil {
			return err
		}
		h, known := heads[o.Key]
		delete(heads, o.Key)
		if sum := sumOf(o.Items); !known || len(o.Items) != h.Lines || sum.Cmp(ratOf(h.LinesSum)) != 0 {
			r.find(Finding{Source: s.Name(), Order: o.Key.Order, Origin: o.Origin.String(), What: Miscounted,
				Text: fmt.Sprintf("its %d lines come to %s, at first they were %d that come to %s", len(o.Items), textOf(sum), h.Lines, h.LinesSum)})
		}
	}
	for key, h := range heads {
		r.find(Finding{Source: s.Name(), Order: key.Order, Origin: h.Origin.String(), What: Gone, Text: "it was not there any more when its lines were read"})
	}
	return nil
}

func (r *verification) find(f Finding) { r.proof.Findings = append(r.proof.Findings, f) }

// heads compares orders of one source with the ledger.
func (r *verification) heads(ctx context.Context, s reconcile.SourceSpec, heads []reconcile.Head) error {
	var good, aside []reconcile.Head
	for _, h := range heads {
		if len(h.Bad) > 0 || h.LeftOut != "" {
			aside = append(aside, h)
		} else {
			good = append(good, h)
		}
	}
	if err := r.asides(ctx, s, aside); err != nil {
		return err
	}
	for _, t := range r.Targets {
		if !t.Reads(s.Name()) {
			continue
		}
		if err := r.atTarget(ctx, t, good); err != nil {
			return err
		}
	}
	return nil
}

// asides proves the orders that are left out or bad: the ledger knows why.
func (r *verification) asides(ctx context.Context, s reconcile.SourceSpec, heads []reconcile.Head) error {
	if len(heads) == 0 {
		return nil
	}
	ids := make([]reconcile.EventID, len(heads))
	for i, h := range heads {
		ids[i] = reconcile.NewEventID(reconcile.KindOrder, h.Key)
	}
	known, err := r.Ledger.DecidedMarks(ctx, "", ids)
	if err != nil {
		return err
	}
	for i, h := range heads {
		r.left[ids[i]] = true
		place := reconcile.Place{Bucket: reconcile.BucketLeftOut, Reason: h.LeftOut}
		if len(h.Bad) > 0 {
			place = reconcile.Place{Bucket: reconcile.BucketBad, Reason: h.Bad[0].Reason}
		}
		said := slices.DeleteFunc(known[ids[i]], func(d reconcile.DecidedMark) bool { return d.Source != s.Name() })
		finding := Finding{Source: s.Name(), Order: h.Key.Order, Origin: h.Origin.String()}
		switch {
		case len(said) == 0:
			finding.What, finding.Text = Unseen, "no run has met it as "+placeText(place)
		case said[0].Place != place:
			finding.What, finding.Text = Altered, "it is "+placeText(place)+", a run met it as "+placeText(said[0].Place)
		case !bytes.Equal(said[0].Mark, r.Ledger.SealMark(h.Mark())):
			finding.What, finding.Text = Altered, "it says something else than when a run met it; it is "+placeText(place)
		default:
			continue
		}
		r.find(finding)
	}
	return nil
}

func placeText(p reconcile.Place) string {
	return strings.ReplaceAll(string(p.Bucket), "_", " ") + " (" + string(p.Reason) + ")"
}
