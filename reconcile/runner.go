package reconcile

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"slices"
	"time"
)

// Modes of a target.
const (
	ModeLive   = "live"
	ModeTrial  = "trial" // live, but for the first few only
	ModeShadow = "shadow"
)

// Runner plans and carries out runs. It is made once, by the wiring, and used
// for one run at a time.
type Runner struct {
	Sources  []SourceSpec
	Targets  []*Target
	Evidence map[string]Evidence
	Accepted map[string]string // evidence that a person lets pass although it is stale: name to note
	Carts    map[string]OpenCarts
	Suppress *Suppression

	StateDir string // 0700: plans and what planning spills
	PlanDir  string // where plans are written; "": in StateDir
	Key      []byte // signs plans
	// PlanKey is that of a key file, which signs plans in place of Key; nil: none.
	PlanKey ed25519.PrivateKey
	// Signers are those whose plans alone are carried out; nil: those made here.
	Signers []Signer
	// Approvers are those whose approvals alone count; nil: those given here.
	Approvers []Signer
	Zone      *time.Location
	// Shops are all numberings that the configuration names, used or not.
	Shops     []string
	Lookback  int // calendar days in Zone
	ReachBack int // calendar days in Zone
	// Scope is the part of the work that the run does; nil: all of it.
	Scope *Scope

	Clock func() time.Time
	// ClockIsRight is a person's word that the clock was wrong when the ledger
	// was written later than it is now.
	ClockIsRight bool
	// ChangesAreRight is a person's word that many orders have really changed
	// after they were sent.
	ChangesAreRight bool
	// Part says that the sources show a part of their orders only: what is
	// unfinished and not in them says nothing.
	Part     bool
	NewRun   func() RunID
	Log      *slog.Logger
	Progress Progress
	// SaveHead stores which ledger this is and how far it has come, after a
	// run's first and last commit.
	SaveHead func(LedgerHead) error
	// Strict: what earlier runs told of calls a person all the same.
	Strict bool
	// SilentBefore are the stores that the last run told of as silent, by source.
	SilentBefore map[string]map[string]bool
	// LooseBefore are the marks of rows without an order that the last runs met,
	// by source.
	LooseBefore map[string]map[string]bool
	// Met is told of every order that a source shows, before anything is decided
	// about it, also of those that are left out or bad. It may be nil.
	Met func(Head)
	// Seen is told where each event, and each order as a whole, ends. Of an event
	// that is told of twice the last word counts. Called by several goroutines;
	// nil: nobody is told.
	Seen func(Decision)
	// Summarize gives the run report that the ledger keeps, and the exit code.
	Summarize func(Result) (summary []byte, exit int)
}

// SourceSpec is a source with what the configuration says of it.
type SourceSpec struct {
	Source
	Shop       string
	Reversals  ReversalRule
	EditWindow time.Duration // a known id completed further away is another order
	// EditedSuffix says what -1 behind a known order number means.
	EditedSuffix string
	Expect       Expectation
	// Watch gives the source the meter that rows are counted on, and nil when
	// a pass is over. It may be nil: orders are counted then.
	Watch func(Meter)
}

