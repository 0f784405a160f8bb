package reports

import (
	"cmp"
	"slices"
	"time"

	"makegood/reconcile"
)

// silentAfter is how long before the newest order of its source a store's newest
// one was completed, when the store counts as silent: longer than a Sunday.
const silentAfter = 36 * time.Hour

// maxStores bounds how many stores a report names.
const maxStores = 100

// silent lists the silent stores of a source, the longest silence first.
func silent(s reconcile.SourceResult) []Store {
	var newest time.Time
	for _, store := range s.Stores {
		if store.Newest.After(newest) {
			newest = store.Newest
		}
	}
	var list []Store
	for name, store := range s.Stores {
		if newest.Sub(store.Newest) > silentAfter {
			list = append(list, Store{Store: Mask(name), Orders: store.Orders, Newest: seconds(store.Newest), Silent: true})
		}
	}
	slices.SortFunc(list, func(a, b Store) int { return cmp.Or(a.Newest.Compare(b.Newest), cmp.Compare(a.Store, b.Store)) })
	return list[:min(len(list), maxStores)]
}

// forgetStore is how long a store that sells nothing more is named.
const forgetStore = 60 * 24 * time.Hour

// stillSilent adds the stores that were silent in the last run and that this one
// has met no order of: their last one lies before its period.
func (s *Source) stillSilent(last Report, found reconcile.SourceResult) {
	i := slices.IndexFunc(last.Sources, func(was Source) bool { return was.Source == s.Source })
	if i < 0 || found.Err != nil || s.Newest.IsZero() {
		return
	}
	for _, store := range last.Sources[i].Stores {
		met := false
		for name := range found.Stores {
			met = met || Mask(name) == store.Store
		}
		if !met && s.Newest.Sub(store.Newest) < forgetStore && len(s.Stores) < maxStores {
			s.Stores = append(s.Stores, store)
			s.StoresOf++
		}
	}
	slices.SortFunc(s.Stores, func(a, b Store) int { return cmp.Or(a.Newest.Compare(b.Newest), cmp.Compare(a.Store, b.Store)) })
}

// missed bounds and masks what the front end missed: the last days, and the
// channels and stores with the most.
func missed(found []reconcile.MissedBy) []reconcile.MissedBy {
	var list []reconcile.MissedBy
	for _, by := range []string{"day", "channel", "store"} {
		part := slices.DeleteFunc(slices.Clone(found), func(m reconcile.MissedBy) bool { return m.By != by })
		if by == "day" {
			part = part[max(len(part)-maxStores, 0):]
		}
		for _, m := range part[:min(len(part), maxStores)] {
			m.Value = Mask(m.Value)
			list = append(list, m)
		}
	}
	return list
}

// withoutOrders bounds and masks the stores that had nothing.
func withoutOrders(found []reconcile.QuietDay) []reconcile.QuietDay {
	list := slices.Clone(found[:min(len(found), maxStores)])
	for i := range list {
		list[i].Store = Mask(list[i].Store)
	}
	return list
}
