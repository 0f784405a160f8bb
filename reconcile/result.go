package reconcile

import "time"

// Result is everything that a run, a plan or an apply has to tell: reports are
// made of it and of nothing else. Times are UTC.
type Result struct {
	Run      RunID
	Command  string // run, plan or apply
	Started  time.Time
	Finished time.Time
	Window   Window
	// Schedule names the entry of the schedule that the run was for, Slot its
	// moment; "" and zero: none.
	Schedule string
	Slot     time.Time
	// Part says that the entry does a part of the work only: CoveredTo is its own.
	Part bool
	// Backfill says that the window was given by a person; coverage stays.
	Backfill bool
	Sources  []SourceResult
	Lookups  []Lookup // evidence and open carts, as they were read for the plan
	Targets  []TargetResult
	Head     LedgerHead
	// NewLedger says that this run created the ledger.
	NewLedger bool
	Plan      *PlanRef // of plan and apply, and of a run that left one
	// Carried are the runs that carried the plan out in parts, where this one only
	// sums up; nil: it did so itself.
	Carried []RunID
	// Approval is on whose word the plan was carried out; nil: on nobody's.
	Approval *Approval
	// Accepted is evidence that a person let pass although it looked stale: by
	// name, with the person's note.
	Accepted map[string]string
	// Listed is what became of a list of order numbers; nil: none was given.
	Listed *Listed
	// Strict says that what earlier runs told of calls a person all the same.
	Strict bool
	// Err is what ended the run before its end, nil otherwise.
	Err error
}

// PlanRef names a plan file.
type PlanRef struct {
	Path    string
	Run     RunID // that made it
	Digest  string
	Expires time.Time
	// NeedsApproval says that it would charge customers: somebody has to approve
	// it by name, or with a key where ByKey says so.
	NeedsApproval, ByKey bool
}

// SourceResult is what one source gave.
type SourceResult struct {
	Source string
	Tally  Tally
	// NoDestination counts orders that are for none of the targets that read
	// the source, by their channels and rules.
	NoDestination int
	Stray         []Example // some of them, at most MaxExamples
	// Numbers says what the order numbers look like, the most frequent first.
	Numbers []NumberShape
	Custom  []CustomField // where samples were asked for
	Err     error         // the source failed: nothing of it was sent
	// Bad lists examples of bad orders with their rows, at most MaxProblems
	// problems in all; BadEarlier is how many of all bad orders earlier runs told
	// of. Loose marks rows without an order, at most MaxLoose of them, by keyed
	// hashes of what stands in them; the last runs met LooseEarlier of these.
	Bad          []BadOrder
	BadEarlier   Earlier
	NotUnique    bool // one of its numbers stands for several orders: nothing of it is sent
	Loose        []string
	LooseEarlier int
	// Stores tells of each store's orders in the period, at most MaxStores.
	Stores map[string]StoreSeen
	// Quiet says that the source held far less than usual on the last whole day,
	// or that its newest order is too old; SilentStores which of its stores had
	// nothing although they usually have. SilentBefore of them were silent in the
	// last run, too.
	Quiet        []QuietDay
	SilentStores []QuietDay
	SilentBefore int
	// Closed says that the source was closed on the last whole day of the period,
	// of a backfill on all of its days: then no row at all is no alarm.
	Closed bool
	// Days is how many orders the last whole days had, by store.
	Days []SourceDay
	// Survey looks at every order; nil unless samples were asked for.
	Survey *Survey

	// SeenLate counts orders that became visible after their time was read.
	SeenLate SeenLate

	days map[dayKey]int
	late map[OrderKey]bool
}

// StoreSeen is how many orders of a store were met, and when the newest of them
// was completed.
type StoreSeen struct {
	Orders int
	Newest time.Time
}

// MaxStores bounds how many stores of a source are told apart.
const MaxStores = 10_000

// BadOrder is an order that cannot be sent as it stands, and why.
type BadOrder struct {
	Key      OrderKey
	Origin   Origin
	Problems []RowProblem
}

