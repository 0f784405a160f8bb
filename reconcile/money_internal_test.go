package reconcile

import (
	"testing"

	"pgregory.net/rapid"
)

// TestParseShort: the short way reads what the long way reads, to the digit
// and the scale.
func TestParseShort(t *testing.T) {
	check := func(text string) {
		short, ok := parseShort(text)
		long, err := parseLong(text)
		if ok && (err != nil || short != long) {
			t.Errorf("%q is %v in short and %v (%v) in long", text, short, long, err)
		}
	}
	for _, text := range []string{"", "-", ".", "-.", "0", "-0", "0.00", "-0.0", "00012.500", "1.", ".5", "-.50", "--1", "+1", "1-", "1.2.3",
		"999999999999999999", "0.00000000000000001", "100.000", "1e3", " 1", "12,5"} {
		check(text)
	}
	if d, ok := parseShort("-12.50"); !ok || d.String() != "-12.5" {
		t.Errorf("-12.50 is %v", d)
	}
	rapid.Check(t, func(t *rapid.T) { check(rapid.StringMatching(`-?[0-9]{0,12}\.?[0-9]{0,8}`).Draw(t, "number")) })
}
