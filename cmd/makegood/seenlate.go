package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/reports"
)

// lateSource is how late orders of a source became visible in the last runs, and
// what it takes to read them all again. Its JSON form is stable.
type lateSource struct {
	Source   string `json:"source"`
	Orders   int    `json:"orders"`
	Longest  string `json:"longest"`
	Lookback string `json:"lookback"`           // as it is configured
	Proposed string `json:"proposed,omitempty"` // where that is too short
	longest  time.Duration
}

// lateWithin is over how many days late orders are counted.
const lateWithin = 30 * 24 * time.Hour

// meetLate takes what one run told of late orders.
func (s *surveyor) meetLate(started time.Time, sources []lateTold) {
	if s.clock().Sub(started) > lateWithin {
		return
	}
	for _, told := range sources {
		if told.Late == nil {
			continue
		}
		longest, err := time.ParseDuration(told.Late.Longest)
		if err != nil {
			continue
		}
		at := slices.IndexFunc(s.late, func(l lateSource) bool { return l.Source == told.Source })
		if at < 0 {
			at = len(s.late)
			s.late = append(s.late, lateSource{Source: told.Source})
		}
		s.late[at].Orders += told.Late.Orders
		s.late[at].longest = max(s.late[at].longest, longest)
	}
}

// lateTold is what is read of a past run's report.
type lateTold struct {
	Source string            `json:"source"`
	Late   *reports.SeenLate `json:"seen_late"`
}

// lateSources says of each source whether lookback reaches far enough: a day
// further than the latest order was late.
func (s *surveyor) lateSources() []lateSource {
	slices.SortFunc(s.late, func(a, b lateSource) int { return cmp.Compare(a.Source, b.Source) })
	for i := range s.late {
		l := &s.late[i]
		l.Longest, l.Lookback = l.longest.String(), fmt.Sprintf("%dd", s.cfg.Lookback)
		if need := int(l.longest/(24*time.Hour)) + 2; need > int(s.cfg.Lookback) {
			l.Proposed = fmt.Sprintf("%dd", need)
		}
	}
	return s.late
}

func lateWords(list []lateSource) string {
	var text strings.Builder
	for _, l := range list {
		fmt.Fprintf(&text, "\nIn the last 30 days %s of %s became visible only after their time was read, at most %s after completion: ",
			counted(l.Orders, "order"), reports.Mask(l.Source), l.longest.Round(time.Minute))
		if l.Proposed == "" {
			fmt.Fprintf(&text, "lookback: %s reads that far.\n", l.Lookback)
			continue
		}
		fmt.Fprintf(&text, "lookback: %s is short; write lookback: %s.\n", l.Lookback, l.Proposed)
	}
	return text.String()
}