// TargetResult is the balance of one target, and what happened at it.
type TargetResult struct {
	Target  string
	Type    string // squeezely, collect, ...
	Mode    string // shadow or live
	Balance Balance
	// Unread lists sources of the target that failed: what they hold is not in
	// the balance.
	Unread []string
	// DoubtEnds says that the target merges repeats of every kind: what is in
	// doubt is sent again by the next run, and needs no person.
	DoubtEnds bool
	// Doubts lists entries that a dead run left between claim and answer, as
	// they were found before anything was sent; DoubtsFound is how many.
	Doubts      []Doubt
	DoubtsFound int
	// Stopped says why the target's lane ended early, "" when it did not.
	Stopped string
	// Braked says that it was stopped before it began, because there was much
	// more to send than usual: the plan is kept.
	Braked bool
	// Met says how many of the orders that it should know the evidence knows;
	// zero where there is none.
	Met EvidenceShare
	// Err is what kept the target from being worked on.
	Err error
	// Orphans are unfinished entries whose order no source holds any more.
	Orphans []Entry
	// Corrections counts orders that were sent and whose content has changed
	// since. They stay already_sent with the amount that was sent. Of those
	// that are found some are sent again, where the target's policy says so:
	// the correction is an event of its own in the balance, without money.
	Corrections       []Correction
	CorrectionsFound  int
	CorrectionsResent int
	Repeats           int // accepted although another run had finished it
	// Reversals are orders that this run sent, or would send, or that were sent
	// before, and that a credit note in this period undoes.
	Reversals Reversals
	CoveredTo map[string]time.Time // by source, after this run
	Attempts  int                  // requests about single events, retries included
	// Leaving counts orders that are held back and that the next run will no
	// longer read, because they fall out of what it re-reads; LeavingFrom is
	// the oldest of them.
	Leaving     int
	LeavingFrom time.Time
	// Mail counts what had to reach the platform before it mails about carts.
	Mail MailTiming
	// Unknown counts products that the target's catalog does not know.
	Unknown UnknownSKUs
	// Newest are the accepted orders that were completed last, at most 3.
	Newest []Accepted
	// Expiring is what becomes too old for the target within a day.
	Expiring Expiring
	// MissedBy says where and when the front end missed orders.
	MissedBy []MissedBy
	// Earlier is what earlier runs told of the places that need a person, and of
	// what shadow would send.
	Earlier []EarlierAt
	// TooEarly counts what earlier nights in shadow would have sent too early.
	TooEarly TooEarly
	// Fallen is a period that is not done and lies further back than runs reach: an
	// ordinary run will not read it any more. Zero: there is none.
	Fallen Window
	// Falling counts what of it the runs of the next days no longer reach.
	Falling int
	looked  map[string]time.Time // by source, of a run in shadow or on trial
	// Backlog is the period of what shadow or a trial left, and a live run sends
	// only when it is asked for: [From, To) of completions. Zero: there is nothing.
	Backlog Window
}

// Doubt is an event whose claim outlived its run.
type Doubt struct {
	ID      EventID
	Run     RunID
	At      time.Time
	Value   Value
	Resends bool // the target merges repeats: this run sends it again
}

// Correction is a change after sending.
type Correction struct {
	ID     EventID
	Change string // correction, refund or cosmetic
	Before Value  // of the newest version that the target was told of
	After  Value
	Origin Origin
	Resend bool // the plan sends it again, in place of what was sent
}

// PersonNeeded lists, in words of the code, what only a person can end.
type PersonNeeded struct {
	Target string // "" when it concerns a source
	Source string
	What   string // a reason or: doubt, refused, bad, stopped
	Count  int
	Known  int // of Count: an earlier run told of them
	// Accepted of Count a person said are known.
	Accepted int
	Since    time.Time // when the first of the known ones was told of; zero when there are none
}

// MailTiming counts the purchases and cart events of a run against the moment
// when the platform's mail about an abandoned cart may start (RULES R2): those
// that were sent by then, those that were sent later, and those that were not.
// What was sent before this run is in none of them.
type MailTiming struct {
	After   time.Duration // from the checkout to the mail; 0: nothing is counted
	InTime  int
	Late    int
	NotSent int
}
