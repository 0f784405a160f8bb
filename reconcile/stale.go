package reconcile

import (
	"context"
	"fmt"
	"time"
)

// EvidenceStale says that a target's evidence cannot be trusted.
type EvidenceStale struct{ Target, Text string }

// Error gives the text.
func (e *EvidenceStale) Error() string { return e.Text }

// checkEvidence stops the targets whose evidence is stale, far too small or
// unreadable: "nothing was sent" is never taken from it.
func (p *planner) checkEvidence(ctx context.Context) error {
	for _, t := range p.targets {
		orders, newest := 0, time.Time{}
		for _, f := range t.feeds {
			orders += f.eligible
			if f.newest.After(newest) {
				newest = f.newest
			}
		}
		for _, name := range t.Evidence {
			if _, accepted := p.Accepted[name]; accepted && p.unread[name] == nil {
				continue
			}
			why, err := p.evidenceFault(ctx, name, orders, newest)
			if err != nil {
				return err
			}
			if why != "" {
				t.stop(fmt.Sprintf("%s; if that is right: --accept-evidence %s --note \"...\"", why, name))
			}
		}
	}
	return nil
}

func (p *planner) evidenceFault(ctx context.Context, name string, orders int, newest time.Time) (string, error) {
	if err := p.unread[name]; err != nil {
		return err.Error(), nil
	}
	if newest.Before(p.evidence[name].CoversFrom) {
		return "", nil // it speaks of none of these orders
	}
	history, err := p.led.EvidenceDays(ctx, name)
	if err != nil {
		return "", fmt.Errorf("read the history of evidence %s: %w", name, err)
	}
	return p.evidence[name].stale(orders, newest, history, p.win), nil
}
