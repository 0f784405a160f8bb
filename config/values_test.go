package config

import (
	"encoding"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	for _, tc := range []struct {
		into  encoding.TextUnmarshaler
		text  string
		want  string // what it prints as; empty: refused
		exact float64
	}{
		{new(Days), "7d", "7d", 0}, {new(Days), "7", "", 0}, {new(Days), "0d", "", 0}, {new(Days), "-1d", "", 0}, {new(Days), "99999d", "", 0},
		{new(Duration), "30d", "720h0m0s", 0}, {new(Duration), "15min", "15m0s", 0}, {new(Duration), "1d12h", "36h0m0s", 0},
		{new(Duration), "0s", "0s", 0}, {new(Duration), "1h30min", "1h30m0s", 0}, {new(Duration), "", "", 0}, {new(Duration), "-5m", "", 0},
		{new(Duration), "5", "", 0}, {new(Duration), "d", "", 0}, {new(Duration), "40000d", "", 0}, {new(Duration), "36500d1ns", "", 0},
		{new(Duration), "2 h", "", 0}, {new(Duration), "7 days", "", 0},
		{new(Rate), "10/s", "10/s", 10}, {new(Rate), "600/min", "600/min", 10}, {new(Rate), "1800/h", "1800/h", 0.5}, {new(Rate), "0/s", "", 0},
		{new(Rate), "10", "", 0}, {new(Rate), "1e9/s", "", 0}, {new(Rate), "-1/s", "", 0}, {new(Rate), "NaN/s", "", 0},
		{new(Percent), "50%", "50%", 0.5}, {new(Percent), "0.5%", "0.5%", 0.005}, {new(Percent), "50", "", 0}, {new(Percent), "101%", "", 0},
		{new(Span), "7d", "{7d 0s}", 0}, {new(Span), "6h", "{0d 6h0m0s}", 0}, {new(Span), "0s", "", 0}, {new(Span), "x", "", 0},
		{new(Zone), "Europe/Amsterdam", "Europe/Amsterdam", 0}, {new(Zone), "UTC", "UTC", 0}, {new(Zone), "", "", 0}, {new(Zone), "local", "", 0},
		{new(Zone), "../etc/passwd", "", 0},
		{new(Date), "2026-11-01", "2026-11-01", 0}, {new(Date), "2026-11-01 02:00", "2026-11-01 02:00:00", 0},
		{new(Date), "2026-11-01T02:00:05", "2026-11-01 02:00:05", 0}, {new(Date), "2026-11-01T02:00:00+01:00", "2026-11-01T01:00:00Z", 0},
		{new(Date), "2026-02-30", "", 0}, {new(Date), "1-11-2026", "", 0}, {new(Date), "", "", 0},
	} {
		name := fmt.Sprintf("%T %s", tc.into, tc.text)
		switch err := tc.into.UnmarshalText([]byte(tc.text)); {
		case (err == nil) != (tc.want != ""):
			t.Errorf("%s: error %v", name, err)
		case err == nil && strings.TrimPrefix(fmt.Sprint(tc.into), "&") != tc.want:
			t.Errorf("%s: got %v, want %s", name, tc.into, tc.want)
		}
		switch v := tc.into.(type) {
		case *Rate:
			if v.PerSecond != tc.exact {
				t.Errorf("%s: %v per second", name, v.PerSecond)
			}
		case *Percent:
			if v.Fraction() != tc.exact {
				t.Errorf("%s: fraction %v", name, v.Fraction())
			}
		}
	}
}

func TestDateIn(t *testing.T) {
	for _, tc := range []struct {
		zone, text, want string
		occurs           bool
	}{
		{"Europe/Amsterdam", "2026-11-01", "2026-10-31T23:00:00Z", true},
		{"Europe/Amsterdam", "2026-07-01 02:00", "2026-07-01T00:00:00Z", true},
		{"Europe/Amsterdam", "2026-10-25 02:30", "2026-10-25T00:30:00Z", true}, // twice: the first
		{"Europe/Amsterdam", "2026-03-29 02:30", "2026-03-29T01:30:00Z", false},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z", true}, // twice: the first
		{"Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", true},           // midnight is skipped
		{"Asia/Tokyo", "2026-11-01T02:00:00+01:00", "2026-11-01T01:00:00Z", true},
	} {
		var z Zone
		var d Date
		if err := z.UnmarshalText([]byte(tc.zone)); err != nil {
			t.Fatal(err)
		}
		if err := d.UnmarshalText([]byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		_, occurs := d.resolve(z.Location)
		if got := d.In(z.Location).Format(time.RFC3339); got != tc.want || occurs != tc.occurs {
			t.Errorf("%s in %s: got %s, %v", tc.text, tc.zone, got, occurs)
		}
	}
}

func TestSpanBefore(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 10, 26, 12, 0, 0, 0, amsterdam) // the day after clocks went back
	for _, tc := range []struct {
		span Span
		want string
	}{
		{Span{Days: 7}, "2026-10-19T12:00:00+02:00"},
		{Span{Exact: Duration(24 * time.Hour)}, "2026-10-25T12:00:00+01:00"},
	} {
		if got := tc.span.Before(noon).Format(time.RFC3339); got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.span, got, tc.want)
		}
	}
}

func TestLayout(t *testing.T) {
	for _, tc := range []struct{ tokens, text, want string }{
		{"yyyy-MM-dd HH:mm:ss", "2026-11-01 02:03:04", "2026-11-01T02:03:04Z"},
		{"yyyyMMddTHHmm", "20261101T0203", "2026-11-01T02:03:00Z"},
		{"d.M.yy H:m", "1.11.26 9:03", "2026-11-01T09:03:00Z"},
		{"M/d/yyyy h:mm:ss a", "11/1/2026 9:03:04 PM", "2026-11-01T21:03:04Z"},
		{"yyyy年MM月dd日", "2026年11月01日", "2026-11-01T00:00:00Z"},
		{"yyyy_MM_dd", "2026_11_01", "2026-11-01T00:00:00Z"},
		{"yyyy-mm-dd", "", "no month"},
		{"yyyy-MMM-dd", "", `"MMM" is no part of a date`},
		{"yyyy-MM-dd 12", "", `"1" is no part of a date`},
		{"yyyy-MM-dd MM", "", "MM and MM both give the month"},
		{"yyyy-MM-dd hh:mm", "", "hh and a go together"},
		{"yyyy-MM-dd HH:mm a", "", "hh and a go together"},
		{"yyyyMd", "", "after M it needs a separator, or MM"},
		{"yyyy-MM_d", "", "its separators have a meaning of their own"},
		{"", "", "no year"},
	} {
		layout, err := Layout(tc.tokens)
		if err != nil {
			if tc.text != "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%q: %v", tc.tokens, err)
			}
			continue
		}
		at, err := time.Parse(layout, tc.text)
		if err != nil || at.Format(time.RFC3339) != tc.want {
			t.Errorf("%q = %q: got %v, %v", tc.tokens, layout, at, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"trial", "live", "cart_url"}
	for word, want := range map[string]string{"trail": "trial", "liv": "live", "LIVE": "live", "carturl": "cart_url", "shadow": "", "": "",
		strings.Repeat("x", 1000): ""} {
		if got, ok := nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestPerDay(t *testing.T) {
	for text, want := range map[string]PerDay{"30/day": 30, "1/day": 1, "none": 0} {
		var got PerDay
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"30", "0/day", "-1/day", "x/day", "30/hour", ""} {
		if err := new(PerDay).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
