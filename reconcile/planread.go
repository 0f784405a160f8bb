package reconcile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"io"
	"iter"
	"os"
)

// Plan is a plan file that was read and found whole.
type Plan struct {
	PlanEnvelope
	Path   string
	Digest string
	sum    string // SHA-256 over all lines but the last
	seed   maphash.Seed
	index  map[section]span
	// ordinary says that a run carries it out at once, and nobody has looked.
	ordinary bool
	moved    map[string]map[EventID]bool // steps that are skipped, by target
	seen     map[EventID]int64           // versions that are no longer those of the steps, of a part that goes on
	over     map[EventID]Place           // where its steps are that are not sent any more
	// approval is a person's word that it may be carried out; nil: nobody has
	// given it, or it was not looked for.
	approval *Approval
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
	sends    int // of the steps
	// marks are hashes of the lines that were checked, with the plan's seed, so
	// that none is sent that was exchanged since; nil for a plan that this very
	// process wrote.
	marks []uint64
}

// maxPlanLine bounds one line of a plan file, in bytes.
const maxPlanLine = 64 << 20

// OpenPlan reads a plan file and checks that it is whole, unaltered and signed:
// by one of the signers, or, where there are none, with the key of this
// state_dir. Anything else is a *PlanRefused.
func OpenPlan(path string, key []byte, by ...Signer) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	p := &Plan{Path: path, index: map[section]span{}, seed: maphash.MakeSeed()}
	if err := p.read(f, key, by); err != nil {
		return nil, err
	}
	return p, nil
}

func altered(why string) error {
	return &PlanRefused{Code: RefusedAltered, Text: why + "; make a new one with makegood plan"}
}

func (p *Plan) read(f io.Reader, key []byte, by []Signer) error {
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
			footer, err := p.checkFooter(line, sha, digest)
			if err != nil {
				return err
			}
			return checkSignature(footer, key, by)
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
		switch err := json.Unmarshal(line, &first); {
		case err == nil && p.Schema > 1:
			return altered("the plan was made by a later makegood, or altered")
		case err != nil || p.Schema != 1:
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
	sp.marks = append(sp.marks, maphash.Bytes(p.seed, line))
	if s.Do == DoSend {
		sp.sends++
	}
	p.index[at] = sp
	return nil
}

// checkFooter makes sure that the lines are those of the plan's end. A footer
// that is not exactly what makegood writes was altered, too; of who signed it
// nothing is said yet.
func (p *Plan) checkFooter(line []byte, sha, digest hash.Hash) (*planFooter, error) {
	var last envelopeLine
	if err := json.Unmarshal(line, &last); err != nil || last.Footer == nil {
		return nil, altered("the plan's last line cannot be read")
	}
	p.Digest, p.sum = hex.EncodeToString(digest.Sum(nil)), hex.EncodeToString(sha.Sum(nil))
	last.Envelope = nil
	if p.sum != last.Footer.SHA256 || p.Digest != last.Footer.Digest || p.steps() != last.Footer.Steps || !sameAsWritten(last, line) {
		return nil, altered("the plan was altered after it was made")
	}
	return last.Footer, nil
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
	for _, kind := range sendOrder {
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
		for n := range sp.steps {
			var s PlannedStep
			line, err := readLine(lines)
			if sp.marks != nil && (err != nil || maphash.Bytes(p.seed, line) != sp.marks[n]) {
				err = altered("the plan was altered while it was carried out")
			}
			if err == nil {
				s, err = readStep(line)
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
