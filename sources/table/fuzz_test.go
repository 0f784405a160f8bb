package table

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

var canonical = regexp.MustCompile(`^(0|-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?)$`)

// digitsOf are the digits of a number without the zeros around them.
func digitsOf(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text), "0")
}

// FuzzAmount: a number that is read has the digits that stand there, in their
// order, and the sign; it reads as itself again; and where nothing has shown
// the decimal sign it is read only if the other sign would not read it
// otherwise.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{"1.299", "1,299.00", "€ 1.299,00", "(1)", "12.50-", "−5", "12,-", "1'299.00", "1 299,00 kr", "USD1,000", "0,125", "4.4E-16"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, comma bool) {
		n := numbers{point: '.'}
		if comma {
			n.point = ','
		}
		text = clean(text)
		d, err := n.parse(text)
		if err != nil {
			if !isAnyOf(err, errNoNumber, errExponent, errOtherSign, errGrouping, reconcile.ErrTooManyDigits) {
				t.Fatalf("%q gave %v", text, err)
			}
			return
		}
		checkAmount(t, n, text, d)
		strict := numbers{point: '.', strict: true}
		if sure, err := strict.parse(text); err == nil && sure.Cmp(d) != 0 {
			t.Errorf("%q is %s, and %s while nobody knows the decimal sign", text, d, sure)
		}
		if sign, vague := signOf(text); !vague && sign != 0 && sign != n.point {
			if other, err := (numbers{point: sign}).parse(text); err == nil && other.Cmp(d) != 0 {
				t.Errorf("%q is %s, though its decimal sign %q makes it %s", text, d, sign, other)
			}
		}
	})
}

func checkAmount(t *testing.T, n numbers, text string, d reconcile.Decimal) {
	t.Helper()
	if s := d.String(); !canonical.MatchString(s) || digitsOf(s) != digitsOf(text) {
		t.Errorf("%q is %s", text, s)
	}
	if again, err := n.parse(n.format(d)); err != nil || again.Cmp(d) != 0 {
		t.Errorf("%q is %s, which is read as %s (%v)", text, d, again, err)
	}
	minus := strings.ContainsAny(strings.NewReplacer(",-", "", ".-", "").Replace(text), minusSigns+"(")
	if d.IsNeg() && !minus || d.IsPos() && strings.ContainsRune(text, '(') {
		t.Errorf("%q is %s", text, d)
	}
}

func isAnyOf(err error, all ...error) bool {
	for _, one := range all {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

var (
	fuzzForms = [...]string{"", "d.M.yyyy H:mm", "M/d/yy h:mm a", "yyyyMMdd", "dd-MM-yyyy HH:mm:ss"}
	fuzzZones = [...]string{"UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"}
)

// FuzzDate: a date that is read lies within bounds, can be written and read
// again as the same instant, and is what the wall clock of its zone shows; and
// the form that is found out for a date reads it.
func FuzzDate(f *testing.F) {
	for i, text := range []string{"2026-11-01 14:30", "1.11.2026 14:30", "12/31/26 2:30 PM", "20261101", "01-11-2026 14:30:59",
		"2026-03-29T02:30:00+01:00", "9999-12-31 23:59:59 -0500", "46023.5", "0001-01-01", "2011-12-30 10:00", "13/1/2010 8:26"} {
		f.Add(text, uint8(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, form, zone uint8) {
		text = clean(text)
		table := config.Table{DateFormat: fuzzForms[int(form)%len(fuzzForms)], Zone: &config.Zone{}}
		if err := table.Zone.UnmarshalText([]byte(fuzzZones[int(zone)%len(fuzzZones)])); err != nil {
			t.Fatal(err)
		}
		checkMoment(t, table, text)
		r := looked{file: "f.csv"}
		r.date(text)
		found, err := r.form()
		if table.DateFormat = found; err != nil || found == "" {
			return
		}
		if _, err := config.Layout(found); err != nil {
			t.Fatalf("%q has the form %s: %v", text, found, err)
		}
		checkMoment(t, table, text)
	})
}

func checkMoment(t *testing.T, table config.Table, text string) {
	t.Helper()
	c, err := newClock(&table, "day", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := c.read(text)
	if again := c.read(text); again != m {
		t.Errorf("%q is %v, and then %v", text, m, again)
	}
	if m.err != nil {
		return
	}
	if y := m.at.Year(); y < 1901 || y > 9999 {
		t.Errorf("%q is %v", text, m.at)
	}
	iso, err := newClock(&config.Table{Zone: table.Zone}, "time", nil)
	if err != nil {
		t.Fatal(err)
	}
	if again := iso.read(m.at.Format(time.RFC3339Nano)); again.err != nil || !again.at.Equal(m.at) {
		t.Errorf("%q is %v, which is read as %v (%v)", text, m.at, again.at, again.err)
	}
	wall, zoned, _, err := c.wall(text)
	shown := m.at.In(table.Zone.Location)
	if shows := shown.Format(time.DateTime) == wall.Format(time.DateTime); err != nil || !zoned && !shows && !m.dayOnly {
		t.Errorf("%q is %v, where the clocks show %v (%v)", text, m.at, shown, err)
	}
}
