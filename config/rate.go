package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Rate is a number of events per second, greater than zero.
type Rate struct {
	PerSecond float64
	text      string
}

var (
	rateText    = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,6})?)/(s|min|h)$`)
	percentText = regexp.MustCompile(`^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$`)
)

// UnmarshalText takes 10/s, 600/min or 1000/h.
func (r *Rate) UnmarshalText(text []byte) error {
	m := rateText.FindStringSubmatch(string(text))
	if m == nil {
		return errors.New("no rate; write one such as 10/s, 600/min or 1000/h")
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n == 0 {
		return errors.New("no rate above zero; mode: off stops a target")
	}
	seconds := map[string]float64{"s": 1, "min": 60, "h": 3600}[m[2]]
	*r = Rate{PerSecond: n / seconds, text: string(text)}
	return nil
}

// String is the rate as it was written.
func (r Rate) String() string { return r.text }

// PerDay is a number of events a day, 0 for no limit.
type PerDay int

// UnmarshalText takes "30/day", or "none".
func (p *PerDay) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*p = 0
		return nil
	}
	number, ok := strings.CutSuffix(string(text), "/day")
	n, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil || n == 0 {
		return errors.New("no number a day; write one such as 30/day, or none")
	}
	*p = PerDay(n)
	return nil
}

// Percent is a share in percent: 50% is Percent(50). It is for comparing counts, never for money.
type Percent float64

// UnmarshalText takes 50%, from 0% to 100%.
func (p *Percent) UnmarshalText(text []byte) error {
	m := percentText.FindStringSubmatch(string(text))
	if m == nil {
		return errors.New("no share; write one such as 50%")
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n > 100 {
		return errors.New("no share between 0% and 100%")
	}
	*p = Percent(n)
	return nil
}

// Fraction is the share as a number from 0 to 1.
func (p Percent) Fraction() float64 { return float64(p) / 100 }

// String is the form that UnmarshalText takes.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }
