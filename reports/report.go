// Package reports tells people and programs what a run did. [Build] makes one
// [Report] of a [reconcile.Result]; the JSON, the terminal and the HTML page
// all render that report and nothing else, so that they cannot disagree. A
// report that was stored as JSON renders as it did on its first day.
//
// Programs read keys, people read the words of words.go. No form holds an
// address: every free text passes [Mask].
package reports

import (
	"time"

	"makegood/reconcile"
)

// Schema is the version of the JSON form. Keys are added, never changed.
const Schema = 1

// Report is what all forms render. Its JSON form is stable. Times are UTC.
type Report struct {
	Schema   int              `json:"schema"`
	Run      string           `json:"run"`
	Command  string           `json:"command"`
	Started  time.Time        `json:"started"`
	Finished time.Time        `json:"finished"`
	Window   reconcile.Window `json:"window"`
	Sources  []Source         `json:"sources"`
	Targets  []Target         `json:"targets"`

	// Lookups are evidence and open carts that were read.
	Lookups []reconcile.Lookup `json:"lookups,omitempty"`

	// Exit is the exit code, set by the command that knows it.
	Exit         *int                  `json:"exit,omitempty"`
	PersonNeeded []Need                `json:"person_needed,omitempty"`
	StillThere   []Need                `json:"still_there,omitempty"` // problems that earlier runs have told of, and nothing else
	Listed       *Listed               `json:"listed,omitempty"`      // of a list of order numbers
	Last         *Last                 `json:"last_run,omitempty"`    // nil: there was none to compare with
	Error        string                `json:"error,omitempty"`       // what ended the run early
	Schedule     string                `json:"schedule,omitempty"`    // the entry that the run was for, and its moment
	Slot         time.Time             `json:"slot,omitzero"`
	Part         bool                  `json:"part,omitempty"` // the entry does a part of the work: covered_to is its own
	Backfill     bool                  `json:"backfill,omitempty"`
	CarriedBy    []string              `json:"carried_by,omitempty"` // the runs that sent what this one sums up
	Upload       bool                  `json:"upload,omitempty"`     // of a file that somebody uploaded, which no later run reads
	NewLedger    bool                  `json:"new_ledger,omitempty"`
	Accepted     map[string]string     `json:"accepted_evidence,omitempty"` // a person's notes, by evidence
	Plan         *Plan                 `json:"plan,omitempty"`
	Approved     *Approval             `json:"approved,omitempty"` // on whose word a plan was carried out
	Head         *reconcile.LedgerHead `json:"head,omitempty"`
	Zone         string                `json:"zone,omitempty"` // in which people read the times
	Settings     *Settings             `json:"settings,omitempty"`

	zone   *time.Location // nil after Read: Zone is looked up
	config string         // Options.Config; unknown after Read
}

// Need is one thing that only a person can end. What is a reason's code or one
// of the Need constants of reconcile. Known of the Count were told of by earlier
// runs, the first of them at Since.
type Need struct {
	Target string    `json:"target,omitempty"`
	Source string    `json:"source,omitempty"`
	What   string    `json:"what"`
	Count  int       `json:"count"`
	Known  int       `json:"known,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Accepted of them a person has said are known.
	Accepted int `json:"accepted,omitempty"`
}

// Last is the run that this one is compared with, the newest that ended before
// it with the same command and destinations, and which problems changed.
type Last struct {
	Run      string    `json:"run"`
	Finished time.Time `json:"finished"`
	Exit     int       `json:"exit"`
	Changes  []Change  `json:"changes,omitempty"`
}

// Change is how one problem of a Need changed since the last run: Before it
// there were so many, now there are Now, of which New were not there before;
// Gone were there and are no longer.
type Change struct {
	Target string `json:"target,omitempty"`
	Source string `json:"source,omitempty"`
	What   string `json:"what"`
	Before int    `json:"before"`
	Now    int    `json:"now"`
	New    int    `json:"new"`
	Gone   int    `json:"gone"`
}

// Usual is how many orders were missing at a destination in its last ordinary
// runs.
type Usual struct {
	Runs  int `json:"runs"`
	Least int `json:"least"`
	Most  int `json:"most"`
}

// Timeline counts a target's messages by when their orders were completed: one
// number for each unit of time (hour, day or month, in the report's zone) from
// the one that begins at From on, by bucket. A bucket without a message is
// missing. Money has the same shape by currency, as decimal text.
type Timeline struct {
	Unit   string                                   `json:"unit"`
	From   time.Time                                `json:"from"`
	Events map[reconcile.Bucket][]int               `json:"events"`
	Money  map[string]map[reconcile.Bucket][]string `json:"money,omitempty"`
}

// Store is when the newest order of a store was completed. Silent: it is long
// before the newest of the source.
type Store struct {
	Store  string    `json:"store"`
	Orders int       `json:"orders"`
	Newest time.Time `json:"newest"`
	Silent bool      `json:"silent,omitempty"`
}

// Plan names a plan file.
type Plan struct {
	Path string `json:"path,omitempty"`
	// Run made the plan. Where it is another run than the report's, that one
	// carried the plan out.
	Run     string    `json:"run,omitempty"`
	Digest  string    `json:"digest,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	// NeedsApproval: it would charge customers, and is sent once somebody has
	// approved it by name; with ByKey, with a key that plans.approvers lists.
	NeedsApproval bool `json:"needs_approval,omitempty"`
	ByKey         bool `json:"approval_by_key,omitempty"`
}

