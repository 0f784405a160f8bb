package notice

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// night is a report with an exit code and what a person is needed for.
func night(exit int, needs ...reports.Need) reports.Report {
	return reports.Report{Schema: 1, Run: "run-1", Command: "run", Exit: &exit, PersonNeeded: needs, Finished: time.Date(2026, 11, 2, 2, 31, 0, 0, time.UTC),
		Targets: []reports.Target{{Target: "activate", Mode: "live", Balance: reports.Balance{Holds: true}}}}
}

func need(what string, count int) reports.Need {
	return reports.Need{Target: "activate", What: what, Count: count}
}

// missed is a night in which orders were missing, and were sent.
func missed(orders int) reports.Report {
	r := night(0)
	sent := reports.Count{Orders: orders, Events: orders, Money: map[string]string{"EUR": "12.50"}}
	r.Targets[0].Balance = reports.Balance{Eligible: sent, Sent: sent, Holds: true}
	return r
}

// place is told, or cannot be reached.
type place struct {
	mu   sync.Mutex
	gone error
	got  []Message
}

func (p *place) Notify(_ context.Context, m Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone == nil {
		p.got = append(p.got, m)
	}
	return p.gone
}

// nights tells a board of one night after another and says why somebody was
// told, night by night.
func nights(b *Board, list ...reports.Report) string {
	var past []Record
	var said []string
	for _, r := range list {
		record, kept := b.Tell(context.Background(), r, "run activate", past)
		if kept {
			past = append(past, record)
		}
		word := "-"
		for _, why := range record.Sent {
			word = string(why)
		}
		for range record.Failed {
			word = "failed"
		}
		said = append(said, word)
	}
	return strings.Join(said, " ")
}

func board(p Notifier, over int) *Board {
	now := time.Date(2026, 11, 1, 2, 30, 0, 0, time.UTC)
	return &Board{Members: []Member{{Name: "desk", MissingOver: over, Notifier: p}}, Shop: "production", ReportURL: "https://reports.example.com/{run}.html",
		Clock: func() time.Time { now = now.Add(24 * time.Hour); return now }}
}

