// Package outage finds the windows in which messages stopped or thinned out.
// Nothing here reads or writes anything.
//
// What counts is the share of messages that nobody sent, among those that were
// due, in the order in which their orders were completed: an hour without orders
// says nothing, so a closed Sunday and a quiet night are no outage. Some of a
// shop's messages are lost every day (an ad blocker, a tab that was closed): that
// is the usual share, taken from the rest of the period. A window is where far
// more are missing than chance makes of it.
//
// How unlikely that is follows from the binomial distribution: k of n messages
// missing where the share p is usual has a probability of at most exp(-S), with
// S = k*ln(k/np) + (n-k)*ln((n-k)/(n-np)) (Chernoff). A window counts when all of
// the places where one could have been found make less than one in a thousand
// of it. In a shop of 18,000 orders that is about 1e-9 for one of a day.
//
// Who loses one order to an ad blocker loses the next one as well: what one person
// ordered on a day counts once when it is judged what is chance.
//
// The loss is looked for in all messages and in those of each kind, source,
// channel, store, country and language. The strongest explanation is taken, and
// what it explains is put aside before the next is looked for; a store alone is
// named when the loss is stronger there than in all messages together.
package outage

import (
	"math"
	"slices"
	"time"

	"makegood/reconcile"
)

// Part is by what messages are told apart.
type Part int

// The parts. Every message has a value of each, "" where nobody says.
const (
	Kind Part = iota
	Source
	Channel
	Store
	Country
	Language
	parts
)

// String is the name that JSON uses.
func (p Part) String() string {
	return [...]string{"kind", "source", "channel", "store", "country", "language"}[p]
}

// Message is one message that was due.
type Message struct {
	At      time.Time // when its order was completed
	Of      [parts]string
	Missing bool // nobody sent it
	Value   reconcile.Value
	// Who tells the people apart whom messages are about; 0: not known.
	Who uint64
}

// Window is a time in which messages are missing.
type Window struct {
	// From and To are the likeliest borders, To itself not in it. Each is at most
	// one Bucket away from wherever it can be, counted in the ten minutes, hours or
	// days in which anything was due: an hour where all messages are missing, more
	// where some were sent beside them, for those say less.
	From   time.Time     `json:"from"`
	To     time.Time     `json:"to"`
	Bucket time.Duration `json:"-"`
	Began  Border        `json:"began"`
	Ended  Border        `json:"ended"`
	// Since and Until are the first and the last missing message of those that can
	// be of the window.
	Since time.Time `json:"-"`
	Until time.Time `json:"-"`

	Stopped bool `json:"stopped"`
	// Part and Value are the narrowest explanation: only messages with this
	// value are concerned. Part is "" when all are.
	Part    string          `json:"part,omitempty"`
	Value   string          `json:"value,omitempty"`
	Due     int             `json:"due"`
	Missing int             `json:"missing"`
	Money   reconcile.Money `json:"money"` // of what is missing
	Usual   float64         `json:"usual"` // share that is missing elsewhere
	// Lost are the places of the missing messages in what was given to Find.
	Lost []int `json:"-"`

	score float64
	found series
	first int // places in the points of found
	last  int
}

// Share is how much of what was due is missing.
func (w Window) Share() float64 { return float64(w.Missing) / float64(w.Due) }

// What a window is.
const (
	maxWindows  = 200    // that are told
	fewest      = 5      // missing messages that make one
	stopsFrom   = 0.9    // share from which on messages have stopped
	clearly     = 0.05   // more than usual, in shares
	leastUsual  = 0.0005 // no shop loses less, as far as anybody can tell
	mostUsual   = 0.5    // where more is missing all the time, that is no baseline
	shop        = 20     // messages of all that the usual share of a part begins with
	byChance    = 1e-3   // that any window of a look is chance
	waysToLook  = 50     // in which a window of one length can lie around one place
	narrower    = 3      // by how much (exp) a part has to explain better than all
	lookedAgain = 4      // times, as the usual share is what is missing outside of windows
)