// Approval is a person's word that a plan may be carried out.
type Approval struct {
	By   string    `json:"by"`
	Note string    `json:"note"`
	At   time.Time `json:"at"`
}

// Target is the balance of one target, and what happened at it.
type Target struct {
	Target  string   `json:"target"`
	Balance Balance  `json:"balance"`
	Reasons []Reason `json:"reasons"`

	Type              string               `json:"type,omitempty"`
	Mode              string               `json:"mode,omitempty"`
	Stopped           string               `json:"stopped,omitempty"`
	Error             string               `json:"error,omitempty"`
	EvidenceShare     *EvidenceShare       `json:"evidence_share,omitempty"` // nil: no evidence was asked
	Unread            []string             `json:"unread_sources,omitempty"` // they failed, and are not in the balance
	NotReasons        []LeftOut            `json:"not_for_target_reasons,omitempty"`
	Examples          []Example            `json:"examples,omitempty"`
	Doubts            []Doubt              `json:"doubts,omitempty"`
	DoubtsFound       int                  `json:"doubts_found,omitempty"`
	Corrections       []Correction         `json:"corrections,omitempty"`
	CorrectionsFound  int                  `json:"corrections_found,omitempty"`
	CorrectionsResent int                  `json:"corrections_resent,omitempty"` // of those found: sent again, or to be
	Reversals         *Reversals           `json:"reversals,omitempty"`
	Orphans           []Orphan             `json:"orphans,omitempty"`
	Repeats           int                  `json:"repeats,omitempty"`
	MergesRepeats     *Answer              `json:"merges_repeats,omitempty"` // what a person said about it; nil: nobody did
	Requests          int                  `json:"requests,omitempty"`
	CoveredTo         map[string]time.Time `json:"covered_to,omitempty"` // by source
	FrontEnd          *FrontEnd            `json:"front_end,omitempty"`
	FrontEndMissed    []reconcile.MissedBy `json:"front_end_missed,omitempty"` // days and channels, then stores, at most 100 of each
	LeavingWindow     *Leaving             `json:"leaving_window,omitempty"`
	Expiring          *Expiring            `json:"expiring,omitempty"`
	UnknownSKUs       *UnknownSKUs         `json:"unknown_skus,omitempty"`
	Mail              *Mail                `json:"mail,omitempty"`
	Shadow            *Shadow              `json:"shadow,omitempty"`         // of a night in shadow; nil: nothing to tell
	Backlog           *Backlog             `json:"backlog,omitempty"`        // nil: shadow and trial left nothing
	Check             *PlatformCheck       `json:"platform_check,omitempty"` // of its first accepted order
	Fallen            *Backlog             `json:"beyond_reach,omitempty"`   // not done, and read by no ordinary run any more
	Usual             *Usual               `json:"usual,omitempty"`          // nil: too few runs to know
	Timeline          *Timeline            `json:"timeline,omitempty"`       // nil: no message was met
}

// Count is orders, events and money of one place. Money is canonical decimal
// text by currency, never nil.
type Count struct {
	Orders int               `json:"orders"`
	Events int               `json:"events"`
	Money  map[string]string `json:"money"`
}

