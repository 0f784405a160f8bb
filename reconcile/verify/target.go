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

// atTarget proves good orders at one target.
func (r *verification) atTarget(ctx context.Context, t *reconcile.Target, heads []reconcile.Head) error {
	proof := r.targets[t.Name()]
	wants := make([][]reconcile.Want, len(heads))
	var ids []reconcile.EventID
	for i, h := range heads {
		wants[i] = t.Expect(h, r.AsOf)
		reason, err := t.Excludes(h, wants[i])
		if err != nil {
			return err
		}
		if reason != "" {
			proof.NotForTarget++
			wants[i] = nil
			continue
		}
		for _, w := range wants[i] {
			ids = append(ids, w.ID)
		}
	}
	kept, err := r.Ledger.Kept(ctx, t.Name(), ids)
	if err != nil {
		return err
	}
	decided, err := r.Ledger.DecidedMarks(ctx, t.Name(), ids)
	if err != nil {
		return err
	}
	later, err := r.corrections(ctx, t.Name(), kept)
	if err != nil {
		return err
	}
	for i, h := range heads {
		for _, w := range wants[i] {
			if proof.met[w.ID] {
				continue // another source of the target has the same order
			}
			proof.met[w.ID] = true
			r.event(proof, met{h, w, known{kept[w.ID], decided[w.ID], later[w.ID]}})
		}
	}
	return nil
}

// known is what the ledger has of one event.
type known struct {
	kept    reconcile.Kept
	decided []reconcile.DecidedMark
	later   []known // its corrections, in their order
}

// bucket is where the ledger has the event, and what it keeps of its order;
// ok is false when it has it nowhere.
func (k known) bucket(runs []reconcile.RunID) (b reconcile.Bucket, mark []byte, ok bool) {
	if e := k.kept.Entry; e.Version > 0 {
		newer := len(k.decided) > 0 && k.decided[0].At.After(e.At)
		switch {
		case e.State == reconcile.StateDone && e.By == reconcile.BySentHere && slices.Contains(runs, e.Run):
			return reconcile.BucketSent, k.kept.Mark, true
		case e.State == reconcile.StateDone:
			return reconcile.BucketAlreadySent, k.kept.Mark, true
		case e.State == reconcile.StateDoubtful:
			return reconcile.BucketInDoubt, k.kept.Mark, true
		case e.State == reconcile.StateRefused && !newer:
			return reconcile.BucketRefused, k.kept.Mark, true
		case len(k.decided) == 0:
			return reconcile.BucketLeft, k.kept.Mark, true
		}
	}
	if len(k.decided) == 0 {
		return "", nil, false
	}
	return k.decided[0].Place.Bucket, k.decided[0].Mark, true
}

// met is one event that a source shows, and what the ledger has of it.
type met struct {
	head reconcile.Head
	want reconcile.Want
	known
}

// event puts one event where the ledger has it.
func (r *verification) event(proof *TargetProof, m met) {
	h, w, k := m.head, m.want, m.known
	finding := Finding{Source: h.Source, Target: proof.Target, Order: h.Key.Order, Origin: h.Origin.String()}
	bucket, mark, ok := k.bucket(r.runs)
	if !ok {
		proof.Eligible = proof.Eligible.plus(w.Value)
		finding.What, finding.Text = Unseen, "no run has decided about its "+string(w.Kind)
		r.find(finding)
		return
	}
	value := w.Value
	sent := bucket == reconcile.BucketSent || bucket == reconcile.BucketAlreadySent
	if sent {
		value = k.kept.Value
	}
	newest := value // that the platform was told of, or may have been
	for _, c := range k.later {
		newest, mark = c.kept.Value, c.kept.Mark
		if r.correction(proof, c) == reconcile.BucketAlreadySent {
			value = c.kept.Value // what the run took for sent
		}
	}
	if sent && k.kept.By == reconcile.ByAssumed {
		proof.Assumed = proof.Assumed.plus(value)
	}
	proof.Buckets[bucket] = proof.Buckets[bucket].plus(value)
	charged := sent && w.Kind.Charges()
	if len(k.later) == 0 && !charged {
		value = w.Value // the source's own word, where no correction stands between the two
	}
	proof.Eligible = proof.Eligible.plus(value)
	same := len(mark) == 0 || bytes.Equal(mark, r.Ledger.SealMark(h.Mark()))
	if charged { // what was collected is due no more; the goods and prices of the chain stay
		newest, same = w.Value, k.kept.Facts.Digest == w.Facts.Digest || k.kept.Facts.Digest == (reconcile.Digest{})
	}
	switch {
	case len(k.decided) > 1:
		finding.What, finding.Text = Unexplained, "it was decided about twice"
	case !sameValue(w.Value, newest):
		finding.What, finding.Text = Altered, fmt.Sprintf("it is worth %s now, %s when it was sent", valueText(w.Value), valueText(newest))
	case !same:
		finding.What, finding.Text = Altered, "it says something else than when it was "+strings.ReplaceAll(string(bucket), "_", " ")
	default:
		return
	}
	r.find(finding)
}

// correction counts a correction: an event without money where the run had
// something to do about it, else nothing beside its order.
func (r *verification) correction(proof *TargetProof, c known) reconcile.Bucket {
	bucket, _, _ := c.bucket(r.runs)
	if bucket != reconcile.BucketAlreadySent {
		proof.Eligible = proof.Eligible.plus(reconcile.Value{})
		proof.Buckets[bucket] = proof.Buckets[bucket].plus(reconcile.Value{})
	}
	return bucket
}

// corrections gives by event the corrections that the ledger has of those that
// are done.
func (r *verification) corrections(ctx context.Context, target string, kept map[reconcile.EventID]reconcile.Kept) (
	map[reconcile.EventID][]known, error,
) {
	var firsts []reconcile.EventID
	for id, e := range kept {
		if e.State == reconcile.StateDone {
			firsts = append(firsts, id)
		}
	}
	later := map[reconcile.EventID][]known{}
	for n := 2; len(firsts) > 0; n++ {
		ids := make([]reconcile.EventID, len(firsts))
		for i, id := range firsts {
			ids[i] = reconcile.EventID(fmt.Sprintf("%s~%d", id, n))
		}
		found, err := r.Ledger.Kept(ctx, target, ids)
		if err != nil {
			return nil, err
		}
		decided, err := r.Ledger.DecidedMarks(ctx, target, slices.Collect(maps.Keys(found)))
		if err != nil {
			return nil, err
		}
		var next []reconcile.EventID
		for i, id := range ids {
			if e, there := found[id]; there {
				later[firsts[i]] = append(later[firsts[i]], known{kept: e, decided: decided[id]})
				next = append(next, firsts[i])
			}
		}
		firsts = next
	}
	return later, nil
}
