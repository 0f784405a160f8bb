package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/config"
	"makegood/reports"
)

// lateSource is how late orders of a source became visible in the last runs, and
// what it takes to read them all again. Its JSON form is stable.
type lateSource struct {
	Source   string `json:"source"`
	Orders   int    `json:"orders"`
	Longest  string `json:"longest"`
	Lookback string `json:"lookback"`           // that the schedule reads it again with
	Proposed string `json:"proposed,omitempty"` // where that is too short
	longest  time.Duration
	entry    bool // an entry of the schedule says so, not the key lookback
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

// lateSources says of each source whether what is read again reaches far enough: a
// day further than the latest order was late.
func (s *surveyor) lateSources() []lateSource {
	slices.SortFunc(s.late, func(a, b lateSource) int { return cmp.Compare(a.Source, b.Source) })
	for i := range s.late {
		l := &s.late[i]
		reads := readAgain(s.cfg, l.Source)
		l.entry = reads != config.Span{Days: s.cfg.Lookback}
		l.Longest, l.Lookback = l.longest.String(), spanText(reads)
		if need := (config.Span{Days: config.Days(l.longest/(24*time.Hour)) + 2}); lengthOf(need) > lengthOf(reads) {
			l.Proposed = spanText(need)
		}
	}
	return s.late
}

// readAgain is the lookback with which all of a source is read again: without a
// schedule that of the configuration, else the shortest of what the entries that
// read furthest back leave to any destination.
func readAgain(cfg *config.Config, source string) config.Span {
	var least config.Span
	for name, t := range cfg.Targets {
		if t.Mode == config.ModeOff {
			continue
		}
		for _, kind := range kindsOf(t.Send) {
			for _, p := range messagesOf(t, kind) {
				far, sent := farthest(cfg, name, p)
				if sent && p.source == source && (least == config.Span{} || lengthOf(far) < lengthOf(least)) {
					least = far
				}
			}
		}
	}
	if least == (config.Span{}) {
		return config.Span{Days: cfg.Lookback}
	}
	return least
}

func lateWords(list []lateSource) string {
	var text strings.Builder
	for _, l := range list {
		fmt.Fprintf(&text, "\nIn the last 30 days %s of %s became visible only after their time was read, at most %s after completion: ",
			counted(l.Orders, "order"), reports.Mask(l.Source), l.longest.Round(time.Minute))
		switch {
		case l.Proposed == "":
			fmt.Fprintf(&text, "lookback: %s reads that far.\n", l.Lookback)
		case l.entry:
			fmt.Fprintf(&text, "the schedule reads only %s of it again; give an entry that reads it lookback: %s.\n", l.Lookback, l.Proposed)
		default:
			fmt.Fprintf(&text, "lookback: %s is short; write lookback: %s.\n", l.Lookback, l.Proposed)
		}
	}
	return text.String()
}
