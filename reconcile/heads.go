package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// decideAtOnce is how many orders are compared with the ledger at a time.
const decideAtOnce = 1000

// groups puts sources that share a numbering and a target together: one id
// from two of them must be looked at before anything is decided.
func (p *planner) groups() [][]SourceSpec {
	var groups [][]SourceSpec
	for _, s := range p.Sources {
		i := slices.IndexFunc(groups, func(g []SourceSpec) bool { return g[0].Shop == s.Shop && p.meet(g, s) })
		if i < 0 {
			groups = append(groups, []SourceSpec{s})
			continue
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// meet reports whether a target reads both a source and one of the group.
func (p *planner) meet(group []SourceSpec, s SourceSpec) bool {
	return slices.ContainsFunc(p.targets, func(t *targetPlan) bool {
		return t.Reads(s.Name()) && slices.ContainsFunc(group, func(g SourceSpec) bool { return t.Reads(g.Name()) })
	})
}

func (p *planner) readGroup(ctx context.Context, group []SourceSpec) error {
	if len(group) == 1 {
		return p.readSource(ctx, group[0], p.decider(ctx, group[0]))
	}
	return p.readTogether(ctx, group)
}

// readSource walks the heads of one source and hands each good one to decide,
// which is called with ok false at the end. Only errors of the ledger and
// cancellation are returned: a source that fails is noted.
func (p *planner) readSource(ctx context.Context, s SourceSpec, decide func(h Head, end bool) error) error {
	res := &SourceResult{Source: s.Name()}
	p.sources[s.Name()] = res
	meter := p.begin("reading "+s.Name(), 0)
	defer meter.End()
	for h, err := range s.Heads(ctx, p.win) {
		if err != nil {
			return p.fail(ctx, s.Name(), err)
		}
		meter.Add(1)
		switch {
		case len(h.Bad) > 0:
			if len(res.Bad) < MaxProblems {
				res.Bad = append(res.Bad, BadOrder{h.Key, h.Origin, h.Bad})
			}
		case h.LeftOut != "" || h.Merged:
		default:
			if err := decide(h, false); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	res.Tally = s.Tally()
	return decide(Head{}, true)
}

// decider gathers heads and decides on up to decideAtOnce of them at a time.
func (p *planner) decider(ctx context.Context, s SourceSpec) func(Head, bool) error {
	var chunk []Head
	return func(h Head, end bool) error {
		if !end {
			chunk = append(chunk, h)
		}
		if len(chunk) < decideAtOnce && !end {
			return nil
		}
		err := p.decide(ctx, s, chunk, nil)
		chunk = chunk[:0]
		return err
	}
}

// sighting is what is remembered of an id while sources that share its
// numbering are read.
type sighting struct {
	source string
	print  [16]byte
	clash  bool
}

// readTogether reads sources that share a numbering: heads are put aside, ids
// compared, and only then decided on. An id that two sources show with the
// same address, money and lines is one order, the first source's; otherwise
// both are held back.
func (p *planner) readTogether(ctx context.Context, group []SourceSpec) error {
	seen := map[OrderKey]sighting{}
	aside := map[string]*headFile{}
	defer func() {
		for _, f := range aside {
			f.remove()
		}
	}()
	for _, s := range group {
		f, err := newHeadFile(p.StateDir)
		if err != nil {
			return err
		}
		aside[s.Name()] = f
		err = p.readSource(ctx, s, func(h Head, end bool) error {
			if end {
				return nil
			}
			sight(seen, h)
			return f.write(h)
		})
		if err != nil {
			return err
		}
	}
	for _, s := range group {
		if p.sources[s.Name()].Err != nil {
			continue
		}
		if err := p.replay(ctx, s, aside[s.Name()], seen); err != nil {
			return err
		}
	}
	return nil
}

func sight(seen map[OrderKey]sighting, h Head) {
	now := sighting{source: h.Source, print: fingerprint(h)}
	if before, ok := seen[h.Key]; ok {
		before.clash = before.clash || before.print != now.print
		now = before
	}
	seen[h.Key] = now
}

func fingerprint(h Head) [16]byte {
	sum := sha256.Sum256([]byte(strings.ToLower(h.Email) + "\x00" + h.Amount.String() + "\x00" + h.Currency + "\x00" + h.GoodsDigest.String()))
	return [16]byte(sum[:])
}

func (p *planner) replay(ctx context.Context, s SourceSpec, f *headFile, seen map[OrderKey]sighting) error {
	decide := p.decider(ctx, s)
	clashes := map[OrderKey]bool{}
	err := f.read(func(h Head) error {
		first := seen[h.Key]
		if first.clash {
			clashes[h.Key] = true
			return p.decide(ctx, s, []Head{h}, clashes)
		}
		if first.source != s.Name() && p.sources[first.source].Err == nil {
			tally := &p.sources[s.Name()].Tally
			tally.Merged, tally.Orders = tally.Merged+1, tally.Orders-1
			return nil
		}
		return decide(h, false)
	})
	if err != nil {
		return err
	}
	return decide(Head{}, true)
}

// headFile keeps heads on disk while a group of sources is read.
type headFile struct {
	file *os.File
	enc  *gob.Encoder
}

func newHeadFile(dir string) (*headFile, error) {
	f, err := os.CreateTemp(dir, "heads-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("put heads aside: %w", err)
	}
	return &headFile{file: f, enc: gob.NewEncoder(f)}, nil
}

func (f *headFile) write(h Head) error {
	if err := f.enc.Encode(h); err != nil {
		return fmt.Errorf("put heads aside: %w", err)
	}
	return nil
}

func (f *headFile) read(each func(Head) error) error {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	dec := gob.NewDecoder(f.file)
	for {
		var h Head
		switch err := dec.Decode(&h); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read heads: %w", err)
		}
		if err := each(h); err != nil {
			return err
		}
	}
}

func (f *headFile) remove() {
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
}
