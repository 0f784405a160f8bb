package ledger

import "testing"

// RunKey is the number of the advisory lock of a run.
func RunKey(t testing.TB, place, run string) int64 {
	t.Helper()
	p, err := newPostgres(place)
	if err != nil {
		t.Fatal(err)
	}
	return p.key("run " + run)
}
