package reconcile

import (
	"slices"
	"sync"
)

// queue holds the steps that wait to be sent. Workers take them in their order,
// but a person's next one only once the last is out of hand.
type queue struct {
	room int // at most so many wait

	mu      sync.Mutex
	more    *sync.Cond // steps, or persons, may be had
	space   *sync.Cond
	waiting []*PlannedStep
	inHand  map[Person]bool
	closed  bool
}

func newQueue(room int) *queue {
	q := &queue{room: room, inHand: map[Person]bool{}}
	q.more, q.space = sync.NewCond(&q.mu), sync.NewCond(&q.mu)
	return q
}

// put adds a step, once there is room for it.
func (q *queue) put(step PlannedStep) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) >= q.room {
		q.space.Wait()
	}
	q.waiting = append(q.waiting, &step)
	q.more.Signal()
}

// close says that nothing more comes.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

// take waits for steps and takes up to most of those that wait, never one of a
// person whose other steps somebody has in hand. None are left after close.
// Whoever takes them says done.
func (q *queue) take(most int) []PlannedStep {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		batch := q.pick(most)
		if len(batch) > 0 || q.closed && len(q.waiting) == 0 {
			return batch
		}
		q.more.Wait()
	}
}

func (q *queue) pick(most int) (batch []PlannedStep) {
	mine := map[Person]bool{}
	for i := 0; i < len(q.waiting) && len(batch) < most; {
		step := q.waiting[i]
		who := step.Event.Person
		if q.inHand[who] && !mine[who] {
			i++
			continue
		}
		if who != "" {
			q.inHand[who], mine[who] = true, true
		}
		batch = append(batch, *step)
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.space.Signal()
	}
	return batch
}

// done says that steps that were taken are out of hand.
func (q *queue) done(batch []PlannedStep) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, step := range batch {
		delete(q.inHand, step.Event.Person)
	}
	q.more.Broadcast()
}
