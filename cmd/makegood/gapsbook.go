package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/outage"
	"makegood/reports"
)

// maxGapMessages bounds how many messages of a destination are looked at: a few
// hundred bytes each.
const maxGapMessages = 5_000_000

// gapsBook gathers where every message of a period is, while it is planned.
type gapsBook struct {
	mu      sync.Mutex
	seed    maphash.Seed
	words   map[string]string // each text once
	orders  map[uint64]metOrder
	lists   map[string]*gapList // by destination
	failure error
}

// metOrder is what windows are told apart by.
type metOrder struct {
	at                                        time.Time
	source, channel, store, country, language string
	value                                     reconcile.Value
	who                                       uint64
}

// gapList are the messages of one destination that were due.
type gapList struct {
	messages []outage.Message
	where    []reconcile.Place
	ids      map[int]reconcile.EventID // of those that are missing
	index    map[uint64]int            // by the id
	sent     map[string]int
}

func newGapsBook() *gapsBook {
	return &gapsBook{seed: maphash.MakeSeed(), words: map[string]string{}, orders: map[uint64]metOrder{}, lists: map[string]*gapList{}}
}

func (b *gapsBook) of(target string) *gapList {
	if b.lists[target] == nil {
		b.lists[target] = &gapList{ids: map[int]reconcile.EventID{}, index: map[uint64]int{}}
	}
	return b.lists[target]
}

// once keeps one copy of each text.
func (b *gapsBook) once(text string) string {
	if known, ok := b.words[text]; ok {
		return known
	}
	b.words[text] = text
	return text
}

func (b *gapsBook) mark(source string, key reconcile.OrderKey) uint64 {
	return maphash.String(b.seed, source+"\x00"+key.Shop+"\x00"+key.Order)
}

// meet takes an order that a source shows.
func (b *gapsBook) meet(h reconcile.Head) {
	if len(h.Bad) > 0 || h.LeftOut != "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.orders) >= maxGapMessages {
		b.failure = fmt.Errorf("look for gaps: the period has more than %d orders; give a shorter one with --from and --to", maxGapMessages)
		return
	}
	o := metOrder{at: h.CompletedAt, source: b.once(h.Source), channel: b.once(h.Channel), store: b.once(h.Store), language: b.once(h.Language),
		country: b.once(cmp.Or(h.Fields["country"], h.Fields["custom_country"]))}
	if person := reconcile.PersonOf(h); person != "" {
		o.who = maphash.String(b.seed, string(person))
	}
	if h.AmountOf != "" {
		amount := h.Amount
		o.value = reconcile.Value{Amount: &amount, Currency: b.once(h.Currency)}
	}
	b.orders[b.mark(h.Source, h.Key)] = o
}

// see takes where a message ends. Of one that is told of twice the last word
// counts.
func (b *gapsBook) see(d reconcile.Decision) {
	if d.Target == "" || d.ID.Kind() == reconcile.KindOrder || d.ID.Revision() > 1 {
		return
	}
	key, err := d.ID.Key()
	b.mu.Lock()
	defer b.mu.Unlock()
	o, met := b.orders[b.mark(d.Source, key)]
	if err != nil || !met {
		b.failure = errors.Join(b.failure, err)
		return
	}
	list, mark := b.of(d.Target), maphash.String(b.seed, string(d.ID))
	i, known := list.index[mark]
	due := isDue(d)
	switch {
	case !known && !due:
		return
	case !known:
		i = len(list.messages)
		list.index[mark] = i
		list.messages, list.where = append(list.messages, outage.Message{}), append(list.where, reconcile.Place{})
	}
	m := outage.Message{At: o.at, Who: o.who, Value: d.Value, Missing: due && d.Place.Bucket != reconcile.BucketAlreadySent}
	if !due {
		m.At = time.Time{} // taken out when it is counted
	}
	if m.Value.Amount == nil && d.ID.Kind() != reconcile.KindCart {
		m.Value = o.value
	}
	m.Of[outage.Kind], m.Of[outage.Source], m.Of[outage.Channel] = b.once(string(d.ID.Kind())), o.source, o.channel
	m.Of[outage.Store], m.Of[outage.Country], m.Of[outage.Language] = o.store, o.country, o.language
	list.messages[i], list.where[i] = m, d.Place
	delete(list.ids, i)
	if m.Missing {
		list.ids[i] = d.ID
	}
}

