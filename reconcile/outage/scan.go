package outage

import (
	"fmt"
	"math"
	"slices"
	"time"

	"makegood/reconcile"
)

// point is what was due at one moment.
type point struct {
	at           int64
	due, missing int
	place        int // of one of its messages
}

// supposed are the shares that windows are looked for with: each finds those
// that lose about as much.
var supposed = [...]float64{0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 0.95, 0.995}

// strongest gives the window of a series that is the least likely to be chance,
// nil when none is far from usual.
func (f *finder) strongest(s series) *Window {
	points := f.points(s)
	var best *Window
	looked := [2]int{-1, -1}
	for _, share := range supposed {
		if share < s.usual+clearly/2 {
			continue
		}
		first, last, some := richest(points, math.Log(share/s.usual), math.Log((1-share)/(1-s.usual)))
		if !some || looked == [2]int{first, last} {
			continue
		}
		looked = [2]int{first, last}
		if w := f.stretch(s, points, first, last); w != nil && (best == nil || w.score > best.score) {
			best = w
		}
	}
	return best
}

// stretch gives the window about a stretch of points, nil when that is chance.
func (f *finder) stretch(s series, points []point, first, last int) *Window {
	if due, missing := total(points[first : last+1]); 2*surprise(due, missing, s.usual) < f.needed(due) {
		return nil // other borders do not make that up
	}
	b := bordered(points, first, last, s.usual)
	due, missing := total(points[b.first : b.last+1])
	w := f.judge(s, due, missing)
	if w != nil {
		w.first, w.last = f.reach(s, points, b)
		w.Began, w.Ended = b.told(f, points)
	}
	return w
}

// reach gives the places of a window's first and last message: with those of people
// who are counted already, up to the points on either side.
func (f *finder) reach(s series, points []point, b borders) (first, last int) {
	first, last = points[b.first].place, points[b.last].place
	i, _ := slices.BinarySearchFunc(s.of, f.all[first].At, f.before)
	for i--; i >= 0 && (b.first == 0 || f.all[s.of[i]].At.Unix() > points[b.first-1].at); i-- {
		if m := s.of[i]; f.all[m].Missing && !f.taken[m] {
			first = m
		}
	}
	i, _ = slices.BinarySearchFunc(s.of, f.all[last].At, f.before)
	for ; i < len(s.of) && (b.last+1 == len(points) || f.all[s.of[i]].At.Unix() < points[b.last+1].at); i++ {
		if m := s.of[i]; f.all[m].Missing && !f.taken[m] {
			last = m
		}
	}
	return first, last
}

// judge gives a window when so many missing messages are no chance.
func (f *finder) judge(s series, due, missing int) *Window {
	share := float64(missing) / float64(due)
	if missing < fewest || share < s.usual+clearly || share < 2*s.usual && share < stopsFrom {
		return nil
	}
	score := surprise(due, missing, s.usual)
	if score < f.needed(due) {
		return nil
	}
	return &Window{found: s, score: score, Due: due, Missing: missing, Usual: s.usual}
}

// needed is how surprising a window of so many messages has to be.
func (f *finder) needed(due int) float64 { return math.Log(f.looks / float64(due) / byChance) }

// surprise is the S of the package's comment: how unlikely so many missing
// messages are where fewer are usual, 0 where they are not more than usual.
func surprise(due, missing int, usual float64) float64 {
	n, k := float64(due), float64(missing)
	if k <= n*usual {
		return 0
	}
	s := k * math.Log(k/(n*usual))
	if k < n {
		s += (n - k) * math.Log((n-k)/(n-n*usual))
	}
	return s
}

// points gathers what is left of a series by moments.
func (f *finder) points(s series) []point {
	var list []point
	for _, i := range s.of {
		if f.taken[i] || f.beside[i] {
			continue
		}
		m, at := &f.all[i], f.all[i].At.Unix()
		if len(list) == 0 || list[len(list)-1].at != at {
			list = append(list, point{at: at, place: i})
		}
		p := &list[len(list)-1]
		p.due++
		if m.Missing {
			p.missing++
		}
	}
	return list
}

