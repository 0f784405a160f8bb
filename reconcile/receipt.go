package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// ReceiptMark is what stands in an event's body, or in its path, for the
// receipt of another event until that one is known. It is filled in right
// before the event is sent, and only for events that it needs: plans, digests
// and the ledger's hashes have the mark.
func ReceiptMark(id EventID) string { return "{{receipt:" + string(id) + "}}" }

// maxReceipt bounds a receipt, in bytes. A longer one is none.
const maxReceipt = 200

// usable reports whether a receipt can be handed to the platform again.
func usableReceipt(text string) bool {
	return text != "" && len(text) <= maxReceipt && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Fill puts the receipts of the events that e needs where their marks stand. It
// changes e in nothing else, and shares nothing with it that it changes.
func (e Event) Fill(receipts map[EventID]string) Event {
	for _, id := range e.Needs {
		inBody, value := quoted(ReceiptMark(id)), quoted(receipts[id])
		e.Body = []byte(strings.ReplaceAll(string(e.Body), inBody, value))
		e.Path = strings.ReplaceAll(e.Path, ReceiptMark(id), url.QueryEscape(receipts[id]))
	}
	return e
}

// quoted is a text as it stands inside of quotes in JSON.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return text // strings always can be
	}
	return string(b[1 : len(b)-1])
}

// waitsOn judges one event that another one needs: "" when it is done with a
// receipt, ReasonWaits while it may still be, else why the other one is held
// back. merges says that what is in doubt is sent again.
func waitsOn(e Entry, merges bool) Reason {
	switch e.State {
	case StateDone:
		if !usableReceipt(e.Receipt) {
			return ReasonWaitsReceipt
		}
		return ""
	case StateRefused:
		return ReasonWaitsRefused
	case StateDoubtful:
		if !merges {
			return ReasonWaitsDoubtful
		}
	case StateAbsent, StateOpen, StateClaimed:
	}
	return ReasonWaits
}

// holdNeedy holds back the events of an order that need one which ended without
// a receipt, or which is held back itself. Events stand in the order of their
// needs.
func (f *feed) holdNeedy(t *Target, events []Event, holds map[EventID]Held) {
	for _, e := range events {
		for _, id := range e.Needs {
			if _, held := holds[e.ID]; held {
				break
			}
			_, goes := f.sends[id]
			_, held := holds[id]
			reason := waitsOn(f.links[id], t.Traits()[id.Kind()].MergesRepeats)
			switch {
			case held || f.ended[id]:
				reason = ReasonWaitsHeldBack
			case goes:
				continue
			}
			if reason != "" {
				holds[e.ID] = Held{ID: e.ID, Reason: reason}
			}
		}
	}
}

// needs judges at the last moment what an event needs: "" when all of it is
// there.
func (s *stream) needs(ctx context.Context, e Event) (Reason, error) {
	if len(e.Needs) == 0 {
		return "", nil
	}
	have, err := s.led.Find(ctx, s.target.Name(), slices.Sorted(slices.Values(e.Needs)))
	if err != nil {
		return "", fmt.Errorf("look up what must be done first: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range e.Needs {
		reason := waitsOn(have[id], s.target.Traits()[id.Kind()].MergesRepeats)
		if reason == ReasonWaits && s.held[id] {
			reason = ReasonWaitsHeldBack
		}
		if reason != "" {
			return reason, nil
		}
	}
	return "", nil
}

// filled gives the events of a batch with the receipts that they need.
func (s *stream) filled(ctx context.Context, batch []PlannedStep) ([]Event, error) {
	events := make([]Event, len(batch))
	for i, step := range batch {
		events[i] = step.Event
		events[i].Doubt = Doubting{step.Doubt, step.DoubtAt}
		if len(step.Event.Needs) == 0 {
			continue
		}
		have, err := s.led.Find(ctx, s.target.Name(), slices.Sorted(slices.Values(step.Event.Needs)))
		if err != nil {
			return nil, fmt.Errorf("look up receipts: %w", err)
		}
		receipts := map[EventID]string{}
		for _, id := range step.Event.Needs {
			if waitsOn(have[id], false) != "" {
				return nil, fmt.Errorf("send %s: %s has no receipt any more", step.Event.ID, id)
			}
			receipts[id] = have[id].Receipt
		}
		events[i] = step.Event.Fill(receipts)
	}
	return events, nil
}
