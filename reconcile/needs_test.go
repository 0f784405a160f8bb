package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func placed(eligible int, places map[Place]int) Balance {
	b := Balance{Eligible: Count{Orders: eligible, Events: eligible}, Places: map[Place]*Count{}}
	for p, n := range places {
		b.Places[p] = &Count{Orders: n, Events: n}
	}
	return b
}

func TestNeeds(t *testing.T) {
	target := func(eligible int, places map[Place]int) Result {
		return Result{Targets: []TargetResult{{Target: "a", Balance: placed(eligible, places)}}}
	}
	ordinary := target(9, map[Place]int{
		{BucketSent, ReasonSent}: 2, {BucketHeldBack, ReasonNoEmail}: 3,
		{BucketAlreadySent, ReasonProven}: 1, {BucketLeft, ReasonTooYoung}: 3})
	stopped := target(0, nil)
	stopped.Targets[0].Stopped = "401: login refused"
	stale := target(4, map[Place]int{{BucketLeft, ReasonEvidenceStale}: 4})
	said := target(4, map[Place]int{{BucketLeft, ReasonEvidenceStale}: 4})
	said.Targets[0].Err, said.Targets[0].Stopped = errors.New("read evidence"), "read evidence"

	for _, c := range []struct {
		name string
		r    Result
		want []PersonNeeded
	}{
		{"nothing", Result{}, nil},
		{"an ordinary night", ordinary, nil},
		{"interrupted", Result{Err: fmt.Errorf("send: %w", context.Canceled)}, nil},
		{"the run failed", Result{Err: errors.New("open ledger")}, []PersonNeeded{{What: NeedFailed, Count: 1}}},
		{"a source failed and has bad orders",
			Result{Sources: []SourceResult{{Source: "s", Err: ErrChanged, Tally: Tally{Bad: 7}}}},
			[]PersonNeeded{{Source: "s", What: NeedFailed, Count: 1}, {Source: "s", What: NeedBad, Count: 7}}},
		{"doubt and refusals", target(5, map[Place]int{{BucketInDoubt, ReasonNoAnswer}: 2, {BucketRefused, ReasonRejected}: 3}),
			[]PersonNeeded{{Target: "a", What: NeedDoubt, Count: 2}, {Target: "a", What: NeedRefused, Count: 3}}},
		{"a hold to look at", target(4, map[Place]int{{BucketHeldBack, ReasonIDReused}: 4}),
			[]PersonNeeded{{Target: "a", What: "id_reused", Count: 4}}},
		{"stopped", stopped, []PersonNeeded{{Target: "a", What: NeedStopped, Count: 1}}},
		{"stale evidence", stale, []PersonNeeded{{Target: "a", What: "evidence_stale", Count: 4}}},
		{"stale evidence, said once", said, []PersonNeeded{{Target: "a", What: NeedFailed, Count: 1}}},
		{"an event got lost on the way", target(5, map[Place]int{{BucketSent, ReasonSent}: 4}),
			[]PersonNeeded{{Target: "a", What: NeedBalance, Count: 1}}},
	} {
		if got := c.r.Needs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: needs %+v, want %+v", c.name, got, c.want)
		}
	}
}
