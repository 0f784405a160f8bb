package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RunID names one run of makegood: a UUID of version 7.
type RunID string

// State is what the ledger says of one event at one target.
type State string

// The states. A claim whose run has died is read as doubtful.
const (
	StateAbsent   State = ""         // nothing is known of it
	StateOpen     State = "open"     // known, and surely not accepted
	StateClaimed  State = "claimed"  // a live run is about to send it
	StateDone     State = "done"     // accepted, here or by somebody else
	StateRefused  State = "refused"  // the platform refused it for what it is
	StateDoubtful State = "doubtful" // it may have been accepted
)

// By says on whose word an entry is done.
type By string

// Who says so.
const (
	BySentHere By = "sent_here"
	ByProven   By = "proven"
	ByAssumed  By = "assumed"
)

// Entry is the durable record of one event at one target. It holds no names
// and no addresses.
type Entry struct {
	ID        EventID
	Version   int64 // raised by every write; 0: there is no entry
	State     State
	Lost      bool // doubtful because the run that claimed it died; open because a person said that it never arrived
	By        By
	Run       RunID // that claimed it last
	Action    Action
	Value     Value
	Facts     Facts
	Attempts  int // attempts that reached the wire, or may have
	NotBefore time.Time
	At        time.Time // of the last write
	Receipt   string
	Shown     string // the order id that the platform saw, where it is known
}

// Place is where an entry's event stands as the ledger has it: one that is open
// may stand elsewhere by a decision.
func (e Entry) Place() Place {
	switch e.State {
	case StateDone:
		return Place{BucketAlreadySent, Reason(e.By)}
	case StateClaimed:
		return Place{BucketLeft, ReasonBusy}
	case StateDoubtful:
		return Place{BucketInDoubt, doubtReason(e)}
	case StateRefused:
		return Place{BucketRefused, ReasonRejected}
	}
	return Place{BucketLeft, ReasonMoved}
}

// Ticket asks to claim one event; Seen is the version of its entry on which
// the decision to send it rests, 0 when there was none.
type Ticket struct {
	Event Event
	Seen  int64
}

// Adoption records that somebody else sent an event: what evidence says.
type Adoption struct {
	Want Want
	By   By
	Who  string    // the name of the evidence
	At   time.Time // when it was sent, as far as the evidence says
	// Receipt is the platform's, as far as the evidence says.
	Receipt string
	Seen    int64
}

// Resolution ends a doubt by a person's or the platform's word.
type Resolution struct {
	State State // StateDone or StateOpen
	By    By
	Note  string
	Who   string
	// Receipt is what a person knows of the platform's answer. With it an entry
	// that is done stays done, and only its receipt becomes known.
	Receipt string
	// Lost is a person's word that the platform does not have what counts as
	// done. Only with it a done entry becomes open, and nothing else does.
	Lost bool
}

// Errors of a ledger.
var (
	// ErrLedgerMoved says that the entry is no longer what the caller saw.
	ErrLedgerMoved = errors.New("the entry was changed by somebody else")
	// ErrRunOver says that the run's lock or beat was lost: another run may
	// have taken over its claims.
	ErrRunOver = errors.New("this run no longer counts as alive")
)

// Ledger is safe for concurrent use, also from several processes.
type Ledger interface {
	Reader
	// Claim takes each ticket whose entry still has version Seen; for the
	// others it returns the entry as it is now. It never takes a done entry or
	// the claim of a live run. Taking the claim of a dead run first records
	// that run's attempt as in doubt, in the same transaction. A taken entry
	// has version Seen+1. When Claim returns, the claims survive a crash. A
	// target that is paused gives ErrPaused, whoever paused it.
	Claim(ctx context.Context, target string, run RunID, tickets []Ticket) (taken []EventID, moved map[EventID]Entry, err error)
	// Settle records outcomes, conditional on (run, version). It runs to its
	// end whatever becomes of ctx. A late outcome, whose entry has moved on,
	// is recorded as an attempt and leaves the state, except that a late Sent
	// on a doubtful entry makes it done. repeats names the events that were
	// accepted here although another run claimed or finished them.
	Settle(ctx context.Context, target string, run RunID, outcomes []Outcome) (repeats []EventID, err error)
	// Adopt records what others sent as done. Entries that moved since Seen
	// are left alone and not counted.
	Adopt(ctx context.Context, target string, run RunID, adoptions []Adoption) (adopted int, err error)
	// Decide keeps why events and orders are where they are. What the ledger
	// holds in the same words already is not written again. A claim ends what
	// was decided about its event.
	Decide(ctx context.Context, run RunID, decisions []Decision) error
	// Resolve ends a doubt, or reopens what was refused; with Resolution.Lost
	// it reopens what is done. ErrLedgerMoved says that the entry is none of
	// that.
	Resolve(ctx context.Context, target string, id EventID, r Resolution) error
	// Begin registers a run and takes its lock; it beats until End.
	Begin(ctx context.Context, run RunRecord) error
	// Alive reports whether the run's beat leaves at least d before others may
	// take it for dead. A lane that hears false sends nothing more.
	Alive(run RunID, d time.Duration) bool
	// End stores the run's end and coverage in one transaction and gives the
	// lock back.
	End(ctx context.Context, end RunEnd) error
	// Head says which ledger this is, and how far it has come.
	Head() LedgerHead
	// Close waits for what is queued and closes.
	Close() error
}

