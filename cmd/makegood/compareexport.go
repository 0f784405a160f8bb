package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/arrivals"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sources"
	"makegood/sources/table"
)

// exportComparison is what compare --export tells. Its JSON form is stable.
type exportComparison struct {
	Schema  int               `json:"schema"`
	Target  string            `json:"target"`
	Mode    string            `json:"mode"`
	Zone    string            `json:"zone"`
	Export  string            `json:"export"`
	Columns map[string]string `json:"columns"` // that were read
	arrivals.Comparison
	Bad      int                    `json:"bad_rows"`
	Problems []reconcile.RowProblem `json:"problems,omitempty"`
	Notes    []string               `json:"notes,omitempty"`
	// Warnings say why the whole comparison may mislead.
	Warnings []string `json:"warnings,omitempty"`
	zone     *time.Location
	now      time.Time
	settles  bool // where the page has reported an order, nothing of it is missing (RULES R4)
	evidence bool // already_sent names somebody
}

// maxExportAge is how long ago the orders of an export without times may have
// been completed.
const maxExportAge = 10 * 366 * 24 * time.Hour

// sentBefore is how long before the first row of an export an order in it may
// have been completed: it may have been sent as late as that.
const sentBefore = 62 * 24 * time.Hour

func (a *app) compareExport(ctx context.Context, f *compareFlags) (err error) {
	usage := func(err error) error { return &usageError{command: "makegood compare", err: err} }
	cfg, err := a.load()
	if err != nil {
		return err
	}
	target, err := countedTarget(cfg, f.counts.target)
	if err != nil {
		return usage(err)
	}
	zone, err := f.counts.zoneIn(cfg)
	if err != nil {
		return usage(err)
	}
	s, err := a.begin(ctx, &runFlags{targets: []string{target.Name}, from: f.from, to: f.to}, "compare")
	if err != nil {
		return err
	}
	defer s.end(&err)
	got := exportComparison{Schema: 1, Target: target.Name, Mode: target.Mode, Zone: zone.String(), Export: filepath.Base(f.export), zone: zone.Location, now: a.clock(),
		settles: s.Targets[0].FrontEndSettles, evidence: len(target.AlreadySent) > 0}
	book, err := s.readExport(ctx, f, sources.ArrivalsFile{Path: f.export, OrderColumn: f.orderColumn, DateColumn: f.counts.day, AmountColumn: f.amountColumn,
		DateFormat: f.counts.dateFormat, Zone: zone}, &got)
	if err != nil {
		return err
	}
	if err := s.askOf(ctx, book, &got); err != nil {
		return err
	}
	s.stop()
	if got.Comparison, err = book.Compare(sources.NearestNumber); err != nil {
		return err
	}
	got.warn(f.to != "")
	got.mask()
	if got.Differs() || got.Bad > 0 || len(got.Warnings) > 0 {
		a.code = exitLeft
	}
	if f.json {
		return a.encode(got)
	}
	a.tellExport(got, max(f.rows, 0))
	return nil
}

// readExport reads the rows of the period into a book.
func (s *session) readExport(ctx context.Context, f *compareFlags, file sources.ArrivalsFile, got *exportComparison) (*arrivals.Book, error) {
	var shown func(reconcile.Head) string
	target := s.cfg.Targets[got.Target]
	if target.OrderID != "" {
		number, err := table.OrderNumber(target.OrderID)
		if err != nil {
			return nil, &configError{err}
		}
		shown = func(h reconcile.Head) string {
			text, _ := number(h) // of an order for which it gives none, the own number counts
			return text
		}
	}
	book := arrivals.New(s.Targets[0].Name(), countedKind(target), shown)
	timeless := 0
	read, err := (sources.Opener{StateDir: s.StateDir}).Arrivals(ctx, file, func(row table.Arrival) error {
		switch {
		case row.At.IsZero():
			timeless++
		case !s.req.From.IsZero() && row.At.Before(s.req.From), !s.req.To.IsZero() && !row.At.Before(s.req.To):
			return nil
		}
		return book.Add(arrivals.Row{Number: row.Order, At: row.At, DayOnly: row.DayOnly, Amount: row.Amount, Currency: row.Currency})
	})
	if err != nil {
		return nil, err
	}
	if timeless > 0 && f.from+f.to != "" {
		return nil, &usageError{command: "makegood compare", err: fmt.Errorf("--from and --to go by the times of the export, and %s no time; name their column with --day-column",
			verbed(timeless, "row has", "rows have"))}
	}
	got.Columns, got.Bad, got.Problems, got.Notes = read.Columns, read.Bad, read.Problems, read.Notes
	return book, nil
}

