package outage

import (
	"math"
	"slices"
	"time"
)

// Border is between which two orders a window begins or ends: after the one and
// not later than the other. Zero where the messages have no such order: the window
// may have begun before them, or still go on.
type Border struct {
	After time.Time `json:"after,omitzero"`
	By    time.Time `json:"by,omitzero"`
}

// borders are where a window can begin and end, as places in its points.
type borders struct {
	first, last        int // the likeliest
	firstFrom, firstTo int
	lastFrom, lastTo   int
}

// unsure is how likely a border may lie before what is told of it, and behind.
const unsure = 1e-3

// bordered looks where a window begins and ends, and between which orders that
// can be. An outage begins at any time with the same chance, so a long pause, such
// as a night, is a likelier border than the minutes between two messages: an order
// that was lost as some are every day does not draw a window across it. A
// window is one that stopped everything, or one that lost some share, of which all
// are taken for equally likely.
func bordered(points []point, first, last int, usual float64) borders {
	b := borders{first: first, last: last}
	for range 2 {
		b.first, b.firstFrom, b.firstTo = begins(points, b.last, usual)
		b.last, b.lastFrom, b.lastTo = ends(points, b.first, usual)
	}
	return b
}

// told gives the orders between which a window begins and ends.
func (b borders) told(f *finder, points []point) (began, ended Border) {
	began.By, ended.After = f.all[points[b.firstTo].place].At, f.all[points[b.lastFrom].place].At
	if b.firstFrom > 0 {
		began.After = f.all[points[b.firstFrom-1].place].At
	}
	if b.lastTo+1 < len(points) {
		ended.By = f.all[points[b.lastTo+1].place].At
	}
	return began, ended
}

// can gives the first and the last missing message of those that can be of a
// window.
func (f *finder) can(w *Window) (first, last time.Time) {
	first, last = f.all[w.first].At, f.all[w.last].At
	for _, i := range w.found.of {
		m := f.all[i]
		if !m.Missing || !m.At.After(w.Began.After) || !w.Ended.By.IsZero() && !m.At.Before(w.Ended.By) {
			continue
		}
		if m.At.Before(first) {
			first = m.At
		}
		if m.At.After(last) {
			last = m.At
		}
	}
	return first, last
}

// begins gives the likeliest first point of a window that ends with last, and the
// earliest and the latest that is possible.
func begins(points []point, last int, usual float64) (first, from, to int) {
	w := newWeights(usual)
	for i := last; i >= 0 && w.open(); i-- {
		w.add(points[i], pause(points, i))
	}
	most, near, far := w.range3()
	return last - most, last - far, last - near
}

// ends is the same for the last point of a window that begins with first.
func ends(points []point, first int, usual float64) (last, from, to int) {
	w := newWeights(usual)
	for i := first; i < len(points) && w.open(); i++ {
		w.add(points[i], pause(points, i+1))
	}
	most, near, far := w.range3()
	return first + most, first + near, first + far
}

// pause is the logarithm of the time before a point, in seconds.
func pause(points []point, i int) float64 {
	if i == 0 || i == len(points) {
		return math.Log(day.Seconds())
	}
	return math.Log(float64(points[i].at - points[i-1].at))
}

// weights are how likely it is that a window reaches as far as each point, counted
// from its other border. All are logarithms.
type weights struct {
	lost, sent float64 // of a message where no window is
	some, all  float64 // of what was added, in a window that lost a share, or everything
	outside    float64
	due        float64
	missing    float64
	of         []float64
	most       float64
}

func newWeights(usual float64) *weights {
	return &weights{lost: math.Log(usual), sent: math.Log(1 - usual)}
}

// Logarithms of what a message says of an outage that loses everything, or nearly so.
var stopsLost, stopsSent = math.Log(0.995), math.Log(0.005)

// farBelow is how far below the likeliest border so far no pause makes one likelier.
const farBelow = 40

