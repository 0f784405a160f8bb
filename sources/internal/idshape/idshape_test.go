package idshape

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// schemes are ways in which shops number their orders: the number of the n-th
// order, with a source of chance that is the same in every run.
var schemes = map[string]func(n int, r *rand.Rand) string{
	"counted":             func(n int, _ *rand.Rand) string { return strconv.Itoa(n + 1) },
	"counted from 536365": func(n int, _ *rand.Rand) string { return strconv.Itoa(536365 + n) },
	"padded to 9":         func(n int, _ *rand.Rand) string { return fmt.Sprintf("%09d", n) },
	"padded, outgrown":    func(n int, _ *rand.Rand) string { return fmt.Sprintf("%04d", n) },
	"prefix":              func(n int, _ *rand.Rand) string { return fmt.Sprintf("W%d", 100000+n) },
	"prefix and hyphen":   func(n int, _ *rand.Rand) string { return fmt.Sprintf("SO-%06d", n) },
	"store MAR":           func(n int, _ *rand.Rand) string { return fmt.Sprintf("MAR-%d", n) },
	"letter sometimes":    func(n int, r *rand.Rand) string { return []string{"", "C", "A"}[r.IntN(3)] + strconv.Itoa(536365+n) },
	"year and number":     func(n int, _ *rand.Rand) string { return fmt.Sprintf("%d-%05d", 2020+n%6, n) },
	"year, month, number": func(n int, _ *rand.Rand) string { return fmt.Sprintf("2026-%02d-%d", n%12+1, n/12) },
	"store-number-year":   func(n int, _ *rand.Rand) string { return fmt.Sprintf("%d-%d-2026", n%30+1, n/30) },
	"day and number":      func(n int, _ *rand.Rand) string { return fmt.Sprintf("202611%02d-%04d", n%30+1, n/30) },
	"with a slash":        func(n int, _ *rand.Rand) string { return fmt.Sprintf("%d/%d", n/100, n%100) },
	"with a point":        func(n int, _ *rand.Rand) string { return fmt.Sprintf("%d.%03d", 1+n/1000, n%1000+1) },
	"suffix":              func(n int, r *rand.Rand) string { return fmt.Sprintf("%d-%d", 10000+n, r.IntN(3)+1) },
	"# and number":        func(n int, _ *rand.Rand) string { return fmt.Sprintf("#%d", 1001+n) },
	"UUID": func(_ int, r *rand.Rand) string {
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16)
	},
	"hexadecimal":      func(_ int, r *rand.Rand) string { return fmt.Sprintf("%08x", r.Uint32()) },
	"hexadecimal, 24":  func(n int, r *rand.Rand) string { return fmt.Sprintf("%08x%016x", 0x65000000+n, r.Uint64()) },
	"base 36":          func(_ int, r *rand.Rand) string { return strings.ToUpper(strconv.FormatUint(r.Uint64()>>20, 36)) },
	"nine random":      func(_ int, r *rand.Rand) string { return strconv.Itoa(100_000_000 + r.IntN(900_000_000)) },
	"13, milliseconds": func(n int, r *rand.Rand) string { return strconv.Itoa(1_763_700_000_000 + n*1000 + r.IntN(1000)) },
	"16 random":        func(_ int, r *rand.Rand) string { return strconv.FormatInt(1e15+r.Int64N(9e15), 10) },
	"17 random":        func(_ int, r *rand.Rand) string { return strconv.FormatInt(1e16+r.Int64N(9e16), 10) },
	"18, snowflakes":   func(n int, r *rand.Rand) string { return strconv.FormatInt(int64(n)<<22*50+r.Int64N(1<<22)+1e17, 10) },
	"19 random":        func(_ int, r *rand.Rand) string { return strconv.FormatInt(1e18+r.Int64N(8e18), 10) },
	"19, nanoseconds": func(n int, _ *rand.Rand) string {
		return strconv.FormatInt(1_763_700_000_000_000_000+int64(n)*1_000_000, 10)
	},
	"20, padded":          func(_ int, r *rand.Rand) string { return fmt.Sprintf("%020d", r.Uint64()>>1) },
	"two numberings":      func(n int, r *rand.Rand) string { return []string{"100", "7"}[r.IntN(2)] + fmt.Sprintf("%06d", n) },
	"till and ticket":     func(n int, r *rand.Rand) string { return fmt.Sprintf("%02d-%03d-%d", r.IntN(99), r.IntN(20), n) },
	"baskets of a grocer": func(_ int, r *rand.Rand) string { return strconv.Itoa(31198000000 + r.IntN(1_400_000_000)) },
}

