package reports

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"makegood/reconcile"
)

// Mark is what stands beside a row in a file that a person gets back.
type Mark struct {
	Status, Reason, Next string
	Fix, Here            bool // the row's whole order waits for a person who corrects it; it is this row
}

// RowAt is where a row stands.
type RowAt struct {
	Source, File, Sheet string
	Row                 int
}

// Bounds on what is kept of a run.
const (
	maxSeen   = 6_000_000 // events and orders
	maxBlamed = 20_000    // rows with something wrong, and orders with a detail
)

// Marks gathers where each order of a run ended, in about 40 bytes an event,
// to say it beside the rows of its files. It is safe for concurrent use. The
// zero value is not ready: NewMarks.
type Marks struct {
	mu      sync.Mutex
	seed    maphash.Seed
	orders  map[uint64]int32 // by hash of the order's key: the last of its events in seen
	seen    []seenEvent
	names   []string // of destinations; of sources, a ":" before them
	places  []reconcile.Place
	details map[int32]string // by index in seen
	blamed  map[RowAt][]reconcile.RowProblem
	full    bool
	unnamed bool // there were more rows with something wrong than are kept
	rest    Mark // of orders that nothing was told of

	counted []uint64 // bits of the orders that were counted
	tally   map[string]*statusCount
}

// seenEvent is one event, or an order as a whole.
type seenEvent struct {
	before int32 // of the same order; -1: none
	event  uint32
	name   uint16
	place  uint16
}

// statusCount is how often a status stands beside rows.
type statusCount struct{ rows, orders int }

// NewMarks is ready to be told by a command: run, plan or apply. What a plan
// said nothing of is not told of when it is carried out.
func NewMarks(command string) *Marks {
	rest := Mark{Status: "not in this period", Reason: "completed before the period of this run, or after it"}
	if command == "apply" {
		rest = Mark{Status: "not in this plan", Reason: "sent before, for no destination, or completed outside of the plan's period"}
	}
	return &Marks{rest: rest, seed: maphash.MakeSeed(), orders: map[uint64]int32{}, details: map[int32]string{},
		blamed: map[RowAt][]reconcile.RowProblem{}, tally: map[string]*statusCount{}}
}

// Incomplete says that a destination was not worked on to its end: of what
// nothing was told, nothing is known.
func (m *Marks) Incomplete() {
	m.rest = Mark{Status: "not known", Reason: "not every destination was worked on to its end: see the report"}
}

// Full reports whether there was more than is kept: then nothing can be said.
func (m *Marks) Full() bool { return m.full }

// Seen takes where an event, or an order, ended; the last word counts.
func (m *Marks) Seen(d reconcile.Decision) {
	key, err := d.ID.Key()
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	name := d.Target
	if name == "" {
		name = ":" + d.Source
	}
	at := m.find(m.hash(key), uint32(maphash.String(m.seed, string(d.ID))), uint16(index(&m.names, name)))
	if at < 0 {
		return
	}
	m.seen[at].place = uint16(index(&m.places, d.Place))
	delete(m.details, at)
	if d.Detail != "" && needsPerson(d.Place) && len(m.details) < maxBlamed {
		m.details[at] = d.Detail
	}
}

func (m *Marks) hash(key reconcile.OrderKey) uint64 {
	return maphash.Comparable(m.seed, key)
}

// find gives the place of an event, a new one where it was not met; -1: there
// is none left.
func (m *Marks) find(order uint64, event uint32, name uint16) int32 {
	last, met := m.orders[order]
	if !met {
		last = -1
	}
	for at := last; at >= 0; at = m.seen[at].before {
		if m.seen[at].event == event && m.seen[at].name == name {
			return at
		}
	}
	if len(m.seen) == maxSeen {
		m.full = true
		return -1
	}
	m.seen = append(m.seen, seenEvent{before: last, event: event, name: name})
	m.orders[order] = int32(len(m.seen) - 1)
	return m.orders[order]
}

