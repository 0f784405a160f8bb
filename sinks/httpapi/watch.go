package httpapi

// Request is one request as it goes out, without its headers: those hold
// secrets. URL and Body may hold secrets and personal data; whoever shows them
// hides those.
type Request struct {
	Method string
	URL    string
	Body   []byte
}

// Watch is a person who looks on while requests go out. Its functions may be
// nil, and may be called by several goroutines.
type Watch struct {
	// Goes is shown each request before a connection is made for it. False keeps
	// it: nothing is sent, and it counts as interrupted.
	Goes func(Request) bool
	// Came is shown what came back for each request that went.
	Came func(Answer)
}

func (w Watch) goes(r Request) bool { return w.Goes == nil || w.Goes(r) }

func (w Watch) came(a Answer) {
	if w.Came != nil {
		w.Came(a)
	}
}
