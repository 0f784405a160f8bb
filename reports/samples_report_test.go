package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// built are reports that have what Build alone does not know.
var built = []struct {
	name string
	make func(*testing.T) Report
}{
	{"outage", outageNight}, {"nothing", nothing}, {"one", one}, {"hostile", hostile}, {"checked", checked},
}

// every lists all samples as reports.
func every(t *testing.T) map[string]Report {
	t.Helper()
	all := map[string]Report{}
	for _, s := range samples {
		all[s.name] = Build(s.make(), Options{Zone: amsterdam(t), Answers: said[s.name]})
	}
	for _, s := range built {
		all[s.name] = s.make(t)
	}
	all["first"] = Build(firstSent(), Options{Zone: amsterdam(t), SentBefore: map[string]bool{}})
	return all
}

// said is what people answered about repeats, by sample and destination.
var said = map[string]map[string]Answer{"bad": {"activate": {Value: "no", Who: "night desk", Note: "TEST-1001 twice, two purchases", At: at("2026-11-12T13:20:00Z")}}}

// shapeOf gives counts of units: 1 a unit by night, n by day.
func shapeOf(from time.Time, units, n int, keep func(hour int, at time.Time) bool) []int {
	list := make([]int, units)
	for i := range list {
		at := from.Add(time.Duration(i) * time.Hour)
		if !keep(i, at) {
			continue
		}
		switch hour := at.Hour(); {
		case hour >= 19 && hour < 23:
			list[i] = 2 * n
		case hour >= 8:
			list[i] = n + i%5
		case hour < 2:
			list[i] = n / 4
		}
	}
	return list
}

// outageNight is the night after a day on which the live integration was down,
// with refusals that are known and new ones.
func outageNight(t *testing.T) Report {
	r := ordinary()
	held := reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonIDReused}
	r.Targets[0].Balance.Places[held] = n(3, 3, "120", "EUR")
	r.Targets[0].Balance.Places[reconcile.Place{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}] = n(5, 5, "410.5", "EUR")
	r.Targets[0].Balance.Eligible = *n(4011, 4011, "252434.25", "EUR", "48120", "SEK")
	r.Targets[0].Balance.Examples[reconcile.Place{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}] = []reconcile.Example{
		{Order: "100012377", Kind: reconcile.KindPurchase, CompletedAt: at("2026-11-19T11:02:00Z"), Value: value("82.10", "EUR"), Text: "422: currency is not one of EUR, SEK"},
	}
	r.Targets[0].Balance.Examples[held] = []reconcile.Example{
		{Order: "T-100400", Kind: reconcile.KindPurchase, CompletedAt: at("2026-11-20T16:20:00Z"), Value: value("40", "EUR"),
			Origin: reconcile.Origin{File: "tills.xlsx", Sheet: "Utrecht", Rows: []reconcile.RowRange{{First: 91, Last: 92}}}}}
	report := Build(r, Options{Zone: amsterdam(t)})
	exit := 2
	report.Exit = &exit
	report.PersonNeeded[0].Known, report.PersonNeeded[0].Since = 3, at("2026-11-18T01:41:00Z")
	report.StillThere = []Need{{Source: "tills", What: reconcile.NeedLoose, Count: 2, Known: 2, Since: at("2026-11-12T01:40:00Z")}}
	report.Last = &Last{Run: "01934a08-1d10-7aa3-8e21-a1b0c2d3e4f5", Finished: at("2026-11-20T01:40:12Z"), Exit: 2, Changes: []Change{
		{Target: "activate", What: reconcile.NeedRefused, Before: 4, Now: 5, New: 2, Gone: 1},
		{Target: "activate", What: string(reconcile.ReasonIDReused), Now: 3, New: 3},
		{Source: "shop", What: reconcile.NeedBad, Before: 6, Gone: 6},
	}}
	report.Targets[0].Usual, report.Targets[1].Usual = &Usual{14, 0, 12}, &Usual{9, 20, 41}
	report.Targets[0].Expiring = &Expiring{Count: Count{Orders: 8, Events: 8, Money: map[string]string{"EUR": "530.5"}},
		First: at("2026-11-21T14:00:00Z"), Last: at("2026-11-21T23:00:00Z")}
	report.Sources[1].StoresOf = 293
	report.Sources[1].Stores = []Store{{"Utrecht 12", 4, at("2026-11-18T16:40:00Z"), true}, {"Breda 3", 11, at("2026-11-19T19:55:00Z"), true}}
	from := at("2026-11-13T23:00:00Z")
	down := func(_ int, at time.Time) bool {
		return at.Day() == 19 && at.Hour() >= 8 && at.Hour() < 21
	}
	up := func(i int, at time.Time) bool { return !down(i, at) }
	line := &Timeline{Unit: UnitHour, From: from, Events: map[reconcile.Bucket][]int{
		reconcile.BucketAlreadySent: shapeOf(from, 171, 24, up),
		reconcile.BucketSent:        shapeOf(from, 171, 13, down),
		reconcile.BucketRefused:     shapeOf(from, 171, 1, func(i int, at time.Time) bool { return down(i, at) && i%3 == 0 }),
		reconcile.BucketHeldBack:    shapeOf(from, 171, 1, func(i int, _ time.Time) bool { return i%2 == 0 }),
	}}
	euros := map[reconcile.Bucket][]string{}
	for bucket, counts := range line.Events {
		for i, n := range counts {
			euros[bucket] = append(euros[bucket], fmt.Sprint(n*(50+i%17)))
		}
	}
	line.Money = map[string]map[reconcile.Bucket][]string{"EUR": euros}
	report.Targets[0].Timeline = line
	return report
}

