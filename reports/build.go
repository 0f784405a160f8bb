package reports

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"makegood/reconcile"
)

// Options say how a report is to be read.
type Options struct {
	Zone *time.Location // of the times that people read; nil is UTC
	// Config is the configuration that the commands in the report have to
	// name; "" where they find it without.
	Config string
	// Past are ordinary runs to the same destinations before this one, the
	// newest first: what the report is compared with.
	Past []Report
	// Answers are what people said about repeats, by destination.
	Answers map[string]Answer
	// SentBefore says which destinations have accepted something before this run;
	// nil: that is not known.
	SentBefore map[string]bool
	// Upload says that the run was of a file that somebody uploaded, which no
	// later run reads.
	Upload bool
}

// Build makes the report of a result. It changes nothing in r, and every free
// text in what it returns is masked.
func Build(r reconcile.Result, o Options) Report {
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	report := Report{
		Schema: Schema, Run: string(r.Run), Command: r.Command,
		Started: seconds(r.Started), Finished: seconds(r.Finished),
		Window:  reconcile.Window{From: r.Window.From.UTC(), To: r.Window.To.UTC()},
		Sources: make([]Source, len(r.Sources)), Targets: make([]Target, len(r.Targets)),
		Error: errorText(r.Err), Schedule: Mask(r.Schedule), Part: r.Part, Backfill: r.Backfill, CarriedBy: carriedBy(r.Carried), Upload: o.Upload, NewLedger: r.NewLedger, Accepted: accepted(r.Accepted),
		Zone: zone.String(), zone: zone, config: o.Config,
	}
	if !r.Slot.IsZero() {
		report.Slot = seconds(r.Slot)
	}
	report.PersonNeeded, report.StillThere = needs(r)
	for i, s := range r.Sources {
		report.Sources[i] = buildSource(s)
		report.Sources[i].Survey = survey(s, report.Window, zone)
	}
	for _, l := range r.Lookups {
		l.Name, l.Newest, l.Notes = Mask(l.Name), seconds(l.Newest), maskAll(l.Notes)
		report.Lookups = append(report.Lookups, l)
	}
	for i, t := range r.Targets {
		report.Targets[i] = buildTarget(t)
		report.Targets[i].Timeline = timeline(t.Balance.Times, zone)
		of, _ := reconcile.TriedAt(t.Target)
		if answer, said := o.Answers[of]; said {
			report.Targets[i].MergesRepeats = &answer
		}
		if o.SentBefore != nil && !o.SentBefore[t.Target] && reconcile.Sends(t.Mode) && t.Balance.Of(reconcile.BucketSent).Events > 0 {
			report.Targets[i].Check = CheckOf(Looked{Type: t.Type, Target: t.Target, Orders: t.Newest, After: report.Started, Now: report.Finished, Zone: zone})
		}
	}
	if r.Plan != nil {
		report.Plan = &Plan{Path: Mask(r.Plan.Path), Run: string(r.Plan.Run), Digest: r.Plan.Digest, Expires: seconds(r.Plan.Expires), NeedsApproval: r.Plan.NeedsApproval, ByKey: r.Plan.ByKey}
	}
	if a := r.Approval; a != nil {
		report.Approved = &Approval{By: Mask(a.By), Note: Mask(a.Note), At: seconds(a.At)}
	}
	if r.Head.Ledger != "" {
		report.Head = &r.Head
	}
	report.Listed = listedOf(r.Listed)
	report.compareWith(o.Past, r)
	return report
}

// needs lists what a person is needed for, and apart from it what earlier runs
// have told of and that calls nobody again.
func needs(r reconcile.Result) (urgent, known []Need) {
	for _, n := range r.Needs() {
		one := Need{Target: n.Target, Source: n.Source, What: n.What, Count: n.Count, Known: n.Known, Since: seconds(n.Since), Accepted: n.Accepted}
		if n.Since.IsZero() {
			one.Since = n.Since
		}
		if r.Urgent(n) {
			urgent = append(urgent, one)
			continue
		}
		known = append(known, one)
	}
	return urgent, known
}

func buildSource(s reconcile.SourceResult) Source {
	t := s.Tally
	var late *SeenLate
	if s.SeenLate.Orders > 0 {
		late = &SeenLate{s.SeenLate.Orders, s.SeenLate.Longest.Round(time.Second).String()}
	}
	var custom []CustomField
	for _, f := range s.Custom {
		custom = append(custom, CustomField{Mask(f.Name), f.Filled, Mask(f.Sample)})
	}
	return Source{
		Custom: custom, SeenLate: late,
		Source: s.Source, Rows: t.Rows, OrdersRead: t.Read, OutsideWindow: t.OutsideWindow,
		LeftOut: leftOut(t.LeftOut), Bad: t.Bad, Merged: t.Merged, Orders: t.Orders,
		RowsWithoutOrder: t.RowsWithoutOrder, Loose: s.Loose, Quiet: s.Quiet, Without: withoutOrders(s.SilentStores), NoDestination: s.NoDestination, Stray: stray(s.Stray), Numbers: numbers(s.Numbers),
		Stores: silent(s), StoresOf: len(s.Stores), Newest: seconds(t.Newest), Error: errorText(s.Err), Problems: problems(s), Notes: maskAll(t.Notes),
	}
}

