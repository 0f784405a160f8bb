package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Expectation is what a source usually holds (RULES R7).
type Expectation struct {
	// PerDay is how many orders a day there usually are; 0: it is learnt.
	PerDay int
	// NewestWithin is how old the newest order may be; 0: any age.
	NewestWithin time.Duration
	// Closed tells when no orders are expected of a store, or with store "" of
	// the source; nil: never.
	Closed func(day time.Time, store string) bool
}

// closedOver reports whether no orders are expected on any day of a period. A day
// that has only begun at its end, as at night, is not waited for.
func (e Expectation) closedOver(w Window, zone *time.Location) bool {
	from, to, some := w.From.In(zone), w.To.In(zone), false
	for day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone); day.Before(to); day = day.AddDate(0, 0, 1) {
		if !e.closed(day, "") {
			return some && day.AddDate(0, 0, 1).After(to)
		}
		some = true
	}
	return some
}

// tooOld reports whether the newest order is older than it may be. Closed days do
// not count; where one of them is less than that long ago, a day more is waited,
// for business to begin again.
func (e Expectation) tooOld(newest, now time.Time) bool {
	if e.NewestWithin <= 0 || now.Sub(newest) <= e.NewestWithin {
		return false
	}
	open, within := time.Duration(0), e.NewestWithin
	for end := now; end.After(newest); {
		begin := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, end.Location())
		if !begin.Before(end) { // midnight belongs to the day before
			begin = begin.AddDate(0, 0, -1)
		}
		switch {
		case !e.closed(begin, ""):
			from := begin
			if newest.After(begin) {
				from = newest
			}
			open += end.Sub(from)
		case now.Sub(end) < e.NewestWithin:
			within = e.NewestWithin + 24*time.Hour
		}
		if open > within+24*time.Hour {
			return true
		}
		if now.Sub(begin) > longestClosed {
			break
		}
		end = begin
	}
	return open > within
}

// longestClosed bounds how far back open days are counted.
const longestClosed = 2 * 366 * 24 * time.Hour

func (e Expectation) closed(day time.Time, store string) bool {
	return e.Closed != nil && e.Closed(day, store)
}

// QuietDay is a day on which a source, or a store of it, had far fewer orders
// than usual. Usual is the median of the same weekdays before, or what was
// configured.
type QuietDay struct {
	Store  string    `json:"store,omitempty"`
	Day    string    `json:"day"` // in the runner's zone; "" of NewestWithin
	Orders int       `json:"orders"`
	Usual  int       `json:"usual"`
	Newest time.Time `json:"newest,omitzero"` // of the source, or of the store as far as it was met
}

// What is far fewer, and what it takes to know it.
const (
	quietShare  = 0.3 // of the usual
	quietWeeks  = 8   // the same weekdays that are looked at
	quietKnown  = 3   // so many of them must be known
	quietOrders = 10  // so many orders must be usual
	storeOrders = 5   // in a store
	countedDays = 10  // days that a run counts anew, the last ones
	maxDayRows  = 20_000
)

// dayKey is a store on a day.
type dayKey struct{ store, day string }

// countDay counts an order for its day, if it is one of the last.
func (r *SourceResult) countDay(h Head, zone *time.Location, asOf time.Time) {
	if h.CompletedAt.Before(asOf.AddDate(0, 0, -countedDays)) {
		return
	}
	if r.days == nil {
		r.days = map[dayKey]int{}
	}
	day := h.CompletedAt.In(zone).Format(time.DateOnly)
	r.days[dayKey{"", day}]++
	if strings.Contains(h.Store, "@") {
		return // a person's address in the place of a store: the ledger must not keep it
	}
	if key := (dayKey{h.Store, day}); h.Store != "" && (r.days[key] > 0 || len(r.days) < maxDayRows) {
		r.days[key]++
	}
}

