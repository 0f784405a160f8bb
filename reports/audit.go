package reports

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// Audit is what an auditor asks of a period: what left to whom, what people
// decided, and what the configuration changed. Runs belong to the period in
// which they ended, and what workers sent to that of the run that sums it up. It
// is made by an [Auditor]; times are UTC.
type Audit struct {
	Schema    int                   `json:"schema"`
	Window    reconcile.Window      `json:"window"`
	Head      *reconcile.LedgerHead `json:"head,omitempty"`
	Runs      []RunsOf              `json:"runs"`
	Targets   []AuditTarget         `json:"targets"`
	Approvals []AuditApproval       `json:"approvals"`
	Accepted  []AuditNote           `json:"accepted_evidence"`
	Orders    []AuditState          `json:"became_no_message"` // orders that their sources left out, or that are bad
	Said      []AuditWord           `json:"resolved"`          // by people, of orders completed in the period; the first 1,000
	SaidFound int                   `json:"resolved_found"`
	Answers   []AuditAnswer         `json:"answers"` // about platforms, given before the end of the period
	Changes   []AuditChange         `json:"configuration"`
	Unread    int                   `json:"unread,omitempty"`  // runs whose report this version cannot read
	CutOff    int                   `json:"cut_off,omitempty"` // runs that began in the period and have no end

	zone *time.Location
}

// RunsOf counts the runs of a command by their exit code.
type RunsOf struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
	Runs    int    `json:"runs"`
}

// AuditTarget is what one destination was sent in the period, by its runs'
// reports, and where the messages about orders completed in the period are, by
// the ledger.
type AuditTarget struct {
	Target  string       `json:"target"`
	Type    string       `json:"type,omitempty"`
	Sent    Count        `json:"sent"`
	Refused Count        `json:"refused"`
	States  []AuditState `json:"states"`
}

// AuditState is how many messages are in one place. A correction has no money:
// that of its order is counted with what it corrects.
type AuditState struct {
	Bucket   reconcile.Bucket  `json:"bucket"`
	Reason   string            `json:"reason"`
	Messages int               `json:"messages"`
	Money    map[string]string `json:"money"`
}

// AuditApproval is a plan that charged customers on a person's word.
type AuditApproval struct {
	Run string `json:"run"`
	Approval
	Sent Count `json:"sent"`
}

// AuditNote is evidence that a person let pass although it looked stale.
type AuditNote struct {
	Run      string    `json:"run"`
	At       time.Time `json:"at"`
	Evidence string    `json:"evidence"`
	Note     string    `json:"note"`
}

// AuditWord is a doubt or a refusal that a person ended.
type AuditWord struct {
	Target string `json:"target"`
	Order  string `json:"order"`
	Kind   string `json:"kind"`
	State  string `json:"state"`
	Who    string `json:"who"`
	Note   string `json:"note"`
}

// AuditAnswer is what a person said about a platform: which question, and what.
type AuditAnswer struct {
	Target   string `json:"target"`
	Question string `json:"question"`
	Answer
}

// AuditChange is a run that went by another configuration than the one before,
// and how the counts of places differ between the two. Settings is empty where
// it is not known any more what the file said.
type AuditChange struct {
	Run      string          `json:"run"`
	At       time.Time       `json:"at"`
	Settings []SettingChange `json:"settings"`
	Moved    []Moved         `json:"moved"`
}

// Moved is a count of events that is another one after a change.
type Moved struct {
	Target string           `json:"target"`
	Bucket reconcile.Bucket `json:"bucket"`
	Reason string           `json:"reason,omitempty"`
	Before int              `json:"before"`
	After  int              `json:"after"`
}

// Auditor makes an Audit of reports and of lines of the ledger.
type Auditor struct {
	audit   Audit
	runs    map[RunsOf]int
	targets map[string]*AuditTarget
	states  map[string]map[reconcile.Place]*reconcile.Count
	known   map[string]map[string]string // settings by digest
	last    map[string]Report            // the last ordinary run to the same destinations
	shared  sharedRuns
}

