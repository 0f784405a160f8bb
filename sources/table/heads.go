package table

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// errStop ends a pass whose caller has seen enough.
var errStop = errors.New("stop")

// Heads yields each order completed in w once. Orders that are bad and whose
// time is not known are yielded too: nobody can say that they are outside.
func (s *Source) Heads(ctx context.Context, w reconcile.Window) iter.Seq2[reconcile.Head, error] {
	return func(yield func(reconcile.Head, error) bool) {
		err := s.heads(ctx, w, func(h reconcile.Head) bool { return yield(h, nil) })
		if err != nil && !errors.Is(err, errStop) {
			yield(reconcile.Head{}, fmt.Errorf("read source %s: %w", s.cfg.Name, err))
		}
	}
}

// heads makes the first pass, and makes it anew when a connection breaks: no
// head has been yielded before the last row is read.
func (s *Source) heads(ctx context.Context, w reconcile.Window, yield func(reconcile.Head) bool) error {
	err := s.firstPass(ctx, w, yield)
	if !errors.Is(err, ErrLost) {
		return err
	}
	for _, d := range s.options.Waits {
		if waited := Pause(ctx, d); waited != nil {
			return waited
		}
		if err = s.firstPass(ctx, w, yield); err == nil {
			s.tally.Notes = append(s.tally.Notes, "the connection was lost; everything was read anew")
			return nil
		}
		if errors.Is(err, errStop) {
			return err
		}
	}
	return err
}

// Pause waits, and gives the cause when the context ends before.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) firstPass(ctx context.Context, w reconcile.Window, yield func(reconcile.Head) bool) (err error) {
	if err := errors.Join(w.Check(), s.Close()); err != nil {
		return err
	}
	s.tally = reconcile.Tally{LeftOut: map[reconcile.Reason]int{}}
	files, err := s.files(ctx, w)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, files); err != nil {
		return err
	}
	if err := s.loadJoins(ctx); err != nil {
		return err
	}
	if err := s.link(ctx, files); err != nil {
		return err
	}
	s.of, s.reversed = files, map[string]bool{}
	p := s.newPass(&s.tally)
	defer func() { err = errors.Join(err, p.spill.close()) }()
	p.from = w.From
	out := &chooser{Source: s, pass: p, window: w, yield: yield, several: len(files) > 1 && !s.parts()}
	p.deliver = out.deliver
	for i, f := range files {
		if err := p.readFirst(ctx, i, f); err != nil {
			return err
		}
	}
	s.shape, s.taints = p.numbers.Shape(), p.taints
	err = p.finish()
	s.tally.Problems = p.found.list
	s.tally.Notes = inOne(s.tally.Notes, files)
	out.note()
	return err
}

// readFirst is the first pass over one file.
func (p *pass) readFirst(ctx context.Context, at int, f File) error {
	mark, err := f.Mark()
	if err != nil {
		return err
	}
	p.at(at)
	p.spool, p.told, p.met = nil, nil, nil
	if p.src.options.Blame != nil {
		if p.told, err = openTold(p.src.options.StateDir); err != nil {
			return err
		}
	}
	if !f.Twice() {
		if p.spool, err = openSpool(p.src.options.StateDir); err != nil {
			return err
		}
	}
	p.src.read = append(p.src.read, readFile{f, mark, p.spool, p.told})
	if err := p.walk(ctx, f); err != nil {
		return err
	}
	return unchanged(f, mark)
}

// at says which file the next rows are from.
func (p *pass) at(file int) {
	p.file, p.last = file, nil
	if p.src.parts() {
		p.file = 0
	}
}

func (p *pass) walk(ctx context.Context, f File) (err error) {
	cursor, err := f.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	err = early(cursor, func(h *Header) error {
		if err := p.bind(h); err != nil {
			return err
		}
		h.Read = p.bound.used
		return nil
	})
	if err != nil {
		return err
	}
	p.aside = aside{}
	if err := p.drain(ctx, f.Name(), cursor); err != nil {
		return err
	}
	p.tally.Notes = append(p.tally.Notes, cursor.Notes()...)
	p.tally.Notes = append(p.tally.Notes, p.aside.notes(f.Name())...)
	return nil
}

