package table

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"makegood/config"
)

func TestTimes(t *testing.T) {
	serial := func(days float64) (time.Time, error) {
		if days < 0 {
			return time.Time{}, errors.New("negative")
		}
		return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(days*86400+0.5) * time.Second), nil
	}
	for _, test := range []struct {
		text, format, precision string
		serial                  func(float64) (time.Time, error)
		want                    string // RFC 3339 in UTC, with "day" or "twice"
		err                     error
	}{
		{text: "2026-01-02 03:04:05", want: "2026-01-02T02:04:05Z"},
		{text: "2026-07-02 03:04", want: "2026-07-02T01:04:00Z"},
		{text: "2026-07-02T03:04:05.25", want: "2026-07-02T01:04:05.25Z"},
		{text: "2026-07-02T03:04:05Z", want: "2026-07-02T03:04:05Z"},
		{text: "2026-07-02 03:04:05 -0500", want: "2026-07-02T08:04:05Z"},
		{text: "2026-07-02 03:04:05+02", want: "2026-07-02T01:04:05Z"},
		{text: "2026-07-02 03:04:05 UTC", want: "2026-07-02T03:04:05Z"},
		{text: "2026-07-02T03:04:05+02:00", precision: "day", want: "2026-07-02T01:04:05Z"},
		{text: "2026-07-02", err: errNoTime},
		{text: "2026-07-02", precision: "day", want: "2026-07-01T22:00:00Z day"},
		{text: "2026-07-02 00:00:00", precision: "day", want: "2026-07-01T22:00:00Z day"},
		{text: "2026-10-25 02:30:00", want: "2026-10-25T00:30:00Z twice"},
		{text: "2026-10-25 03:30:00", want: "2026-10-25T02:30:00Z"},
		{text: "2026-03-29 02:30:00", err: errSkipped},
		{text: "2026-02-30 02:30:00", err: errNoDate},
		{text: "3/7/26 8:05", err: errNoDate},
		{text: "3/7/26 8:05", format: "M/d/yy H:mm", want: "2026-03-07T07:05:00Z"},
		{text: "07.03.2026 08:05", format: "dd.MM.yyyy HH:mm", want: "2026-03-07T07:05:00Z"},
		{text: "07.03.2026 08:05:09", format: "dd.MM.yyyy HH:mm", want: "2026-03-07T07:05:09Z"},
		{text: "3/7/26 8:05 PM", format: "M/d/yy h:mm:ss a", want: "2026-03-07T19:05:00Z"},
		{text: "07.03.2026", format: "dd.MM.yyyy", precision: "day", want: "2026-03-06T23:00:00Z day"},
		{text: "07.03.2026", format: "dd.MM.yyyy", err: errNoTime},
		{text: "2026-03-07 08:05", format: "dd.MM.yyyy HH:mm", err: errFormat},
		{text: "46023.5", serial: serial, want: "2026-01-01T11:00:00Z"},
		{text: "-1", serial: serial, err: errNoSerial},
		{text: "46023.5", err: errNoDate},
		{text: "0.35", serial: serial, err: errNobodys},
		{text: "0001-01-01 00:00:00", err: errNobodys},
		{text: "1900-01-01 00:00", err: errNobodys},
		{text: "1970-01-01T00:00:00Z", err: errNobodys},
		{text: "9999-12-31 23:59:59 -0500", err: errNobodys},
	} {
		c, err := newClock(&config.Table{DateFormat: test.format, Zone: amsterdam(t)}, test.precision, test.serial)
		if err != nil {
			t.Fatal(err)
		}
		m := c.read(test.text)
		got := m.at.Format(time.RFC3339Nano)
		if m.dayOnly {
			got += " day"
		}
		if m.ambiguous {
			got += " twice"
		}
		if !errors.Is(m.err, test.err) || test.err == nil && (m.err != nil || got != test.want) {
			t.Errorf("%q in form %q is %s (%v), want %s (%v)", test.text, test.format, got, m.err, test.want, test.err)
		}
	}
}

// TestMomentsAreBounded reads more different times than are remembered.
func TestMomentsAreBounded(t *testing.T) {
	c, err := newClock(&config.Table{}, "time", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxMoments {
		c.read("2026-01-01 " + strconv.Itoa(i))
	}
	if len(c.seen) > maxMoments {
		t.Errorf("%d times are remembered", len(c.seen))
	}
}
