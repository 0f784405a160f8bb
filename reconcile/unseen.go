package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rest looks at the evidence's orders that no source showed as orders of the
// target.
func (a *adopter) rest(ctx context.Context, t *targetPlan) error {
	at, shown := a.targets[t.Name()], a.shown[t.Name()]
	var unseen []OrderKey
	for key := range a.known.orders {
		ours, known := shown[key]
		switch {
		case ours:
		case known:
			at.NotForTarget++
		case !slices.Contains(t.shops, key.Shop):
			at.OtherShop++
		case strings.Contains(key.Order, "@"):
			return fmt.Errorf("read evidence %s: its order numbers hold addresses: correct its columns.order", a.known.Name())
		default:
			unseen = append(unseen, key)
		}
	}
	slices.SortFunc(unseen, func(a, b OrderKey) int { return slices.Compare([]string{a.Shop, a.Order}, []string{b.Shop, b.Order}) })
	if _, buys := t.Traits()[KindPurchase]; !buys {
		at.Unseen += len(unseen) // of what no source shows, nobody knows which carts it had
		return nil
	}
	for part := range slices.Chunk(unseen, decideAtOnce) {
		if err := a.unseenPage(ctx, at, part); err != nil {
			return err
		}
	}
	return nil
}

// unseenPage looks at orders that no source shows. A doubt about one is ended
// in any case: its entry has the facts already.
func (a *adopter) unseenPage(ctx context.Context, at *AdoptedAt, keys []OrderKey) error {
	ids := make(map[EventID]OrderKey, len(keys))
	for _, key := range keys {
		ids[NewEventID(KindPurchase, key)] = key
	}
	have, err := a.led.Find(ctx, at.Target, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return fmt.Errorf("look up what %s was sent: %w", at.Target, err)
	}
	var batch []Adoption
	var doubts []EventID
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		e := have[id]
		switch a.judge(e, at) {
		case StateDoubtful:
			doubts = append(doubts, id)
		case StateOpen, StateRefused: // once known here: the entry has the order's facts
			batch = append(batch, a.adoption(Want{ID: id, Kind: KindPurchase, Value: e.Value, Facts: e.Facts}, e, ids[id]))
		case StateAbsent:
			if len(at.UnseenOrders) < MaxExamples {
				at.UnseenOrders = append(at.UnseenOrders, ids[id].Order)
			}
			if !a.unseen {
				at.Unseen++
				continue
			}
			at.UnseenKept++
			batch = append(batch, a.adoption(Want{ID: id, Kind: KindPurchase}, e, ids[id]))
		}
	}
	return a.keep(ctx, at, batch, doubts)
}