// isDue reports whether a message had to be sent by now: what waits on purpose, or
// is held back for what the order is, was not.
func isDue(d reconcile.Decision) bool {
	switch d.Place.Bucket {
	case reconcile.BucketAlreadySent, reconcile.BucketSent, reconcile.BucketInDoubt, reconcile.BucketRefused:
		return true
	case reconcile.BucketHeldBack: // a cart is too old after an hour, whatever was sent
		return d.Place.Reason == reconcile.ReasonTooOld && d.ID.Kind() != reconcile.KindCart
	case reconcile.BucketLeft:
		return !slices.Contains([]reconcile.Reason{reconcile.ReasonTooYoung, reconcile.ReasonPaymentPending, reconcile.ReasonBusy}, d.Place.Reason)
	}
	return false
}

// maxCovered bounds how many hours are told.
const maxCovered = 20_000

// count takes out what was not due after all, and adds up the rest.
func (l *gapList) count(got *targetGaps, zone *time.Location) error {
	l.drop()
	got.Money, got.Sent = reconcile.Money{}, map[string]int{}
	stores, hours, days := map[covered]*covered{}, map[covered]*covered{}, map[covered]*covered{}
	for i, m := range l.messages {
		got.Due++
		if m.Missing {
			got.Missing++
			if m.Value.Amount != nil {
				sum, err := reconcile.Add(got.Money[m.Value.Currency], *m.Value.Amount)
				if err != nil {
					return fmt.Errorf("add up what is missing at %s: %w", got.Target, err)
				}
				got.Money[m.Value.Currency] = sum
			}
		} else {
			got.Sent[string(l.where[i].Reason)]++
		}
		of := covered{Source: m.Of[outage.Source], Store: m.Of[outage.Store]}
		add(stores, of, m.Missing)
		at := m.At.In(zone)
		of.Begin = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone).UTC()
		add(days, of, m.Missing)
		of.Begin = m.At.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond())).UTC()
		add(hours, of, m.Missing)
	}
	if len(hours) > maxCovered {
		hours = days
	}
	got.Coverage, got.Hours = listed(stores), listed(hours)
	slices.SortStableFunc(got.Coverage, func(a, b covered) int { return b.Missing - a.Missing })
	return nil
}

func add(to map[covered]*covered, of covered, missing bool) {
	if to[of] == nil {
		one := of
		to[of] = &one
	}
	to[of].Due++
	if missing {
		to[of].Missing++
	}
}

// listed gives counts by time, source and store, without what a store's name
// should not hold.
func listed(counts map[covered]*covered) []covered {
	list := make([]covered, 0, len(counts))
	for _, c := range counts {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b covered) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Store, b.Store))
	})
	for i := range list {
		list[i].Store = reports.Mask(list[i].Store)
	}
	return list
}

// drop takes out what the last word said was not due.
func (l *gapList) drop() {
	ids, n := map[int]reconcile.EventID{}, 0
	for i, m := range l.messages {
		if m.At.IsZero() {
			continue
		}
		if id, missing := l.ids[i]; missing {
			ids[n] = id
		}
		l.messages[n], l.where[n] = m, l.where[i]
		n++
	}
	l.messages, l.where, l.ids, l.index = l.messages[:n], l.where[:n], ids, nil
}

// places counts where the missing messages of a window are.
func (l *gapList) places(w outage.Window) []placed {
	counts := map[reconcile.Place]int{}
	for _, i := range w.Lost {
		counts[l.where[i]]++
	}
	list := []placed{}
	for place, n := range counts {
		list = append(list, placed{place.Bucket, place.Reason, n})
	}
	slices.SortFunc(list, func(a, b placed) int {
		return cmp.Or(b.Messages-a.Messages, cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// maxTried is of how many messages of a window the attempts are looked up.
const maxTried = 2000

// tried counts the last answers that makegood got about the missing messages of a
// window.
func (l *gapList) tried(ctx context.Context, led *ledger.Reader, target string, w outage.Window) ([]tried, error) {
	var ids []reconcile.EventID
	for _, i := range w.Lost[:min(len(w.Lost), maxTried)] {
		ids = append(ids, l.ids[i])
	}
	if led.Absent() {
		return nil, nil
	}
	made, err := led.Made(ctx, target, ids)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, list := range made {
		counts[answerOf(list[len(list)-1])]++
	}
	var list []tried
	for _, answer := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, tried{answer, counts[answer]})
	}
	slices.SortStableFunc(list, func(a, b tried) int { return b.Messages - a.Messages })
	return list, nil
}

// answerOf says in words what came back for an attempt.
func answerOf(m reconcile.MadeAttempt) string {
	switch {
	case m.Lost:
		return "the run ended before the answer"
	case m.Status == 0 && m.Verdict == reconcile.Retryable:
		return "not reached"
	case m.Status == 0:
		return "no answer"
	}
	words := http.StatusText(m.Status)
	switch m.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		words = "login refused"
	case http.StatusTooManyRequests:
		words = "too many requests"
	}
	if m.Code != "" {
		words += ", " + m.Code
	}
	return fmt.Sprintf("%d %s", m.Status, words)
}
