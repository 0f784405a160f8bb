package reconcile

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Side says which part of the shop an evidence source speaks of.
type Side string

// The sides.
const (
	SideBackend  Side = "backend"
	SideFrontEnd Side = "front_end"
)

// EvidenceRow says that an order's purchase, or what its carts cost, was sent by
// somebody else. At is UTC, zero when the source does not map it.
type EvidenceRow struct {
	Key     OrderKey
	At      time.Time
	Receipt string // what the platform answered, such as a session; "" where it is not mapped
	// Position is which step of the order's chain the row speaks of, from 1; 0: of
	// all of the order.
	Position int
}

// EvidenceReader reads what somebody else recorded as sent. Its rows are never
// read as orders.
type EvidenceReader interface {
	Name() string
	// Read yields the rows whose time lies in w, and those without a time. A
	// yielded error ends the sequence: the evidence cannot be used at all.
	Read(ctx context.Context, w Window) iter.Seq2[EvidenceRow, error]
}

// Evidence is an evidence source with what the configuration says of it.
type Evidence struct {
	EvidenceReader
	Side        Side
	Trust       By            // BySentHere is never one of them
	CoversFrom  time.Time     // orders completed earlier are not spoken of
	FreshWithin time.Duration // 0: freshness is not checked
	ExpectShare float64       // of the median of equal weekdays, 0..1; 0: not checked
}

// evidenceMargin widens the period over which evidence is read: what was sent
// may have been recorded some time before or after the completion.
const evidenceMargin = 48 * time.Hour

// dayLayout names a UTC date.
const dayLayout = "2006-01-02"

// known is one evidence source after it was read.
type known struct {
	Evidence
	orders  map[OrderKey]time.Time
	steps   map[OrderKey]map[int]string // by position: the receipts; 0: of all of the order
	samples map[string]string           // by shop: the first number
	days    map[string]int
	newest  time.Time
	oldest  time.Time
	rows    int
}

// readEvidence reads completely what the targets' evidence sources hold. One
// that cannot be read has its error kept: the targets that use it stop.
func (r *Runner) readEvidence(ctx context.Context, w Window) (map[string]*known, map[string]error) {
	read, failed := map[string]*known{}, map[string]error{}
	for _, t := range r.Targets {
		for _, name := range t.Evidence {
			if read[name] != nil || failed[name] != nil {
				continue
			}
			k, err := r.readOne(ctx, name, w)
			if err != nil {
				failed[name] = err
				continue
			}
			read[name] = k
		}
	}
	return read, failed
}

// readOne reads what one evidence source holds of a period and a margin. What
// was charged may have been charged at any time since the order.
func (r *Runner) readOne(ctx context.Context, name string, w Window) (*known, error) {
	charges := func(t *Target) bool { return slices.Contains(t.Evidence, name) && t.charges() }
	if now := r.Clock(); now.After(w.To) && slices.ContainsFunc(r.Targets, charges) {
		w.To = now
	}
	return r.readKnown(ctx, name, Window{From: w.From.Add(-evidenceMargin), To: w.To.Add(evidenceMargin)})
}

func (r *Runner) readKnown(ctx context.Context, name string, w Window) (*known, error) {
	ev, ok := r.Evidence[name]
	if !ok {
		return nil, fmt.Errorf("read evidence %s: it is not configured", name)
	}
	k := &known{Evidence: ev, orders: map[OrderKey]time.Time{}, steps: map[OrderKey]map[int]string{}, samples: map[string]string{}, days: map[string]int{}}
	meter := r.begin(StageReading+name, 0)
	defer meter.End()
	for row, err := range ev.Read(ctx, w) {
		if err != nil {
			return nil, fmt.Errorf("read evidence %s: %w", name, err)
		}
		k.rows++
		meter.Add(1)
		_, before := k.orders[row.Key]
		k.orders[row.Key] = row.At
		k.noteStep(row, before)
		if k.samples[row.Key.Shop] == "" {
			k.samples[row.Key.Shop] = row.Key.Order
		}
		if row.At.IsZero() {
			continue
		}
		k.days[row.At.UTC().Format(dayLayout)]++
		if row.At.After(k.newest) {
			k.newest = row.At
		}
		if k.oldest.IsZero() || row.At.Before(k.oldest) {
			k.oldest = row.At
		}
	}
	return k, nil
}

// noteStep keeps which step of a chain a row speaks of, and its receipt. Most
// evidence has neither, and takes no memory for it: rows before this one that
// left no step spoke of all of the order.
func (k *known) noteStep(row EvidenceRow, before bool) {
	receipt := ""
	if usableReceipt(row.Receipt) {
		receipt = row.Receipt
	}
	if row.Position == 0 && receipt == "" && k.steps[row.Key] == nil {
		return
	}
	if k.steps[row.Key] == nil {
		k.steps[row.Key] = map[int]string{}
		if before {
			k.steps[row.Key][0] = ""
		}
	}
	if k.steps[row.Key][row.Position] == "" {
		k.steps[row.Key][row.Position] = receipt
	}
}

// tells reports whether the evidence, which has the order, says that one of
// its events was sent, and with which receipt. Rows that name positions speak of
// those alone, a row that names none of all of the order, in whatever sequence
// they are read.
func (k *known) tells(id EventID, key OrderKey) (receipt string, ok bool) {
	steps := k.steps[key]
	if receipt, ok = steps[id.Position()]; ok {
		return receipt, true
	}
	receipt, whole := steps[0]
	return receipt, whole || len(steps) == 0
}