// index finds a value in a short list, or adds it.
func index[T comparable](list *[]T, value T) int {
	if i := slices.Index(*list, value); i >= 0 {
		return i
	}
	*list = append(*list, value)
	return len(*list) - 1
}

// Blame takes what is wrong with a row.
func (m *Marks) Blame(source string, p reconcile.RowProblem) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := RowAt{source, p.File, p.Sheet, p.Row}
	if p.Row > 0 && len(m.blamed) == maxBlamed && m.blamed[at] == nil {
		m.unnamed = true
		return
	}
	if p.Row == 0 || len(m.blamed[at]) == 3 || slices.Contains(m.blamed[at], p) {
		return
	}
	m.blamed[at] = append(m.blamed[at], p)
}

// needsPerson reports whether somebody has to look at what ended in a place.
func needsPerson(p reconcile.Place) bool {
	switch p.Bucket {
	case reconcile.BucketBad, reconcile.BucketRefused, reconcile.BucketInDoubt:
		return true
	case reconcile.BucketHeldBack:
		return p.Reason.NeedsLook()
	}
	return false
}

// notInRows are reasons to look at an order that no corrected row ends.
var notInRows = [...]reconcile.Reason{reconcile.ReasonNoEvidence, reconcile.ReasonNoBudget, reconcile.ReasonManyChanges, reconcile.ReasonWaitsReceipt,
	reconcile.ReasonChainChanged, reconcile.ReasonOverMaxCharge, reconcile.ReasonDiscountedCart}

// fate is where an order ended at one destination, or at its source.
type fate struct {
	name   string // "" at its source
	place  reconcile.Place
	detail string
	at     int32
}

// worse orders what is said of an order: what needs a person first.
func worse(a, b fate) fate {
	one, other := needsPerson(a.place), needsPerson(b.place)
	switch {
	case one && !other:
		return a
	case other && !one:
		return b
	case reconcile.Worse(a.place, b.place) == a.place:
		return a
	}
	return b
}

// of gives where an order ended that was read from a source, by destination.
func (m *Marks) of(source string, key reconcile.OrderKey) (list []fate) {
	last, met := m.orders[m.hash(key)]
	if !met {
		return nil
	}
	for at := last; at >= 0; at = m.seen[at].before {
		e := fate{m.names[m.seen[at].name], m.places[m.seen[at].place], m.details[at], at}
		if from, is := strings.CutPrefix(e.name, ":"); is {
			if from != source {
				continue
			}
			e.name = ""
		}
		i := slices.IndexFunc(list, func(o fate) bool { return o.name == e.name })
		if i < 0 {
			list = append(list, e)
			continue
		}
		list[i] = worse(list[i], e)
	}
	slices.SortFunc(list, func(a, b fate) int { return cmp.Compare(a.name, b.name) })
	return list
}

// Order gives the mark of a row that is of an order.
func (m *Marks) Order(at RowAt, key reconcile.OrderKey) Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.of(at.Source, key)
	if len(list) == 0 {
		return m.count(m.rest, -1)
	}
	worst, same := list[0], true
	for _, e := range list[1:] {
		same = same && e.place == worst.place
		worst = worse(worst, e)
	}
	mark := m.mark(at, worst)
	if !same && worst.name != "" {
		mark.Reason = strings.TrimSuffix("at "+worst.name+": "+mark.Reason, ": ")
	}
	return m.count(mark, worst.at)
}

// The status of rows that a person has to correct, or whose order has such a
// row.
const (
	statusFix   = "fix this row"
	statusOrder = "to fix with its order"
)

