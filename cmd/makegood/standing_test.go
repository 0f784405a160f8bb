package main

import (
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// pastNight is the nth night of a destination, in a mode, with orders sent.
type pastNight struct {
	day  int
	mode string
	sent int
}

// standingAfter is a destination after these nights, of which the newest comes first.
func standingAfter(nights ...pastNight) *standing {
	d := &standing{Target: "activate", NothingElseSends: true}
	for _, n := range nights {
		d.meet(n.mode, time.Date(2026, 11, n.day, 1, 30, 0, 0, time.UTC), reports.Balance{Sent: reports.Count{Orders: n.sent}}, time.UTC)
	}
	if len(nights) > 0 {
		d.Mode, d.Last = nights[0].mode, &lastOf{}
	}
	return d
}

// TestNext walks the way to live, and leaves it where a person has to.
func TestNext(t *testing.T) {
	shadow := []pastNight{{4, "shadow", 0}, {3, "shadow", 0}, {2, "shadow", 0}, {1, "shadow", 0}}
	with := func(d *standing, change func(*standing)) *standing { change(d); return d }
	for name, c := range map[string]struct {
		d             *standing
		words, typed  string
		done, underIs string
	}{
		"off":              {with(standingAfter(), func(d *standing) { d.Mode = "off" }), "mode: shadow", "makegood check", "configured compared", "shadow"},
		"new":              {with(standingAfter(), func(d *standing) { d.Mode = "shadow" }), "for the first time", "makegood run --target activate", "configured compared", "shadow"},
		"lacks something":  {with(standingAfter(shadow...), func(d *standing) { d.Missing = []config.Requirement{{Target: "activate", Key: "since"}} }), "since is missing", "makegood check", "compared shadow", "configured"},
		"one night":        {standingAfter(shadow[3]), "on 3 nights more", "makegood run", "configured compared", "shadow"},
		"three nights":     {standingAfter(shadow[1:]...), "on 1 night more", "makegood run", "configured compared", "shadow"},
		"twice a night":    {standingAfter(pastNight{1, "shadow", 0}, pastNight{1, "shadow", 0}, pastNight{1, "shadow", 0}, pastNight{1, "shadow", 0}), "on 3 nights more", "makegood run", "configured compared", "shadow"},
		"four nights":      {standingAfter(shadow...), "mode: trial", "makegood compare --target activate --counts counts.csv", "configured compared shadow", "trial"},
		"a fit record":     {with(standingAfter(shadow...), func(d *standing) { d.seen(10, 5) }), "mode: trial", "makegood compare --target activate --counts counts.csv", "configured compared shadow", "trial"},
		"a poor record":    {with(standingAfter(shadow...), func(d *standing) { d.seen(10, 4) }), "See order_id", "makegood check --target activate", "configured shadow", "compared"},
		"a trial is due":   {standingAfter(append([]pastNight{{5, "trial", 0}}, shadow...)...), "send the first few", "makegood run --target activate", "configured compared shadow", "trial"},
		"a trial":          {standingAfter(append([]pastNight{{5, "trial", 20}}, shadow...)...), "widen the trial", "makegood report", "configured compared shadow trial", "live"},
		"live is due":      {with(standingAfter(append([]pastNight{{5, "trial", 20}}, shadow...)...), func(d *standing) { d.Mode = "live" }), "has not run so yet", "makegood run --target activate", "configured compared shadow trial", "live"},
		"live":             {standingAfter(append([]pastNight{{6, "live", 7}, {5, "trial", 20}}, shadow...)...), "nothing to do", "makegood run", "configured compared shadow trial live", ""},
		"live at once":     {standingAfter(pastNight{6, "live", 7}), "nothing to do", "makegood run", "configured compared live", ""},
		"back in shadow":   {standingAfter(append([]pastNight{{6, "shadow", 0}, {5, "live", 9}}, shadow[:2]...)...), "on 1 night more", "makegood run", "configured compared", "shadow"},
		"paused":           {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.hear(reconcile.Word{Kind: reconcile.WordPause, Target: "activate"}) }), "it is paused", `makegood resume activate --note "..."`, "configured compared live", ""},
		"all are paused":   {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.hear(reconcile.Word{Kind: reconcile.WordPause}) }), "it is paused", `makegood resume all --note "..."`, "configured compared live", ""},
		"a person":         {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.byHand = []reports.Step{{What: "2 refused", Command: "makegood resolve"}} }), "2 refused; makegood report tells more", "makegood resolve", "configured compared live", ""},
		"nothing to type":  {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.byHand = []reports.Step{{What: "silent stores"}} }), "silent stores", "makegood report", "configured compared live", ""},
		"failed at begin":  {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.failed = true }), "the last run failed", "makegood report", "configured compared live", ""},
		"a person, paused": {with(standingAfter(pastNight{6, "live", 7}), func(d *standing) { d.failed = true; d.hear(reconcile.Word{Kind: reconcile.WordPause}) }), "the last run failed", "makegood report", "configured compared live", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.d.judge(&surveyor{app: &app{file: defaultConfig}, zone: time.UTC, cfg: &config.Config{}})
			if !strings.Contains(c.d.Next.Words, c.words) || c.d.Next.Command != c.typed {
				t.Errorf("next is %+v, want %s: %s", c.d.Next, c.words, c.typed)
			}
			var done []string
			for _, s := range c.d.Steps {
				if s.Done {
					done = append(done, s.Step)
				}
			}
			under := ""
			if at := c.d.under(); at >= 0 {
				under = c.d.Steps[at].Step
			}
			if strings.Join(done, " ") != c.done || under != c.underIs {
				t.Errorf("done are %v, under way is %q; want %s and %q", done, under, c.done, c.underIs)
			}
		})
	}
}