// nothing is a night on which no order was there.
func nothing(t *testing.T) Report {
	r := night("run")
	r.Sources = []reconcile.SourceResult{{Source: "shop", Tally: reconcile.Tally{Rows: 12, Read: 4, OutsideWindow: 4, Newest: at("2026-11-12T12:50:00Z")}}}
	r.Targets = []reconcile.TargetResult{{Target: "activate", Type: "squeezely", Mode: reconcile.ModeLive}}
	return Build(r, Options{Zone: amsterdam(t)})
}

// one is a night with one order.
func one(t *testing.T) Report {
	r := night("run")
	r.Sources = []reconcile.SourceResult{{Source: "shop", Tally: reconcile.Tally{Rows: 2, Read: 1, Orders: 1, Newest: at("2026-11-20T12:50:00Z")}}}
	r.Targets = []reconcile.TargetResult{{Target: "activate", Type: "squeezely", Mode: reconcile.ModeLive, Attempts: 1, Balance: reconcile.Balance{
		Eligible: *n(1, 1, "24.5", "EUR"),
		Places:   places{{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}: n(1, 1, "24.5", "EUR")},
	}}}
	report := Build(r, Options{Zone: amsterdam(t)})
	report.Targets[0].Timeline = &Timeline{Unit: UnitHour, From: at("2026-11-20T12:00:00Z"), Events: map[reconcile.Bucket][]int{reconcile.BucketSent: {1}}}
	return report
}

// evil are texts that do something where they are taken for more than text.
var evil = []string{
	`<script>alert(1)</script><img src=x onerror=alert(1)>`,
	`=HYPERLINK("http://example.com/?"&A1,"here")`, `+cmd|' /C calc'!A0`, `-2+3`, "@SUM(1,1)", "\t=1+1", "＝1+1",
	"\x1b[2J\x1b]0;owned\x07\x1b[31mred", "\u202egnp.exe\u202c \u2066left\u2069 \u200f", "a\x00b\u2028c\ufffed",
	"`rm -rf ~` | cell | **bold** [link](http://example.com) @everyone <!channel> #1 ]]>", strings.Repeat("long name ", 1000),
}

