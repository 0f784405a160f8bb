package upload

import (
	"os"
	"path/filepath"
	"time"
)

// tidyEvery is how often what was kept long enough is looked for.
const tidyEvery = time.Hour

// old reports whether an upload was kept long enough. Nobody sees it any more,
// also where it is still to be removed. s.mu is held.
func (s *store) old(u *Upload) bool { return u.At.Before(s.since()) && !u.State.Busy() }

// outdated are the uploads to remove.
func (s *store) outdated() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.all {
		if s.old(u) {
			ids = append(ids, id)
		}
	}
	return ids
}

// tidies removes what is old for as long as the pages live, whether or not
// somebody comes.
func (p *Pages) tidies() {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.tidy()
		case <-p.life.Done():
			return
		}
	}
}

// tidy removes what was kept long enough, and plans that nobody can approve any
// more.
func (p *Pages) tidy() {
	for _, id := range p.store.outdated() {
		if err := p.store.remove(id); err != nil {
			p.o.Log.Warn("an old upload was not removed", "error", err)
		}
	}
	now := p.o.Clock()
	for _, u := range p.store.list(func(u Upload) bool { return u.Planned != nil && !u.State.Busy() && !now.Before(u.Planned.Expires) }) {
		p.dropPlan(u.ID)
	}
}

// dropPlan takes away the plan of an upload that is of no more use: it holds
// the addresses of those whom something would be sent about.
func (p *Pages) dropPlan(id string) {
	if err := os.RemoveAll(filepath.Join(p.store.folder(id), PlanFolder)); err != nil {
		p.o.Log.Warn("the plan of an upload was not removed", "upload", id, "error", err)
	}
}
