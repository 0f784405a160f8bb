package reconcile

import (
	"errors"
	"testing"
)

// TestAhead: the same values in the same order, and nothing goes on reading
// when nobody listens any more.
func TestAhead(t *testing.T) {
	end := errors.New("the end")
	running := false
	numbers := func(yield func(int, error) bool) {
		running = true
		defer func() { running = false }()
		for i := range 1000 {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, end)
	}
	for _, stopAt := range []int{0, 1, 500, 2000} {
		met := 0
		var last error
		for i, err := range ahead(numbers) {
			if last = err; err == nil && i != met {
				t.Fatalf("%d came at %d", i, met)
			}
			if met++; met > stopAt {
				break
			}
		}
		if running {
			t.Fatalf("stopped at %d, and it is read on", stopAt)
		}
		if want := min(stopAt+1, 1001); met != want || (last == end) != (met == 1001) {
			t.Errorf("met %d of %d, the last with %v", met, want, last)
		}
	}
}
