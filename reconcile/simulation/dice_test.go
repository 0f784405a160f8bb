package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// dice decide everything in a world. What they show depends on the world's
// seed and on what they are thrown for, not on who throws first.
type dice uint64

func (d dice) of(what ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintln(h, what...)
	return rand.New(rand.NewPCG(uint64(d), h.Sum64()))
}

// chance says yes with a probability.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// moment is how long a step takes: never twice the same, so that no two steps
// meet.
func (d dice) moment(what ...any) time.Duration {
	return between(d.of(what...), time.Microsecond, 3*time.Millisecond)
}
