package xlsxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxTitles = 100     // filled rows among which the header is looked for
	maxAhead  = 8 << 20 // bytes of their texts
)

// findHeader finds the row of the column names, and keeps those below it.
func (s *sheet) findHeader(ctx context.Context, o Options) (line, error) {
	if o.HeaderRow > 0 {
		return s.headerAt(ctx, o.HeaderRow)
	}
	wanted := map[string]bool{}
	for _, name := range o.Wanted {
		wanted[name] = true
	}
	best, score, first, size := 0, 0, -1, 0
	for len(s.ahead) < maxTitles && size < maxAhead {
		l, err := s.read(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return line{}, err
		}
		at := len(s.ahead)
		s.ahead = append(s.ahead, l.clone())
		size += s.size
		if first < 0 && filled(l.cells) > 1 {
			first = at
		}
		if _, n := s.names(at, wanted); n > score {
			best, score = at, n
		}
		if first >= 0 && score == len(wanted) {
			break
		}
	}
	if len(s.ahead) == 0 {
		return line{}, errBlank
	}
	if score < 2 && score < max(len(wanted), 1) {
		best = max(first, 0)
	}
	return s.cutHeader(best, wanted), nil
}

// names gives a row's names, and how many of them are wanted. Where cells are
// merged with those above, the names stand in the row above.
func (s *sheet) names(at int, wanted map[string]bool) (names []string, score int) {
	own := s.ahead[at]
	score = matches(own.cells, wanted)
	if at == 0 || s.ahead[at-1].number != own.number-1 {
		return own.cells, score
	}
	above := s.ahead[at-1].cells
	both := slices.Clone(own.cells)
	for i, name := range above {
		switch {
		case i >= len(both):
			both = append(both, name)
		case both[i] == "":
			both[i] = name
		}
	}
	if n := matches(both, wanted); n > max(score, matches(above, wanted)) {
		return both, n
	}
	return own.cells, score
}

// fits reports whether the header has all the wanted names.
func (s *sheet) fits(names []string) bool {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	return matches(s.header.Columns, wanted) == len(wanted)
}

func matches(cells []string, wanted map[string]bool) int {
	found := map[string]bool{}
	for _, name := range cells {
		if name = strings.TrimSpace(name); wanted[name] {
			found[name] = true
		}
	}
	return len(found)
}

// cutHeader takes the header out of the rows read ahead, and says what stands
// above it.
func (s *sheet) cutHeader(at int, wanted map[string]bool) line {
	head, above := s.ahead[at], at
	names, _ := s.names(at, wanted)
	if !slices.Equal(names, head.cells) {
		above--
		head.cells = names
		s.note("the header is rows %d and %d: some names stand in the upper one alone", head.number-1, head.number)
	}
	if above > 0 {
		s.note("the header is row %d; %d filled rows above it were not read", head.number, above)
	}
	s.ahead = s.ahead[at+1:]
	return head
}

func (s *sheet) headerAt(ctx context.Context, want int) (line, error) {
	for above := 0; ; above++ {
		l, err := s.read(ctx)
		switch {
		case errors.Is(err, io.EOF) && above == 0:
			return line{}, errBlank
		case errors.Is(err, io.EOF) || err == nil && l.number > want:
			return line{}, fmt.Errorf("take row %d of sheet %q as its header: the row is empty; set header_row to the row that names the columns", want, s.name)
		case err != nil:
			return l, err
		case l.number == want:
			return l.clone(), nil
		}
	}
}
