package reconcile

import (
	"testing"
	"time"
)

func TestLastTryIsTheLatestThatItCanHaveBeen(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	tried := []MadeAttempt{{Attempt: Attempt{At: noon}}, {Attempt: Attempt{At: noon.Add(-time.Hour)}}}
	for name, c := range map[string]struct {
		entry Entry
		made  []MadeAttempt
		beat  time.Time
		want  time.Time
	}{
		"the last attempt":             {Entry{At: noon.Add(time.Hour)}, tried, noon.Add(2 * time.Hour), noon},
		"as long as a dead run lived":  {Entry{At: noon.Add(time.Hour), Lost: true}, tried, noon.Add(2 * time.Hour), noon.Add(2 * time.Hour)},
		"the claim of a dead run":      {Entry{At: noon.Add(time.Hour), Lost: true}, tried, time.Time{}, noon.Add(time.Hour)},
		"when it was written, at last": {Entry{At: noon.Add(time.Hour)}, nil, time.Time{}, noon.Add(time.Hour)},
	} {
		if got := lastTry(c.entry, c.made, c.beat); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
