package reports

import (
	"testing"

	"makegood/reconcile"
)

func TestMissedWords(t *testing.T) {
	list := []reconcile.MissedBy{
		{By: "day", Value: "2026-11-17", Had: 1, Missed: 3}, // too few to say anything
		{By: "day", Value: "2026-11-18", Had: 900, Missed: 100}, {By: "day", Value: "2026-11-19", Had: 20, Missed: 60},
		{By: "channel", Value: "mobile", Missed: 1200}, {By: "channel", Value: "online", Had: 2000, Missed: 10},
		{By: "store", Value: "north", Had: 40},
	}
	const want = "The web page missed the largest part of day 19 Nov 2026 (60 of 80, 75 %), channel mobile (1,200 of 1,200, 100 %)"
	if got := missedWords(list); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got := missedWords(list[:1]); got != "" {
		t.Errorf("of four orders it says %q", got)
	}
	if rows := missedViews(list); len(rows) != len(list) || rows[2].Share != "75 %" {
		t.Errorf("the rows are %+v", rows)
	}
}
