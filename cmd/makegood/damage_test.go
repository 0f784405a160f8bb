package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kindsOfDamage are what spreadsheets do to order numbers.
var kindsOfDamage = map[string]struct {
	number func(n int) string
	damage func(number string, n int) string
}{
	"exponent": {func(n int) string {
		return strconv.FormatInt(1_914_312_345_678_901_234+int64(n)*3_765_432_198_765_432, 10)
	},
		func(number string, _ int) string { return exponent(number) }},
	"zeros cut": {func(n int) string { return fmt.Sprintf("%010d", 77_230_400+n*7) },
		func(number string, _ int) string { return strings.TrimLeft(number, "0") }},
	"15 digits": {func(n int) string { return strconv.FormatInt(2_914_312_345_678_901_234+int64(n)*987_654_321_987, 10) },
		func(number string, _ int) string { return number[:15] + "0000" }},
	"date": {func(n int) string { return fmt.Sprintf("%d-%d", n%28+1, n/28+1) },
		func(_ string, n int) string {
			return time.Date(2000+n/28+1, time.Month(n%12+1), n%28+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}},
	"amount": {func(n int) string { return strconv.Itoa(5_363_650 + n) },
		func(number string, n int) string { return thousands(number) + []string{"", ".00"}[n%2] }},
}

const intact, brokenIDs = 1000, 200

// damagedRows are the lines of a kind's orders, of which the last ones may have
// damaged numbers; truth tells which number each of those was.
func damagedRows(kind string, broken bool) (rows []string, truth map[string]string) {
	k := kindsOfDamage[kind]
	truth = map[string]string{}
	for n := range intact + brokenIDs {
		number := k.number(n)
		if broken && n >= intact {
			shown := k.damage(number, n)
			truth[shown] = number
			number = `"` + shown + `"`
		}
		rows = append(rows, fmt.Sprintf("%s,%s,kunde%d@example.com,MUG-%d,1,%d.50", number, ago(time.Duration(48+n%48)*time.Hour), n%300, n%50, n%37+1))
	}
	return rows, truth
}

var proposed = regexp.MustCompile(`it can only be (?:order )?([^ ,]+)`)

// TestThousandDamagedNumbers mixes 1,000 damaged order numbers of 5 kinds with
// intact ones: on the first night, when only the other numbers tell what one
// looks like, and after a night that sent the orders under their real numbers.
func TestThousandDamagedNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("a long one: many shops, one after the other")
	}
	t.Parallel()
	for _, night := range []string{"first", "second"} {
		t.Run(night, func(t *testing.T) {
			flagged, proposals := 0, 0
			for kind := range kindsOfDamage {
				s := newShop(t)
				s.activate("activate", nil)
				s.source("shop", nil)
				if night == "second" {
					rows, _ := damagedRows(kind, false)
					s.orders("shop", rows...)
					s.run(exitDone, "--from", "2020-01-01")
				}
				rows, truth := damagedRows(kind, true)
				s.orders("shop", rows...)
				got := s.run(exitPerson, "--from", "2020-01-01")
				n, named := s.judgeDamage(kind, got, truth)
				flagged, proposals = flagged+n, proposals+named
				want := map[string]int{"first": intact, "second": intact + brokenIDs}[night]
				if total := len(s.sim.Purchases("activate")); total != want {
					t.Errorf("%s: the platform holds %d orders, want %d", kind, total, want)
				}
			}
			if flagged < 990 {
				t.Errorf("%d of 1,000 damaged numbers were flagged", flagged)
			}
			t.Logf("%d of 1,000 flagged, none sent; %d of the named ones proposed, none wrongly", flagged, proposals)
		})
	}
}

// judgeDamage counts the damaged numbers that were found, and those of them for
// which an order was proposed, which must be the right one.
func (s *shop) judgeDamage(kind string, got told, truth map[string]string) (flagged, proposals int) {
	s.Helper()
	source, target := got.source(s.T, "shop"), got.target(s.T, "activate")
	flagged = source.Bad
	for _, r := range target.Reasons {
		if r.Reason == "damaged_id" {
			flagged += r.Orders
		}
	}
	if flagged > brokenIDs {
		s.Errorf("%s: %d numbers are said to be damaged, %d are", kind, flagged, brokenIDs)
	}
	check := func(order, text string) {
		if m := proposed.FindStringSubmatch(text); m != nil {
			if proposals++; truth[order] != m[1] {
				s.Errorf("%s: for %s, which was %s: %s", kind, order, truth[order], text)
			}
		}
	}
	for _, p := range source.Problems {
		check(p.Order, p.Text)
	}
	for _, e := range target.Examples {
		check(e.Order, e.Text)
	}
	return flagged, proposals
}