func (p *pass) drain(ctx context.Context, name string, cursor Cursor) error {
	defer func() { p.src.progress(p.rows) }()
	return drain(ctx, name, cursor, func(row Row) error {
		if p.rows++; p.rows%8192 == 0 {
			p.src.progress(p.rows)
		}
		if p.told == nil {
			return p.read(row)
		}
		t, err := p.tell(row)
		if err == nil && !row.Aside {
			err = p.told.write(t)
		}
		return err
	})
}

// unchanged compares a file's mark with what it was.
func unchanged(f File, mark string) error {
	now, err := f.Mark()
	if err != nil {
		return fmt.Errorf("%w: %w", reconcile.ErrChanged, err)
	}
	if now != mark {
		return fmt.Errorf("read %s: %w", f.Name(), reconcile.ErrChanged)
	}
	return nil
}

// chooser turns finished partials into heads: versions of one order into one,
// and each into its place in the tally.
type chooser struct {
	*Source
	pass      *pass
	window    reconcile.Window
	yield     func(reconcile.Head) bool
	several   bool // files, which may hold versions of one order
	ambiguous int
	pending   int            // orders with a payment that may still come
	oldest    time.Time      // of them
	odd       int            // orders whose total is not what a progressive discount makes
	first     string         // where the first of them stands
	statuses  map[string]int // that nobody has spoken of, with their orders
}

func (c *chooser) deliver(list []*partial) error {
	next := map[string][]int{}
	if c.several {
		for i, p := range list {
			next[p.key] = append(next[p.key], i)
		}
	}
	for i, p := range list {
		if p == nil {
			continue
		}
		same := []int{i}
		if c.several {
			same = next[p.key]
		}
		versions := make([]version, len(same))
		for n, at := range same {
			versions[n] = version{c.pass.head(list[at]), list[at].rows, list[at].file, list[at]}
			list[at] = nil
		}
		chosen := choose(versions)
		for _, v := range versions[1:] {
			chosen.Bad = append(chosen.Bad, c.apart(versions[0].Head, v.Head)...)
		}
		if err := c.place(chosen, len(versions)-1+c.links.joined(chosen.Key.Order)); err != nil {
			return err
		}
	}
	return nil
}

// place counts an order where it belongs, and yields it when it is in the
// window.
func (c *chooser) place(v version, merged int) error {
	t := &c.tally
	t.Read += 1 + merged
	t.Merged += merged
	if v.Reverses != "" && c.options.Blame != nil {
		c.reversed[v.Reverses] = true
	}
	future := v.CompletedAt.After(c.options.now().Add(futureSlack))
	switch {
	case future:
		v.Bad = append(v.Bad, c.fromTheFuture(v.Head))
	case v.CompletedAt.After(t.Newest):
		t.Newest = v.CompletedAt
	}
	if !v.CompletedAt.IsZero() && !c.window.Holds(v.CompletedAt) && !notUnique(v.Head) && !future {
		t.OutsideWindow++
		return nil
	}
	if len(v.Bad) == 0 {
		c.await(v)
	}
	if v.AmbiguousTime {
		c.ambiguous++
	}
	switch {
	case len(v.Bad) > 0:
		t.Bad++
		for _, b := range v.Bad {
			c.pass.found.put(c.pass.placeOf(b), b)
			if c.options.Blame != nil {
				c.options.Blame(b)
			}
		}
	case v.LeftOut != "":
		t.LeftOut[v.LeftOut]++
	default:
		t.Orders++
		if v.Hold == reconcile.ReasonStatusUnknown {
			c.wonder(v.Status)
		}
		e := entry{hash: c.hasher.of(v.Key.Order), rows: uint32(v.rows), file: uint32(v.file)}
		copy(e.digest[:], v.Digest[:])
		if err := c.catalog.add(e); err != nil {
			return err
		}
	}
	if !c.yield(v.Head) {
		return errStop
	}
	return nil
}

