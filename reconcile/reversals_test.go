package reconcile

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func noteAt(order string, minute int, goods byte) creditNote {
	return creditNote{goods: uint64(goods), order: order, at: time.Unix(int64(minute)*60, 0)}
}

func offerAt(order string, minute int, goods byte) offer {
	return offer{goods: uint64(goods), order: order, at: int64(minute) * 60}
}

func TestMatch(t *testing.T) {
	for name, c := range map[string]struct {
		notes  []creditNote
		offers []offer
		want   string // order of the offer: number of the note
	}{
		"nearest earlier":     {[]creditNote{noteAt("c", 9, 1)}, []offer{offerAt("far", 1, 1), offerAt("near", 8, 1)}, "map[near:c]"},
		"not a later one":     {[]creditNote{noteAt("c", 9, 1)}, []offer{offerAt("later", 10, 1)}, "map[]"},
		"in the same minute":  {[]creditNote{noteAt("c", 9, 1)}, []offer{offerAt("same", 9, 1)}, "map[same:c]"},
		"other goods":         {[]creditNote{noteAt("c", 9, 1)}, []offer{offerAt("o", 8, 2)}, "map[]"},
		"one to one":          {[]creditNote{noteAt("c", 9, 1), noteAt("d", 10, 1)}, []offer{offerAt("o", 8, 1)}, "map[o:c]"},
		"the earlier chooses": {[]creditNote{noteAt("d", 10, 1), noteAt("c", 9, 1)}, []offer{offerAt("a", 1, 1), offerAt("b", 8, 1)}, "map[a:d b:c]"},
	} {
		got := map[string]string{}
		for o, n := range match(c.notes, c.offers) {
			got[c.offers[o].order] = c.notes[n].order
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// TestMatchHolds: whatever the notes and orders and their sequence, no note
// undoes two orders, none an order of other goods or a later one, and no note
// is left beside an order that it could have undone.
func TestMatchHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var notes []creditNote
		var offers []offer
		for i := range rapid.IntRange(0, 12).Draw(t, "notes") {
			notes = append(notes, noteAt(fmt.Sprint("c", i), rapid.IntRange(0, 9).Draw(t, "at"), byte(rapid.IntRange(0, 2).Draw(t, "goods"))))
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "orders") {
			offers = append(offers, offerAt(fmt.Sprint("o", i), rapid.IntRange(0, 9).Draw(t, "at"), byte(rapid.IntRange(0, 2).Draw(t, "goods"))))
		}
		taken := match(notes, offers)
		used := map[int]bool{}
		for o, n := range taken {
			if used[n] || notes[n].goods != offers[o].goods || offers[o].at > notes[n].at.Unix() {
				t.Fatalf("%v undoes %v", notes[n], offers[o])
			}
			used[n] = true
		}
		for n := range notes {
			for o := range offers {
				if _, gone := taken[o]; !gone && !used[n] && notes[n].goods == offers[o].goods && offers[o].at <= notes[n].at.Unix() {
					t.Fatalf("%v is left beside %v", notes[n], offers[o])
				}
			}
		}
		shuffled := rapid.Permutation(notes).Draw(t, "shuffled")
		for o, n := range match(shuffled, offers) {
			if first, was := taken[o]; !was || notes[first].order != shuffled[n].order {
				t.Fatalf("another sequence of notes gives another answer")
			}
		}
	})
}
