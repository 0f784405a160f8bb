package table

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"makegood/config"
)

// Sampler is an optional interface of a File with texts, in which the decimal
// sign and the form of dates are a matter of habit.
type Sampler interface {
	Sample(ctx context.Context) (Sample, error)
}

// Typed is an optional interface of a File that knows numbers from texts. It
// is told the decimal sign that its texts show, "" where they show none, and
// gives its numbers with it; while it is "" the File marks texts that can be
// read in two ways.
type Typed interface {
	UseDecimal(sign string)
}

// Sample is the first rows of a file, fitted to its header.
type Sample struct {
	Header *Header
	Rows   [][]string
	Whole  bool // there are no others
	// Numbers are the columns in which a Typed file has numbers. Rows have ""
	// in their place: they show no habit.
	Numbers map[int]bool
}

// ErrAmbiguous is returned for a file that can be read in two ways. The error
// names both, and the setting that decides.
var ErrAmbiguous = errors.New("can be read in two ways")

// undecided is the decimal sign of files whose first numbers do not show it,
// and which have more rows than those looked at.
const undecided = "undecided"

// habits are the fields that show how a source writes numbers and dates.
type habits struct{ numbers, dates []*field }

// settled is a table's settings, with what its files show where they are empty.
type settled struct {
	config.Table
	notes         []string
	decimal, date string // the files that showed them
	iso           string // a file with ISO dates
}

// learnt is what was not set.
func (s *settled) learnt(t config.Table) (h Habits) {
	if t.Decimal == "" {
		h.Decimal = s.Decimal
	}
	if t.DateFormat == "" {
		h.DateFormat = s.DateFormat
	}
	return h
}

// settle looks at the first rows of files. What is set is not looked for.
func settle(ctx context.Context, files []File, t config.Table, h habits) (*settled, error) {
	s := &settled{Table: t}
	if t.Decimal != "" && t.DateFormat != "" {
		return s, nil
	}
	partly := false
	for _, f := range files {
		r, err := look(ctx, f, h)
		if err != nil || r == nil {
			return s, err
		}
		if t.Decimal == "" {
			if err := s.takeDecimal(r); err != nil {
				return nil, err
			}
		}
		if t.DateFormat == "" {
			if err := s.takeDate(r); err != nil {
				return nil, err
			}
		}
		partly = partly || !r.whole && !r.typed
	}
	if s.DateFormat != t.DateFormat && s.iso != "" {
		return nil, fmt.Errorf("%s has ISO dates, and %s the form %s; make them two sources", s.iso, s.date, s.DateFormat)
	}
	if t.Decimal == "" {
		for _, f := range files {
			if typed, ok := f.(Typed); ok {
				typed.UseDecimal(s.Decimal)
			}
		}
	}
	if s.Decimal == "" && partly {
		s.Decimal = undecided
	}
	return s, nil
}

func (s *settled) takeDecimal(r *looked) error {
	sign, err := r.sign()
	switch {
	case err != nil || sign == "":
		return err
	case s.Decimal != "" && s.Decimal != sign:
		return fmt.Errorf("%s has the decimal sign %q, and %s %q; make them two sources", s.decimal, s.Decimal, r.file, sign)
	case s.Decimal == "" && sign == ",":
		s.notes = append(s.notes, fmt.Sprintf("%s was read with the decimal sign %q, as in %s", r.file, sign, r.signs[1]))
	}
	s.Decimal, s.decimal = sign, r.file
	return nil
}

func (s *settled) takeDate(r *looked) error {
	form, err := r.form()
	switch {
	case err != nil:
		return err
	case form == "":
		if r.iso > 0 {
			s.iso = r.file
		}
		return nil
	case s.DateFormat != "" && s.DateFormat != form:
		return fmt.Errorf("%s has dates of the form %s, and %s %s; make them two sources", s.date, s.DateFormat, r.file, form)
	case s.DateFormat == "":
		s.notes = append(s.notes, fmt.Sprintf("%s was read with dates of the form %s", r.file, form))
	}
	s.DateFormat, s.date = form, r.file
	return nil
}