// mark says in words where an order ended.
func (m *Marks) mark(at RowAt, e fate) Mark {
	words := ReasonWords(e.place.Reason)
	mark := Mark{Status: BucketWords(e.place.Bucket), Reason: words.Text, Next: words.Next}
	switch e.place.Bucket {
	case reconcile.BucketSent:
		mark.Reason = ""
	case reconcile.BucketLeftOut:
		mark.Status = "not counted as an order"
	case reconcile.BucketNotForTarget:
		mark.Status = "not for this destination"
		if e.name == "" {
			mark.Status, mark.Reason = "not for any destination", "by its channel, or by the destinations' rules"
		}
	case reconcile.BucketBad:
		return m.bad(at, e, words)
	case reconcile.BucketRefused:
		mark.Fix = true
		mark.Next = "Correct the order here and give the file back: a changed order is sent again. What was refused by mistake: makegood resolve."
	case reconcile.BucketInDoubt:
		mark.Next = "Look up at the platform whether it has the order, and say so with makegood resolve."
	case reconcile.BucketHeldBack:
		mark.Fix = needsPerson(e.place) && !slices.Contains(notInRows[:], e.place.Reason)
	}
	if e.detail != "" {
		mark.Reason = passedOn(mark.Reason + ": " + e.detail)
	}
	return mark
}

// bad is the mark of a row of an order that cannot be read.
func (m *Marks) bad(at RowAt, e fate, words Words) Mark {
	if own := m.blamed[at]; len(own) > 0 {
		mark := blamedMark(own)
		mark.Fix = true
		return mark
	}
	reason := e.detail
	if reason == "" {
		reason = words.Text
	}
	which := "Another row of this order"
	if m.unnamed {
		which = "This row, or another one of its order,"
	}
	return Mark{Status: statusOrder, Reason: passedOn(reason), Next: which + " has to be corrected; the whole order goes then.", Fix: true}
}

func blamedMark(list []reconcile.RowProblem) Mark {
	var reasons []string
	next := ""
	for _, p := range list {
		reasons = append(reasons, p.String())
		next = cmp.Or(next, ReasonWords(p.Reason).Next)
	}
	return Mark{Status: statusFix, Here: true, Reason: passedOn(strings.Join(reasons, "; ")), Next: cmp.Or(next, "Correct the cell that is named, and give the file back.")}
}

// passedOn is a text as it may stand in a file that is passed on.
func passedOn(text string) string { return legibleText(Mask(text), maxText) }

// InWholeFile is the mark of a row that may belong to another order: it is no
// row to fix on a sheet of its own, where it would be taken for a whole order.
func InWholeFile(mark Mark) Mark {
	if mark.Fix || mark.Here {
		mark.Fix = false
		mark.Next = "Correct it in the whole file, and give that back: nobody knows which order the row belongs to."
	}
	return mark
}

// Loose gives the mark of a row whose order is not known.
func (m *Marks) Loose(at RowAt) Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	mark := Mark{Status: statusFix, Here: true, Reason: "the row has no order number"}
	if m.unnamed {
		mark.Reason = "the row does not say which order it belongs to"
	}
	if own := m.blamed[at]; len(own) > 0 {
		mark = blamedMark(own)
	}
	return m.count(InWholeFile(mark), -1)
}

// Beside gives the mark of a row that is no order: why is what it is.
func (m *Marks) Beside(why string) Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(Mark{Status: "not counted as an order", Reason: why}, -1)
}

// counter counts a status.
func (m *Marks) counter(status string) *statusCount {
	if m.tally[status] == nil {
		m.tally[status] = &statusCount{}
	}
	return m.tally[status]
}

// count counts a row, and its order once: one with a row to correct as such.
func (m *Marks) count(mark Mark, order int32) Mark {
	m.counter(mark.Status).rows++
	if order < 0 {
		return mark
	}
	word, bit := int(order/64), uint64(1)<<(order%64)
	for len(m.counted) <= word {
		m.counted = append(m.counted, 0)
	}
	if m.counted[word]&bit == 0 {
		m.counted[word] |= bit
		status := mark.Status
		if status == statusOrder {
			status = statusFix
		}
		m.counter(status).orders++
	}
	return mark
}
