package reconcile

// Places are as many as requests to a target may be under way at a time where
// several runs of one process send to it at once: what one has no use for,
// another takes. nil: each run keeps to its target's Concurrency by itself.
type Places chan struct{}

// take waits for a place.
func (p Places) take() {
	if p != nil {
		p <- struct{}{}
	}
}

// leave gives a place back.
func (p Places) leave() {
	if p != nil {
		<-p
	}
}
