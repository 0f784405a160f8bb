package sinks

import (
	"testing"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

func TestWhatASinkWearsCanBeAsked(t *testing.T) {
	platform := &reconciletest.Asked{Sink: &reconciletest.Sink{}}
	adding, err := Adding("21")
	if err != nil {
		t.Fatal(err)
	}
	dress := func(s reconcile.Sink) reconcile.Sink {
		s = Still(VAT(s, map[string]Conversion{"shop": adding}), func(reconcile.Event) reconcile.Reason { return "" })
		return NewFuse(Retry(Limit(s, NewPace(1, 0)), RetryOptions{}), FuseOptions{})
	}
	if c, ok := reconcile.ConfirmerOf(dress(platform)); !ok || c != reconcile.Confirmer(platform) {
		t.Errorf("asked is %v, %v", c, ok)
	}
	if c, ok := reconcile.ConfirmerOf(dress(platform.Sink)); ok {
		t.Errorf("%v can be asked", c)
	}
}
