package reconcile

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// offer is an order that could have been undone.
type offer struct {
	goods   uint64
	n       int // in reading order
	order   string
	at      int64 // Unix seconds
	value   Value
	already bool
}

// offersBudget is how many bytes of a source's offers to one target are held in
// memory.
const offersBudget = 1 << 20

// keptOffer is an offer as it is put aside.
type keptOffer struct {
	N       int // in reading order
	Order   string
	At      int64
	Value   Value
	Already bool
}

// keepOffer puts aside an order that goes or went until all credit notes are met:
// which of them undo it, the last row may tell.
func (p *planner) keepOffer(f *feed, o offer) error {
	if f.offers == nil {
		f.offers = &sorter{dir: p.StateDir, budget: offersBudget}
	}
	kept, err := json.Marshal(keptOffer{f.offers.count, o.order, o.at, o.value, o.already})
	if err != nil {
		return fmt.Errorf("put an order aside: %w", err)
	}
	return f.offers.add(string(binary.BigEndian.AppendUint64(nil, o.goods)), kept)
}

// wanted gives the offers with goods that are asked for, in reading order, and
// drops all of them.
func (f *feed) wanted(goods map[uint64]bool) (list []offer, err error) {
	if f.offers == nil {
		return nil, nil
	}
	for r, readErr := range f.offers.all() {
		if err = readErr; err != nil {
			break
		}
		of := binary.BigEndian.Uint64(r.key)
		if !goods[of] {
			continue
		}
		var k keptOffer
		if err = json.Unmarshal(r.value, &k); err != nil {
			break
		}
		list = append(list, offer{goods: of, n: k.N, order: k.Order, at: k.At, value: k.Value, already: k.Already})
	}
	if err != nil {
		return nil, fmt.Errorf("read the orders that were put aside: %w", err)
	}
	slices.SortFunc(list, func(a, b offer) int { return cmp.Compare(a.n, b.n) })
	return list, f.dropOffers()
}

// dropOffers forgets what was put aside. It is safe to call twice.
func (f *feed) dropOffers() error {
	if f.offers == nil {
		return nil
	}
	kept := f.offers
	f.offers = nil
	return kept.close()
}

func (p *planner) dropOffers() (err error) {
	for _, t := range p.targets {
		for _, f := range t.feeds {
			err = errors.Join(err, f.dropOffers())
		}
	}
	return err
}
