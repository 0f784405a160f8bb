package daily_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"makegood/reconcile"
	"makegood/reconcile/daily"
)

var amsterdam = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	return zone
}()

// at reads a time of Amsterdam.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", text, amsterdam)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func in(bucket reconcile.Bucket, reason reconcile.Reason) reconcile.Place {
	return reconcile.Place{Bucket: bucket, Reason: reason}
}

var (
	here      = in(reconcile.BucketAlreadySent, reconcile.ReasonSentHere)
	proven    = in(reconcile.BucketAlreadySent, reconcile.ReasonProven)
	assumed   = in(reconcile.BucketAlreadySent, reconcile.ReasonAssumed)
	held      = in(reconcile.BucketHeldBack, reconcile.ReasonNoEmail)
	shadow    = in(reconcile.BucketLeft, reconcile.ReasonShadow)
	left      = in(reconcile.BucketLeft, reconcile.ReasonRetryLater)
	doubt     = in(reconcile.BucketInDoubt, reconcile.ReasonNoAnswer)
	refused   = in(reconcile.BucketRefused, reconcile.ReasonRejected)
	elsewhere = in(reconcile.BucketNotForTarget, reconcile.ReasonChannel)
)

// group is n purchases of one place: when they were completed, and sent ("" is
// at once).
type group struct {
	n         int
	place     reconcile.Place
	completed string
	sent      string
}

func tallied(t *testing.T, groups []group) *daily.Tally {
	t.Helper()
	tally := &daily.Tally{}
	for _, g := range groups {
		p := daily.Purchase{Place: g.place, Completed: at(t, g.completed)}
		p.At = p.Completed
		if g.sent != "" {
			p.At = at(t, g.sent)
		}
		for range g.n {
			tally.Add(p)
		}
	}
	return tally
}

func TestCauses(t *testing.T) {
	const noon = "2026-11-01 12:00"
	for name, c := range map[string]struct {
		groups   []group
		platform int
		want     []daily.Cause
	}{
		"equal":                    {[]group{{3, here, noon, ""}, {2, doubt, noon, ""}}, 3, nil},
		"the doubts arrived":       {[]group{{3, here, noon, ""}, {2, doubt, noon, ""}}, 5, []daily.Cause{{What: "in_doubt", Count: 2}}},
		"one of the doubts":        {[]group{{3, here, noon, ""}, {2, doubt, noon, ""}}, 4, nil},
		"held ones are there":      {[]group{{3, here, noon, ""}, {2, held, noon, ""}}, 5, []daily.Cause{{What: "held_back", Count: 2}}},
		"refused ones are there":   {[]group{{3, here, noon, ""}, {2, refused, noon, ""}}, 5, []daily.Cause{{What: "refused", Count: 2}}},
		"left ones are there":      {[]group{{3, here, noon, ""}, {2, left, noon, ""}}, 5, []daily.Cause{{What: "left", Count: 2}}},
		"two that equal it":        {[]group{{3, here, noon, ""}, {2, left, noon, ""}, {2, doubt, noon, ""}}, 5, []daily.Cause{{What: "in_doubt", Count: 2}, {What: "left", Count: 2}}},
		"shadow, all of them":      {[]group{{4, shadow, noon, ""}}, 4, []daily.Cause{{What: "would_send", Count: 4}}},
		"shadow, most of them":     {[]group{{4, shadow, noon, ""}}, 3, []daily.Cause{{What: "would_send", Count: 3}}},
		"shadow, too many":         {[]group{{4, shadow, noon, ""}}, 5, nil},
		"twice":                    {[]group{{4, here, noon, ""}}, 8, []daily.Cause{{What: "twice", Count: 4}}},
		"the others' twice":        {[]group{{4, here, noon, ""}, {3, proven, noon, ""}}, 10, []daily.Cause{{What: "front_end", Count: 3}}},
		"only others', twice":      {[]group{{3, proven, noon, ""}}, 6, []daily.Cause{{What: "front_end", Count: 3}}},
		"assumed and not there":    {[]group{{4, here, noon, ""}, {3, assumed, noon, ""}}, 4, []daily.Cause{{What: "assumed", Count: -3}}},
		"nothing of it arrived":    {[]group{{4, here, noon, ""}, {3, proven, noon, ""}}, 3, []daily.Cause{{What: "now_gone", Count: -4}}},
		"sent on the next day":     {[]group{{4, here, noon, "2026-11-02 02:30"}, {3, proven, noon, ""}}, 3, []daily.Cause{{What: "sent_day", Count: -4}, {What: "now_gone", Count: -4}}},
		"an older one sent then":   {[]group{{1, here, "2026-10-01 10:00", noon}, {2, here, noon, ""}}, 3, []daily.Cause{{What: "sent_day", Count: 1}}},
		"not for the destination":  {[]group{{2, elsewhere, noon, ""}, {1, here, noon, ""}}, 1, nil},
		"what is not for it there": {[]group{{2, elsewhere, noon, ""}, {1, here, noon, ""}}, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := tallied(t, c.groups).Compare(map[string]int{"2026-11-01": c.platform}, amsterdam)
			if diff := cmp.Diff(c.want, got.Days[0].Causes); diff != "" {
				t.Error(diff)
			}
			whole(t, got)
		})
	}
}