// Reader is what planning needs of a ledger. It changes nothing.
type Reader interface {
	// Find returns the entries that exist. A claim whose run is dead reads as
	// doubtful with Lost set; one whose run lives as claimed.
	Find(ctx context.Context, target string, ids []EventID) (map[EventID]Entry, error)
	// Covered tells per source up to which completion time nothing is left to
	// do for the target. Sources that it never covered are missing.
	Covered(ctx context.Context, target string, mode string) (map[string]time.Time, error)
	// OldestOpen tells per source the oldest completion time among the
	// target's entries in the given states.
	OldestOpen(ctx context.Context, target string, states []State) (map[string]time.Time, error)
	// Lost lists the claims of dead runs, at most limit, oldest order first,
	// and how many there are.
	Lost(ctx context.Context, target string, limit int) ([]Entry, int, error)
	// Orphans lists unfinished entries of orders completed in w, for the
	// report to name those that no source holds any more.
	Unfinished(ctx context.Context, target string, w Window, limit int) ([]Entry, error)
	// CartEvents lists for each person the cart events that were done or may
	// have been, of checkouts completed at since or later, the oldest checkout
	// first. A claim whose run lives reads as claimed.
	CartEvents(ctx context.Context, target string, persons []Person, since time.Time) (map[Person][]Entry, error)
	// Alike lists for each likeness the purchases with it that were, or may
	// have been, accepted, and whose orders were completed in w: as far as
	// their Facts.Goods were known when they were claimed or adopted.
	Alike(ctx context.Context, target string, likes []Likeness, w Window) (map[Likeness][]Entry, error)
	// Decided lists why events are where they are, as runs wrote it down.
	Decided(ctx context.Context, target string, ids []EventID) ([]Decision, error)
	// HasDecided reports whether anything was decided about a target's events.
	HasDecided(ctx context.Context, target string) (bool, error)
	// RunsEnded gives those of the runs that came to their end.
	RunsEnded(ctx context.Context, runs []RunID) ([]RunID, error)
	// EvidenceDays tells how many rows an evidence source held on earlier days
	// (UTC dates, "2006-01-02"), as runs recorded it.
	EvidenceDays(ctx context.Context, evidence string) (map[string]int, error)
	// SourceDays tells how many orders a source and its stores had on each day
	// from a day on, as runs met them.
	SourceDays(ctx context.Context, source, from string) ([]SourceDay, error)
	// Accepted tells which events, or orders at target "", a person accepted.
	Accepted(ctx context.Context, target string, ids []EventID) (map[EventID]Word, error)
	// Pruned tells up to which completion time the ledger has forgotten what
	// was sent to the target; zero when it has forgotten nothing.
	Pruned(ctx context.Context, target string) (time.Time, error)
	// Newest tells when the ledger was last written by a run, as that run's
	// clock had it; zero when it never was.
	Newest(ctx context.Context) (time.Time, error)
	// SharedClock tells the time by the clock that all hosts share which use the
	// ledger, and the last time by it at which a run was seen alive; zero where
	// there is one host, and no other clock than its own.
	SharedClock(ctx context.Context) (now, last time.Time, err error)
	// Shops lists the numberings whose orders the ledger knows.
	Shops(ctx context.Context) ([]string, error)
}

// RunRecord is what is stored of a run when it begins.
type RunRecord struct {
	Run     RunID
	Command string
	Started time.Time
	Window  Window
	// Schedule and Slot name the moment of the schedule that the run is for; zero:
	// none.
	Schedule string
	Slot     time.Time
	// InsteadOf is the run that ended for the moment without having done its work;
	// the moment is taken from that one alone.
	InsteadOf RunID
}

// ScheduledRun is a moment of the schedule, and the run that was begun for it last.
type ScheduledRun struct {
	Schedule string
	Slot     time.Time
	Run      RunID
	Host     string
	Alive    bool // it has not ended, and lives
}

// SlotTaken says that a moment of the schedule has its run already.
type SlotTaken struct {
	Schedule string
	Slot     time.Time
	Run      RunID
	Ended    bool
}

// Error says whether that run still goes on.
func (e *SlotTaken) Error() string {
	if e.Ended {
		return fmt.Sprintf("run %s was made for %s of %s already", e.Run, e.Slot.Format(time.RFC3339), e.Schedule)
	}
	return fmt.Sprintf("run %s is under way for %s of %s", e.Run, e.Slot.Format(time.RFC3339), e.Schedule)
}

// RunEnd is what is stored of a run when it ends.
type RunEnd struct {
	Run      RunID
	Finished time.Time
	Window   Window // as it was worked out; zero when it never was
	Exit     int
	Summary  []byte // the run report as JSON, without personal data
	Covered  []Coverage
	Evidence []EvidenceDay
	Days     []SourceDay
}

// Coverage says that nothing is left to do for a pair up to a time. Mode keeps
// what a shadow run has covered apart from what was really sent.
type Coverage struct {
	Source string
	Target string
	Mode   string
	To     time.Time
}

// EvidenceDay is how many rows one evidence source held for one UTC date.
type EvidenceDay struct {
	Evidence string
	Day      string
	Rows     int
}

// SourceDay is how many orders a source, or one store of it, had on a day of the
// configured zone ("2006-01-02"). Store is "" for all of them together.
type SourceDay struct {
	Source string
	Store  string
	Day    string
	Orders int
}

// LedgerHead tells ledgers apart, how far one has come, and by which way: Hash
// is that of the newest row of its journal, hexadecimal.
type LedgerHead struct {
	Ledger   string `json:"ledger"`
	Epoch    int64  `json:"epoch"`
	Sequence int64  `json:"sequence"`
	Hash     string `json:"hash,omitempty"`
}

// MadeAttempt is one request about one event as the ledger keeps it.
type MadeAttempt struct {
	Attempt
	Run  RunID
	Late bool // its answer came when the entry had moved on
	Lost bool // recorded for a run that died: whether it left is not known
}