// hostile is a bad night of which every text is one of those.
func hostile(t *testing.T) Report {
	r := bad()
	pick := 0
	next := func() string { pick++; return evil[pick%len(evil)] }
	for i := range r.Sources {
		s := &r.Sources[i]
		s.Source = next()
		s.Tally.Notes = append([]string{}, evil...)
		s.Tally.LeftOut = map[reconcile.Reason]int{reconcile.Reason(next()): 3}
		for b := range s.Bad {
			s.Bad[b].Key.Order = next()
			for p := range s.Bad[b].Problems {
				one := &s.Bad[b].Problems[p]
				one.File, one.Sheet, one.Column, one.Text = next(), next(), next(), next()
			}
		}
	}
	target := &r.Targets[0]
	target.Target, target.Stopped = evil[1], evil[7]
	held := reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.Reason(evil[1])}
	target.Balance.Places[held] = n(12, 12, "60", evil[2])
	for _, text := range evil {
		target.Balance.Examples[held] = append(target.Balance.Examples[held], reconcile.Example{Order: text, Kind: reconcile.Kind(next()), Text: text,
			Origin: reconcile.Origin{File: text, Sheet: next()}, Value: value("5", "EUR")})
	}
	second := *target
	second.Target = strings.Repeat("n", 10_000)
	r.Targets = append(r.Targets, second)
	r.Err = fmt.Errorf("read %s", strings.Join(evil, " "))
	report := Build(r, Options{Zone: amsterdam(t)})
	report.Last = &Last{Run: evil[0], Finished: at("2026-11-20T01:40:12Z"), Changes: []Change{{Target: evil[10], What: evil[0], New: 1, Gone: 1}}}
	report.Plan = &Plan{Path: evil[10], Digest: evil[0]}
	report.Approved = &Approval{By: evil[0], Note: evil[7]}
	report.Sources[0].Stores = []Store{{evil[8], 1, at("2026-11-18T16:40:00Z"), true}, {strings.Repeat("s", 10_000), 1, at("2026-11-18T16:40:00Z"), true}}
	report.Targets[0].Timeline = &Timeline{Unit: UnitDay, From: at("2026-11-13T23:00:00Z"),
		Events: map[reconcile.Bucket][]int{reconcile.BucketSent: {20, 1, 30}, reconcile.Bucket(evil[0]): {1, 1, 1}},
		Money:  map[string]map[reconcile.Bucket][]string{evil[0]: {reconcile.BucketSent: {"1", evil[1], "3"}}}}
	return report
}

// checked is what check says before a first night, of a source in two
// currencies with two stores.
func checked(t *testing.T) Report {
	r := shadow()
	r.Command = "check"
	report := Build(r, Options{Zone: amsterdam(t)})
	report.Sources[0].Survey = &Survey{Orders: 2893, WithAddress: 2891, Unit: UnitDay, StoresOf: 12,
		Lateness: &Lateness{Orders: 2893, Median: 190, P95: 7 * 3600, Longest: 11 * 86400, Slowest: "100231", Before: 1},
		Negative: &Suspects{Count: Count{Orders: 1, Events: 1, Money: map[string]string{"EUR": "-5"}}, Examples: []string{"100777"}},
		Zero:     &Suspects{Count: Count{Orders: 4, Events: 4, Money: map[string]string{"EUR": "0"}}, Examples: []string{"1", "2", "3", "4"}},
		Stores:   []Store{{Store: "Gent", Orders: 8, Newest: at("2026-11-16T09:12:00Z")}, {Store: "Utrecht", Orders: 1200, Newest: at("2026-11-20T17:01:00Z")}},
		Days: []Day{{Day: "2026-11-14", Orders: 400, Money: map[string]string{"EUR": "20151.75", "SEK": "300"}},
			{Day: "2026-11-18", Orders: 2000, Money: map[string]string{"EUR": "98000"}},
			{Day: "2026-11-21", Orders: 493, Money: map[string]string{"EUR": "18000.5"}, Part: true}}}
	return report
}
