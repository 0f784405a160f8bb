package upload

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Pause keeps a destination from being sent to.
type Pause struct {
	// Target is what it is called where people name it: a destination, or
	// [Everything]; "" is one that is configured no more.
	Target string
	Text   string // since when, until when, by whom and why; it names no customer
}

// Everything names all destinations.
const Everything = "all"

// Word is what somebody says of a pause.
type Word struct {
	Resume bool   // it ends
	Target string // a destination, or Everything
	Until  string // "" is until it is resumed
	Who    string
	Note   string // why
}

// Brake keeps destinations from being sent to, by every process that shares the
// ledger.
type Brake interface {
	// Pauses lists those that hold.
	Pauses(ctx context.Context) ([]Pause, error)
	// Say pauses or resumes. When it returns nil that holds, and is in the ledger.
	// An error of type [Refused] is shown.
	Say(ctx context.Context, w Word) error
}

// How long a page waits for what is paused, and a pause for the ledger.
const (
	pausesWithin = 5 * time.Second
	sayWithin    = 30 * time.Second
)

// paused lists what is paused, for every page.
func (p *Pages) paused() []string {
	ctx, cancel := context.WithTimeout(p.life, pausesWithin)
	defer cancel()
	pauses, err := p.o.Brake.Pauses(ctx)
	if err != nil {
		p.o.Log.Warn("what is paused could not be read", "error", err)
		return []string{"Whether anything is paused cannot be said at the moment: the ledger could not be read"}
	}
	return toldOf(pauses)
}

func toldOf(pauses []Pause) (list []string) {
	for _, one := range pauses {
		list = append(list, one.Text)
	}
	return list
}

// whole is a destination's name as people read it.
func whole(target string) string {
	if target == Everything {
		return "every destination"
	}
	return target
}

// choice is one destination on the page of pauses.
type choice struct {
	Target, Name string
	Pauses       []string
}

// pausePage lists the destinations, and what is paused.
func (p *Pages) pausePage(w http.ResponseWriter, r *http.Request, u User) {
	pauses, err := p.o.Brake.Pauses(r.Context())
	if err != nil {
		p.fault(w, err)
		return
	}
	var list []choice
	for _, target := range append(slices.Clone(p.o.Destinations), Everything) {
		one := choice{Target: target, Name: whole(target)}
		for _, pause := range pauses {
			if pause.Target == target {
				one.Pauses = append(one.Pauses, pause.Text)
			}
		}
		list = append(list, one)
	}
	p.render(w, http.StatusOK, "pauses.html", view{Title: "Pause", User: u, Data: map[string]any{"Choices": list, "Any": len(pauses) > 0}})
}

// confirmPage asks for the reason, and says what will be done. What was typed
// before stays.
func (p *Pages) confirmPage(w http.ResponseWriter, r *http.Request, u User) {
	p.confirm(w, r, http.StatusOK, u, Word{Resume: r.FormValue("do") == "resume", Target: r.FormValue("target")}, "")
}

// concerned are the pauses that a resume of a destination ends.
func concerned(pauses []Pause, target string) []Pause {
	return slices.DeleteFunc(slices.Clone(pauses), func(one Pause) bool { return target != Everything && one.Target != target })
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request, status int, u User, word Word, problem string) {
	if word.Target != Everything && !slices.Contains(p.o.Destinations, word.Target) {
		p.fail(w, http.StatusNotFound, "There is no such destination. Go back to the list of destinations.")
		return
	}
	pauses, err := p.o.Brake.Pauses(r.Context())
	if err != nil {
		p.fault(w, err)
		return
	}
	ends := concerned(pauses, word.Target)
	if word.Resume && len(ends) == 0 {
		p.fail(w, http.StatusConflict, "Nothing was done: "+whole(word.Target)+" is not paused (any more).")
		return
	}
	title := "Pause " + whole(word.Target) + "?"
	if word.Resume {
		title = "Resume " + whole(word.Target) + "?"
	}
	p.render(w, status, "pause.html", view{Title: title, User: u, Problem: problem, Data: map[string]any{
		"Word": word, "Name": whole(word.Target), "Ends": toldOf(ends), "Seen": seen(ends), "Zone": p.o.Zone.String(), "All": word.Target == Everything}})
}

// seen is which pauses somebody had before them.
func seen(pauses []Pause) string { return strings.Join(toldOf(pauses), "\n") }

// brake pauses or resumes, once somebody has said why on the page that says what
// is done.
func (p *Pages) brake(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, http.StatusBadRequest, "The form was not understood. Go back and try again.")
		return
	}
	form := r.PostForm
	word := Word{Resume: form.Get("do") == "resume", Target: form.Get("target"), Until: strings.TrimSpace(form.Get("until")), Who: u.Name, Note: strings.TrimSpace(form.Get("note"))}
	again := func(text string) { p.confirm(w, r, http.StatusUnprocessableEntity, u, word, text) }
	switch {
	case word.Target != Everything && !slices.Contains(p.o.Destinations, word.Target):
		p.fail(w, http.StatusNotFound, "There is no such destination. Go back to the list of destinations.")
		return
	case word.Note == "":
		again("Nothing was done yet: say why. It is kept in the ledger, for those who find it " + map[bool]string{true: "resumed.", false: "paused."}[word.Resume])
		return
	}
	// Somebody who closes the window has said it all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), sayWithin)
	defer cancel()
	if word.Resume {
		pauses, err := p.o.Brake.Pauses(ctx)
		if err != nil {
			p.fault(w, err)
			return
		}
		if strings.ReplaceAll(form.Get("seen"), "\r\n", "\n") != seen(concerned(pauses, word.Target)) {
			again("Nothing was done yet: meanwhile somebody else has paused or resumed. Look at what is paused now.")
			return
		}
	}
	err := p.o.Brake.Say(ctx, word)
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		again("Nothing was done: " + refused.Text)
		return
	case err != nil:
		p.fault(w, err)
		return
	}
	did := "paused " + whole(word.Target)
	if word.Resume {
		did = "resumed " + whole(word.Target)
	}
	if err := p.deed(Deed{User: u.Name, Did: did}); err != nil { // it is in the ledger
		p.o.Log.Warn("the history of uploads does not say who paused or resumed; the ledger does", "error", err)
	}
	http.Redirect(w, r, "/uploads/pause", http.StatusSeeOther)
}
