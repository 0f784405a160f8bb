package reconcile

import (
	"iter"
	"sync"
)

// ordersAhead is how many orders are read while one is worked on.
const ordersAhead = 8

// ahead yields what seq yields, from a goroutine that reads on meanwhile. It
// has ended when the iteration is over.
func ahead[V any](seq iter.Seq2[V, error]) iter.Seq2[V, error] {
	type item struct {
		value V
		err   error
	}
	return func(yield func(V, error) bool) {
		items, stop := make(chan item, ordersAhead), make(chan struct{})
		var reading sync.WaitGroup
		reading.Go(func() {
			defer close(items)
			for v, err := range seq {
				select {
				case items <- item{v, err}:
				case <-stop:
					return
				}
			}
		})
		defer reading.Wait()
		defer close(stop)
		for one := range items {
			if !yield(one.value, one.err) {
				return
			}
		}
	}
}