// looked is what the first rows of one file show.
type looked struct {
	file  string
	whole bool
	typed bool
	alone Habits    // of the table that rows to fix are from
	signs [2]string // a number that only the point explains, and one that only the comma does
	vague string    // a number that both explain
	iso   int
	forms []dateForm
}

// look reads the sample of a file; nil where it gives none.
func look(ctx context.Context, f File, h habits) (*looked, error) {
	sampler, ok := f.(Sampler)
	if !ok {
		return nil, nil
	}
	sample, err := sampler.Sample(ctx)
	if err != nil {
		return nil, err
	}
	r := &looked{file: f.Name(), whole: sample.Whole, typed: sample.Numbers != nil}
	if sample.Header.Alone != nil {
		r.alone = *sample.Header.Alone
	}
	find, rows := newFinder(sample.Header), sample.Rows
	for _, one := range h.numbers {
		s, err := find.slot(one)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			s.raw(row, r.number)
		}
	}
	for _, one := range h.dates {
		s, err := find.slot(one)
		if err != nil {
			return nil, err
		}
		if s.reads(slices.Collect(maps.Keys(sample.Numbers))) {
			continue // texts beside serial numbers: what a program left over
		}
		for _, row := range rows {
			if s.mapped() {
				text, _ := s.text(row)
				r.date(text)
			}
		}
	}
	return r, nil
}

// raw hands on the cells that a field is made of.
func (s *slot) raw(row []string, do func(string)) {
	if s.at >= 0 {
		do(clean(row[s.at]))
	}
	for _, at := range s.args {
		do(clean(row[at]))
	}
}

func (r *looked) number(text string) {
	sign, vague := signOf(text)
	switch {
	case vague && r.vague == "":
		r.vague = text
	case sign == '.' && r.signs[0] == "":
		r.signs[0] = text
	case sign == ',' && r.signs[1] == "":
		r.signs[1] = text
	}
}

// sign decides; "" where no number has a sign.
func (r *looked) sign() (string, error) {
	switch point, comma := r.signs[0], r.signs[1]; {
	case r.alone.Decimal != "":
		return r.alone.Decimal, nil
	case point != "" && comma != "":
		return "", fmt.Errorf("%s %w: %s has a decimal point, and %s a decimal comma; set decimal: \".\" or decimal: \",\"",
			r.file, ErrAmbiguous, point, comma)
	case point != "":
		return ".", nil
	case comma != "":
		return ",", nil
	case r.vague != "" && !r.typed:
		i := strings.IndexAny(r.vague, ".,")
		grouped, cut := r.vague[:i]+r.vague[i+1:], r.vague[:i]+"."+r.vague[i+1:]
		other := map[byte]string{'.': ",", ',': "."}[r.vague[i]]
		return "", fmt.Errorf("%s %w: %s is %s with decimal: %q, and %s with decimal: %q, and no other number decides; set decimal",
			r.file, ErrAmbiguous, r.vague, grouped, other, cut, r.vague[i:i+1])
	}
	return "", nil
}

// signOf tells which decimal sign a number must have: none, one, or, where one
// separator has three digits behind it, nobody knows.
func signOf(text string) (sign byte, vague bool) {
	body, _, ok := bare(text)
	at := strings.LastIndexAny(body, ".,")
	if !ok || at < 0 || strings.Trim(body, "0123456789"+groupSigns) != "" {
		return 0, false
	}
	last := body[at]
	other := '.' + ',' - last
	switch many, tail := strings.Count(body, string(last)), body[at+1:]; {
	case many > 1 && strings.IndexByte(body, other) >= 0:
		return 0, false // no number at all
	case many > 1:
		return other, false
	case strings.IndexByte(body, other) >= 0, len(tail) != 3, at == 0, at > 3, body[0] == '0':
		return last, false
	}
	return 0, true
}

// dateForm is the form of a date in numbers, and what its first two numbers
// can be.
type dateForm struct {
	sep, year, time    string
	yearFirst          bool
	count              int
	dayFirst, dayLater string // a date that only this order explains
	sample             string
}