// whole wants that what a comparison says of each day adds up.
func whole(t *testing.T, c daily.Comparison) {
	t.Helper()
	for _, d := range append(c.Days, c.Sum) {
		if d.Orders != d.Before+d.Now+d.HeldBack+d.WouldSend+d.InDoubt+d.Refused+d.Left || d.Expected != d.Before+d.Now ||
			d.Platform != nil && d.Difference != *d.Platform-d.Expected {
			t.Errorf("%q does not add up: %+v", d.Day, d)
		}
	}
}

func TestShift(t *testing.T) {
	// Two around each midnight of Amsterdam, in winter an hour before UTC's.
	purchases := []group{{1, here, "2026-11-01 00:30", ""}, {2, here, "2026-11-01 12:00", ""}, {1, here, "2026-11-01 23:30", ""},
		{3, here, "2026-11-02 00:30", ""}, {2, here, "2026-11-02 12:00", ""}, {1, here, "2026-11-02 22:30", ""}, {5, here, "2026-11-03 00:30", ""}}
	for name, c := range map[string]struct {
		platform map[string]int
		want     *daily.Shift
	}{
		"our days":              {map[string]int{"2026-11-01": 4, "2026-11-02": 6}, nil},
		"UTC":                   {map[string]int{"2026-11-01": 6, "2026-11-02": 8}, &daily.Shift{UTC: true}},
		"an hour before":        {map[string]int{"2026-11-01": 3, "2026-11-02": 7}, &daily.Shift{Hours: -1}},
		"in no zone":            {map[string]int{"2026-11-01": 6, "2026-11-02": 9}, nil},
		"one day proves naught": {map[string]int{"2026-11-01": 6}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := tallied(t, purchases).Compare(c.platform, amsterdam)
			if diff := cmp.Diff(c.want, got.Shift); diff != "" {
				t.Error(diff)
			}
			for _, d := range got.Days {
				zoned := len(d.Causes) == 1 && d.Causes[0].What == daily.CauseZone
				if zoned != (c.want != nil && d.Difference != 0) {
					t.Errorf("%s: %+v", d.Day, d.Causes)
				}
			}
			whole(t, got)
		})
	}
}

