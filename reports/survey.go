package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// Survey is what check tells of the orders of a source, each counted once, as
// the source has it.
type Survey struct {
	Orders      int       `json:"orders"`
	WithAddress int       `json:"with_address"`
	Lateness    *Lateness `json:"lateness,omitempty"` // nil: the source does not say both times
	Negative    *Suspects `json:"negative,omitempty"` // worth less than nothing
	Zero        *Suspects `json:"zero,omitempty"`     // worth nothing
	Unit        string    `json:"unit"`               // of days: day, or month where they are too many
	Days        []Day     `json:"days"`               // that have orders, the oldest first
	Stores      []Store   `json:"stores,omitempty"`   // the one without an order for the longest first; at most 1,000
	StoresOf    int       `json:"stores_met,omitempty"`
}

// Lateness says how long after it was placed (ordered_at) an order became
// complete (completed_at). Half of them took no longer than Median, and 95 of
// 100 no longer than P95.
type Lateness struct {
	Orders  int    `json:"orders"` // of which both times are known
	Median  int64  `json:"median_seconds"`
	P95     int64  `json:"p95_seconds"`
	Longest int64  `json:"longest_seconds"`
	Slowest string `json:"slowest"`          // the order that took longest
	Before  int    `json:"before,omitempty"` // completed before they were placed
}

// Suspects are orders that somebody may want to look at; Examples are the first
// ones.
type Suspects struct {
	Count
	Examples []string `json:"examples"`
}

// Day is the orders that were completed on one day of the report's zone, or in
// one month: 2026-11-01, 2026-11. Part: the period holds only a part of it.
type Day struct {
	Day    string            `json:"day"`
	Orders int               `json:"orders"`
	Money  map[string]string `json:"money"`
	Part   bool              `json:"part,omitempty"`
}

// monthForm writes a month.
const monthForm = "2006-01"

// maxSurveyed bounds how many stores a survey names.
const maxSurveyed = 1000

// survey makes a report of a look at every order; nil where nobody looked.
func survey(found reconcile.SourceResult, w reconcile.Window, zone *time.Location) *Survey {
	s := found.Survey
	if s == nil {
		return nil
	}
	made := &Survey{Orders: s.Orders, WithAddress: s.WithMail, Negative: suspects(s.Negative), Zero: suspects(s.Zero),
		Unit: UnitDay, Days: []Day{}, StoresOf: len(found.Stores)}
	if l := s.Late; l.Orders > 0 {
		made.Lateness = &Lateness{Orders: l.Orders, Median: inSeconds(l.Within(50)), P95: inSeconds(l.Within(95)),
			Longest: inSeconds(l.Longest), Slowest: Mask(l.Slowest.Order), Before: l.Before}
	}
	form := time.DateOnly
	if s.Days.Unit() == reconcile.Months {
		made.Unit, form = UnitMonth, monthForm
	}
	for _, slot := range s.Days.Slots() {
		begin := slot.Begin.In(zone)
		end := begin.AddDate(0, 0, 1)
		if made.Unit == UnitMonth {
			end = begin.AddDate(0, 1, 0)
		}
		made.Days = append(made.Days, Day{begin.Format(form), slot.Events, count(reconcile.Count{Events: 1, Money: slot.Money}).Money,
			begin.Before(w.From) || end.After(w.To)})
	}
	for name, store := range found.Stores {
		made.Stores = append(made.Stores, Store{Store: Mask(name), Orders: store.Orders, Newest: seconds(store.Newest)})
	}
	slices.SortFunc(made.Stores, func(a, b Store) int { return cmp.Or(a.Newest.Compare(b.Newest), cmp.Compare(a.Store, b.Store)) })
	made.Stores = made.Stores[:min(len(made.Stores), maxSurveyed)]
	return made
}

func inSeconds(d time.Duration) int64 { return int64(d / time.Second) }

func suspects(found reconcile.Suspects) *Suspects {
	if found.Orders == 0 {
		return nil
	}
	made := &Suspects{Count: count(found.Count)}
	for _, key := range found.Examples {
		made.Examples = append(made.Examples, Mask(key.Order))
	}
	return made
}

// words say what a look at the orders found, a sentence each.
func (s Survey) words() []string {
	list := []string{fmt.Sprintf("%s of %s with an address (%s).", number(s.WithAddress), plural(s.Orders, "order"), ofHundred(s.WithAddress, s.Orders))}
	if l := s.Lateness; l != nil {
		list = append(list, fmt.Sprintf("From ordered_at to completed_at: half within %s, 95 %% within %s, the longest %s (order %s).",
			wait(l.Median), wait(l.P95), wait(l.Longest), l.Slowest))
		if l.Before > 0 {
			list = append(list, someWords(l.Before, "order was completed before it was placed", "orders were completed before they were placed")+
				": are ordered_at and completed_at the right way round, and in one zone?")
		}
	}
	for _, one := range []struct {
		*Suspects
		worth string
	}{{s.Negative, "less than nothing"}, {s.Zero, "nothing"}} {
		if one.Suspects != nil {
			text := plural(one.Orders, "order") + " worth " + one.worth
			if one.Suspects == s.Negative {
				text += worth(one.Count)
			}
			list = append(list, text+", for example "+strings.Join(one.Examples[:min(len(one.Examples), maxExamples)], ", ")+".")
		}
	}
	return list
}