func TestCleanIDs(t *testing.T) {
	ids := 100_000
	if testing.Short() {
		ids = 5000
	}
	for name, scheme := range schemes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 2, 3, 10, 40, 1000, ids} {
				r := rand.New(rand.NewPCG(7, uint64(n)))
				all := make([]string, n)
				var l Learner
				for i := range all {
					all[i] = scheme(i, r)
					l.Add(all[i])
				}
				s := l.Shape()
				for _, id := range all {
					if what, _ := s.Damage(id); what != "" {
						t.Fatalf("of %d ids %q is said to be damaged: it %s", n, id, what)
					}
				}
			}
		})
	}
}

// TestDamagedIDs mixes damaged ids of one kind with intact ones.
func TestDamagedIDs(t *testing.T) {
	day := func(n int) string {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n%365).Format("2-Jan")
	}
	for name, c := range map[string]struct {
		clean, damaged func(n int) string
		proposal       func(n int) string
	}{
		"zeros": {func(n int) string { return fmt.Sprintf("%08d", 4_000_000+n) }, func(n int) string { return strconv.Itoa(4_500_000 + n) },
			func(n int) string { return fmt.Sprintf("%08d", 4_500_000+n) }},
		"rounded": {func(n int) string { return strconv.Itoa(1_914_312_345_678_901_234 + n*7_654_320_000) },
			func(n int) string { return strconv.Itoa((191_431_234_567_891 + n*37) * 10_000) }, nil},
		"day":      {func(n int) string { return fmt.Sprintf("%d-%d", 40+n/9, n%9+1) }, day, nil},
		"ISO date": {func(n int) string { return fmt.Sprintf("%d-%d", 40+n/9, n%9+1) }, func(n int) string { return fmt.Sprintf("2026-%02d-%02d", n%12+1, n%28+1) }, nil},
		"groups": {func(n int) string { return strconv.Itoa(536365 + n) }, func(n int) string { return fmt.Sprintf("537,%03d", n) },
			func(n int) string { return fmt.Sprintf("537%03d", n) }},
	} {
		t.Run(name, func(t *testing.T) {
			var l Learner
			for n := range 1000 {
				l.Add(c.clean(n))
			}
			for n := range 200 {
				l.Add(c.damaged(n))
			}
			s := l.Shape()
			for n := range 200 {
				what, proposal := s.Damage(c.damaged(n))
				if what == "" || c.proposal != nil && proposal != c.proposal(n) || c.proposal == nil && proposal != "" {
					t.Fatalf("%s: %q, proposed %q", c.damaged(n), what, proposal)
				}
			}
			for n := range 1000 {
				if what, _ := s.Damage(c.clean(n)); what != "" {
					t.Fatalf("%s, which is intact, %s", c.clean(n), what)
				}
			}
		})
	}
}

func TestShapeInWords(t *testing.T) {
	for want, ids := range map[string][]string{
		"":                             nil,
		"6 digits":                     {"536365", "536366"},
		"4 to 6 digits":                {"1001", "536366"},
		"letters digits":               {"W100", "W7"},
		"letters - digits":             {"SO-1", "SO-100"},
		"8 digits, with leading zeros": {"00000001", "00000002", "00000003"},
		"mostly 6 digits":              {"536365", "536366", "C536367"},
		"letters, digits and signs":    {"a-1-b-2-c-3-d-4"},
	} {
		var l Learner
		for _, id := range ids {
			l.Add(id)
		}
		if got := l.Shape().String(); got != want {
			t.Errorf("%q is %q, want %q", ids, got, want)
		}
	}
}

// FuzzDamage: nothing breaks, and what is proposed is another text that a
// spreadsheet shows as the id.
func FuzzDamage(f *testing.F) {
	f.Add("00123", "123", "3-Jan")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var l Learner
		for _, id := range []string{a, a, a, b, c} {
			l.Add(id)
		}
		s := l.Shape()
		_ = s.String()
		if what, proposal := s.Damage(c); proposal != "" && (what == "" || !reconcile.ShownAs(proposal, c)) {
			t.Errorf("%q is proposed for %q", proposal, c)
		}
	})
}
