package ledger

import (
	"crypto/sha256"
	"encoding/hex"
)

// metaRow is the one row that says which ledger this is.
type metaRow struct {
	One         int64  `db:"one" journal:"key" json:"one"`
	Ledger      string `db:"ledger" json:"ledger"`
	Epoch       int64  `db:"epoch" json:"epoch"`
	Sequence    int64  `db:"sequence" journal:"-" json:"sequence"` // the journal's own
	Environment string `db:"environment" json:"environment"`
	KeyMark     blob   `db:"key_mark" json:"key_mark"`
	CreatedAt   int64  `db:"created_at" json:"created_at"`
	Hash        blob   `db:"hash" journal:"-" json:"hash"`
}

// runRow is one run. Its beat is kept when it begins and when it ends.
type runRow struct {
	Run        string `db:"run" journal:"key" json:"run"`
	Host       string `db:"host" json:"host"`
	Command    string `db:"command" json:"command"`
	Started    int64  `db:"started" json:"started"`
	WindowFrom int64  `db:"window_from" json:"window_from"`
	WindowTo   int64  `db:"window_to" json:"window_to"`
	Beat       int64  `db:"beat" json:"beat"`
	Finished   *int64 `db:"finished" json:"finished"`
	Exit       *int64 `db:"exit" json:"exit"`
	Summary    blob   `db:"summary" journal:"hash" json:"summary"`
}

type coverageRow struct {
	Target string `db:"target" journal:"key" json:"target"`
	Mode   string `db:"mode" journal:"key" json:"mode"`
	Source string `db:"source" journal:"key" json:"source"`
	UpTo   int64  `db:"upto" json:"upto"`
}

type evidenceRow struct {
	Evidence string `db:"evidence" journal:"key" json:"evidence"`
	Day      string `db:"day" journal:"key" json:"day"`
	Count    int64  `db:"count" json:"count"`
}

type shopRow struct {
	Shop string `db:"shop" journal:"key" json:"shop"`
}

// decisionRow says why an event that is not done, or an order at its source,
// is where it is.
type decisionRow struct {
	Target      string  `db:"target" journal:"key" json:"target"` // empty: the order at its source
	Event       string  `db:"event" journal:"key" json:"event"`
	Source      string  `db:"source" journal:"key" json:"source"`
	Bucket      string  `db:"bucket" json:"bucket"`
	Reason      string  `db:"reason" json:"reason"`
	Detail      string  `db:"detail" json:"detail"`
	Origin      string  `db:"origin" json:"origin"`
	Amount      *string `db:"amount" json:"amount"`
	Currency    string  `db:"currency" json:"currency"`
	CompletedAt int64   `db:"completed_at" json:"completed_at"`
	Mark        blob    `db:"mark" json:"mark"`
	Run         string  `db:"run" json:"run"`
	At          int64   `db:"at" json:"at"`
}

// prunedRow says up to when a target's done entries were forgotten.
type prunedRow struct {
	Target string `db:"target" journal:"key" json:"target"`
	UpTo   int64  `db:"upto" json:"upto"`
}

// wordRow is what a person said.
type wordRow struct {
	Kind   string `db:"kind" journal:"key" json:"kind"`
	Target string `db:"target" journal:"key" json:"target"`
	About  string `db:"about" journal:"key" json:"about"`
	Value  string `db:"value" json:"value"`
	Until  int64  `db:"until" json:"until"`
	Who    string `db:"who" json:"who"`
	Note   string `db:"note" json:"note"`
	At     int64  `db:"at" json:"at"`
}

// sourceDayRow is how many orders a source, or one of its stores, had on a day.
type sourceDayRow struct {
	Source string `db:"source" journal:"key" json:"source"`
	Store  string `db:"store" journal:"key" json:"store"`
	Day    string `db:"day" journal:"key" json:"day"`
	Orders int64  `db:"orders" json:"orders"`
}

// slotRow is which run was begun for a moment of the schedule.
type slotRow struct {
	Schedule string `db:"schedule" journal:"key" json:"schedule"`
	Slot     int64  `db:"slot" journal:"key" json:"slot"`
	Run      string `db:"run" json:"run"`
}

func (metaRow) table() string      { return "meta" }
func (runRow) table() string       { return "runs" }
func (row) table() string          { return "entries" }
func (attempt) table() string      { return "attempts" }
func (coverageRow) table() string  { return "coverage" }
func (evidenceRow) table() string  { return "evidence_days" }
func (shopRow) table() string      { return "shops" }
func (decisionRow) table() string  { return "decisions" }
func (prunedRow) table() string    { return "pruned" }
func (wordRow) table() string      { return "words" }
func (sourceDayRow) table() string { return "source_days" }
func (slotRow) table() string      { return "slots" }

// hashSize is how many bytes of a hash stand for what is not kept.
const hashSize = 16

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:hashSize])
}