// futureSlack is how far ahead of this machine's clock an order may have been
// completed: further is a mistyped year, or a clock that is wrong, and the
// order would be outside of every period for years (RULES R8).
const futureSlack = 24 * time.Hour

func (c *chooser) fromTheFuture(h reconcile.Head) reconcile.RowProblem {
	at := reconcile.RowProblem{File: h.Origin.File, Sheet: h.Origin.Sheet, Column: c.mapping.rows[rowCompleted].label,
		Reason: reconcile.ReasonFutureTime, Text: h.CompletedAt.In(c.cfg.Zone.Location).Format("2006-01-02 15:04") + " is still to come"}
	if len(h.Origin.Rows) > 0 {
		at.Row = h.Origin.Rows[0].First
	}
	return at
}

// apart finds what two files say of one number of an always source that cannot
// be of one order: other stores, customers or days.
func (c *chooser) apart(a, b reconcile.Head) []reconcile.RowProblem {
	if c.cfg.OrderUnique != "always" || a.Channel != "in_store" || a.CompletedAt.IsZero() || b.CompletedAt.IsZero() {
		return nil
	}
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	if !differ(a.Store, b.Store) && !differ(a.Customer, b.Customer) && dayOf(c.mapping, a.CompletedAt) == dayOf(c.mapping, b.CompletedAt) {
		return nil
	}
	at := reconcile.RowProblem{File: b.Origin.File, Sheet: b.Origin.Sheet, Reason: reconcile.ReasonNotUnique,
		Text: fmt.Sprintf("one order number stands for several stores, customers or days: %s and %s", a.Origin, b.Origin)}
	if len(b.Origin.Rows) > 0 {
		at.Row = b.Origin.Rows[0].First
	}
	return []reconcile.RowProblem{at}
}

// notUnique reports whether the order's number stands for several orders. When
// they were completed, in the window or not, nobody can say.
func notUnique(h reconcile.Head) bool {
	return slices.ContainsFunc(h.Bad, func(p reconcile.RowProblem) bool { return p.Reason == reconcile.ReasonNotUnique })
}

// placeOf finds where a problem stands among the headers that were read.
func (p *pass) placeOf(b reconcile.RowProblem) place {
	for i, h := range p.headers {
		if h.File == b.File && h.Sheet == b.Sheet {
			return place{int32(i), int32(b.Row)}
		}
	}
	return place{row: int32(b.Row)}
}

// maxStatuses is how many unknown statuses are told apart: more of them are no
// statuses.
const maxStatuses = 20

// wonder counts a status that nobody has spoken of.
func (c *chooser) wonder(status string) {
	if c.statuses == nil {
		c.statuses = map[string]int{}
	}
	if _, known := c.statuses[status]; known || len(c.statuses) < maxStatuses {
		c.statuses[status]++
	}
}

// statusWords shows a status as it is where it can be nothing else.
func statusWords(status string) string {
	if len(status) > 30 || strings.ContainsAny(status, "@0123456789") || strings.Count(status, " ") > 2 {
		return shape(status)
	}
	return strconv.Quote(status)
}

// note says what a person should know of the times and statuses that were read.
func (c *chooser) note() {
	for _, status := range slices.Sorted(maps.Keys(c.statuses)) {
		c.tally.Notes = append(c.tally.Notes, fmt.Sprintf("orders with the status %s are held back (%d): it stands neither in "+
			"completed_when nor in not_completed", statusWords(status), c.statuses[status]))
	}
	c.tally.Notes = append(c.tally.Notes, c.payments()...)
	if c.ambiguous > 0 {
		c.tally.Notes = append(c.tally.Notes, fmt.Sprintf("times of %d orders occur twice because the clocks are "+
			"set back; the first of the two was taken", c.ambiguous))
	}
}
