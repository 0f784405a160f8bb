package reconcile

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
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
	Doubt Reason `json:"doubt,omitempty"`
	Event Event  `json:"event"`
	// Mates is how many events of this order the plan sends to this target,
	// this one included.
	Mates  int     `json:"mates,omitempty"`
	Origin *Origin `json:"origin,omitempty"`
	Seen   int64   `json:"seen"`
	Target string  `json:"target"`
	Who    string  `json:"who,omitempty"` // of an adoption: which evidence
}

// PlanEnvelope is the first line of a plan file: everything but the steps.
type PlanEnvelope struct {
	Schema   int             `json:"schema"`
	Run      RunID           `json:"run"`
	AsOf     time.Time       `json:"as_of"`
	Expires  time.Time       `json:"expires"`
	Window   Window          `json:"window"`
	Backfill bool            `json:"backfill,omitempty"`
	Ledger   LedgerHead      `json:"ledger"`
	Sources  []PlannedSource `json:"sources"`
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
	NoDestination int `json:"no_destination,omitempty"`
}

// PlannedTarget is the balance of one target without what the plan sends, and
// what else apply must know of it.
type PlannedTarget struct {
	Target           string                    `json:"target"`
	Mode             string                    `json:"mode"`
	Digest           string                    `json:"digest"` // of what decides what is sent, and where
	Balance          Balance                   `json:"balance"`
	EarliestLeft     map[string]time.Time      `json:"earliest_left,omitempty"` // by source, sends not counted
	HeldTimes        map[string][]int64        `json:"held_times,omitempty"`    // by source, Unix seconds
	Doubts           []Doubt                   `json:"doubts,omitempty"`
	DoubtsFound      int                       `json:"doubts_found,omitempty"`
	Orphans          []Entry                   `json:"orphans,omitempty"`
	Corrections      []Correction              `json:"corrections,omitempty"`
	CorrectionsFound int                       `json:"corrections_found,omitempty"`
	Stopped          string                    `json:"stopped,omitempty"`
	Error            string                    `json:"error,omitempty"`
	Evidence         map[string]map[string]int `json:"evidence_days,omitempty"`
}

type planFooter struct {
	Digest    string `json:"digest"`
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
	s.Origin = nil
	return canonicalJSON(s)
}

func sign(key []byte, sha string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("makegood plan\x00" + sha))
	return hex.EncodeToString(mac.Sum(nil))
}

// planWriter writes a plan file: temporary, synced, renamed.
type planWriter struct {
	file   *os.File
	out    *bufio.Writer
	sha    hash.Hash
	digest hash.Hash
	steps  int
}

func newPlanWriter(dir string) (*planWriter, error) {
	f, err := os.CreateTemp(dir, "plan-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	w := &planWriter{file: f, sha: sha256.New(), digest: sha256.New()}
	w.out = bufio.NewWriterSize(io.MultiWriter(f, w.sha), 1<<18)
	return w, nil
}

func (w *planWriter) line(v any) error {
	b, err := canonicalJSON(v)
	if err == nil {
		_, err = w.out.Write(append(b, '\n'))
	}
	return err
}

func (w *planWriter) step(s PlannedStep) error {
	canonical, err := canonicalStep(s)
	if err != nil {
		return err
	}
	w.digest.Write(append(canonical, '\n'))
	w.steps++
	return w.line(s)
}

// finish writes the footer and gives the file its name.
func (w *planWriter) finish(path string, key []byte) (digest string, err error) {
	if err := w.out.Flush(); err != nil {
		return "", fmt.Errorf("write the plan: %w", err)
	}
	sha := hex.EncodeToString(w.sha.Sum(nil))
	digest = hex.EncodeToString(w.digest.Sum(nil))
	footer := &planFooter{Digest: digest, SHA256: sha, Signature: sign(key, sha), Steps: w.steps}
	err = w.line(envelopeLine{Footer: footer})
	err = errors.Join(err, w.out.Flush(), w.file.Sync(), w.file.Close())
	if err == nil {
		err = os.Rename(w.file.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("write the plan %s: %w", path, err)
	}
	return digest, syncDir(filepath.Dir(path))
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

// Plan is a plan file that was read and found whole.
type Plan struct {
	PlanEnvelope
	Path   string
	Digest string
	index  map[section]span
	moved  map[string]map[EventID]bool // steps that are skipped, by target
}

func (p *Plan) target(name string) PlannedTarget {
	for _, t := range p.Targets {
		if t.Target == name {
			return t
		}
	}
	return PlannedTarget{}
}

type section struct {
	target string
	kind   Kind
}

type span struct {
	from, to int64
	steps    int
}

// maxPlanLine bounds one line of a plan file, in bytes.
const maxPlanLine = 64 << 20

// OpenPlan reads a plan file and checks that it is whole, unaltered and signed
// by the key of this state_dir. Anything else is a *PlanRefused.
func OpenPlan(path string, key []byte) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	p := &Plan{Path: path, index: map[section]span{}}
	if err := p.read(f, key); err != nil {
		return nil, err
	}
	return p, nil
}

func altered(why string) error {
	return &PlanRefused{Code: RefusedAltered, Text: why + "; make a new one with makegood plan"}
}

func (p *Plan) read(f io.Reader, key []byte) error {
	lines := bufio.NewReaderSize(f, 1<<18)
	sha, digest := sha256.New(), sha256.New()
	var offset int64
	for {
		line, err := readLine(lines)
		if err != nil {
			return altered("the plan is not whole: its last line is missing")
		}
		if bytes.HasPrefix(line, []byte(`{"footer"`)) {
			if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
				return altered("something follows the plan's last line")
			}
			return p.checkFooter(line, key, sha, digest)
		}
		sha.Write(line)
		if err := p.readStep(line, offset, digest); err != nil {
			return err
		}
		offset += int64(len(line))
	}
}

func (p *Plan) readStep(line []byte, offset int64, digest hash.Hash) error {
	if offset == 0 {
		first := envelopeLine{Envelope: &p.PlanEnvelope}
		if json.Unmarshal(line, &first) != nil || p.Schema != 1 {
			return altered("the file is no plan of this makegood")
		}
		return nil
	}
	var s PlannedStep
	if err := json.Unmarshal(line, &s); err != nil {
		return altered("a step of the plan cannot be read")
	}
	canonical, err := canonicalStep(s)
	if err != nil {
		return altered("a step of the plan cannot be read")
	}
	digest.Write(append(canonical, '\n'))
	at := section{s.Target, s.Event.Kind}
	sp, seen := p.index[at]
	if !seen {
		sp.from = offset
	}
	sp.to, sp.steps = offset+int64(len(line)), sp.steps+1
	p.index[at] = sp
	return nil
}

func (p *Plan) checkFooter(line, key []byte, sha, digest hash.Hash) error {
	var last envelopeLine
	if err := json.Unmarshal(line, &last); err != nil || last.Footer == nil {
		return altered("the plan's last line cannot be read")
	}
	sum := hex.EncodeToString(sha.Sum(nil))
	p.Digest = hex.EncodeToString(digest.Sum(nil))
	switch {
	case sum != last.Footer.SHA256 || p.Digest != last.Footer.Digest:
		return altered("the plan was altered after it was made")
	case !hmac.Equal([]byte(sign(key, sum)), []byte(last.Footer.Signature)):
		return altered("the plan was not made with this state_dir")
	}
	last.Footer.Steps = p.steps()
	whole, err := canonicalJSON(last)
	if err != nil || !bytes.Equal(append(whole, '\n'), line) {
		return altered("the plan was altered after it was made")
	}
	return nil
}

func (p *Plan) steps() (n int) {
	for _, s := range p.index {
		n += s.steps
	}
	return n
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxPlanLine:
			return nil, errors.New("read the plan: a line has no end")
		}
	}
}

