package reconcile

import (
	"fmt"
	"slices"
	"testing"
)

// waitingStep is one of a person, "" for nobody.
func waitingStep(id string, who Person) PlannedStep {
	return PlannedStep{Event: Event{ID: EventID(id), Person: who}}
}

func taken(batch []PlannedStep) string {
	var ids []EventID
	for _, step := range batch {
		ids = append(ids, step.Event.ID)
	}
	return fmt.Sprint(ids)
}

func TestQueueKeepsAPersonsOrder(t *testing.T) {
	q := newQueue(10)
	for _, s := range []PlannedStep{waitingStep("1", "a"), waitingStep("2", "b"), waitingStep("3", "a"),
		waitingStep("4", ""), waitingStep("5", ""), waitingStep("6", "a")} {
		q.put(s)
	}
	first := q.take(1)
	second := q.take(3)
	if taken(first) != "[1]" || taken(second) != "[2 4 5]" {
		t.Fatalf("taken were %s, then %s", taken(first), taken(second))
	}
	q.done(first)
	if third := q.take(5); taken(third) != "[3 6]" {
		t.Errorf("once the person was out of hand %s were taken", taken(third))
	}
	q.close()
	if rest := q.take(1); rest != nil {
		t.Errorf("after the end there was still %s", taken(rest))
	}
}

func TestQueueWaits(t *testing.T) {
	const steps = 2000
	q := newQueue(3)
	inTurn := map[Person][]string{}
	results := make(chan []PlannedStep, steps)
	finished := make(chan struct{})
	for range 4 {
		go func() {
			for batch := q.take(2); len(batch) > 0; batch = q.take(2) {
				results <- batch // before done: the next of a person comes later
				q.done(batch)
			}
			finished <- struct{}{}
		}()
	}
	for i := range steps {
		q.put(waitingStep(fmt.Sprintf("%04d", i), Person(fmt.Sprint(i%5))))
	}
	q.close()
	for range 4 {
		<-finished
	}
	close(results)
	n := 0
	for batch := range results {
		for _, s := range batch {
			n++
			inTurn[s.Event.Person] = append(inTurn[s.Event.Person], string(s.Event.ID))
		}
	}
	if n != steps {
		t.Errorf("%d of %d steps were taken", n, steps)
	}
	for who, ids := range inTurn {
		if !slices.IsSorted(ids) {
			t.Errorf("the steps of %s were not taken in their order", who)
		}
	}
}