func verbed(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// askOf reads the sources as a plan does and then the ledger, and tells the book
// what becomes of each order. Nothing is kept, and no destination is asked.
func (s *session) askOf(ctx context.Context, book *arrivals.Book, got *exportComparison) (err error) {
	w := reconcile.Window{From: s.Clock().Add(-maxExportAge), To: s.Clock().UTC()}
	if first, _ := book.Period(); !first.IsZero() {
		w.From = first.Add(-sentBefore)
	}
	if !w.From.Before(w.To) {
		return errors.New("compare with the orders: the export's first row is in the future; see whether its times are in the right --zone")
	}
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	var mu sync.Mutex
	s.Met = func(h reconcile.Head) { mu.Lock(); defer mu.Unlock(); book.Meet(h) }
	s.Seen = func(d reconcile.Decision) { mu.Lock(); defer mu.Unlock(); book.Seen(d) }
	res, err := s.Plan(ctx, led, reconcile.Request{Command: "compare", From: w.From})
	if res.Plan != nil {
		err = errors.Join(err, reconcile.RemovePlan(res.Plan.Path))
	}
	if err != nil {
		return err
	}
	for _, source := range res.Sources {
		if source.Err != nil {
			return fmt.Errorf("read %s: %w; without it nothing can be said of the orders that it holds", source.Source, source.Err)
		}
		got.Notes = append(got.Notes, source.Tally.Notes...)
	}
	for _, t := range res.Targets {
		if t.Err != nil {
			got.Warnings = append(got.Warnings, "What others have sent is not known: "+t.Err.Error())
		}
	}
	return s.askLedger(ctx, led, book, w)
}

// askLedger tells the book what the ledger has: of orders that were completed in
// the period, and of numbers that no source shows.
func (s *session) askLedger(ctx context.Context, led *ledger.Reader, book *arrivals.Book, w reconcile.Window) error {
	if led.Absent() {
		return nil
	}
	target, kind := s.Targets[0].Name(), book.Kind()
	tests := ledgerPage{led: led, target: reconcile.TestName(target), tell: book.Tried}
	if err := tests.all(ctx, w, func(id reconcile.EventID) bool { return id.Kind() == kind && reconcile.Tried(tests.target, id) }); err != nil {
		return err
	}
	for _, name := range []string{target, tests.target} {
		again := ledgerPage{led: led, target: reconcile.AgainName(name), tell: book.Again}
		if err := again.all(ctx, w, func(id reconcile.EventID) bool { return id.Kind() == kind }); err != nil {
			return err
		}
	}
	page := ledgerPage{led: led, target: target, tell: book.Sent}
	if err := page.all(ctx, w, func(id reconcile.EventID) bool {
		return id.Kind() == kind && id.Revision() == 1 && id.Position() <= 1 && !reconcile.Tried(target, id)
	}); err != nil {
		return err
	}
	page = ledgerPage{led: led, target: target, tell: book.Sent, unsorted: true}
	for number := range book.Unmet() {
		for _, source := range s.Sources {
			if err := page.add(ctx, reconcile.NewEventID(kind, reconcile.OrderKey{Shop: source.Shop, Order: number})); err != nil {
				return err
			}
		}
	}
	return page.flush(ctx)
}

// ledgerPage looks a few messages up at a time. Ids come in two rounds, each in
// their order: those with an entry, then those that were decided on; unsorted
// ones in one.
type ledgerPage struct {
	led     *ledger.Reader
	target  string
	tell    func(arrivals.Sent) error
	ids     []reconcile.EventID
	last    reconcile.EventID
	decided bool // the second round

	unsorted bool
}

// all tells of those messages about orders completed in a period that are wanted.
func (p *ledgerPage) all(ctx context.Context, w reconcile.Window, wanted func(reconcile.EventID) bool) error {
	err := p.led.EachIn(ctx, p.target, w, func(id reconcile.EventID, _ string) error {
		if !wanted(id) {
			return nil
		}
		return p.add(ctx, id)
	})
	if err != nil {
		return err
	}
	return p.flush(ctx)
}

func (p *ledgerPage) add(ctx context.Context, id reconcile.EventID) error {
	if id == p.last {
		return nil
	}
	if id < p.last && !p.decided && !p.unsorted {
		if err := p.flush(ctx); err != nil {
			return err
		}
		p.decided = true
	}
	p.last, p.ids = id, append(p.ids, id)
	if len(p.ids) < linesAtOnce {
		return nil
	}
	return p.flush(ctx)
}

// flush tells of each message once: what was decided of one counts where it has
// no entry.
func (p *ledgerPage) flush(ctx context.Context) error {
	defer func() { p.ids = p.ids[:0] }()
	entries, err := p.led.Find(ctx, p.target, p.ids)
	if err != nil {
		return err
	}
	decided, err := p.led.Decided(ctx, p.target, slices.DeleteFunc(slices.Clone(p.ids), func(id reconcile.EventID) bool {
		_, has := entries[id]
		return has
	}))
	if err != nil {
		return err
	}
	for _, id := range p.ids {
		e, has := entries[id]
		if key, err := id.Key(); err == nil && has && !p.decided {
			if err := p.tell(arrivals.Sent{Key: key, Shown: e.Shown, Place: e.Place(), Completed: e.Facts.CompletedAt, At: e.At, Value: e.Value}); err != nil {
				return err
			}
		}
	}
	for _, d := range decided {
		if key, err := d.ID.Key(); err == nil {
			if err := p.tell(arrivals.Sent{Key: key, Place: d.Place, Completed: d.CompletedAt, At: d.At, Value: d.Value}); err != nil {
				return err
			}
		}
	}
	return nil
}

// zoneIn is the zone that a person named, else the configured one, when what goes
// with it can be read, too.
func (f *countsFlags) zoneIn(cfg *config.Config) (config.Zone, error) {
	zone := cfg.Zone
	if f.zone != "" {
		if err := zone.UnmarshalText([]byte(f.zone)); err != nil {
			return zone, fmt.Errorf("--zone %s is %w", f.zone, err)
		}
	}
	if f.dateFormat != "" {
		if _, err := config.Layout(f.dateFormat); err != nil {
			return zone, fmt.Errorf("--date-format %s is %w", f.dateFormat, err)
		}
	}
	return zone, nil
}

// mask hides addresses that slipped into the file, the sources' notes and numbers.
func (got *exportComparison) mask() {
	got.Export = reports.Mask(got.Export)
	for name, column := range got.Columns {
		got.Columns[name] = reports.Mask(column)
	}
	for _, list := range [][]string{got.Notes, got.Warnings} {
		for i := range list {
			list[i] = reports.Mask(list[i])
		}
	}
	for i := range got.Problems {
		p := &got.Problems[i]
		p.File, p.Sheet, p.Column, p.Text = reports.Mask(p.File), reports.Mask(p.Sheet), reports.Mask(p.Column), reports.Mask(p.Text)
	}
	for _, g := range got.Groups {
		for i := range g.First {
			g.First[i].Order, g.First[i].Nearest = reports.Mask(g.First[i].Order), reports.Mask(g.First[i].Nearest)
		}
	}
	got.Notes = slices.Compact(got.Notes)
}

// oldExport is how old the newest row of an export may be, when orders were
// accepted since.
const oldExport = 36 * time.Hour

// fewCompared is from how many orders on a share says anything.
const fewCompared = 5

// warn says why the whole comparison may mislead: an export of something else, or
// one that was cut. ended: a person said where it ends.
func (got *exportComparison) warn(ended bool) {
	say := func(format string, args ...any) { got.Warnings = append(got.Warnings, fmt.Sprintf(format, args...)) }
	unknown, others := got.Of(arrivals.NotCompleted, arrivals.ReasonUnknown), got.Of(arrivals.NotCompleted, arrivals.ReasonOther)
	if got.Numbers >= fewCompared && unknown*2 > got.Numbers {
		say("Most of its numbers, %d of %d, are unknown here. Is it an export of another shop or account, or does the platform see the numbers in another form? Then order_id of %s says which.",
			unknown, got.Numbers, got.Target)
	}
	if got.Known >= fewCompared && got.Bare*2 > got.Known {
		say("Most of the numbers that are known here, %d of %d, are the shop's own, and not those that order_id of %s makes of them: the platform would take what makegood sends for other orders. Is order_id right?",
			got.Bare, got.Known, got.Target)
	}
	if got.Known >= fewCompared && others*2 > got.Known {
		say("Most of the numbers that are known here, %d of %d, are those of orders from another time. Is it an export of another shop with the same numbers?", others, got.Known)
	}
	if differ := got.Of(arrivals.Amount, ""); got.Amounts >= fewCompared && differ*2 > got.Amounts {
		say("Most amounts, %d of %d, differ. Is it an export of another shop with the same numbers? Or does the platform count VAT, shipping or a discount that the amounts here do not (value and vat of %s)?",
			differ, got.Amounts, got.Target)
	}
	if h := got.Hours; h != 0 {
		side := "later"
		if h < 0 {
			side = "earlier"
		}
		say("Its times lie %s %s than those here: name the zone that they are of with --zone.", counted(max(h, -h), "hour"), side)
	}
	if age := got.now.Sub(got.Newest); !got.Newest.IsZero() && age > oldExport && got.Later > 0 && !ended {
		say("Its newest row is of %s, and %s accepted since. If it should reach until now, it was cut in the middle: export it anew. What came later is not compared; --to says that it is meant to end there.",
			got.Newest.In(got.zone).Format("2006-01-02 15:04 MST"), verbed(got.Later, "order was", "orders were"))
	}
	if got.Rows >= 1000 && got.Rows%1000 == 0 {
		say("It has exactly %d rows: some platforms cut their exports there.", got.Rows)
	}
	if got.Rows == 0 {
		say("It has no row in this period: nothing follows from that.")
	}
}

// columnsRead gives "order_id, received_at, value".
func (got *exportComparison) columnsRead() string {
	var list []string
	for _, name := range []string{"order", "at", "total", "currency"} {
		if column := got.Columns[name]; column != "" {
			list = append(list, column)
		}
	}
	return strings.Join(list, ", ")
}