// leftOut lists counts by reason, most orders first; those of 0 are no news.
func leftOut(counts map[reconcile.Reason]int) []LeftOut {
	list := make([]LeftOut, 0, len(counts))
	for reason, n := range counts {
		if n > 0 {
			list = append(list, LeftOut{string(reason), n})
		}
	}
	slices.SortFunc(list, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// problems lists the first problem of every bad order, so that each is named,
// and then the others.
func problems(s reconcile.SourceResult) []Problem {
	var list, others []Problem
	for _, bad := range s.Bad {
		for i, p := range bad.Problems {
			if i == 0 {
				list = append(list, problem(bad.Key, p))
				continue
			}
			others = append(others, problem(bad.Key, p))
		}
	}
	list = append(list, others...)
	for _, p := range s.Tally.Problems { // of rows that belong to no order
		if one := problem(reconcile.OrderKey{}, p); !slices.ContainsFunc(list, one.sameRow) {
			list = append(list, one)
		}
	}
	return list
}

// sameRow reports whether another problem stands in the same row.
func (p Problem) sameRow(o Problem) bool {
	return p.File == o.File && p.Sheet == o.Sheet && p.Row == o.Row
}

func problem(key reconcile.OrderKey, p reconcile.RowProblem) Problem {
	return Problem{
		Shop: Mask(key.Shop), Order: Mask(key.Order),
		File: Mask(p.File), Sheet: Mask(p.Sheet), Row: p.Row, Column: Mask(p.Column), Cell: p.Cell,
		Reason: string(p.Reason), Text: Mask(p.Text),
	}
}

func buildTarget(t reconcile.TargetResult) Target {
	target := Target{
		Target: t.Target, Balance: buildBalance(&t.Balance), Reasons: reasons(&t.Balance),
		Type: t.Type, Mode: t.Mode, Stopped: Mask(t.Stopped), Error: errorText(t.Err), Unread: t.Unread,
		NotReasons: leftOut(t.Balance.NotReasons), Examples: examples(&t.Balance),
		Doubts: doubts(t.Doubts), DoubtsFound: max(t.DoubtsFound, len(t.Doubts)),
		Corrections: corrections(t.Corrections), CorrectionsFound: max(t.CorrectionsFound, len(t.Corrections)), CorrectionsResent: t.CorrectionsResent,
		Orphans: orphans(t.Orphans), Repeats: t.Repeats, Requests: t.Attempts,
		CoveredTo: maps.Clone(t.CoveredTo),
	}
	for source, at := range target.CoveredTo {
		target.CoveredTo[source] = at.UTC()
	}
	if had, missed := t.Balance.FrontEndHad, t.Balance.FrontEndMissed; had+missed > 0 {
		target.FrontEnd = &FrontEnd{had, missed}
	}
	target.FrontEndMissed = missed(t.MissedBy)
	target.Reversals, target.Shadow, target.Backlog = reversals(t.Reversals), nightInShadow(t), backlog(t.Backlog)
	target.Fallen = backlog(t.Fallen)
	if t.Met.Orders > 0 {
		target.EvidenceShare = &EvidenceShare{t.Met.Orders, t.Met.Known}
	}
	if t.Leaving > 0 {
		target.LeavingWindow = &Leaving{t.Leaving, seconds(t.LeavingFrom)}
	}
	if m := t.Mail; m.InTime+m.Late+m.NotSent > 0 {
		target.Mail = &Mail{m.After.String(), m.InTime, m.Late, m.NotSent}
	}
	if t.Unknown.Lines > 0 {
		target.UnknownSKUs = &UnknownSKUs{Lines: t.Unknown.Lines, Orders: t.Unknown.Orders, List: []UnknownSKU{}}
		for _, u := range t.Unknown.List {
			target.UnknownSKUs.List = append(target.UnknownSKUs.List, UnknownSKU{Mask(u.SKU), Mask(u.Nearest), u.Lines})
		}
	}
	if t.Expiring.Events > 0 {
		target.Expiring = &Expiring{count(t.Expiring.Count), seconds(t.Expiring.First), seconds(t.Expiring.Last)}
	}
	return target
}

func buildBalance(b *reconcile.Balance) Balance {
	return Balance{
		NotForTarget: count(b.NotForTarget), Eligible: count(b.Eligible),
		Sent: bucket(b, reconcile.BucketSent), AlreadySent: bucket(b, reconcile.BucketAlreadySent),
		HeldBack: bucket(b, reconcile.BucketHeldBack), Refused: bucket(b, reconcile.BucketRefused),
		InDoubt: bucket(b, reconcile.BucketInDoubt), Left: bucket(b, reconcile.BucketLeft),
		Holds: b.Holds(),
	}
}

// bucket sums the places of a bucket. A place that everything has left adds no
// currency to the sum.
func bucket(b *reconcile.Balance, bucket reconcile.Bucket) Count {
	var sum reconcile.Count
	for place, c := range b.Places {
		if place.Bucket != bucket {
			continue
		}
		part := *c
		if part.Events == 0 {
			part.Money = nil
		}
		_ = sum.Add(part) // overflow was refused when the place was counted
	}
	return count(sum)
}

func count(c reconcile.Count) Count {
	money := map[string]string{}
	if c.Events != 0 {
		for currency, amount := range c.Money {
			money[currency] = canonical(amount)
		}
	}
	return Count{c.Orders, c.Events, money}
}

func reasons(b *reconcile.Balance) []Reason {
	list := []Reason{}
	for _, p := range b.Reasons() {
		if p.Bucket != reconcile.BucketSent {
			list = append(list, Reason{p.Bucket, string(p.Reason), count(*b.Places[p])})
		}
	}
	return list
}

func examples(b *reconcile.Balance) []Example {
	var list []Example
	for _, p := range b.Reasons() {
		for _, e := range b.Examples[p] {
			list = append(list, example(p, e))
		}
	}
	return list
}

func example(p reconcile.Place, e reconcile.Example) Example {
	return Example{
		Bucket: p.Bucket, Reason: string(p.Reason), Order: Mask(e.Order), Kind: string(e.Kind),
		Origin: Mask(e.Origin.String()), CompletedAt: seconds(e.CompletedAt),
		Amount: amount(e.Value), Currency: e.Value.Currency, Text: Mask(e.Text),
	}
}

// numbers says what order numbers look like.
func numbers(found []reconcile.NumberShape) []NumberShape {
	var list []NumberShape
	for _, n := range found {
		list = append(list, NumberShape{Mask(n.Shape), Mask(n.Example), n.Orders})
	}
	return list
}

// stray lists orders that are for no destination.
func stray(found []reconcile.Example) []Example {
	var list []Example
	for _, e := range found {
		list = append(list, example(reconcile.Place{Reason: reconcile.ReasonNoDestination}, e))
	}
	return list
}

func doubts(found []reconcile.Doubt) []Doubt {
	var list []Doubt
	for _, d := range found {
		list = append(list, Doubt{
			Event: Mask(string(d.ID)), Order: orderOf(d.ID), Kind: string(d.ID.Kind()), Run: string(d.Run),
			At: seconds(d.At), Amount: amount(d.Value), Currency: d.Value.Currency, Resends: d.Resends,
		})
	}
	return list
}

func corrections(found []reconcile.Correction) []Correction {
	var list []Correction
	for _, c := range found {
		list = append(list, Correction{
			Event: Mask(string(c.ID)), Order: orderOf(c.ID), Change: c.Change,
			Before: amount(c.Before), After: amount(c.After),
			Currency: cmp.Or(c.After.Currency, c.Before.Currency), Origin: Mask(c.Origin.String()), Resend: c.Resend,
		})
	}
	return list
}

func reversals(r reconcile.Reversals) *Reversals {
	if r.Orders == 0 {
		return nil
	}
	list := &Reversals{Count: count(r.Count), WithinDay: r.WithinDay}
	for _, one := range r.Examples {
		list.Examples = append(list.Examples, Reversal{Order: Mask(one.Order), By: Mask(one.By), At: seconds(one.At),
			Amount: amount(one.Value), Currency: one.Value.Currency, Already: one.Already})
	}
	return list
}

func orphans(found []reconcile.Entry) []Orphan {
	var list []Orphan
	for _, e := range found {
		list = append(list, Orphan{
			Event: Mask(string(e.ID)), Order: orderOf(e.ID), Kind: string(e.ID.Kind()), State: string(e.State),
			CompletedAt: seconds(e.Facts.CompletedAt), Amount: amount(e.Value), Currency: e.Value.Currency,
		})
	}
	return list
}

// orderOf is the number that a person knows the order by.
func orderOf(id reconcile.EventID) string {
	key, err := id.Key()
	if err != nil {
		return Mask(string(id))
	}
	return Mask(key.Order)
}

func amount(v reconcile.Value) string {
	if v.Amount == nil {
		return ""
	}
	return canonical(*v.Amount)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return Mask(err.Error())
}

// seconds drops what is finer than people and programs need.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// accepted masks what a person has written.
func accepted(notes map[string]string) map[string]string {
	masked := make(map[string]string, len(notes))
	for name, note := range notes {
		masked[name] = Mask(note)
	}
	return masked
}

func carriedBy(runs []reconcile.RunID) (list []string) {
	for _, run := range runs {
		list = append(list, string(run))
	}
	return list
}