// Target is one configured destination.
type Target struct {
	Sink
	Type     string
	Mode     string
	From     []string
	Channels []string
	Since    time.Time
	// When says which orders are for this target; nil: all.
	When      func(Head) (bool, error)
	MinAge    time.Duration // younger orders are left for a later run
	Evidence  []string      // names of what others sent
	CartFeeds []string      // names of the open carts that its rules ask

	ClockMargin time.Duration // how far a till's clock and the shop's may differ
	// MailAfter is how long after a checkout the platform's mail about an
	// abandoned cart may start; 0: it sends none.
	MailAfter   time.Duration
	PerPerson   int  // orders of one address in one day that are believed; 0: any number
	Resend      bool // a change after sending is sent again, in place of what was sent; else it is reported alone
	SendTwins   bool // a person said that purchases alike from two sources are two purchases
	Concurrency int
	Places      Places        // of all runs of this process that send to the target at once
	Timeout     time.Duration // of one request; a lane stops when a run's beat leaves less
	Limits      Limits        // what one run may send
	Usual       Usual         // what its last runs sent
	Catalog     CatalogRule   // which products its platform knows
	Rate        float64       // events per second, for how many are claimed ahead
	// FrontEndSettles says that a front-end record means that nothing is
	// missing. Where the platform merges front end and backend it does not.
	FrontEndSettles bool
	// NeedsApproval says that what goes there costs customers money: only a plan
	// that a person has approved by name is carried out there.
	NeedsApproval bool
	// Digest is over everything that decides what is sent, and where to.
	Digest string
	// Arm gives the sink a last question to ask about each event right before
	// it is sent, after all waiting: the reason why it must not go any more, or
	// "". It may be nil: then the question is asked before Send only.
	Arm func(func(Event) Reason)
	// Fit is a further question about each event when it is claimed and right
	// before it is sent: the reason why it must not go any more, or ""; nil: none.
	Fit func(Event) (Reason, error)
	// Begin prepares the target for what a crash may leave, before the first
	// claim of a run; nil: there is nothing to prepare.
	Begin func(context.Context) error
	// Stopped tells in words why the target takes no more, "" while it does.
	Stopped func() string
}

// Reads reports whether the target is fed by a source.
func (t *Target) Reads(source string) bool { return slices.Contains(t.From, source) }

// maxAge is the oldest order that a kind of event may be about; 0: no limit.
func (t *Target) maxAge(kind Kind) time.Duration { return t.Traits()[kind].MaxAge }

// live reports whether the target is really sent to.
func (t *Target) live() bool { return Sends(t.Mode) }

// Sends reports whether a target in a mode is really sent to.
func Sends(mode string) bool { return mode == ModeLive || mode == ModeTrial }

// Progress hears how far long work has come. Implementations are safe for
// concurrent use.
type Progress interface {
	// Begin starts a stage; total is 0 where it is not known.
	Begin(stage string, total int) Meter
}

// How the names of stages begin, as Progress hears of them. The name of a source
// or a target follows.
const (
	StageReading   = "reading "
	StageComposing = "composing from "
	StageSending   = "sending to "
)

// Meter counts one stage.
type Meter interface {
	Add(n int)
	End()
}

func (r *Runner) begin(stage string, total int) Meter {
	if r.Progress == nil {
		return noMeter{}
	}
	return r.Progress.Begin(stage, total)
}

type noMeter struct{}

func (noMeter) Add(int) {}
func (noMeter) End()    {}

// Request is what a person or a schedule asks for. From and To may be zero:
// the run then starts where coverage ends, and ends now.
type Request struct {
	Command string
	From    time.Time
	To      time.Time
	// Samples are taken of custom fields, and every order is surveyed.
	Samples bool
	// Orders are the numbers that alone are worked on, nil for all; Except those
	// that are left alone. Nearest finds, among known numbers, the one that is
	// most like a number; nil: nobody looks.
	Orders  []string
	Except  []string
	Nearest func(known []string) func(string) string
	// Slot is the moment of the schedule that the run is for; zero: none. It can
	// be had once (SlotTaken).
	Slot time.Time
	// InsteadOf is the run that ended for that moment without having done its work.
	InsteadOf RunID
	// SkipMoved sends a plan's other steps when some have moved.
	SkipMoved bool
	// Rounds are runs that have carried out earlier plans of the same work: what
	// they sent counts as sent now.
	Rounds []RunID
	// Beside says that other runs work on earlier parts of the same period just now:
	// what may be an order of theirs, after it was edited, is left for a plan that is
	// made when they are over.
	Beside bool
	// Begun is told of a run that carries out a part, which lives from then on, and
	// before it claims anything: an error ends it with nothing claimed. nil: nobody.
	Begun func(context.Context) error
}
