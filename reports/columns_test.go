package reports

import (
	"slices"
	"testing"

	"makegood/reconcile"
)

// days is a timeline by day, from 14 November on.
func days(before, now, gap []int) *Timeline {
	return &Timeline{Unit: UnitDay, From: at("2026-11-13T23:00:00Z"), Events: map[reconcile.Bucket][]int{
		reconcile.BucketAlreadySent: before, reconcile.BucketSent: now, reconcile.BucketLeft: gap}}
}

func TestOutages(t *testing.T) {
	for _, c := range []struct {
		name string
		line *Timeline
		want []string
	}{
		{"none", days([]int{90, 90, 90}, []int{3, 2, 1}, []int{0, 0, 0}), nil},
		{"a day", days([]int{90, 10, 90}, []int{3, 80, 1}, []int{0, 0, 0}), []string{"On 15 Nov 2026 the platform lacked 80 of 90 messages, which it has now"}},
		{"two days with a night", days([]int{90, 0, 3, 0, 90}, []int{0, 40, 0, 60, 0}, []int{0, 10, 1, 0, 0}),
			[]string{"From 15 Nov 2026 to 17 Nov 2026 the platform lacked 111 of 114 messages; it has 100 of them now"}},
		{"all", days(nil, nil, []int{7, 8}), []string{"From 14 Nov 2026 to 15 Nov 2026 the platform lacked all 15 messages, and still does"}},
		{"few", days([]int{0, 90}, []int{4, 0}, nil), nil},
		{"one after the other", days([]int{1, 90, 1}, []int{30, 1, 40}, nil), []string{
			"On 14 Nov 2026 the platform lacked 30 of 31 messages, which it has now", "On 16 Nov 2026 the platform lacked 40 of 41 messages, which it has now"}},
	} {
		r := Report{zone: amsterdam(t), Targets: []Target{{Timeline: c.line}}}
		if got := r.outageWords(r.Targets[0]); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestColumnsLoseNothing: joining units keeps every message and all money.
func TestColumnsLoseNothing(t *testing.T) {
	line := &Timeline{Unit: UnitDay, From: at("2025-01-01T00:00:00Z"), Events: map[reconcile.Bucket][]int{}, Money: map[string]map[reconcile.Bucket][]string{"EUR": {}}}
	for i := range 700 {
		line.Events[reconcile.BucketSent] = append(line.Events[reconcile.BucketSent], i)
		line.Money["EUR"][reconcile.BucketSent] = append(line.Money["EUR"][reconcile.BucketSent], "0.10")
	}
	r := Report{Targets: []Target{{Timeline: line}}}
	list := r.columns(line)
	sum, money := 0, dec("0")
	for i, c := range list {
		sum += c.found()
		money, _ = money.Add(c.Money["EUR"][partNow])
		if i > 0 && !c.From.Equal(list[i-1].To) {
			t.Errorf("a hole before %v", c.From)
		}
	}
	if len(list) > maxColumns || sum != 700*699/2 || canonical(money) != "70" {
		t.Errorf("%d columns with %d messages and %s", len(list), sum, money)
	}
	if got := r.stretch(line, list); got != "4 days" {
		t.Errorf("a column stands for %s", got)
	}
	if r.columns(days([]int{1}, nil, nil)) != nil {
		t.Error("a chart of one day")
	}
}

func TestAxis(t *testing.T) {
	for highest, want := range map[float64]float64{0: 2, 1: 2, 3: 4, 5: 6, 7: 10, 11: 20, 60: 60, 61: 100, 1234: 2000} {
		if got := roundTop(highest); got != want {
			t.Errorf("an axis to %v ends at %v, want %v", highest, got, want)
		}
	}
	for value, want := range map[float64]string{0: "0", 1500: "1500", 15000: "15k", 1.5e6: "1.5M", 2e9: "2G"} {
		if got := tickText(value); got != want {
			t.Errorf("%v is written %s, want %s", value, got, want)
		}
	}
}
