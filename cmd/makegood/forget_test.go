package main

import (
	"strings"
	"testing"
	"testing/iotest"
)

// TestHolds: a trace is found wherever it lies, across the pieces that are
// read, and however small they are.
func TestHolds(t *testing.T) {
	traces := [][]byte{[]byte("ann@example.com"), []byte(`/1002"`)}
	for _, before := range []int{0, 1, 65530, 65536, 65545, 131080, 200000} {
		text := strings.Repeat("x", before) + "Ann@Example.com" + strings.Repeat("y", 70000)
		if found, err := holds(strings.NewReader(text), traces); !found || err != nil {
			t.Errorf("behind %d bytes: found %v, %v", before, found, err)
		}
	}
	small := iotest.OneByteReader(strings.NewReader(`{"id":"purchase/main/1002"}`))
	if found, err := holds(small, traces); !found || err != nil {
		t.Errorf("byte by byte: found %v, %v", found, err)
	}
	for _, other := range []string{"", "anne@example.com", `"purchase/main/91002"`, `"purchase/main/10021"`} {
		if found, err := holds(strings.NewReader(other), traces); found || err != nil {
			t.Errorf("in %q: found %v, %v", other, found, err)
		}
	}
}
