package verify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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

// verification is one proof on its way.
type verification struct {
	*Verifier
	proof   Proof
	targets map[string]*TargetProof
	left    map[reconcile.EventID]bool // decisions at the sources that were met
}

// Verify reads everything and proves it. An error is of a source or of the
// ledger; what is wrong with them stands in the proof.
func (v *Verifier) Verify(ctx context.Context) (Proof, error) {
	r := verification{Verifier: v, targets: map[string]*TargetProof{}, left: map[reconcile.EventID]bool{}}
	r.proof = Proof{Window: v.Window, Run: v.Run, Findings: []Finding{}}
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
func (k known) bucket(run reconcile.RunID) (b reconcile.Bucket, mark []byte, ok bool) {
	if e := k.kept.Entry; e.Version > 0 {
		newer := len(k.decided) > 0 && k.decided[0].At.After(e.At)
		switch {
		case e.State == reconcile.StateDone && e.By == reconcile.BySentHere && e.Run == run:
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
	bucket, mark, ok := k.bucket(r.Run)
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
	if len(k.later) == 0 {
		value = w.Value // the source's own word, where no correction stands between the two
	}
	proof.Eligible = proof.Eligible.plus(value)
	same := len(mark) == 0 || bytes.Equal(mark, r.Ledger.SealMark(h.Mark()))
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
	bucket, _, _ := c.bucket(r.Run)
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

// told is what is read of a run's report.
type told struct {
	Sources []struct {
		Source           string `json:"source"`
		Rows             int    `json:"rows"`
		RowsWithoutOrder int    `json:"rows_without_order"`
		Bad              int    `json:"bad"`
	} `json:"sources"`
	Targets []struct {
		Target  string                     `json:"target"`
		Balance map[string]json.RawMessage `json:"balance"`
	} `json:"targets"`
}

// count is one bucket of a report.
type count struct {
	Events int               `json:"events"`
	Money  map[string]string `json:"money"`
}

// compareReport compares the sums with those that the run told: what it met,
// and what it sent.
func (r *verification) compareReport() error {
	if r.Report == nil {
		return nil
	}
	var report told
	if err := json.Unmarshal(r.Report, &report); err != nil {
		return fmt.Errorf("read the report of run %s: %w", r.Run, err)
	}
	for _, s := range r.Sources {
		for _, then := range report.Sources {
			if tally := s.Tally(); then.Source == s.Name() && (tally.Rows != then.Rows || tally.RowsWithoutOrder != then.RowsWithoutOrder) {
				r.find(Finding{Source: s.Name(), What: Miscounted, Text: fmt.Sprintf("it has %d rows, %d of them without an order; when run %s read it, %d and %d",
					tally.Rows, tally.RowsWithoutOrder, r.Run, then.Rows, then.RowsWithoutOrder)})
			}
		}
	}
	for _, then := range report.Targets {
		proof := r.targets[then.Target]
		if proof == nil {
			continue
		}
		for name, sum := range map[string]Sum{"eligible": proof.Eligible, "sent": proof.Buckets[reconcile.BucketSent]} {
			var c count
			if err := json.Unmarshal(then.Balance[name], &c); err != nil {
				return fmt.Errorf("read the report of run %s: %w", r.Run, err)
			}
			if !sum.is(c) {
				r.find(Finding{Target: then.Target, What: Miscounted, Text: fmt.Sprintf("%s: counted again %s, run %s told %s", name, sum, r.Run, c)})
			}
		}
	}
	return nil
}
