package reconcile

import (
	"bufio"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// KindOrder is the kind of the ids under which the ledger keeps what was
// decided about an order as a whole. No event is of this kind.
const KindOrder Kind = "order"

// Buckets of decisions that no balance has: orders that never became events.
const (
	BucketLeftOut      Bucket = "left_out"       // its source leaves it out
	BucketBad          Bucket = "bad"            // it cannot be read
	BucketNotForTarget Bucket = "not_for_target" // it is none of this target's
)

// Decision says why an event that is not done, or an order, is where it is.
// The ledger keeps the last one of each, until the event is claimed.
type Decision struct {
	Target      string    `json:"target,omitempty"` // "": it concerns the order at its source
	Source      string    `json:"source"`
	ID          EventID   `json:"id"`
	Place       Place     `json:"place"`
	Detail      string    `json:"detail,omitempty"` // the rule's values, without personal data
	Origin      Origin    `json:"origin,omitzero"`
	Value       Value     `json:"value,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Mark        Digest    `json:"mark,omitzero"` // Head.Mark; kept under a key, not read back
	// Run and At tell since when it has been in this place; they are set when it
	// is read.
	Run RunID     `json:"-"`
	At  time.Time `json:"-"`
}

// Mark is a digest over everything that the source said of an order but where
// it stands: two marks differ when any mapped value does. It covers personal
// data, and is kept under a key only.
func (h Head) Mark() Digest {
	if h.mark != (Digest{}) {
		return h.mark
	}
	text := func(d *Decimal) string {
		if d == nil {
			return ""
		}
		return canonical(*d).String()
	}
	fields := []string{h.Key.Shop, h.Key.Order, h.Currency, h.Channel, h.Store, h.Till, h.Status, h.Email, h.Customer, h.Language,
		text(&h.Amount), text(&h.LinesSum), text(h.Total), text(h.Shipping), text(h.Discount), h.Digest.String(), h.Cosmetic.String(),
		h.CosmeticFields, h.Reverses, string(h.Hold), string(h.LeftOut), fmt.Sprint(h.Lines, h.Permitted, h.CartUsed, h.Said),
		h.CompletedAt.UTC().Format(time.RFC3339Nano), h.OrderedAt.UTC().Format(time.RFC3339Nano)}
	for _, name := range sortedNames(h.Fields) {
		fields = append(fields, name, h.Fields[name])
	}
	for _, b := range h.Bad {
		fields = append(fields, string(b.Reason), b.Column, b.Text)
	}
	return HashFields(fields...)
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Kept is an entry with what the ledger keeps of its order: Mark is
// the keyed hash of the order's mark when it was claimed, empty where that is not
// known.
type Kept struct {
	Entry
	Mark []byte
}

// DecidedMark is a decision with what the ledger keeps of its order.
type DecidedMark struct {
	Decision
	Mark []byte
}

// diary gathers a plan's decisions in a file beside it: deflated JSON lines.
type diary struct {
	file *os.File
	out  *flate.Writer
}

func newDiary(dir string) (*diary, error) {
	f, err := os.CreateTemp(dir, "plan-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("keep what is decided: %w", err)
	}
	out, err := flate.NewWriter(f, flate.BestSpeed)
	return &diary{f, out}, err
}

// note keeps one decision; without a diary nothing is kept.
func (d *diary) note(one Decision) error {
	if d == nil {
		return nil
	}
	line, err := json.Marshal(one)
	if err == nil {
		_, err = d.out.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep what is decided: %w", err)
	}
	return nil
}

// finish gives the file its name.
func (d *diary) finish(path string) error {
	err := errors.Join(d.out.Close(), d.file.Close())
	if err == nil {
		err = os.Rename(d.file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep what is decided: %w", err)
	}
	return nil
}

func (d *diary) abandon() {
	_ = d.file.Close()
	_ = os.Remove(d.file.Name())
}

// DiaryOf is where the decisions of a plan are.
func DiaryOf(plan string) string { return plan + ".decisions" }

// decideOnce is how many decisions go into the ledger at a time.
const decideOnce = 1000

// keep writes a plan's decisions into the ledger. What the ledger holds in the
// same words already is not written again. Those of sources that failed after
// all were never more than a guess.
func (r *Runner) keep(ctx context.Context, led Ledger, plan *Plan, run RunID) error {
	var batch []Decision
	flush := func() error {
		err := led.Decide(ctx, run, batch)
		batch = batch[:0]
		return err
	}
	err := plan.decisions(func(d Decision) error {
		if r.Seen != nil {
			r.Seen(d)
		}
		if batch = append(batch, d); len(batch) < decideOnce {
			return nil
		}
		return flush()
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	if err != nil {
		return fmt.Errorf("keep what was decided: %w", err)
	}
	return nil
}

// decisions calls do with each decision of the plan. Those of sources that
// failed after all were never more than a guess.
func (p *Plan) decisions(do func(Decision) error) error {
	f, err := os.Open(DiaryOf(p.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the plan of an older version
	}
	if err != nil {
		return fmt.Errorf("read what was decided: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	failed, stopped := map[string]bool{}, map[string]bool{}
	for _, s := range p.Sources {
		failed[s.Source] = s.Error != ""
	}
	for _, t := range p.Targets {
		stopped[t.Target] = t.Stopped != ""
	}
	in := json.NewDecoder(flate.NewReader(bufio.NewReader(f)))
	for {
		var d Decision
		err := in.Decode(&d)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read what was decided: %w", err)
		case failed[d.Source], stopped[d.Target] && d.Recalls(): // evidence that is not trusted is not remembered
			continue
		}
		if err := do(d); err != nil {
			return err
		}
	}
}

// Ask reads the sources again over a period and tells what would become of the
// orders of keys now: why each is left out, bad, held back or not for a target,
// and with the reason planned what would be sent. Nothing is changed.
// A source that fails is an error beside what the others say.
func (r *Runner) Ask(ctx context.Context, led Reader, req Request, keys []OrderKey) (list []Decision, err error) {
	p := &planner{Runner: r, led: led, run: r.NewRun(), asked: make(map[OrderKey]bool, len(keys))}
	for _, key := range keys {
		p.asked[key] = true
	}
	plan, err := p.plan(ctx, req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, RemovePlan(plan.Path)) }()
	for _, s := range plan.Sources {
		if s.Error != "" {
			err = errors.Join(err, fmt.Errorf("read %s again: %s", s.Source, s.Error))
		}
	}
	err = errors.Join(err, plan.decisions(func(d Decision) error {
		list = append(list, d)
		return nil
	}))
	err = errors.Join(err, plan.each(func(s PlannedStep) error {
		key, err := s.Event.ID.Key()
		if err == nil && p.asked[key] {
			list = append(list, r.planned(s))
		}
		return err
	}))
	return list, err
}

// each calls do with every step of the plan.
func (p *Plan) each(do func(PlannedStep) error) error {
	for _, t := range p.Targets {
		for _, kind := range p.Kinds(t.Target) {
			for step, err := range p.Steps(t.Target, kind) {
				if err == nil {
					err = do(step)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// planned is a step as a decision: it would be sent, were the target live, or
// taken as sent.
func (r *Runner) planned(s PlannedStep) Decision {
	d := Decision{Target: s.Target, Source: s.Event.Facts.Source, ID: s.Event.ID, Value: s.Event.Value, CompletedAt: s.Event.Facts.CompletedAt,
		Place: Place{BucketLeft, r.unsentReason(r.target(s.Target).Mode)}}
	if s.Do == DoAdopt {
		d.Place, d.Detail = Place{BucketAlreadySent, Reason(s.By)}, s.Who
	}
	if s.Origin != nil {
		d.Origin = *s.Origin
	}
	return d
}

// decideHead notes what became of an order as a whole.
func (p *planner) decideHead(target string, h Head, place Place, detail string) error {
	d := Decision{Target: target, Source: h.Source, ID: NewEventID(KindOrder, h.Key), Place: place, Detail: detail, Origin: h.Origin,
		CompletedAt: h.CompletedAt, Mark: h.Mark()}
	if h.AmountOf != "" {
		amount := h.Amount
		d.Value = Value{Amount: &amount, Currency: h.Currency}
	}
	return p.note(d)
}

// note keeps a decision, unless only other orders are asked about.
func (p *planner) note(d Decision) error {
	if p.asked != nil {
		if key, err := d.ID.Key(); err != nil || !p.asked[key] {
			return err
		}
	}
	p.first.note(d)
	p.tell(d)
	return p.diary.note(d)
}

// tell says where an event or an order ends, to who wants to know.
func (p *planner) tell(d Decision) {
	if p.Seen != nil {
		p.Seen(d)
	}
}

// decideWant notes what became of one event. What was sent, and what the
// ledger's entry itself tells, is not noted.
func (p *planner) decideWant(target string, h Head, w Want, held Held, place Place) error {
	if place.Bucket != BucketHeldBack && place.Bucket != BucketLeft {
		return nil
	}
	return p.note(Decision{Target: target, Source: h.Source, ID: w.ID, Place: place, Detail: held.Text, Origin: h.Origin, Value: w.Value,
		CompletedAt: h.CompletedAt, Mark: h.Mark()})
}

// maxDetail bounds what a decision says of a bad order.
const maxDetail = 3

// badDetail says what is wrong with a bad order, in a few words.
func badDetail(problems []RowProblem) string {
	text := ""
	for i, b := range problems {
		if i == maxDetail {
			return text + fmt.Sprintf("; and %d more", len(problems)-i)
		}
		if i > 0 {
			text += "; "
		}
		text += b.String()
	}
	return text
}
