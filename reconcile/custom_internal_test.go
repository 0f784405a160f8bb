package reconcile

import (
	"fmt"
	"strings"
	"testing"
)

func TestSamplesOfCustomFields(t *testing.T) {
	s := newSampler()
	for i := range 500 {
		s.look(Head{Email: fmt.Sprintf("p%d@example.com", i), Fields: map[string]string{
			"custom_size": fmt.Sprint(40 + i%3), "custom_note": fmt.Sprintf("Call Jane %d", i), "firstname": "Jane", "custom_none": "",
			"custom_long": strings.Repeat("x", 100)}})
	}
	for range 10 { // one person's ten orders make nothing that people share
		s.look(Head{Email: "ann@example.com", Fields: map[string]string{"custom_name": "Ann"}})
	}
	want := []CustomField{{"custom_long", 500, strings.Repeat("x", 40) + "..."}, {"custom_name", 10, "aaa"}, {"custom_note", 500, "aaaa aaaa 9"},
		{"custom_size", 500, "40"}}
	got := s.found()
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}