// richest is the stretch of points with the largest sum, where a missing message
// counts for gain and one that was sent for loss, which is negative (Kadane).
func richest(points []point, gain, loss float64) (first, last int, some bool) {
	sum, most, begin := 0.0, 0.0, 0
	for i, p := range points {
		if sum <= 0 {
			sum, begin = 0, i
		}
		sum += gain*float64(p.missing) + loss*float64(p.due-p.missing)
		if sum > most {
			most, first, last, some = sum, begin, i, true
		}
	}
	return first, last, some
}

func total(points []point) (due, missing int) {
	for _, p := range points {
		due, missing = due+p.due, missing+p.missing
	}
	return due, missing
}

// joined makes one window of those of the same messages that follow each other.
func (f *finder) joined(found []Window) []Window {
	slices.SortFunc(found, func(a, b Window) int { return f.all[a.first].At.Compare(f.all[b.first].At) })
	var list []Window
	for _, w := range found {
		i := slices.IndexFunc(list, func(o Window) bool {
			return o.found.part == w.found.part && o.found.value == w.found.value && f.follow(o, w)
		})
		if i < 0 {
			list = append(list, w)
			continue
		}
		o := &list[i]
		o.Due, o.Missing, o.Lost = o.Due+w.Due, o.Missing+w.Missing, append(o.Lost, w.Lost...)
		if f.all[w.last].At.After(f.all[o.last].At) {
			o.last, o.Ended = w.last, w.Ended
		}
	}
	return list
}

// follow reports whether nothing of their messages lies between two windows.
func (f *finder) follow(a, b Window) bool {
	end, begin := f.all[a.last].At, f.all[b.first].At
	for _, i := range a.found.of {
		if at := f.all[i].At; !f.taken[i] && at.After(end) && at.Before(begin) {
			return false
		}
	}
	return true
}

// finish gives a window what people read.
func (f *finder) finish(w *Window) error {
	finest := f.bucket(w.found)
	w.From, w.To = f.floor(f.all[w.first].At, finest), f.next(f.all[w.last].At, finest)
	w.Bucket = f.resolution(w, finest)
	w.Since, w.Until = f.can(w)
	w.Stopped = w.Share() >= stopsFrom
	if w.found.part != parts {
		w.Part, w.Value = w.found.part.String(), w.found.value
	}
	w.Money = reconcile.Money{}
	slices.Sort(w.Lost)
	for _, i := range w.Lost {
		v := f.all[i].Value
		if v.Amount == nil {
			continue
		}
		sum, err := reconcile.Add(w.Money[v.Currency], *v.Amount)
		if err != nil {
			return fmt.Errorf("add up what is missing from %s on: %w", w.From.Format(time.RFC3339), err)
		}
		w.Money[v.Currency] = sum
	}
	return nil
}

// Buckets, and from how many messages in an hour that has any the short one
// tells more than chance.
const (
	short   = 10 * time.Minute
	hour    = time.Hour
	day     = 24 * time.Hour
	week    = 7 * day
	shortOf = 30
)

// bucket is how exactly windows of a series are told.
func (f *finder) bucket(s series) time.Duration {
	if f.days {
		return day
	}
	busy, last := 0, int64(-1)
	for _, i := range s.of {
		if h := f.all[i].At.Unix() / int64(hour/time.Second); h != last {
			busy, last = busy+1, h
		}
	}
	if len(s.of) >= shortOf*busy {
		return short
	}
	return hour
}

// floor is when the bucket of a moment begins, in the zone.
func (f *finder) floor(at time.Time, bucket time.Duration) time.Time {
	at = at.In(f.zone)
	if bucket == day {
		return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, f.zone)
	}
	_, minute, second := at.Clock()
	into := time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(at.Nanosecond())
	return at.Add(-(into % bucket))
}

// next is when the bucket of a moment ends.
func (f *finder) next(at time.Time, bucket time.Duration) time.Time {
	begin := f.floor(at, bucket)
	if bucket == day {
		return begin.AddDate(0, 0, 1)
	}
	return begin.Add(bucket)
}