// Kinds lists the kinds that the plan has steps of for a target, in the order
// in which they are sent: carts last.
func (p *Plan) Kinds(target string) []Kind {
	var kinds []Kind
	for _, kind := range [...]Kind{KindPurchase, KindCart} {
		if p.index[section{target, kind}].steps > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// Steps yields the steps of one kind for one target, in the plan's order.
func (p *Plan) Steps(target string, kind Kind) iter.Seq2[PlannedStep, error] {
	return func(yield func(PlannedStep, error) bool) {
		sp := p.index[section{target, kind}]
		if sp.steps == 0 {
			return
		}
		f, err := os.Open(p.Path)
		if err != nil {
			yield(PlannedStep{}, fmt.Errorf("read the plan: %w", err))
			return
		}
		defer func() { _ = f.Close() }() // read only
		lines := bufio.NewReaderSize(io.NewSectionReader(f, sp.from, sp.to-sp.from), 1<<18)
		for range sp.steps {
			var s PlannedStep
			line, err := readLine(lines)
			if err == nil {
				err = json.Unmarshal(line, &s)
			}
			if err != nil {
				yield(PlannedStep{}, fmt.Errorf("read the plan: %w", err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// All yields every step of the plan in its order, target by target.
func (p *Plan) All() iter.Seq2[PlannedStep, error] {
	return func(yield func(PlannedStep, error) bool) {
		for _, t := range p.Targets {
			for _, kind := range p.Kinds(t.Target) {
				for s, err := range p.Steps(t.Target, kind) {
					if !yield(s, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// Canonical writes the lines that the plan digest covers.
func (p *Plan) Canonical(w io.Writer) error {
	f, err := os.Open(p.Path)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	lines := bufio.NewReaderSize(f, 1<<18)
	for first := true; ; first = false {
		line, err := readLine(lines)
		if err != nil || bytes.HasPrefix(line, []byte(`{"footer"`)) {
			return err
		}
		if first {
			continue
		}
		var s PlannedStep
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		canonical, err := canonicalStep(s)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(canonical, '\n')); err != nil {
			return err
		}
	}
}

// The codes of a refused plan: they are makegood's exit codes.
const (
	RefusedAltered     = 10
	RefusedExpired     = 11
	RefusedUnapproved  = 12
	RefusedConfig      = 13
	RefusedLedger      = 14
	RefusedOrdersMoved = 15
)

// PlanRefused says why a plan is not carried out. Text names the next step;
// Moved lists the orders that are no longer what the plan saw.
type PlanRefused struct {
	Code  int
	Text  string
	Moved []string
}

// Error gives the text.
func (e *PlanRefused) Error() string { return e.Text }
