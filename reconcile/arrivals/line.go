package arrivals

import (
	"math"
	"time"

	"makegood/reconcile"
)

// line is one number of the export, and the order here that has it. There may be
// two million of them: times are Unix seconds, 0 when they are not known, and
// words and places are kept once.
type line struct {
	number   string
	amount   reconcile.Decimal // of the first row that says one
	at       int64
	currency uint16
	paid     bool // amount is known
	twice    bool // somebody repeated it on purpose
	here
}

// here is what is known of an order here. The zero value: none was met.
type here struct {
	met       bool
	fit       int8 // how well it fits the number
	level     int8 // what place rests on
	valued    bool // worth is known
	bare      bool // the number is the order's own, and the platform should see another one
	shop      uint16
	place     uint16
	worthIn   uint16
	completed int64
	ordered   int64
	worth     reconcile.Decimal
}

// repeat is what further rows of a number say.
type repeat struct {
	beside    int32             // rows that follow at once, with the same time
	again     int32             // others
	sumBeside reconcile.Decimal // money of the first row and those beside it
	sumAgain  reconcile.Decimal // money of the others
	uneven    bool              // the rows beside do not all have the first one's amount
}

// lines is a list that grows without being copied.
type lines struct {
	parts [][]line
	n     int32
}

const linesInPart = 1 << 14

func (l *lines) add(one line) (at int32) {
	if l.n%linesInPart == 0 {
		l.parts = append(l.parts, make([]line, 0, linesInPart))
	}
	last := &l.parts[len(l.parts)-1]
	*last = append(*last, one)
	l.n++
	return l.n - 1
}

func (l *lines) at(i int32) *line { return &l.parts[i/linesInPart][i%linesInPart] }

// set keeps each of a few values once, and names it by its place, from 1 on. The
// zero value of T, and what is too much, has the place 0.
type set[T comparable] struct {
	list []T
	in   map[T]uint16
}

func (s *set[T]) place(one T) uint16 {
	var none T
	if at, is := s.in[one]; is || one == none || len(s.list) == math.MaxUint16 {
		return at
	}
	if s.in == nil {
		s.in = map[T]uint16{}
	}
	s.list = append(s.list, one)
	s.in[one] = uint16(len(s.list))
	return s.in[one]
}

func (s *set[T]) of(place uint16) (one T) {
	if place == 0 {
		return one
	}
	return s.list[place-1]
}

// seconds is when something was; 0 when that is not known.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// moment is what seconds was made of.
func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