// Find gives the windows of messages of one destination, the earliest first.
// zone tells where days and hours begin.
func Find(all []Message, zone *time.Location) ([]Window, error) {
	f := newFinder(all, zone)
	var found []Window
	for range lookedAgain {
		before := found
		found = f.look()
		if slices.EqualFunc(before, found, func(a, b Window) bool { return a.first == b.first && a.last == b.last && a.Due == b.Due }) {
			break
		}
		f.learn()
	}
	for i := range found {
		if err := f.finish(&found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// finder looks for windows in several series of the same messages.
type finder struct {
	all    []Message
	zone   *time.Location
	days   bool // completions are dates without a time of day
	taken  []bool
	beside []bool // messages about somebody who is counted on that day
	series []series
	cost   [parts]float64 // by which a part must explain more than all messages
	looks  float64        // windows of one message that could be found by chance
	busy   map[time.Duration][]int64
}

// series are the messages with one value of one part, or all of them.
type series struct {
	part  Part // parts: all messages
	value string
	of    []int // places of the messages, by time
	usual float64
}

func newFinder(all []Message, zone *time.Location) *finder {
	f := &finder{all: all, zone: zone, days: len(all) > 0, taken: make([]bool, len(all)), beside: make([]bool, len(all))}
	order := make([]int, len(all))
	for i, m := range all {
		order[i] = i
		h, mi, s := m.At.In(zone).Clock()
		f.days = f.days && h+mi+s == 0
	}
	slices.SortStableFunc(order, func(a, b int) int { return all[a].At.Compare(all[b].At) })
	f.countOnce(order)
	f.busy = f.busyTimes(order)
	f.series = append(f.series, series{part: parts, of: order})
	for part := range parts {
		f.split(part, order)
	}
	told := map[Part]bool{}
	for _, s := range f.series {
		told[s.part] = true
	}
	f.looks = waysToLook * math.Log2(float64(len(all)+2)) * float64(len(all)*len(told))
	for i := range f.series {
		f.series[i].usual = f.robust(f.series[i].of)
	}
	return f
}

// countOnce finds the messages that say no more than an earlier one of the same
// kind about the same person on the same day.
func (f *finder) countOnce(order []int) {
	type once struct {
		who     uint64
		day     int64
		kind    string
		missing bool
	}
	met := map[once]bool{}
	for _, i := range order {
		m := f.all[i]
		if m.Who == 0 {
			continue
		}
		one := once{m.Who, f.floor(m.At, day).Unix(), m.Of[Kind], m.Missing}
		f.beside[i], met[one] = met[one], true
	}
}

// split makes the series of a part; one that has a single value says nothing of
// its own.
func (f *finder) split(part Part, order []int) {
	of := map[string][]int{}
	var values []string
	for _, i := range order {
		v := f.all[i].Of[part]
		if of[v] == nil {
			values = append(values, v)
		}
		of[v] = append(of[v], i)
	}
	f.cost[part] = narrower + math.Log(float64(len(values)))
	if len(values) < 2 {
		return
	}
	slices.Sort(values)
	for _, v := range values {
		if v != "" && len(of[v]) >= fewest {
			f.series = append(f.series, series{part: part, value: v, of: of[v]})
		}
	}
}

// look finds windows, the strongest first, and puts aside what each explains.
func (f *finder) look() []Window {
	clear(f.taken)
	var found []Window
	best := make([]*Window, len(f.series))
	stale := make([]bool, len(f.series))
	for i := range stale {
		stale[i] = true
	}
	for len(found) < maxWindows {
		var most *Window
		for i, s := range f.series {
			if stale[i] {
				best[i], stale[i] = f.strongest(s), false
			}
			if w := best[i]; w != nil && (most == nil || f.weight(w) > f.weight(most)) {
				most = w
			}
		}
		if most == nil {
			return f.joined(found)
		}
		f.take(most)
		for i, w := range best {
			stale[i] = w != nil && f.meet(*w, *most)
		}
		found = append(found, *most)
	}
	return f.joined(found)
}

// meet reports whether two windows have a time in common.
func (f *finder) meet(a, b Window) bool {
	return !f.all[a.first].At.After(f.all[b.last].At) && !f.all[b.first].At.After(f.all[a.last].At)
}

// weight is by how much a window explains, less what naming a part costs.
func (f *finder) weight(w *Window) float64 {
	if w.found.part == parts {
		return w.score
	}
	return w.score - f.cost[w.found.part]
}

// take puts a window's messages aside, and counts them.
func (f *finder) take(w *Window) {
	w.Due, w.Missing = 0, 0
	for _, i := range w.found.of {
		m := f.all[i]
		if f.taken[i] || m.At.Before(f.all[w.first].At) || m.At.After(f.all[w.last].At) {
			continue
		}
		f.taken[i] = true
		if w.Due++; m.Missing {
			w.Missing++
			w.Lost = append(w.Lost, i)
		}
	}
}

// learn takes the usual shares anew from what is in no window.
func (f *finder) learn() {
	for i, s := range f.series {
		due, missing := 0, 0
		for _, m := range s.of {
			if f.taken[m] || f.beside[m] {
				continue
			}
			due++
			if f.all[m].Missing {
				missing++
			}
		}
		base := leastUsual
		if i > 0 {
			base = f.series[0].usual
		}
		f.series[i].usual = bounded((float64(missing) + shop*base) / float64(due+shop))
		if i == 0 {
			f.series[i].usual = bounded((float64(missing) + 1) / float64(due+2))
		}
	}
}

func bounded(share float64) float64 { return min(max(share, leastUsual), mostUsual) }

// robust is the median share of missing messages among pieces of a series, so
// that an outage of less than half of the time does not count as usual.
func (f *finder) robust(of []int) float64 {
	const piece = 50
	var shares []float64
	of = slices.DeleteFunc(slices.Clone(of), func(i int) bool { return f.beside[i] })
	for part := range slices.Chunk(of, piece) {
		missing := 0
		for _, i := range part {
			if f.all[i].Missing {
				missing++
			}
		}
		if len(part) == piece || len(of) < piece {
			shares = append(shares, float64(missing)/float64(len(part)))
		}
	}
	if len(shares) == 0 {
		return leastUsual
	}
	slices.Sort(shares)
	sum, n := 0.0, 0
	for _, share := range shares {
		if share <= shares[len(shares)/2]+clearly {
			sum, n = sum+share, n+1
		}
	}
	return bounded(sum / float64(n))
}