// stale tells in words why evidence cannot be trusted for a window with the
// given orders, or "". newest is the newest completion among them.
func (k *known) stale(orders int, newest time.Time, history map[string]int, w Window, listed bool) string {
	if k.FreshWithin > 0 && !newest.IsZero() && newest.Sub(k.newest) > k.FreshWithin {
		if k.newest.IsZero() && k.rows > 0 {
			return fmt.Sprintf("%s holds no row with a time for this period: let columns.at name the time of sending, and run again", k.Name())
		}
		return k.late(orders, newest)
	}
	if k.rows == 0 && (orders > 20 || listed && orders > 0) { // a list is looked for in all that there ever was
		return k.late(orders, newest)
	}
	return k.tooFew(history, w)
}

// earlierDay is how far the newest row of a table that is delivered each night
// lies behind at least if it is an earlier night's.
const earlierDay = 18 * time.Hour

// late tells in words how far evidence goes, what that looks like, and what to
// do.
func (k *known) late(orders int, newest time.Time) string {
	if k.rows == 0 {
		return fmt.Sprintf("%s holds no row for %d orders, as if it was emptied: fill it and run again", k.Name(), orders)
	}
	looks := "it ends early, as if it was cut off: write all of it and run again"
	if newest.Sub(k.newest) >= earlierDay {
		looks = "it holds nothing of the last day, as if an earlier one came again: deliver the newest and run again"
	}
	return fmt.Sprintf("the newest row of %s is of %s, the newest order of %s; %s",
		k.Name(), k.newest.UTC().Format(time.RFC3339), newest.UTC().Format(time.RFC3339), looks)
}

// equalWeekdays is how many earlier equal weekdays the median is taken over,
// and fewestWeekdays how many must be known for it to say anything.
const (
	equalWeekdays  = 14
	fewestWeekdays = 4
)

// tooFew compares the last whole UTC day of the window with the median of the
// equal weekdays before it.
func (k *known) tooFew(history map[string]int, w Window) string {
	if k.ExpectShare <= 0 {
		return ""
	}
	day := w.To.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	if day.Before(w.From) {
		return ""
	}
	var past []int
	for back := 7; back <= 7*equalWeekdays; back += 7 {
		if rows, ok := history[day.AddDate(0, 0, -back).Format(dayLayout)]; ok {
			past = append(past, rows)
		}
	}
	if len(past) < fewestWeekdays {
		return ""
	}
	slices.Sort(past)
	median := past[len(past)/2]
	if have := k.days[day.Format(dayLayout)]; float64(have) < k.ExpectShare*float64(median) {
		return fmt.Sprintf("%s holds %d rows for %s, equal weekdays before it %d", k.Name(), have, day.Format(dayLayout), median)
	}
	return ""
}

// settles reports whether the evidence, which has the order, means that the
// target needs nothing more.
func (k *known) settles(t *Target) bool { return k.Side == SideBackend || t.FrontEndSettles }

// overlay lets evidence end an event that the ledger does not know or knows
// as open: a purchase, or all that the order's carts may cost. What a checkout
// did to the stored cart is nobody's record. The plan keeps it, so that it is adopted before anything is sent.
// What a person reopened because it never arrived goes whatever evidence says.
func (p *planner) overlay(spec SourceSpec, t *targetPlan, s *Step, h Head) error {
	if s.Want.Kind == KindCart || s.Entry.State != StateAbsent && s.Entry.State != StateOpen || s.Entry.Lost {
		return nil
	}
	k := p.settledBy(t, h.Key)
	if k == nil {
		by, place := p.recall(spec, t, *s, h)
		if place == (Place{}) {
			return nil
		}
		s.Place, s.Send = place, false
		if by == "" {
			return nil
		}
		return p.addStep(adopting(t, *s, h, PlannedStep{By: by, Who: "evidence, as a run in shadow saw it"}, time.Time{}))
	}
	receipt, speaks := k.tells(s.Want.ID, h.Key)
	if !speaks {
		return nil
	}
	s.Place, s.Send, s.receipt = Place{BucketAlreadySent, Reason(k.Trust)}, false, receipt
	return p.addStep(adopting(t, *s, h, PlannedStep{By: k.Trust, Receipt: receipt, Who: k.Name()}, k.orders[h.Key]))
}

// adopting makes the step that records on whose word an event is done.
func adopting(t *targetPlan, s Step, h Head, a PlannedStep, at time.Time) PlannedStep {
	e := Event{Action: Action(s.Want.Kind), Expiry: at, Facts: s.Want.Facts, ID: s.Want.ID, Kind: s.Want.Kind, Value: s.Want.Value}
	e.Person, e.Facts.Goods, e.Facts.Mark = s.Want.Person, h.GoodsDigest, h.Mark()
	a.Do, a.Event, a.Origin, a.Seen, a.Target = DoAdopt, e, &h.Origin, s.Entry.Version, t.Name()
	return a
}

// settledBy gives the first evidence that says that an order was sent, nil
// where none does.
func (p *planner) settledBy(t *targetPlan, key OrderKey) *known {
	for _, name := range t.Evidence {
		k := p.evidence[name]
		if k == nil || !k.settles(t.Target) {
			continue
		}
		if _, has := k.orders[key]; has {
			return k
		}
	}
	return nil
}
