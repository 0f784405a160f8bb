package sources

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// patience is how many times stable_for a source waits in all until nobody
// writes its files any more.
const patience = 2

// found is a file as it was listed.
type found struct {
	path    string
	size    int64
	changed time.Time // the last change, by the clock of its disk
	moved   bool      // after an earlier run had read it
}

func (f found) as(other found) bool { return f.size == other.size && f.changed.Equal(other.changed) }

func look(d disk, path string) (found, error) {
	info, err := d.Stat(path)
	if err != nil {
		return found{}, fmt.Errorf("find files: %w", err)
	}
	return found{path: path, size: info.Size(), changed: info.ModTime()}, nil
}

// stillness waits until files are no longer written: their last change is
// stable_for ago, or they have been seen unchanged for as long, whatever the
// clock of their disk says.
type stillness struct {
	disk
	stable time.Duration
	now    func() time.Time
	// waiting is told for how long a file is waited for.
	waiting func(file string, d time.Duration)
	seen    map[string]sight
}

// sight is when a file was first seen as it is.
type sight struct {
	found
	at time.Time
}

// settle gives the files as they are when none is written any more. A file
// that changes for longer than makegood is patient is ErrGrowing.
func (s *stillness) settle(ctx context.Context, list []string) ([]found, error) {
	s.seen = map[string]sight{}
	for left := patience * s.stable; ; {
		all, youngest, err := s.sight(list)
		if err != nil {
			return nil, err
		}
		wait := s.stable - youngest.age
		if s.stable == 0 || wait <= 0 || len(all) == 0 {
			return all, nil
		}
		name := filepath.Base(youngest.path)
		if left -= wait; left < 0 {
			return nil, fmt.Errorf("read %s: it %w after %s; run again when it is whole, or set stable_for: 0s for files that are written in one go",
				name, ErrGrowing, patience*s.stable)
		}
		if s.waiting != nil {
			s.waiting(name, wait.Round(time.Millisecond))
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// aged is a file with the time for which it is known not to have changed.
type aged struct {
	found
	age time.Duration
}

func (s *stillness) sight(list []string) (all []found, youngest aged, err error) {
	for i, path := range list {
		f, err := look(s.disk, path)
		if err != nil {
			return nil, aged{}, err
		}
		now := s.now()
		first, known := s.seen[path]
		if !known || !first.as(f) {
			first = sight{f, now}
			s.seen[path] = first
		}
		age := max(now.Sub(f.changed), now.Sub(first.at))
		if i == 0 || age < youngest.age {
			youngest = aged{f, age}
		}
		all = append(all, f)
	}
	return all, youngest, nil
}

// sleep waits, or ends with its context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
