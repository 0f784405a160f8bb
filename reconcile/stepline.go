package reconcile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// sortedStep is a planned step on its way into the plan file: the line that it
// will be there, made once, with what must be known of it to write it.
type sortedStep struct {
	target, source, do string
	kind               Kind
	line               []byte // with its line end
	// The origin, which the plan digest leaves out, is line[origin:rest].
	origin, rest int
}

func newSortedStep(s PlannedStep) (sortedStep, error) {
	line, err := canonicalStep(s)
	if err != nil {
		return sortedStep{}, err
	}
	sorted := sortedStep{target: s.Target, source: s.Event.Facts.Source, do: s.Do, kind: s.Event.Kind, line: append(line, '\n')}
	if s.Origin == nil {
		return sorted, nil
	}
	origin, err := canonicalJSON(s.Origin)
	if err != nil {
		return sortedStep{}, err
	}
	after, err := canonicalJSON(struct { // the fields behind the origin
		Seen   int64  `json:"seen"`
		Target string `json:"target"`
		Who    string `json:"who,omitempty"`
	}{s.Seen, s.Target, s.Who})
	if err != nil {
		return sortedStep{}, err
	}
	end := bytes.Clone(sorted.line[len(sorted.line)-len(after):])
	sorted.origin = len(sorted.line) - len(end)
	sorted.line = append(append(append(sorted.line[:sorted.origin], `"origin":`...), origin...), ',')
	sorted.rest = len(sorted.line)
	sorted.line = append(sorted.line, end...)
	return sorted, nil
}

// record is the step as the sorter keeps it.
func (s sortedStep) record() []byte {
	b := make([]byte, 0, len(s.line)+len(s.source)+len(s.do)+len(s.kind)+16)
	for _, text := range []string{s.source, s.do, string(s.kind)} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.origin)), uint64(s.rest))
	return append(b, s.line...)
}

var errStepRecord = errors.New("read a sorted step: it is damaged")

// sortedStepOf reads a record of the sorter back.
func sortedStepOf(r record) (s sortedStep, err error) {
	target, _, _ := bytes.Cut(r.key, []byte{0})
	s.target = string(target)
	b := r.value
	number := func() int {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(r.value)) {
			err = errStepRecord
			return 0
		}
		b = b[size:]
		return int(n)
	}
	text := func() string {
		n := number()
		if n > len(b) {
			err = errStepRecord
			return ""
		}
		t := string(b[:n])
		b = b[n:]
		return t
	}
	s.source, s.do, s.kind = text(), text(), Kind(text())
	s.origin, s.rest = number(), number()
	if s.line = b; err == nil && (s.origin > s.rest || s.rest > len(b)) {
		err = errStepRecord
	}
	return s, err
}

// readStep reads a line of a plan that was found whole. The body, which is
// most of it, is taken as it stands.
func readStep(line []byte) (PlannedStep, error) {
	var s PlannedStep
	rest, body := cutBody(line)
	if err := json.Unmarshal(rest, &s); err != nil {
		return s, fmt.Errorf("read a planned step: %w", err)
	}
	s.Event.Body = body
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