// wholeDays lists the days that the plan's period holds wholly and that are
// over, the newest last.
func (p *planner) wholeDays() []time.Time {
	now := p.asOf.In(p.Zone)
	var days []time.Time
	for back := countedDays; back >= 1; back-- {
		begin := time.Date(now.Year(), now.Month(), now.Day()-back, 0, 0, 0, 0, p.Zone)
		if !begin.Before(p.win.From) && !begin.AddDate(0, 0, 1).After(p.win.To) {
			days = append(days, begin)
		}
	}
	return days
}

// judgeDays says what is quiet of a source that was read to its end, and keeps
// how many orders its days had.
func (p *planner) judgeDays(ctx context.Context, s SourceSpec, res *SourceResult) error {
	days, w := p.wholeDays(), p.win
	if !p.backfill && len(days) > 0 {
		w.From = days[len(days)-1] // an export may hold the last day alone
	}
	res.Closed = s.Expect.closedOver(w, p.Zone)
	if p.backfill || p.asked != nil || p.adopting != nil {
		return nil
	}
	if p.looksShort() { // an hour of the night without an order says nothing
		res.Closed = true
		return nil
	}
	if newest := res.Tally.Newest; s.Expect.tooOld(newest, p.asOf.In(p.Zone)) {
		res.Quiet = append(res.Quiet, QuietDay{Newest: newest})
	}
	if len(days) == 0 {
		return nil
	}
	for _, day := range days {
		text := day.Format(time.DateOnly)
		res.Days = append(res.Days, SourceDay{Source: s.Name(), Day: text, Orders: res.days[dayKey{"", text}]})
	}
	for key, n := range res.days {
		if key.store != "" && slices.ContainsFunc(days, func(d time.Time) bool { return d.Format(time.DateOnly) == key.day }) {
			res.Days = append(res.Days, SourceDay{Source: s.Name(), Store: key.store, Day: key.day, Orders: n})
		}
	}
	last := days[len(days)-1]
	if last.AddDate(0, 0, 1).Before(p.asOf.In(p.Zone).AddDate(0, 0, -1)) {
		return nil // yesterday is not in it
	}
	known, err := p.led.SourceDays(ctx, s.Name(), last.AddDate(0, 0, -7*quietWeeks).Format(time.DateOnly))
	if err != nil {
		return fmt.Errorf("read what is usual of %s: %w", s.Name(), err)
	}
	p.judgeDay(s, res, last, known)
	return nil
}

// judgeDay compares one day with the same weekdays before it.
func (p *planner) judgeDay(s SourceSpec, res *SourceResult, day time.Time, known []SourceDay) {
	text := day.Format(time.DateOnly)
	counts, stores := map[dayKey]int{}, map[string]bool{}
	read := map[string]bool{} // days that are known at all
	for _, d := range known {
		counts[dayKey{d.Store, d.Day}] = d.Orders
		if d.Store == "" {
			read[d.Day] = true
		} else {
			stores[d.Store] = true
		}
	}
	usual := func(store string) int {
		var same []int
		for week := 1; week <= quietWeeks; week++ {
			before := day.AddDate(0, 0, -7*week)
			if name := before.Format(time.DateOnly); read[name] && !s.Expect.closed(before, store) {
				same = append(same, counts[dayKey{store, name}])
			}
		}
		if len(same) < quietKnown {
			return 0
		}
		slices.Sort(same)
		return same[len(same)/2]
	}
	all, had := usual(""), res.days[dayKey{"", text}]
	if s.Expect.PerDay > 0 {
		all = s.Expect.PerDay
	}
	if all >= quietOrders && float64(had) < quietShare*float64(all) && !s.Expect.closed(day, "") {
		res.Quiet = append(res.Quiet, QuietDay{Day: text, Orders: had, Usual: all, Newest: res.Tally.Newest})
		return // its stores are quiet with it
	}
	for _, store := range slices.Sorted(maps.Keys(stores)) {
		if res.days[dayKey{store, text}] > 0 || s.Expect.closed(day, "") || s.Expect.closed(day, store) {
			continue
		}
		if n := usual(store); n >= storeOrders {
			res.SilentStores = append(res.SilentStores, QuietDay{Store: store, Day: text, Usual: n, Newest: res.Stores[store].Newest})
		}
	}
}