// Balance is the equation of a target:
// eligible = sent + already_sent + held_back + refused + in_doubt + left.
type Balance struct {
	NotForTarget Count `json:"not_for_target"`
	Eligible     Count `json:"eligible"`
	Sent         Count `json:"sent"`
	AlreadySent  Count `json:"already_sent"`
	HeldBack     Count `json:"held_back"`
	Refused      Count `json:"refused"`
	InDoubt      Count `json:"in_doubt"`
	Left         Count `json:"left"`
	Holds        bool  `json:"holds"`
}

// Reason is what one bucket holds for one reason. The bucket sent has one
// reason only, which is not listed.
type Reason struct {
	Bucket reconcile.Bucket `json:"bucket"`
	Reason string           `json:"reason"`
	Count
}

// Example is one event of a place.
type Example struct {
	Bucket      reconcile.Bucket `json:"bucket,omitempty"` // none of an order for no destination
	Reason      string           `json:"reason"`
	Order       string           `json:"order"`
	Kind        string           `json:"kind,omitempty"`
	Origin      string           `json:"origin,omitempty"`
	CompletedAt time.Time        `json:"completed_at,omitzero"`
	Amount      string           `json:"amount,omitempty"`
	Currency    string           `json:"currency,omitempty"`
	Text        string           `json:"text,omitempty"`
}

// EvidenceShare says how many orders the record of the live integration should
// know, and how many of them it does.
type EvidenceShare struct {
	Orders int `json:"orders"`
	Known  int `json:"known"`
}

// Doubt is an event that a run, which was cut off, may have sent.
type Doubt struct {
	Event    string    `json:"event"`
	Order    string    `json:"order"`
	Kind     string    `json:"kind"`
	Run      string    `json:"run"`
	At       time.Time `json:"at"`
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"`
	Resends  bool      `json:"resends"`
}

// Correction is an order that changed after it was sent.
type Correction struct {
	Event    string `json:"event"`
	Order    string `json:"order"`
	Change   string `json:"change"`
	Before   string `json:"before,omitempty"` // amount that was sent
	After    string `json:"after,omitempty"`
	Currency string `json:"currency,omitempty"`
	Origin   string `json:"origin,omitempty"`
	Resend   bool   `json:"resend,omitempty"` // sent again in place of what was sent, or to be
}

// Reversals are orders that were sent, or are to be sent, and that a later
// credit note undoes wholly: to be corrected at the platform.
type Reversals struct {
	Count
	WithinDay int        `json:"within_a_day"`
	Examples  []Reversal `json:"examples,omitempty"`
}

// Reversal is one order that was undone.
type Reversal struct {
	Order    string    `json:"order"`
	By       string    `json:"by"` // the number of the credit note
	At       time.Time `json:"at"`
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"`
	Already  bool      `json:"already_sent"` // before this run
}

// Orphan is an unfinished event whose order no source holds any more.
type Orphan struct {
	Event       string    `json:"event"`
	Order       string    `json:"order"`
	Kind        string    `json:"kind"`
	State       string    `json:"state"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Amount      string    `json:"amount,omitempty"`
	Currency    string    `json:"currency,omitempty"`
}

// Mail counts messages against the moment when the platform's mail about an
// abandoned cart may start, After the checkout (as Go writes durations).
type Mail struct {
	After   string `json:"after"`
	InTime  int    `json:"in_time"`
	Late    int    `json:"late"`
	NotSent int    `json:"not_sent"`
}

// FrontEnd counts sent orders that front-end evidence had or missed.
type FrontEnd struct {
	Had    int `json:"had"`
	Missed int `json:"missed"`
}

// Leaving counts orders that are held back and that the next run will no longer
// read; From is when the oldest of them was completed.
type Leaving struct {
	Orders int       `json:"orders"`
	From   time.Time `json:"from"`
}

// UnknownSKUs counts lines whose products the destination's catalog does not
// know; the most frequent are listed.
type UnknownSKUs struct {
	Lines  int          `json:"lines"`
	Orders int          `json:"orders"`
	List   []UnknownSKU `json:"list"`
}

// UnknownSKU is one of them, and the known one that it is most like.
type UnknownSKU struct {
	SKU     string `json:"sku"`
	Nearest string `json:"nearest,omitempty"`
	Lines   int    `json:"lines"`
}

// Expiring counts what is left, in doubt or waits for a person, and becomes too
// old for the target within a day: the first and the last of it when.
type Expiring struct {
	Count
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// location is the zone in which people read the times; UTC when it is unknown.
func (r Report) location() *time.Location {
	if r.zone != nil {
		return r.zone
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil {
		return zone
	}
	return time.UTC
}
