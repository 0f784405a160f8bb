package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// leftByAll says what destinations are to be sent that no entry of the schedule
// sends, what no entry reads as far back as lookback says, and which entries wait
// for others: a sentence for each. There is nothing to say where there is no
// schedule.
func leftByAll(cfg *config.Config) (says []string) {
	if len(cfg.Schedule) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Targets)) {
		t := cfg.Targets[name]
		if t.Mode == config.ModeOff {
			continue
		}
		if left := leftBy(cfg.Schedule, name, t); len(left) > 0 {
			says = append(says, fmt.Sprintf("no entry of the schedule sends %s to %s: only a run without --schedule does; name it in an entry, or take it out of the destination",
				strings.Join(left, "; "), name))
		}
		says = append(says, shortReads(cfg, name, t)...)
		for _, e := range cfg.Schedule {
			sends := kindsOf(e.Send)
			if t.Type == "collect" && takes(e.Targets, name) && slices.Contains(sends, reconcile.KindCart) && !slices.Contains(sends, reconcile.KindPurchase) && slices.Contains(t.Send, "purchase") {
				says = append(says, fmt.Sprintf("schedule %s sends carts to %s and no purchases: Collect clears a cart only after its purchase, so they wait for another entry's run; write send: [%s]",
					e.Name, name, strings.Join(append([]string{"purchase"}, e.Send...), ", ")))
			}
		}
	}
	return says
}

// takes reports whether a list of an entry, of which an empty one means everything,
// names one.
func takes(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }

// leftBy lists what no entry sends to a destination, such as "purchase (channel
// online)": kinds, and of those that are sent in part, channels and sources.
func leftBy(entries []config.ScheduleEntry, name string, t *config.Target) (left []string) {
	for _, kind := range kindsOf(t.Send) {
		var parts []string
		sent := false
		for _, p := range messagesOf(t, kind) {
			if slices.ContainsFunc(entries, func(e config.ScheduleEntry) bool { return p.in(e, name) }) {
				sent = true
				continue
			}
			parts = append(parts, fmt.Sprintf("channel %s of %s", p.channel, p.source))
		}
		switch {
		case len(parts) == 0:
		case !sent:
			left = append(left, string(kind))
		default:
			left = append(left, fmt.Sprintf("%s (%s)", kind, strings.Join(parts, ", ")))
		}
	}
	return left
}

// part is what an entry of the schedule sends or leaves out of a destination's
// messages.
type part struct {
	kind            reconcile.Kind
	channel, source string
}

// messagesOf lists the parts of a destination's messages of a kind.
func messagesOf(t *config.Target, kind reconcile.Kind) (parts []part) {
	for _, channel := range t.Channels {
		if kind == reconcile.KindCart && channel != "in_store" && channel != "mobile" {
			continue // carts are of these alone
		}
		for _, source := range t.From {
			parts = append(parts, part{kind, channel, source})
		}
	}
	return parts
}

// in reports whether an entry sends the part to a destination.
func (p part) in(e config.ScheduleEntry, target string) bool {
	kinds := kindsOf(e.Send)
	return takes(e.Targets, target) && takes(e.Sources, p.source) && takes(e.Channels, p.channel) && (len(kinds) == 0 || slices.Contains(kinds, p.kind))
}

// farthest is the lookback of that entry which reads a part again furthest back;
// false where no entry sends it.
func farthest(cfg *config.Config, target string, p part) (far config.Span, sent bool) {
	for _, e := range cfg.Schedule {
		if p.in(e, target) {
			if span := lookbackOf(cfg, e); !sent || lengthOf(span) > lengthOf(far) {
				far, sent = span, true
			}
		}
	}
	return far, sent
}

// lookbackOf is how far back an entry reads again.
func lookbackOf(cfg *config.Config, e config.ScheduleEntry) config.Span {
	if e.Lookback == (config.Span{}) {
		return config.Span{Days: cfg.Lookback}
	}
	return e.Lookback
}

// lengthOf compares lookbacks: a calendar day counts as 24 hours.
func lengthOf(s config.Span) time.Duration {
	return time.Duration(s.Days)*24*time.Hour + time.Duration(s.Exact)
}

// spanText is a lookback as a configuration has it.
func spanText(s config.Span) string {
	if s.Days > 0 {
		return fmt.Sprintf("%dd", s.Days)
	}
	text := time.Duration(s.Exact).String() // "6h0m0s"
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// shortReads says what of a destination no entry reads as far back as lookback
// says: an order of it that appears later than the longest entry reads is met by
// no run of the schedule.
func shortReads(cfg *config.Config, name string, t *config.Target) (says []string) {
	whole := config.Span{Days: cfg.Lookback}
	for _, kind := range kindsOf(t.Send) {
		var from []string
		var longest config.Span
		for _, p := range messagesOf(t, kind) {
			far, sent := farthest(cfg, name, p)
			if !sent || lengthOf(far) >= lengthOf(whole) || slices.Contains(from, p.source) {
				continue
			}
			if from = append(from, p.source); lengthOf(far) > lengthOf(longest) {
				longest = far
			}
		}
		if len(from) > 0 {
			says = append(says, fmt.Sprintf("no entry of the schedule that sends %s of %s to %s reads again as far back as lookback: %s, the longest only %s: an order that appears later than that is never sent by it; add a nightly entry without lookback",
				kind, strings.Join(from, ", "), name, spanText(whole), spanText(longest)))
		}
	}
	return says
}
