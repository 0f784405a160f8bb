package simulation

import (
	"maps"
	"math/big"
	"slices"

	"makegood/reconcile"
)

// sum is a bucket as it is counted here.
type sum struct {
	events int
	money  map[string]*big.Rat
}

func (s *sum) add(currency string, amount *big.Rat) {
	if s.money == nil {
		s.money = map[string]*big.Rat{}
	}
	if s.money[currency] == nil {
		s.money[currency] = new(big.Rat)
	}
	s.events++
	s.money[currency].Add(s.money[currency], amount)
}

func (s *sum) same(c reconcile.Count) bool {
	if s == nil {
		return c.Events == 0
	}
	for currency, amount := range s.money {
		d := c.Money[currency]
		if rat(&d).Cmp(amount) != 0 {
			return false
		}
	}
	for currency, amount := range c.Money {
		if s.money[currency] == nil && !amount.IsZero() {
			return false
		}
	}
	return s.events == c.Events
}

// judgeBalance counts a run's balances from the shop, from the ledger as it was
// before, and from what was seen while it ran.
func (w *world) judgeBalance(p *process, before map[spot]reconcile.Entry) {
	if p.dead || p.err != nil && len(p.result.Targets) == 0 || len(p.result.Sources) != 1 || p.result.Sources[0].Err != nil {
		return
	}
	for i := range p.result.Targets {
		tr := &p.result.Targets[i]
		t := w.target(tr.Target)
		if t.resend {
			w.judgeCorrections(p, tr)
			continue
		}
		if tr.Err != nil || tr.Stopped != "" && tr.Balance.Eligible.Events == 0 {
			continue
		}
		buckets := map[reconcile.Bucket]*sum{}
		eligible, others := &sum{}, 0
		for _, id := range slices.Sorted(maps.Keys(p.orders)) {
			o := p.orders[id]
			if !o.counts() || !p.result.Window.Holds(o.completed) {
				continue
			}
			if !w.wants(t, o) {
				others++
				continue
			}
			bucket, amount := w.endOf(p, t, o, before[spot{tr.Target, id, 1}])
			if buckets[bucket] == nil {
				buckets[bucket] = &sum{}
			}
			buckets[bucket].add(o.currency, amount)
			eligible.add(o.currency, amount)
		}
		w.compare(p, tr, buckets, eligible, others)
	}
}

// judgeCorrections counts what a run sent to a target that is told of changes:
// there an order may have two events, of which the newer has no money.
func (w *world) judgeCorrections(p *process, tr *reconcile.TargetResult) {
	sent := &sum{}
	for at, verdict := range p.counted {
		if at.target != tr.Target || verdict != reconcile.Sent {
			continue
		}
		amount := new(big.Rat)
		if at.version == 1 {
			amount = big.NewRat(p.orders[at.order].cents(), 100)
		}
		sent.add(p.orders[at.order].currency, amount)
	}
	if got := tr.Balance.Of(reconcile.BucketSent); !sent.same(got) {
		w.violate("%s: %s: sent are %+v, want %+v", p.name, tr.Target, got, *sent)
	}
}

func (w *world) compare(p *process, tr *reconcile.TargetResult, buckets map[reconcile.Bucket]*sum, eligible *sum, others int) {
	b := &tr.Balance
	if b.NotForTarget.Orders != others {
		w.violate("%s: %s: not for the target are %d orders, want %d", p.name, tr.Target, b.NotForTarget.Orders, others)
	}
	if !eligible.same(b.Eligible) || b.Eligible.Orders != eligible.events {
		w.violate("%s: %s: in scope are %+v, want %+v", p.name, tr.Target, b.Eligible, *eligible)
	}
	for _, bucket := range reconcile.Buckets {
		if got := b.Of(bucket); !buckets[bucket].same(got) || got.Orders != got.Events {
			w.violate("%s: %s: %s are %+v, want %+v", p.name, tr.Target, bucket, got, buckets[bucket])
		}
	}
}

// endOf says where an event ended, and with how much money.
func (w *world) endOf(p *process, t *target, o *order, before reconcile.Entry) (reconcile.Bucket, *big.Rat) {
	at := spot{t.platform.name, o.id, 1}
	amount := big.NewRat(o.cents(), 100)
	h := w.history(at)
	if verdict, settled := p.counted[at]; settled {
		return bucketOf(verdict, h, p), amount
	}
	if h.holder == p && h.state == reconcile.StateClaimed {
		return reconcile.BucketInDoubt, amount
	}
	held := w.holds(p, t, o) != ""
	bucket := reconcile.BucketLeft
	if held {
		bucket = reconcile.BucketHeldBack
	}
	switch before.State {
	case reconcile.StateDone:
		return reconcile.BucketAlreadySent, rat(before.Value.Amount)
	case reconcile.StateRefused:
		if before.Facts.Digest == o.source.Digest {
			bucket = reconcile.BucketRefused
		}
	case reconcile.StateDoubtful:
		if held || !t.platform.merges {
			bucket = reconcile.BucketInDoubt
		}
	default:
		recorded := func(row reconcile.EvidenceRow) bool { return row.Key.Order == o.id }
		if t.evidence && slices.ContainsFunc(w.recorded, recorded) {
			bucket = reconcile.BucketAlreadySent
		}
	}
	return bucket, amount
}

func bucketOf(v reconcile.Verdict, h *history, p *process) reconcile.Bucket {
	switch v {
	case reconcile.Sent:
		return reconcile.BucketSent
	case reconcile.Rejected:
		return reconcile.BucketRefused
	case reconcile.Retryable, reconcile.Unsent:
		return reconcile.BucketLeft
	}
	return reconcile.BucketInDoubt
}