func (w *weights) open() bool {
	return len(w.of) == 0 || w.of[len(w.of)-1] > w.most-farBelow
}

// add takes the next point, with the pause that lies behind it. Over all shares
// that a window may lose, the next message is missing with (missing+1)/(due+2).
func (w *weights) add(p point, pause float64) {
	for i := range p.due {
		w.due++
		if i < p.missing {
			w.missing++
			w.some += math.Log(w.missing / (w.due + 1))
			continue
		}
		w.some += math.Log((w.due - w.missing) / (w.due + 1))
	}
	lost, sent := float64(p.missing), float64(p.due-p.missing)
	w.all += lost*stopsLost + sent*stopsSent
	w.outside += lost*w.lost + sent*w.sent
	weight := max(w.some, w.all) - w.outside + pause
	if len(w.of) == 0 || weight > w.most {
		w.most = weight
	}
	w.of = append(w.of, weight)
}

// range3 gives the likeliest, the nearest and the farthest possible.
func (w *weights) range3() (most, near, far int) {
	sum := 0.0
	for i, weight := range w.of {
		if weight == w.most {
			most = i
		}
		w.of[i] = math.Exp(weight - w.most)
		sum += w.of[i]
	}
	below := 0.0
	for near = 0; near < most; near++ {
		if below += w.of[near]; below > sum*unsure {
			break
		}
	}
	above := 0.0
	for far = len(w.of) - 1; far > most; far-- {
		if above += w.of[far]; above > sum*unsure {
			break
		}
	}
	return most, near, far
}

// buckets are how exactly the borders of windows are told.
var buckets = [...]time.Duration{short, 2 * short, 3 * short, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 3 * day, week, 2 * week, 4 * week, 13 * week, 52 * week}

// resolution is the shortest bucket such that both borders, as they are told, are
// at most one away from all places where they can be.
func (f *finder) resolution(w *Window, finest time.Duration) time.Duration {
	ended := w.Ended.By
	if ended.IsZero() {
		ended = f.all[w.found.of[len(w.found.of)-1]].At.Add(1)
	}
	for _, bucket := range buckets {
		if bucket >= finest && f.near(w.found, w.Began.After.Add(1), w.From, bucket) && f.near(w.found, w.From, w.Began.By, bucket) &&
			f.near(w.found, w.Ended.After.Add(1), w.To, bucket) && f.near(w.found, w.To, ended, bucket) {
			return bucket
		}
	}
	return buckets[len(buckets)-1]
}

// near reports whether what a series was due between two moments lies within one
// bucket of the time in which anything was due: nights and closed days do not count.
func (f *finder) near(s series, from, to time.Time, bucket time.Duration) bool {
	i, _ := slices.BinarySearchFunc(s.of, from, f.before)
	j, _ := slices.BinarySearchFunc(s.of, to, f.before)
	if i >= j {
		return true
	}
	unit := hour
	switch {
	case bucket < hour:
		unit = short
	case bucket >= day:
		unit = day
	}
	busy := f.busy[unit]
	first, _ := slices.BinarySearch(busy, f.floor(f.all[s.of[i]].At, unit).Unix())
	last, _ := slices.BinarySearch(busy, f.floor(f.all[s.of[j-1]].At, unit).Unix())
	return last-first < int(bucket/unit)
}

func (f *finder) before(i int, at time.Time) int { return f.all[i].At.Compare(at) }

// busyTimes gives the 10 minutes, hours and days in which anything was due.
func (f *finder) busyTimes(order []int) map[time.Duration][]int64 {
	busy := map[time.Duration][]int64{}
	for _, unit := range []time.Duration{short, hour, day} {
		for _, i := range order {
			begin := f.floor(f.all[i].At, unit).Unix()
			if list := busy[unit]; len(list) == 0 || list[len(list)-1] != begin {
				busy[unit] = append(list, begin)
			}
		}
	}
	return busy
}
