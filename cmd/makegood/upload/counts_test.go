package upload

import (
	"strings"
	"testing"
)

// TestTyped: a day and a number are found however a line was typed or copied, and
// what is no line of both is left to be named with its row.
func TestTyped(t *testing.T) {
	for typed, want := range map[string]string{
		"2026-11-20 412":                              "2026-11-20,412",
		"day\tcount\r\n2026-11-20\t1,412\r\n":         "2026-11-20,\"1,412\"",
		"Date;Orders\n20-11-2026;1.412\n21-11-2026;3": "20-11-2026,1.412\n21-11-2026,3",
		"\n 2026-11-20,  7 \n":                        "2026-11-20,7",
		"2026-11-20\n\n2026-11-21 3":                  "2026-11-20,\n,\n2026-11-21,3",
		"20 Nov 2026; 5":                              "20 Nov 2026,5",
	} {
		if got, err := tableOf(typed); err != nil || got != "day,count\n"+want+"\n" {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", " \n ", "day count", strings.Repeat("2026-11-20 1\n", maxTyped+1)} {
		if got, err := tableOf(typed); err == nil {
			t.Errorf("%.40q is taken as %.40q", typed, got)
		}
	}
}