// seen says what a run found of orders in what others sent.
func (d *standing) seen(orders, known int) {
	d.NothingElseSends, d.Evidence = false, &evidenceSeen{EvidenceShare: reports.EvidenceShare{Orders: orders, Known: known}}
}

// TestLiveSince begins where the destination was live without a break.
func TestLiveSince(t *testing.T) {
	d := standingAfter(pastNight{9, "live", 1}, pastNight{8, "live", 2}, pastNight{7, "shadow", 0}, pastNight{6, "live", 4})
	if d.Live.Since.Day() != 8 || d.Live.Sent != 3 || d.Live.Runs != 2 || d.Shadow.Runs != 1 {
		t.Errorf("live %+v, shadow %+v", d.Live, d.Shadow)
	}
}

// TestOver: what a person was needed for is over when nothing of it is left that
// nobody accepted; what only another run can tell is not.
func TestOver(t *testing.T) {
	place := func(b reconcile.Bucket, r reconcile.Reason) reconcile.Place {
		return reconcile.Place{Bucket: b, Reason: r}
	}
	doubt, refused := place(reconcile.BucketInDoubt, reconcile.ReasonNoAnswer), place(reconcile.BucketRefused, reconcile.ReasonRejected)
	mismatch, bad := place(reconcile.BucketHeldBack, reconcile.ReasonTotalMismatch), place(reconcile.BucketBad, reconcile.ReasonBadValue)
	for name, c := range map[string]struct {
		need  reports.Need
		where string
		open  []reconcile.Place
		over  bool
	}{
		"a doubt that is left":       {reports.Need{Target: "a", What: "doubt", Count: 2}, "a", []reconcile.Place{doubt}, false},
		"a doubt that has ended":     {reports.Need{Target: "a", What: "doubt", Count: 2}, "a", []reconcile.Place{refused}, true},
		"a refusal":                  {reports.Need{Target: "a", What: "refused", Count: 1, Known: 1}, "a", []reconcile.Place{refused}, false},
		"another one's refusal":      {reports.Need{Target: "a", What: "refused", Count: 1}, "b", []reconcile.Place{refused}, true},
		"a mismatch":                 {reports.Need{Target: "a", What: "total_mismatch", Count: 1}, "a", []reconcile.Place{mismatch}, false},
		"one new, and one is known":  {reports.Need{Target: "a", What: "total_mismatch", Count: 2, Known: 1}, "a", []reconcile.Place{mismatch, mismatch}, false},
		"the known one is left":      {reports.Need{Target: "a", What: "total_mismatch", Count: 2, Known: 1}, "a", []reconcile.Place{mismatch}, true},
		"accepted ones are not left": {reports.Need{Target: "a", What: "total_mismatch", Count: 3, Known: 1, Accepted: 1}, "a", []reconcile.Place{mismatch}, false},
		"bad orders":                 {reports.Need{Source: "shop", What: "bad", Count: 1}, "shop", []reconcile.Place{bad}, false},
		"bad orders, accepted":       {reports.Need{Source: "shop", What: "bad", Count: 1}, "shop", nil, true},
		"a quiet source":             {reports.Need{Source: "shop", What: "source_quiet", Count: 1}, "shop", nil, false},
		"a run that failed":          {reports.Need{What: "failed", Count: 1}, "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			open := troublesOf{}
			for _, p := range c.open {
				open.count(c.where, p)
			}
			if got := open.over(c.need); got != c.over {
				t.Errorf("over: %v, want %v", got, c.over)
			}
		})
	}
}

// TestDecided shows a person's answer about repeats, and no other one.
func TestDecided(t *testing.T) {
	d := standingAfter(pastNight{6, "live", 7})
	d.hear(reconcile.Word{Kind: reconcile.WordDecide, Target: "activate", About: "something_else", Value: "no"})
	if d.Repeats != nil {
		t.Errorf("repeats %+v", d.Repeats)
	}
	d.hear(reconcile.Word{Kind: reconcile.WordDecide, Target: "activate", About: "merges_repeats", Value: "yes", Who: "night desk", Note: "sent 1001 twice"})
	if facts := strings.Join(d.facts(time.UTC), "\n"); !strings.Contains(facts, "that it counts a repeated order once: yes (night desk: sent 1001 twice)") {
		t.Error(facts)
	}
}
