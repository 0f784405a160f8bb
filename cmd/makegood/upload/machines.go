package upload

import (
	"context"
	"net/http"
)

// Machines is what several machines do together. Its texts name no customer.
type Machines struct {
	Workers []Machine
	Slices  []Slices
	Lanes   []Lane
	Stuck   []Stuck
}

// Machine is one worker.
type Machine struct {
	Name, Host, Version string
	Since, Seen         string
	Gone                bool
	At                  string // what it is at
}

// Slices is how many slices are at a place.
type Slices struct {
	Place string
	N     int
}

// Lane is how fast a destination is sent to.
type Lane struct {
	Target        string
	Pace, Rate    string // messages a second over the last minute; configured
	Parts, AtWork int    // to send
}

// Stuck is what does not go on, why, and what to do.
type Stuck struct {
	Text, Next, Command string
	PersonNeeded        bool
}

// Overseer looks what machines do together; nil where there are none. Nothing is
// changed.
type Overseer interface {
	Machines(ctx context.Context) (*Machines, error)
}

// machines shows who works, how fast, and what does not go on.
func (p *Pages) machines(w http.ResponseWriter, r *http.Request, u User) {
	found, err := p.o.Overseer.Machines(r.Context())
	if err != nil {
		p.fault(w, err)
		return
	}
	p.render(w, http.StatusOK, "machines.html", view{Title: "Workers", User: u, Data: map[string]any{
		"Found": found, "At": p.o.Clock().In(p.o.Zone).Format("15:04:05")}})
}