// TestNights: nobody is told the same every night.
func TestNights(t *testing.T) {
	known := night(2)
	known.StillThere = []reports.Need{need("refused", 1)}
	grown := night(2, reports.Need{Target: "activate", What: "refused", Count: 2, Known: 1})
	grown.Last = &reports.Last{}
	interrupted := night(1)
	interrupted.Error = "context canceled"
	late := missed(3)
	late.Targets[0].Expiring = &reports.Expiring{Count: reports.Count{Events: 3}}
	later := missed(9)
	later.Targets[0].Expiring = &reports.Expiring{Count: reports.Count{Events: 9}}
	failed := night(3, reports.Need{What: reconcile.NeedFailed, Count: 1})
	failed.Last = &reports.Last{}
	for name, c := range map[string]struct {
		list []reports.Report
		over int
		want string
	}{
		"all is well, always":                     {[]reports.Report{night(0), night(1), missed(500)}, 0, "- - -"},
		"a refusal, that stays, and goes":         {[]reports.Report{night(2, need("refused", 1)), night(2, need("refused", 1)), night(0)}, 0, "changed - well_again"},
		"known to the report":                     {[]reports.Report{night(2, need("refused", 1)), known, known, night(0)}, 0, "changed - - well_again"},
		"one more":                                {[]reports.Report{night(2, need("refused", 1)), night(2, need("refused", 2)), night(2, need("refused", 2))}, 0, "changed new -"},
		"one went, another came":                  {[]reports.Report{night(2, need("refused", 2)), grown, known}, 0, "changed new -"},
		"fewer, then more":                        {[]reports.Report{night(2, need("refused", 3)), night(2, need("refused", 1)), night(2, need("refused", 2))}, 0, "changed - new"},
		"another kind":                            {[]reports.Report{night(2, need("refused", 1)), night(2, need("refused", 1), need("doubt", 1))}, 0, "changed new"},
		"a failure, each night":                   {[]reports.Report{failed, failed, failed, night(0)}, 0, "changed - - well_again"},
		"a failure leaves something behind":       {[]reports.Report{failed, night(2, need("refused", 1))}, 0, "changed changed"},
		"an interruption says nothing":            {[]reports.Report{night(2, need("refused", 1)), interrupted, night(2, need("refused", 1))}, 0, "changed - -"},
		"stopped by the brake, for more and more": {[]reports.Report{night(2, need("brake", 300)), night(2, need("brake", 400)), night(0)}, 0, "changed - well_again"},
		"what is left becomes too old":            {[]reports.Report{missed(3), late, later, missed(0), late}, 0, "- new - - new"},
		"beyond a bound, once":                    {[]reports.Report{missed(200), missed(201), missed(300), missed(10), missed(999)}, 200, "- exceeded - - exceeded"},
		"beyond a bound, and a person needed":     {[]reports.Report{missed(999), night(2, need("refused", 1))}, 200, "exceeded changed"},
	} {
		if got := nights(board(&place{}, c.over), c.list...); got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}

// TestNextNight: who could not be told is told with the next run, of what is
// the case then.
func TestNextNight(t *testing.T) {
	p := &place{gone: errors.New("no way to ann@example.com")}
	b := board(p, 0)
	var past []Record
	tell := func(r reports.Report) Record {
		record, kept := b.Tell(context.Background(), r, "run activate", past)
		if kept {
			past = append(past, record)
		}
		return record
	}
	if r := tell(night(2, need("refused", 1))); r.Failed["desk"] != "no way to a***@example.com" || len(r.Told) != 0 {
		t.Errorf("got %+v", r)
	}
	p.gone = nil
	if r := tell(night(2, need("refused", 1))); r.Sent["desk"] != Changed || r.Told["desk"].State != Person {
		t.Errorf("got %+v", r)
	}
	if r := tell(night(2, need("refused", 1))); len(r.Told)+len(r.Failed) != 0 {
		t.Errorf("told again: %+v", r)
	}
	p.gone = errors.New("gone")
	if r := tell(night(0)); r.Failed["desk"] != "gone" {
		t.Errorf("got %+v", r)
	}
	// It never heard that it was well, so there is nothing to say, and nothing is
	// due any more.
	if r := tell(night(2, need("refused", 1))); len(r.Sent)+len(r.Failed) != 0 || r.Lanes["run activate"]["desk"].Failed != "" {
		t.Errorf("got %+v", r)
	}
	if r := tell(night(2, need("refused", 1))); len(r.Told)+len(r.Failed) != 0 {
		t.Errorf("got %+v", r)
	}
	// Runs of another kind are told of by themselves.
	if record, kept := b.Tell(context.Background(), night(0), "run carts", past); kept {
		t.Errorf("got %+v", record)
	}
}

// TestNewsThatFailed: what is new in one run alone, by its report, is news in the
// next one when nobody could be told of it.
func TestNewsThatFailed(t *testing.T) {
	p := &place{}
	b := board(p, 0)
	grown := night(2, reports.Need{Target: "activate", What: "refused", Count: 2, Known: 1})
	grown.Last = &reports.Last{}
	known := night(2)
	known.StillThere = []reports.Need{{Target: "activate", What: "refused", Count: 2, Known: 2}}
	known.Last = &reports.Last{}
	var past []Record
	for i, want := range []string{"changed", "failed", "failed", "new", ""} {
		p.gone = nil
		if want == "failed" {
			p.gone = errors.New("gone")
		}
		record, kept := b.Tell(t.Context(), []reports.Report{night(2, need("refused", 2)), grown, known, known, known}[i], "run", past)
		if got := string(record.Sent["desk"]); want != "failed" && got != want || (want == "failed") != (record.Failed["desk"] != "") || kept != (want != "") {
			t.Errorf("night %d: %+v", i, record)
		}
		if s := record.Lanes["run"]["desk"]; want == "failed" && !s.FailedAt.Equal(time.Date(2026, 11, 3, 2, 30, 0, 0, time.UTC)) {
			t.Errorf("night %d: not told since %s", i, s.FailedAt)
		}
		if kept {
			past = append(past, record)
		}
	}
}

// TestLanes: one record is enough to know what was told of runs of all kinds;
// those of no kind begin anew.
func TestLanes(t *testing.T) {
	p := &place{}
	b := board(p, 0)
	first, _ := b.Tell(t.Context(), night(2, need("refused", 1)), "run activate", nil)
	last := []Record{first}
	for range 300 { // the carts' runs tell of something each time
		for _, r := range []reports.Report{night(3), night(0)} {
			record, _ := b.Tell(t.Context(), r, "run carts", last)
			last = []Record{record}
		}
	}
	if record, kept := b.Tell(t.Context(), night(2, need("refused", 1)), "run activate", last); kept {
		t.Errorf("told again: %+v", record)
	}
	for range 2 {
		record, kept := b.Tell(t.Context(), night(2, need("refused", 1)), "", last)
		if !kept || record.Sent["desk"] != Changed || len(record.Lanes) != 2 {
			t.Errorf("a plan was carried out, and nobody was told: %+v", record)
		}
		last = append(last, record)
	}
	// Lanes do not grow for ever, and those of which nothing is known go first.
	for i := range 2 * maxLanes {
		record, _ := b.Tell(t.Context(), night(3), "run from "+strings.Repeat("x", i), last)
		last = []Record{record}
		record, _ = b.Tell(t.Context(), night(0), "run from "+strings.Repeat("x", i), last)
		last = []Record{record}
	}
	if known := Known(last, b.Clock()); len(known) != maxLanes || known["run activate"]["desk"].State != Person {
		t.Errorf("%d lanes are known", len(known))
	}
}

// TestClockThatWasWrong: what is to happen next year is passed over.
func TestClockThatWasWrong(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	at := func(t time.Time, state State) Record {
		return Record{At: t, Lane: "run", Told: map[string]Told{"desk": {State: state}}, Lanes: Lanes{"run": {"desk": {Told: Told{State: state}, At: t}}}}
	}
	later := at(now.AddDate(1, 0, 0), Failed)
	carried := Record{At: now, Lanes: later.Lanes} // by a host whose clock was wrong, too
	for _, past := range [][]Record{{at(now, Person), later, carried}, {carried, later, at(now, Person)}} {
		if got := Known(past, now)["run"]["desk"].State; got != Person {
			t.Errorf("got %s", got)
		}
	}
	if got := Known([]Record{at(now.Add(slack), Failed)}, now)["run"]["desk"].State; got != Failed {
		t.Errorf("clocks may lie %s apart: %q", slack, got)
	}
	if got := Known([]Record{{At: now, Lane: "run", Told: map[string]Told{"desk": {State: Failed}}}}, now)["run"]["desk"].State; got != Failed {
		t.Errorf("a record without lanes says %q", got)
	}
}

// TestWords: the first line, the business, the command, the link, and no more
// than fits.
func TestWords(t *testing.T) {
	p := &place{}
	b := board(p, 0)
	r := missed(2)
	r.PersonNeeded, *r.Exit = []reports.Need{need("refused", 3)}, 2
	if got := nights(b, r, night(0)); got != "changed well_again" {
		t.Fatal(got)
	}
	m := p.got[0]
	for _, want := range []string{"A person is needed: 3 messages refused by activate.\n", "\nactivate: 2 orders were missing (12.50 EUR); all repaired.\n",
		"\n    makegood resolve\n", "\nReport: https://reports.example.com/run-1.html\n", "makegood run, production, 2 Nov 2026 02:31, run run-1"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q is not in:\n%s", want, m.Text)
		}
	}
	if !strings.HasPrefix(m.Text, m.Subject) || strings.Contains(m.Subject, "\n") || m.State != Person || m.Was != Well || len(m.News) != 1 {
		t.Errorf("got %+v", m)
	}
	if !strings.HasPrefix(p.got[1].Text, "No one is needed: nothing was missing.\nWell again: what was told before is over.\n") {
		t.Errorf("got %s", p.got[1].Text)
	}
	long := night(2)
	for range 300 {
		long.Targets = append(long.Targets, reports.Target{Target: "a rather long name of a destination", Balance: reports.Balance{Holds: true}})
	}
	if text := b.newMessage(long, Told{State: Person}, Told{}, time.Time{}).Text; len([]rune(text)) > maxMessage+200 || !strings.Contains(text, "…\n\nReport: https://reports.example.com/run-1.html\n") {
		t.Errorf("got %d characters", len(text))
	}
	if text := cut(strings.Repeat("é", 200), 100); len([]rune(text)) != 100 || !strings.HasSuffix(text, "…") {
		t.Errorf("got %q", text)
	}
}

// TestWithin: one place that never answers keeps nobody from being told, nor
// the run from its end.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, hung := &place{}, notifier(func(ctx context.Context, _ Message) error { <-ctx.Done(); return ctx.Err() })
		b := board(p, 0)
		b.Members = append(b.Members, Member{Name: "hung", Notifier: hung})
		begun := time.Now()
		record, _ := b.Tell(t.Context(), night(3), "run", nil)
		if took := time.Since(begun); took != Within || len(p.got) != 1 || record.Failed["hung"] == "" {
			t.Errorf("after %s: %+v", took, record)
		}
		tried := b.Test(t.Context())
		if len(tried) != 2 || tried[0].Err != nil || tried[1].Err == nil || tried[1].Name != "hung" || !strings.HasPrefix(p.got[1].Text, "This is a test") {
			t.Errorf("got %+v", tried)
		}
	})
}

type notifier func(context.Context, Message) error

func (n notifier) Notify(ctx context.Context, m Message) error { return n(ctx, m) }