// wait gives a number of seconds as people read it.
func wait(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	if d < 0 {
		return "less than nothing"
	}
	if d < time.Minute {
		return "a minute"
	}
	return span(d)
}

// ofHundred gives a share that never says all of what is not quite all, nor
// nothing of something.
func ofHundred(n, of int) string {
	share := n * 100 / max(of, 1)
	if share == 0 && n > 0 {
		return "less than 1 %"
	}
	return fmt.Sprint(share) + " %"
}

// How much of a survey a terminal shows.
const (
	shownDays   = 14
	shownStores = 10
	restDays    = 7 // without an order at the end of the period, that are shown as such
)

// last gives the last days of a survey, also those without an order.
func (s Survey) last(w reconcile.Window, zone *time.Location) []Day {
	if s.Unit != UnitDay || len(s.Days) == 0 {
		return s.Days[max(len(s.Days)-shownDays, 0):]
	}
	on := map[string]Day{}
	for _, d := range s.Days {
		on[d.Day] = d
	}
	newest := slices.Max(slices.Collect(maps.Keys(on)))
	at := w.To.Add(-time.Nanosecond).In(zone)
	end := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
	if met, err := time.ParseInLocation(time.DateOnly, newest, zone); err == nil && end.AddDate(0, 0, -restDays).After(met) {
		end = met // the rest of the period is empty, which is said elsewhere
	}
	var list []Day
	for back := shownDays - 1; back >= 0; back-- {
		begin := end.AddDate(0, 0, -back)
		day := begin.Format(time.DateOnly)
		one, met := on[day]
		if !met {
			one = Day{Day: day, Part: begin.AddDate(0, 0, 1).After(w.To)}
		}
		if met || begin.AddDate(0, 0, 1).After(w.From) {
			list = append(list, one)
		}
	}
	return list
}

// dayView is a row of the page's table.
type dayView struct{ Day, Orders, Money string }

// pageDays is how many days, the newest, a page shows.
const pageDays = 400

// views are the newest days, the newest first.
func (s Survey) views() []dayView {
	var rows []dayView
	for _, d := range slices.Backward(s.Days[max(len(s.Days)-pageDays, 0):]) {
		rows = append(rows, dayView{d.label(), whole(d.Orders), thinned(moneyText(d.Money))})
	}
	return rows
}

// label names the day as people read it.
func (d Day) label() string {
	if d.Part {
		return dayWords(d.Day) + ", a part of it"
	}
	return dayWords(d.Day)
}

func (t *terminal) survey(source Source) {
	s := source.Survey
	if s == nil || s.Orders == 0 {
		return
	}
	t.line(plain, "")
	t.line(bold, "The orders of "+source.Source)
	for _, text := range s.words() {
		t.fold(plain, "  ", text)
	}
	if len(s.Stores) > 0 {
		t.line(plain, "")
		t.stores(*s)
	}
	t.line(plain, "")
	t.fold(plain, "  ", "By the "+s.Unit+" of completed_at in "+t.report.location().String()+", to lay beside the shop's own sales report:")
	t.days(*s)
}

func (t *terminal) stores(s Survey) {
	table := []cells{{plain, "    store", [3]string{"orders", "", "newest order"}, nil}}
	shown := s.Stores[:min(len(s.Stores), shownStores)]
	for _, store := range shown {
		table = append(table, cells{plain, "    " + store.Store, [3]string{number(store.Orders), "", moment(store.Newest, t.report.location())}, nil})
	}
	t.fold(plain, "  ", plural(s.StoresOf, "store")+", the one without an order for the longest first:")
	t.align(table, nil)
	if more := s.StoresOf - len(shown); more > 0 {
		t.line(dim, "    and "+number(more)+" more; --json has them")
	}
}

func (t *terminal) days(s Survey) {
	shown := s.last(t.report.Window, t.report.location())
	row := func(label string, d Day) cells {
		c := countCells(plain, "    "+label, Count{Orders: d.Orders, Money: d.Money})
		c.cols[1] = ""
		return c
	}
	table := []cells{{plain, "    " + s.Unit, [3]string{"orders", "", "money"}, nil}}
	for _, d := range shown {
		table = append(table, row(d.label(), d))
	}
	var all []Count
	for _, d := range s.Days {
		all = append(all, Count{Orders: d.Orders, Events: 1, Money: d.Money})
	}
	together := sum(all...)
	table = append(table, row("the whole period", Day{Orders: together.Orders, Money: together.Money}))
	t.align(table, nil)
	if len(s.Days) > 0 && len(shown) > 0 && s.Days[0].Day < shown[0].Day {
		t.line(dim, "    The "+s.Unit+"s before are in --json.")
	}
}