// TestOthersSend: in shadow the platform may have all that would be sent, by days
// of its own.
func TestOthersSend(t *testing.T) {
	tally := tallied(t, []group{{1, shadow, "2026-11-01 00:30", ""}, {2, shadow, "2026-11-01 12:00", ""}, {3, shadow, "2026-11-02 00:30", ""}, {1, held, "2026-11-02 12:00", ""}})
	for name, c := range map[string]struct {
		platform map[string]int
		want     bool
		shift    *daily.Shift
	}{
		"all of it":              {map[string]int{"2026-11-01": 3, "2026-11-02": 3}, true, nil},
		"all of it, days of UTC": {map[string]int{"2026-10-31": 1, "2026-11-01": 5, "2026-11-02": 0}, true, &daily.Shift{UTC: true, OthersSend: true}},
		"nothing of it":          {map[string]int{"2026-11-01": 0, "2026-11-02": 0}, false, nil},
		"most of it":             {map[string]int{"2026-11-01": 3, "2026-11-02": 2}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := tally.Compare(c.platform, amsterdam)
			if diff := cmp.Diff(c.shift, got.Shift); diff != "" || got.OthersSend() != c.want {
				t.Errorf("others send: %v, %s", got.OthersSend(), diff)
			}
		})
	}
	none := (&daily.Tally{}).Compare(map[string]int{"2026-11-01": 0}, amsterdam)
	if none.OthersSend() {
		t.Error("nothing would be sent, and nothing is there")
	}
}

// TestNotOver: what the ledger cannot know yet is no other cause, and says nothing
// of zones.
func TestNotOver(t *testing.T) {
	tally := tallied(t, []group{{2, here, "2026-11-01 12:00", ""}, {1, here, "2026-11-02 00:30", ""}, {2, here, "2026-11-02 12:00", ""}, {1, here, "2026-11-03 00:30", ""}, {1, doubt, "2026-11-03 01:00", ""}})
	tally.Until = at(t, "2026-11-03 02:30")
	got := tally.Compare(map[string]int{"2026-11-01": 3, "2026-11-02": 3, "2026-11-03": 2}, amsterdam)
	if got.Shift == nil || !got.Shift.UTC || got.Days[0].Causes[0].What != daily.CauseZone {
		t.Errorf("shift %+v, %+v", got.Shift, got.Days)
	}
	if diff := cmp.Diff([]daily.Cause{{What: "not_over", Count: 1}}, got.Days[2].Causes); diff != "" {
		t.Error(diff)
	}
	tally.Until = at(t, "2026-11-04 00:00")
	if got = tally.Compare(map[string]int{"2026-11-03": 2}, amsterdam); got.Days[0].Causes[0].What != daily.CauseInDoubt {
		t.Errorf("causes %+v", got.Days[0].Causes)
	}
}

// TestDays: a gap is listed where there were orders, days of the clocks' change have 23 and 25 hours, and
// the sum is of the days that the platform counted.
func TestDays(t *testing.T) {
	tally := tallied(t, []group{{1, here, "2026-10-25 00:00", ""}, {1, here, "2026-10-25 23:45", ""}, {1, held, "2026-10-26 00:00", ""}, {1, doubt, "2026-10-28 10:00", ""}})
	got := tally.Compare(map[string]int{"2026-10-25": 2, "2026-10-28": 1}, amsterdam)
	whole(t, got)
	if len(got.Days) != 3 || got.Days[0].Difference != 0 || got.Days[1].Platform != nil || got.Days[1].HeldBack != 1 {
		t.Errorf("days %+v", got.Days)
	}
	if got.Sum.Orders != 3 || *got.Sum.Platform != 3 || got.Sum.Difference != 1 || !got.Differs() {
		t.Errorf("sum %+v", got.Sum)
	}
	w := daily.Period(map[string]int{"2026-10-25": 2, "2026-10-28": 1}, amsterdam)
	if !w.From.Equal(at(t, "2026-10-24 00:00")) || !w.To.Equal(at(t, "2026-10-30 00:00")) {
		t.Errorf("the period is %v to %v", w.From.In(amsterdam), w.To.In(amsterdam))
	}
}
