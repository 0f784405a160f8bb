package reconcile

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"time"
)

// InTurn yields the steps of one kind for one target in the order in which
// they are sent: what can be sent for the shortest time goes first, and of what
// has no end the oldest order. So nothing expires behind what could have
// waited, and one person's orders go as they were completed. The file stays as
// it is; what must be remembered to walk it in this order is spilled into dir.
func (p *Plan) InTurn(dir, target string, kind Kind) iter.Seq2[PlannedStep, error] {
	return func(yield func(PlannedStep, error) bool) {
		turns := newSorter(dir)
		enough := false
		err := p.turns(turns, section{target, kind})
		if err == nil {
			enough, err = p.walk(turns, yield)
		}
		if err = errors.Join(err, turns.close()); err != nil && !enough {
			yield(PlannedStep{}, err)
		}
	}
}

// turns notes where each step of a section stands, under its turn.
func (p *Plan) turns(turns *sorter, at section) error {
	sp := p.index[at]
	if sp.steps == 0 {
		return nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	lines := bufio.NewReaderSize(io.NewSectionReader(f, sp.from, sp.to-sp.from), 1<<18)
	offset := sp.from
	for range sp.steps {
		line, err := readLine(lines)
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		turn, err := turnOf(line)
		if err != nil {
			return err
		}
		place := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(offset)), uint64(len(line)))
		if err := turns.add(turn, place); err != nil {
			return err
		}
		offset += int64(len(line))
	}
	return nil
}

// turnOf gives the turn of a step: keys sort as the steps go.
func turnOf(line []byte) (string, error) {
	rest, _ := cutBody(line)
	var s struct {
		Event struct {
			Cart   struct{ Before time.Time }
			Expiry time.Time
			Facts  struct {
				CompletedAt time.Time `json:"completed_at"`
			}
			ID EventID
		}
	}
	if err := json.Unmarshal(rest, &s); err != nil {
		return "", fmt.Errorf("read a planned step: %w", err)
	}
	end := s.Event.Expiry
	if b := s.Event.Cart.Before; end.IsZero() || !b.IsZero() && b.Before(end) {
		end = b
	}
	key := binary.BigEndian.AppendUint64(nil, instantKey(end, math.MaxUint64))
	key = binary.BigEndian.AppendUint64(key, instantKey(s.Event.Facts.CompletedAt, 0))
	order, err := s.Event.ID.Key()
	if err != nil {
		return "", err
	}
	key = append(append(append(append(key, order.Shop...), 0), order.Order...), 0)
	key = binary.BigEndian.AppendUint32(key, uint32(s.Event.ID.Position()))
	return string(binary.BigEndian.AppendUint32(key, uint32(s.Event.ID.Revision()))), nil
}

// instantKey makes a number of a time that sorts as times do.
func instantKey(t time.Time, none uint64) uint64 {
	if t.IsZero() {
		return none
	}
	return uint64(t.UnixMilli()) ^ 1<<63
}

// walk reads the steps in their turns, until the caller has enough.
func (p *Plan) walk(turns *sorter, yield func(PlannedStep, error) bool) (enough bool, err error) {
	f, err := os.Open(p.Path)
	if err != nil {
		return false, fmt.Errorf("read the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	for r, err := range turns.all() {
		if err != nil {
			return false, err
		}
		offset, n := binary.Uvarint(r.value)
		length, _ := binary.Uvarint(r.value[n:])
		line := make([]byte, length)
		if _, err := f.ReadAt(line, int64(offset)); err != nil {
			return false, fmt.Errorf("read the plan: %w", err)
		}
		s, err := readStep(line)
		if err != nil {
			return false, fmt.Errorf("read the plan: %w", err)
		}
		if !yield(s, nil) {
			return true, nil
		}
	}
	return false, nil
}