// NewAuditor begins an audit of a period, told in a zone.
func NewAuditor(w reconcile.Window, zone *time.Location) *Auditor {
	return &Auditor{audit: Audit{Schema: 1, Window: w, zone: zone, Approvals: []AuditApproval{}, Accepted: []AuditNote{}, Said: []AuditWord{}, Answers: []AuditAnswer{}, Changes: []AuditChange{}}, runs: map[RunsOf]int{}, targets: map[string]*AuditTarget{},
		states: map[string]map[reconcile.Place]*reconcile.Count{}, known: map[string]map[string]string{}, last: map[string]Report{}}
}

// Before takes the report of a run before the period: it knows settings, the
// counts that the first change moved, and which runs it has summed up.
func (a *Auditor) Before(r Report) {
	a.shared.take(r, false)
	a.remember(r)
}

// After takes the report of a run after the period: it may sum up runs of the
// period.
func (a *Auditor) After(r Report) { a.shared.take(r, false) }

// remember keeps what later runs are laid beside.
func (a *Auditor) remember(r Report) {
	if r.Settings != nil && len(r.Settings.Values) > 0 {
		a.known[r.Settings.Digest] = r.Settings.Values
	}
	if r.ordinary() {
		a.last[r.destinations()] = r
	}
}

// ordinary reports whether a run can be laid beside others: not over a period
// that a person named, not failed, and with its settings.
func (r Report) ordinary() bool {
	return r.Settings != nil && r.Command == "run" && !r.Backfill && r.Error == ""
}

// destinations names those of a report, in one text.
func (r Report) destinations() string {
	var names []string
	for _, t := range r.Targets {
		names = append(names, t.Target)
	}
	slices.Sort(names)
	return strings.Join(names, "\x00")
}

// Unread counts a run whose report cannot be read.
func (a *Auditor) Unread() { a.audit.Unread++ }

// Run takes the report of a run in the period, the oldest first.
func (a *Auditor) Run(r Report) {
	exit := 0
	if r.Exit != nil {
		exit = *r.Exit
	}
	a.runs[RunsOf{Command: r.Command, Exit: exit}]++
	if r.isShared() {
		a.shared.take(r, true)
	} else {
		a.count(r)
	}
	a.change(r)
	a.remember(r)
}

// count adds what a run sent, and on whose word.
func (a *Auditor) count(r Report) {
	var sent Count
	for _, t := range r.Targets {
		sent = sum(sent, t.Balance.Sent)
		of := a.target(t.Target)
		of.Type = cmp.Or(t.Type, of.Type)
		of.Sent, of.Refused = sum(of.Sent, t.Balance.Sent), sum(of.Refused, t.Balance.Refused)
	}
	if r.Approved != nil {
		a.audit.Approvals = append(a.audit.Approvals, AuditApproval{r.Run, *r.Approved, sent})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Accepted)) {
		a.audit.Accepted = append(a.audit.Accepted, AuditNote{r.Run, r.Started, name, Mask(r.Accepted[name])})
	}
}

func (a *Auditor) target(name string) *AuditTarget {
	if a.targets[name] == nil {
		a.targets[name] = &AuditTarget{Target: name, Sent: Count{Money: map[string]string{}}, Refused: Count{Money: map[string]string{}}}
	}
	return a.targets[name]
}

// change notes that a run went by another configuration than the one before it.
func (a *Auditor) change(r Report) {
	last, known := a.last[r.destinations()]
	if !r.ordinary() || !known || last.Settings.Digest == r.Settings.Digest {
		return
	}
	c := AuditChange{Run: r.Run, At: r.Started, Settings: []SettingChange{}, Moved: moved(last, r)}
	after := r.Settings.Values
	if len(after) == 0 {
		after = a.known[r.Settings.Digest]
	}
	if before := a.known[last.Settings.Digest]; len(before) > 0 && len(after) > 0 {
		c.Settings = changed(before, after)
	}
	a.audit.Changes = append(a.audit.Changes, c)
}