func (r *looked) date(text string) {
	if text == "" {
		return
	}
	if _, _, _, err := isoTime(text); err == nil {
		r.iso++
		return
	}
	one, first, second, ok := formOf(text)
	if !ok {
		return
	}
	at := -1
	for i := range r.forms {
		if f := &r.forms[i]; f.sep == one.sep && f.year == one.year && f.time == one.time && f.yearFirst == one.yearFirst {
			at = i
		}
	}
	if at < 0 {
		at = len(r.forms)
		r.forms = append(r.forms, one)
	}
	f := &r.forms[at]
	f.count++
	if first > 12 {
		f.dayFirst = text
	}
	if second > 12 {
		f.dayLater = text
	}
}

// form decides on what most dates are written in; "" for ISO forms.
func (r *looked) form() (string, error) {
	if r.alone.DateFormat != "" {
		return r.alone.DateFormat, nil
	}
	var most dateForm
	for _, f := range r.forms {
		if f.count > most.count {
			most = f
		}
	}
	if most.count <= r.iso {
		return "", nil
	}
	tokens := func(a, b string) string { return a + most.sep + b + most.sep + most.year + most.time }
	dayFirst, monthFirst := tokens("d", "M"), tokens("M", "d")
	switch {
	case most.yearFirst:
		return most.year + most.sep + "M" + most.sep + "d" + most.time, nil
	case most.dayFirst != "" && most.dayLater != "":
		return "", fmt.Errorf("%s %w: %s begins with the day, and %s with the month; set date_format: %s or date_format: %s",
			r.file, ErrAmbiguous, most.dayFirst, most.dayLater, dayFirst, monthFirst)
	case most.dayLater != "":
		return monthFirst, nil
	case most.dayFirst != "" || most.sep == ".":
		return dayFirst, nil
	}
	return "", fmt.Errorf("%s %w: %s may begin with the day or with the month, and no other date decides; set date_format: %s or date_format: %s",
		r.file, ErrAmbiguous, most.sample, dayFirst, monthFirst)
}

// formOf takes 1.12.2010, 12/1/10 and 1-12-2010 apart, with a time or none.
func formOf(text string) (f dateForm, first, second int, ok bool) {
	day, clock, timed := strings.Cut(text, " ")
	at := strings.IndexAny(day, "./-")
	if at < 0 {
		return f, 0, 0, false
	}
	f.sep, f.sample = day[at:at+1], text
	parts := strings.Split(day, f.sep)
	if len(parts) == 3 && len(parts[0]) == 4 {
		f.yearFirst = true // and the month always follows it
		parts = []string{parts[1], parts[2], parts[0]}
	}
	if len(parts) != 3 || len(parts[0]) > 2 || len(parts[1]) > 2 {
		return f, 0, 0, false
	}
	first, err1 := strconv.Atoi(parts[0])
	second, err2 := strconv.Atoi(parts[1])
	_, err3 := strconv.Atoi(parts[2])
	f.year = map[int]string{4: "yyyy", 2: "yy"}[len(parts[2])]
	if timed {
		f.time = timeForm(clock)
	}
	ok = errors.Join(err1, err2, err3) == nil && f.year != "" && (f.time != "" || !timed) && first <= 31 && second <= 31
	return f, first, second, ok
}

// timeForm is "" for what is no time of day.
func timeForm(clock string) string {
	hour, half := "H", ""
	if rest, ok := strings.CutSuffix(clock, "M"); ok && len(rest) > 2 {
		hour, half, clock = "h", " a", rest[:len(rest)-2]
	}
	if strings.Trim(clock, "0123456789:") != "" {
		return ""
	}
	switch strings.Count(clock, ":") {
	case 1:
		return " " + hour + ":mm" + half
	case 2:
		return " " + hour + ":mm:ss" + half
	}
	return ""
}

// Vague reports whether a text is a number that can be read in two ways: one
// separator with three digits behind it.
func Vague(text string) bool {
	if len(text) > 40 || !strings.ContainsAny(text, ".,") {
		return false
	}
	_, vague := signOf(clean(text))
	return vague
}
