package reconcile

import (
	"context"
	"iter"
	"time"
)

// Side says which part of the shop an evidence source speaks of.
type Side string

// The sides.
const (
	SideBackend  Side = "backend"
	SideFrontEnd Side = "front_end"
)

// EvidenceRow says that an order's purchase was sent by somebody else. At is
// UTC, zero when the source does not map it.
type EvidenceRow struct {
	Key OrderKey
	At  time.Time
}

// EvidenceReader reads what somebody else recorded as sent. Its rows are never
// read as orders.
type EvidenceReader interface {
	Name() string
	// Read yields the rows whose time lies in w, and those without a time. A
	// yielded error ends the sequence: the evidence cannot be used at all.
	Read(ctx context.Context, w Window) iter.Seq2[EvidenceRow, error]
}

// Evidence is an evidence source with what the configuration says of it.
type Evidence struct {
	EvidenceReader
	Side        Side
	Trust       By            // BySentHere is never one of them
	CoversFrom  time.Time     // orders completed earlier are not spoken of
	FreshWithin time.Duration // 0: freshness is not checked
	ExpectShare float64       // of the median of equal weekdays, 0..1; 0: not checked
}
