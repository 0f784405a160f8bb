package reconcile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// sortedStep is a planned step on its way into the plan file: the line that it
// will be there, made once, with what must be known of it to write it.
type sortedStep struct {
	brief PlannedStep // without body and origin, and of the facts source and time only
	line  []byte      // with its line end
	// The origin and mark, which the plan digest leaves out, are line[origin:rest].
	origin, rest int
}

func newSortedStep(s PlannedStep) (sortedStep, error) {
	line, err := stepAround(s)
	if err != nil {
		return sortedStep{}, err
	}
	sorted := sortedStep{brief: s.brief(), line: append(line, '\n')}
	if s.Origin == nil {
		return sorted, nil
	}
	origin, err := canonicalJSON(s.Origin)
	if err != nil {
		return sortedStep{}, err
	}
	after, err := canonicalJSON(struct { // the fields behind the origin
		Receipt string `json:"receipt,omitempty"`
		Seen    int64  `json:"seen"`
		Target  string `json:"target"`
		Who     string `json:"who,omitempty"`
	}{s.Receipt, s.Seen, s.Target, s.Who})
	if err != nil {
		return sortedStep{}, err
	}
	end := bytes.Clone(sorted.line[len(sorted.line)-len(after):])
	sorted.origin = len(sorted.line) - len(end)
	sorted.line = append(append(append(sorted.line[:sorted.origin], `"origin":`...), origin...), ',')
	if s.Mark != (Digest{}) {
		sorted.line = append(append(append(sorted.line, `"mark":"`...), s.Mark.String()...), `",`...)
	}
	sorted.rest = len(sorted.line)
	sorted.line = append(sorted.line, end...)
	return sorted, nil
}

// stepAround is the canonical step. A body that is canonical, as it should be,
// is put into it as it stands: it is most of the step.
func stepAround(s PlannedStep) ([]byte, error) {
	body := s.Event.Body
	if len(body) == 0 || objectLength(body) != len(body) || bytes.IndexByte(body, '\n') >= 0 {
		return canonicalStep(s)
	}
	before, err := canonicalJSON(struct { // the fields of the event before its body
		Action Action    `json:"action"`
		After  []EventID `json:"after,omitempty"`
	}{s.Event.Action, s.Event.After})
	if err != nil {
		return nil, err
	}
	s.Event.Body = nil
	line, err := canonicalStep(s)
	if err != nil {
		return nil, err
	}
	const event, key = `"event":`, `,"body":`
	at := bytes.Index(line, []byte(event)) + len(event) + len(before) - 1
	whole := make([]byte, 0, len(line)+len(key)+len(body)+256) // room for the origin
	whole = append(append(append(whole, line[:at]...), key...), body...)
	return append(whole, line[at:]...), nil
}

// brief is what a count needs of a step.
func (s PlannedStep) brief() PlannedStep {
	e := s.Event
	return PlannedStep{Beside: s.Beside, Do: s.Do, Mates: s.Mates, Target: s.Target, Event: Event{ID: e.ID, Kind: e.Kind, Value: e.Value,
		Facts: Facts{Source: e.Facts.Source, CompletedAt: e.Facts.CompletedAt}}}
}

// originOf reads the origin out of the line.
func (s sortedStep) originOf() (*Origin, error) {
	if s.origin == s.rest {
		return nil, nil
	}
	var o Origin
	err := json.NewDecoder(bytes.NewReader(s.line[s.origin+len(`"origin":`) : s.rest])).Decode(&o) // what follows is the mark
	return &o, err
}

// record is the step as the sorter keeps it.
func (s sortedStep) record() []byte {
	b := make([]byte, 0, len(s.line)+256)
	e, beside, amount := s.brief.Event, Place{}, ""
	if s.brief.Beside != nil {
		beside = *s.brief.Beside
	}
	if e.Value.Amount != nil {
		amount = e.Value.Amount.String()
	}
	for _, text := range []string{e.Facts.Source, s.brief.Do, string(e.Kind), string(beside.Bucket), string(beside.Reason),
		amount, string(e.Value.Of), e.Value.Currency} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	for _, n := range []int{s.brief.Mates, s.origin, s.rest} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendVarint(binary.AppendVarint(b, e.Facts.CompletedAt.Unix()), int64(e.Facts.CompletedAt.Nanosecond()))
	return append(b, s.line...)
}

var errStepRecord = errors.New("read a sorted step: it is damaged")

// sortedStepOf reads a record of the sorter back.
func sortedStepOf(r record) (sortedStep, error) {
	target, id, _ := bytes.Cut(r.key, []byte{0})
	in := stepRecord{rest: r.value}
	e := Event{ID: EventID(id), Facts: Facts{Source: in.text()}}
	s := sortedStep{brief: PlannedStep{Target: string(target), Do: in.text()}}
	e.Kind = Kind(in.text())
	if beside := (Place{Bucket(in.text()), Reason(in.text())}); beside != (Place{}) {
		s.brief.Beside = &beside
	}
	if amount := in.text(); amount != "" {
		d, err := ParseDecimal(amount)
		in.fail(err)
		e.Value.Amount = &d
	}
	e.Value.Of, e.Value.Currency = AmountOf(in.text()), in.text()
	s.brief.Mates, s.origin, s.rest = in.number(), in.number(), in.number()
	e.Facts.CompletedAt = time.Unix(in.signed(), in.signed()).UTC()
	s.brief.Event, s.line = e, in.rest
	if s.origin > s.rest || s.rest > len(s.line) {
		in.fail(errStepRecord)
	}
	return s, in.err
}

// stepRecord reads the parts of a record; what is not there is an error.
type stepRecord struct {
	rest []byte
	err  error
}

func (r *stepRecord) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *stepRecord) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > maxPlanLine {
		r.fail(errStepRecord)
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *stepRecord) signed() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail(errStepRecord)
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *stepRecord) text() string {
	n := r.number()
	if n > len(r.rest) {
		r.fail(errStepRecord)
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

// readStep reads a line of a plan that was found whole. The body, which is
// most of it, is taken as it stands.
func readStep(line []byte) (PlannedStep, error) {
	var s PlannedStep
	rest, body := cutBody(line)
	if err := json.Unmarshal(rest, &s); err != nil {
		return s, fmt.Errorf("read a planned step: %w", err)
	}
	s.Event.Body, s.Event.Facts.Mark = body, s.Mark
	return s, nil
}

// cutBody takes the body of the event out of a line. No other text of a line
// can hold the name of its key, because a quote inside of a text is escaped.
func cutBody(line []byte) (rest, body []byte) {
	const key = `,"body":`
	at := bytes.Index(line, []byte(key))
	if at < 0 {
		return line, nil
	}
	begin := at + len(key)
	end := begin + objectLength(line[begin:])
	if end == begin {
		return line, nil
	}
	rest = make([]byte, 0, len(line)-(end-at))
	return append(append(rest, line[:at]...), line[end:]...), bytes.Clone(line[begin:end])
}

// objectLength is how many bytes the JSON object at the beginning of b takes;
// 0 when there is none.
func objectLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			if i = closingQuote(b, i+1); i < 0 {
				return 0
			}
		}
		if depth == 0 {
			return 0
		}
	}
	return 0
}

// closingQuote finds the end of the text that begins at i, or -1.
func closingQuote(b []byte, i int) int {
	for i < len(b) {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		escapes := 0
		for b[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
		i++
	}
	return -1
}