// moved lists how two runs differ in what they did not send, and in what they
// did.
func moved(before, after Report) []Moved {
	counts := func(r Report) map[Moved]int {
		found := map[Moved]int{}
		for _, t := range r.Targets {
			for _, reason := range t.Reasons {
				found[Moved{Target: t.Target, Bucket: reason.Bucket, Reason: reason.Reason}] += reason.Events
			}
			found[Moved{Target: t.Target, Bucket: reconcile.BucketSent}] += t.Balance.Sent.Events
		}
		return found
	}
	was, is := counts(before), counts(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	list := []Moved{}
	for of := range all {
		if was[of] != is[of] {
			of.Before, of.After = was[of], is[of]
			list = append(list, of)
		}
	}
	slices.SortFunc(list, func(x, y Moved) int {
		return cmp.Or(cmp.Compare(x.Target, y.Target),
			cmp.Compare(slices.Index(reconcile.Buckets[:], x.Bucket), slices.Index(reconcile.Buckets[:], y.Bucket)), cmp.Compare(x.Reason, y.Reason))
	})
	return list
}

// maxSaid bounds how many words of people an audit repeats.
const maxSaid = 1000

// Line takes a message, or an order, as the ledger has it.
func (a *Auditor) Line(l OrderLine) error {
	if a.states[l.Target] == nil {
		a.states[l.Target] = map[reconcile.Place]*reconcile.Count{}
	}
	if a.states[l.Target][l.Place] == nil {
		a.states[l.Target][l.Place] = &reconcile.Count{}
	}
	one := reconcile.Count{Events: 1}
	if l.Value.Amount != nil && l.ID.Revision() <= 1 {
		one.Money = reconcile.Money{l.Value.Currency: *l.Value.Amount}
	}
	if l.Person {
		a.audit.SaidFound++
	}
	if l.Person && len(a.audit.Said) < maxSaid {
		a.audit.Said = append(a.audit.Said, AuditWord{l.Target, orderOf(l.ID), string(l.ID.Kind()), PlaceWords(l.Place), Mask(l.Who), Mask(l.Note)})
	}
	return a.states[l.Target][l.Place].Add(one)
}

// Answer takes what a person said about a platform.
func (a *Auditor) Answer(w reconcile.Word) {
	if w.At.Before(a.audit.Window.To) {
		a.audit.Answers = append(a.audit.Answers, AuditAnswer{w.Target, Mask(w.About), AnswerOf(w)})
	}
}

// Audit gives what was gathered; head is the ledger's, and cutOff how many runs
// have no end.
func (a *Auditor) Audit(head reconcile.LedgerHead, cutOff int) Audit {
	for _, r := range a.shared.counted() {
		a.count(r)
	}
	a.shared = sharedRuns{}
	slices.SortStableFunc(a.audit.Accepted, func(x, y AuditNote) int { return x.At.Compare(y.At) })
	audit := a.audit
	audit.CutOff = cutOff
	audit.Runs, audit.Targets = []RunsOf{}, []AuditTarget{}
	if head.Ledger != "" {
		audit.Head = &head
	}
	for of, n := range a.runs {
		of.Runs = n
		audit.Runs = append(audit.Runs, of)
	}
	slices.SortFunc(audit.Runs, func(x, y RunsOf) int { return cmp.Or(cmp.Compare(x.Command, y.Command), cmp.Compare(x.Exit, y.Exit)) })
	for target := range a.states {
		if target != "" {
			a.target(target)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.targets)) {
		t := *a.targets[name]
		t.States = a.statesOf(name)
		audit.Targets = append(audit.Targets, t)
	}
	audit.Orders = a.statesOf("")
	return audit
}

// statesOf lists the places of a target's messages, the most first.
func (a *Auditor) statesOf(target string) []AuditState {
	list := []AuditState{}
	for place, c := range a.states[target] {
		list = append(list, AuditState{place.Bucket, string(place.Reason), c.Events, count(*c).Money})
	}
	slices.SortFunc(list, func(x, y AuditState) int {
		return cmp.Or(cmp.Compare(y.Messages, x.Messages), cmp.Compare(x.Bucket, y.Bucket), cmp.Compare(x.Reason, y.Reason))
	})
	return list
}
