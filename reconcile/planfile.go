package reconcile

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"
)

// What a planned step does.
const (
	DoSend  = "send"
	DoAdopt = "adopt" // record that evidence says it was sent
)

// PlannedStep is one line of a plan file. Its fields stand in the order of
// their keys, so that its JSON is canonical.
type PlannedStep struct {
	// Beside is the worst place among the events of the same order at this
	// target that this plan does not send; nil when there are none.
	Beside *Place `json:"beside,omitempty"`
	By     By     `json:"by,omitempty"` // of an adoption
	Do     string `json:"do"`
	// Doubt is why the event may have been accepted already: when it is held
	// back, it stays in doubt. "" when it cannot have been.
	Doubt   Reason    `json:"doubt,omitempty"`
	DoubtAt time.Time `json:"doubt_at,omitzero"` // when the ledger last wrote of it
	Event   Event     `json:"event"`
	// Mates is how many events of this order the plan sends to this target,
	// this one included.
	Mates int `json:"mates,omitempty"`
	// Origin and Mark, the head's, are not covered by the plan digest: the way
	// by which an order came makes no other plan.
	Origin *Origin `json:"origin,omitempty"`
	Mark   Digest  `json:"mark,omitzero"`
	// Receipt is what evidence knows of an adoption, for what needs it.
	Receipt string `json:"receipt,omitempty"`
	Seen    int64  `json:"seen"`
	Target  string `json:"target"`
	Who     string `json:"who,omitempty"` // of an adoption: which evidence
}

// PlanEnvelope is the first line of a plan file: everything but the steps.
type PlanEnvelope struct {
	Schema   int             `json:"schema"`
	Run      RunID           `json:"run"`
	AsOf     time.Time       `json:"as_of"`
	Expires  time.Time       `json:"expires"`
	Window   Window          `json:"window"`
	Backfill bool            `json:"backfill,omitempty"`
	Named    bool            `json:"named,omitempty"`  // a person named the period or the orders
	Listed   bool            `json:"listed,omitempty"` // a person listed the orders
	Ledger   LedgerHead      `json:"ledger"`
	Part     *PlanPart       `json:"part,omitempty"` // nil: it is whole
	Sources  []PlannedSource `json:"sources"`
	Lookups  []Lookup        `json:"lookups,omitempty"`
	Targets  []PlannedTarget `json:"targets"`
}

