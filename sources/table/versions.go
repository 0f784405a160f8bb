package table

import (
	"fmt"
	"time"

	"makegood/reconcile"
)

// version is an order as one file has it.
type version struct {
	reconcile.Head
	rows, file int
	read       *partial
}

// choose picks the version that counts: the only one, the newest, or any of
// several that say the same. Otherwise the order is bad.
func choose(all []version) version {
	if len(all) == 1 {
		return all[0]
	}
	var newest time.Time
	for _, v := range all {
		if v.UpdatedAt.After(newest) {
			newest = v.UpdatedAt
		}
	}
	best := -1
	for i, v := range all {
		if !v.UpdatedAt.IsZero() && v.UpdatedAt.Before(newest) {
			continue
		}
		if best >= 0 && !agree(all[best], v) {
			return dispute(all[best], v)
		}
		if best < 0 || !v.UpdatedAt.Before(all[best].UpdatedAt) {
			best = i
		}
	}
	return all[best]
}

// agree reports whether two versions say the same: what was bought, and
// whether it counts.
func agree(a, b version) bool {
	return a.Digest == b.Digest && a.Digest != (reconcile.Digest{}) && a.LeftOut == b.LeftOut &&
		reconcile.ChainDigest(a.Head) == reconcile.ChainDigest(b.Head)
}

func dispute(a, b version) version {
	text := fmt.Sprintf("%s and %s have different versions of this order, and none is known to be newer; "+
		"map updated_at, or say files: parts where orders are cut across files", a.Origin, b.Origin)
	at := reconcile.RowProblem{File: b.Origin.File, Sheet: b.Origin.Sheet, Reason: reconcile.ReasonVersions, Text: text}
	if len(b.Origin.Rows) > 0 {
		at.Row = b.Origin.Rows[0].First
	}
	b.Bad = append(append(b.Bad, a.Bad...), at)
	return b
}
