package metrics

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"makegood/reconcile"
	"makegood/reports"
)

// numbers are all numbers.
type numbers struct {
	about map[string]*prometheus.Desc
	all   []prometheus.Metric
}

// Describe implements prometheus.Collector.
func (n *numbers) Describe(to chan<- *prometheus.Desc) {
	for _, about := range n.about {
		to <- about
	}
}

// Collect implements prometheus.Collector.
func (n *numbers) Collect(to chan<- prometheus.Metric) {
	for _, m := range n.all {
		to <- m
	}
}

func (n *numbers) add(name string, value float64, labels ...string) {
	n.all = append(n.all, prometheus.MustNewConstMetric(n.about[name], prometheus.GaugeValue, value, labels...))
}

// at adds a moment, unless there is none.
func (n *numbers) at(name string, t time.Time, labels ...string) {
	if !t.IsZero() {
		n.add(name, float64(t.UnixMilli())/1000, labels...)
	}
}

func (n *numbers) source(s reports.Source) {
	n.add(sourceRows, float64(s.Rows), s.Source)
	leftOut, silent := 0, 0
	for _, l := range s.LeftOut {
		leftOut += l.Orders
	}
	for _, store := range s.Stores {
		if store.Silent {
			silent++
		}
	}
	for outcome, count := range map[string]int{"in_period": s.Orders, "outside_period": s.OutsideWindow, "left_out": leftOut, "bad": s.Bad, "merged": s.Merged} {
		n.add(sourceOrders, float64(count), s.Source, outcome)
	}
	n.at(sourceNewest, s.Newest, s.Source)
	n.add(sourceSilent, float64(silent), s.Source)
}

// target adds what one run says of a destination, or several, each of its part.
func (n *numbers) target(parts ...part) {
	name, eligible, missing := parts[0].Target.Target, reports.Count{}, reports.Count{}
	buckets := map[reconcile.Bucket]reports.Count{}
	var oldest, expiresFirst time.Time
	expires := 0
	for _, p := range parts {
		b := p.Balance
		for bucket, count := range map[reconcile.Bucket]reports.Count{
			reconcile.BucketSent: b.Sent, reconcile.BucketAlreadySent: b.AlreadySent, reconcile.BucketHeldBack: b.HeldBack,
			reconcile.BucketRefused: b.Refused, reconcile.BucketInDoubt: b.InDoubt, reconcile.BucketLeft: b.Left,
		} {
			buckets[bucket] = plus(buckets[bucket], count)
		}
		eligible, missing = plus(eligible, b.Eligible), plus(missing, p.missing)
		if pending(p.Target) {
			oldest = earliest(oldest, coveredTo(p.Target))
		}
		if p.Expiring != nil {
			expires += p.Expiring.Events
			expiresFirst = earliest(expiresFirst, p.Expiring.First)
		}
	}
	for bucket, count := range buckets {
		n.add(events, float64(count.Events), name, string(bucket))
		n.add(orders, float64(count.Orders), name, string(bucket))
		for currency := range eligible.Money {
			n.add(money, amount(count.Money[currency]), name, string(bucket), currency)
		}
	}
	n.add(missingOrders, float64(missing.Orders), name)
	for currency := range eligible.Money {
		n.add(missingMoney, amount(missing.Money[currency]), name, currency)
	}
	n.at(oldestUnsent, oldest, name)
	n.at(expiringFirst, expiresFirst, name)
	n.add(expiring, float64(expires), name)
}

// earliest is the earlier of two times, of which a zero one counts nothing.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// plus adds counts up, money exactly.
func plus(a, b reports.Count) reports.Count {
	sum := reports.Count{Orders: a.Orders + b.Orders, Events: a.Events + b.Events, Money: maps.Clone(a.Money)}
	if sum.Money == nil {
		sum.Money = map[string]string{}
	}
	for currency, text := range b.Money {
		sum.Money[currency] = added(sum.Money[currency], text)
	}
	return sum
}

// added adds two amounts; what is no amount counts nothing, as in all numbers.
func added(a, b string) string {
	x, failed := reconcile.ParseDecimal(a)
	y, err := reconcile.ParseDecimal(b)
	switch {
	case failed != nil:
		return b
	case err != nil:
		return a
	}
	total, err := reconcile.Add(x, y)
	if err != nil {
		return a
	}
	return total.Trim(0).String()
}

// waiting are reasons for being left that time or a person ends, and no run.
var waiting = []string{string(reconcile.ReasonShadow), string(reconcile.ReasonTrial), string(reconcile.ReasonShadowPeriod), string(reconcile.ReasonTooYoung), string(reconcile.ReasonPaymentPending), string(reconcile.ReasonNeedsApproval)}

// pending reports whether the next run is to send some of what is left.
func pending(t reports.Target) bool {
	return slices.ContainsFunc(t.Reasons, func(r reports.Reason) bool {
		return r.Bucket == reconcile.BucketLeft && r.Events > 0 && !slices.Contains(waiting, r.Reason)
	})
}

// coveredTo is up to when nothing is left to do: when the oldest order was
// completed that is left.
func coveredTo(t reports.Target) time.Time {
	var first time.Time
	for _, at := range t.CoveredTo {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// amount is what Prometheus can hold of money. Nothing is reckoned with it: it
// goes into charts and alerts.
func amount(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return value
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