// PlannedSource is what planning found in one source.
type PlannedSource struct {
	Source   string       `json:"source"`
	Tally    Tally        `json:"tally"`
	Problems []RowProblem `json:"problems,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
	Newest   time.Time    `json:"newest,omitzero"`
	Bad      []BadOrder   `json:"bad,omitempty"`
	Error    string       `json:"error,omitempty"`
	// NoDestination counts orders that are for none of the targets.
	NoDestination int           `json:"no_destination,omitempty"`
	Stray         []Example     `json:"stray,omitempty"`
	Numbers       []NumberShape `json:"numbers,omitempty"`
	Custom        []CustomField `json:"custom,omitempty"`

	BadEarlier Earlier              `json:"bad_earlier,omitzero"`
	NotUnique  bool                 `json:"not_unique,omitempty"`
	Loose      []Digest             `json:"loose,omitempty"`
	Quiet      []QuietDay           `json:"quiet,omitempty"`
	Silent     []QuietDay           `json:"silent_stores,omitempty"`
	Closed     bool                 `json:"closed,omitempty"`
	Days       []SourceDay          `json:"days,omitempty"`
	Stores     map[string]StoreSeen `json:"stores,omitempty"`
	SeenLate   SeenLate             `json:"seen_late,omitzero"`
}

// PlannedTarget is the balance of one target without what the plan sends, and
// what else apply must know of it.
type PlannedTarget struct {
	Target            string                    `json:"target"`
	Mode              string                    `json:"mode"`
	Digest            string                    `json:"digest"` // of what decides what is sent, and where
	Balance           Balance                   `json:"balance"`
	EarliestLeft      map[string]time.Time      `json:"earliest_left,omitempty"` // by source, sends not counted
	HeldTimes         map[string][]int64        `json:"held_times,omitempty"`    // by source, Unix seconds
	Doubts            []Doubt                   `json:"doubts,omitempty"`
	DoubtsFound       int                       `json:"doubts_found,omitempty"`
	Orphans           []Entry                   `json:"orphans,omitempty"`
	Corrections       []Correction              `json:"corrections,omitempty"`
	CorrectionsFound  int                       `json:"corrections_found,omitempty"`
	CorrectionsResent int                       `json:"corrections_resent,omitempty"`
	Reversals         Reversals                 `json:"reversals,omitzero"`
	Expiring          Expiring                  `json:"expiring,omitzero"`
	Unknown           UnknownSKUs               `json:"unknown_skus,omitzero"`
	Stopped           string                    `json:"stopped,omitempty"`
	Error             string                    `json:"error,omitempty"`
	Evidence          map[string]map[string]int `json:"evidence_days,omitempty"`
	Met               EvidenceShare             `json:"evidence_share,omitzero"`
	Earlier           []EarlierAt               `json:"earlier,omitempty"`
	MissedBy          []MissedBy                `json:"missed_by,omitempty"`
	TooEarly          TooEarly                  `json:"too_early,omitzero"`
	Backlog           Window                    `json:"backlog,omitzero"`
	Falling           int                       `json:"falling,omitempty"`
	Fallen            Window                    `json:"fallen,omitzero"`
}

type planFooter struct {
	Digest    string `json:"digest"`
	Key       string `json:"key,omitempty"` // the public key of the key file that signed it; "": that of state_dir did
	SHA256    string `json:"sha256"`
	Signature string `json:"signature"`
	Steps     int    `json:"steps"`
}

type envelopeLine struct {
	Envelope *PlanEnvelope `json:"envelope,omitempty"`
	Footer   *planFooter   `json:"footer,omitempty"`
}

// canonicalJSON writes a value without HTML escapes and without a line end.
func canonicalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// canonicalStep is a step without its origin: what the plan digest covers.
func canonicalStep(s PlannedStep) ([]byte, error) {
	s.Origin, s.Mark = nil, Digest{}
	return canonicalJSON(s)
}

// sign signs a text with the key of state_dir.
func sign(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(sealing + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// planWriter writes a plan file: temporary, synced, renamed.
type planWriter struct {
	file   *os.File
	out    *bufio.Writer
	sha    hash.Hash
	digest hash.Hash
	steps  int
	offset int64
	index  map[section]span
}

func newPlanWriter(dir string) (*planWriter, error) {
	f, err := os.CreateTemp(dir, "plan-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	w := &planWriter{file: f, sha: sha256.New(), digest: sha256.New(), index: map[section]span{}}
	w.out = bufio.NewWriterSize(io.MultiWriter(f, w.sha), 1<<18)
	return w, nil
}

func (w *planWriter) line(v any) error {
	b, err := canonicalJSON(v)
	if err == nil {
		err = w.write(append(b, '\n'))
	}
	return err
}

func (w *planWriter) write(line []byte) error {
	w.offset += int64(len(line))
	_, err := w.out.Write(line)
	return err
}

func (w *planWriter) step(s sortedStep) error {
	for _, part := range [][]byte{s.line[:s.origin], s.line[s.rest:]} {
		w.digest.Write(part)
	}
	w.steps++
	at := section{s.brief.Target, s.brief.Event.Kind}
	sp, seen := w.index[at]
	if !seen {
		sp.from = w.offset
	}
	err := w.write(s.line)
	sp.to, sp.steps = w.offset, sp.steps+1
	if s.brief.Do == DoSend {
		sp.sends++
	}
	w.index[at] = sp
	return err
}

// finish writes the footer and gives the file its name. own signs it where
// there is one, key does else.
func (w *planWriter) finish(path string, key []byte, own ed25519.PrivateKey) (digest string, err error) {
	if err := w.out.Flush(); err != nil {
		return "", fmt.Errorf("write the plan: %w", err)
	}
	sha := hex.EncodeToString(w.sha.Sum(nil))
	digest = hex.EncodeToString(w.digest.Sum(nil))
	footer := &planFooter{Digest: digest, SHA256: sha, Steps: w.steps}
	footer.Key, footer.Signature = seal(sha, key, own)
	err = w.line(envelopeLine{Footer: footer})
	err = errors.Join(err, w.out.Flush(), w.file.Sync(), w.file.Close())
	if err == nil {
		err = os.Rename(w.file.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("write the plan %s: %w", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", errors.Join(fmt.Errorf("write the plan %s: %w", path, err), os.Remove(path))
	}
	return digest, nil
}

func (w *planWriter) abandon() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
