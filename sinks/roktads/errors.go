package roktads

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// refusals reads which events of a request a success refuses, by their place.
// ok is false when that cannot be read: then nobody knows which were accepted.
func (s *Sink) refusals(a httpapi.Answer, events []reconcile.Event, f frame) (refused map[int]bool, ok bool) {
	if !a.Whole {
		return nil, false
	}
	if s.options.API == Events && len(a.Body) == 0 {
		return nil, true // the documented success [P]
	}
	var answer map[string]json.RawMessage
	if !isObject(a.Body) || json.Unmarshal(a.Body, &answer) != nil {
		return nil, false
	}
	if !knownParts(answer) {
		return nil, false
	}
	problems, ok := problemsIn(answer["errors"])
	if !ok {
		return nil, false
	}
	refused = map[int]bool{}
	for _, p := range problems {
		i := p.place(events, f)
		if i < 0 {
			return nil, false
		}
		refused[i] = true
	}
	return refused, true
}

// knownParts reports an answer that says nothing in a form that nobody knows.
// The Conversions API tells details of events [P], but where is [U], and what a
// 202 of the other one may say beside errors is [U]: taken are errors, warnings
// about what was accepted all the same [I], a success that is true [I], and what
// is null. Anything else, a text or a number too, may be about what was refused.
func knownParts(answer map[string]json.RawMessage) bool {
	for key, value := range answer {
		switch {
		case string(value) == "null", key == "errors", key == "warnings":
		case key == "success" && string(value) == "true":
		default:
			return false
		}
	}
	return true
}

func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// problem is an element of a list of errors. The text is looked at for a place
// and for nothing else: it repeats what was sent.
type problem struct {
	Index        *int   `json:"index"`        // [I]
	ConversionID string `json:"conversionId"` // [I]
	Message      string `json:"message"`      // [C]
}

// problemsIn reads a list of problems. What is no list, or has elements that
// are no objects, cannot be read; nothing is an empty list.
func problemsIn(list json.RawMessage) (problems []problem, ok bool) {
	if len(list) == 0 || string(list) == "null" {
		return nil, true
	}
	return problems, json.Unmarshal(list, &problems) == nil
}

// The two ways in which a reader of JSON says where it gave up [C]: "Path
// '[3].events[0]...', line 1, position 153", where a path that names no item
// leaves the position, counted from 1.
var (
	itemPath = regexp.MustCompile(`Path '\[([0-9]{1,4})\]`)
	position = regexp.MustCompile(`line 1, position ([0-9]{1,9})`)
)

// place is which event a problem is about, -1 when it does not say, or says two
// things.
func (p problem) place(events []reconcile.Event, f frame) int {
	switch {
	case p.Index != nil:
		i := within(*p.Index, len(events))
		if i >= 0 && p.ConversionID != "" && p.ConversionID != events[i].Shown {
			return -1
		}
		return i
	case p.ConversionID != "":
		return shownOnce(events, p.ConversionID)
	}
	if m := itemPath.FindStringSubmatch(p.Message); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return -1
		}
		return within(n, len(events))
	}
	if m := position.FindStringSubmatch(p.Message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return f.at(n - 1)
		}
	}
	return -1
}

// shownOnce finds the one event with a number, -1 where there is none or more
// than one: two shops may number alike.
func shownOnce(events []reconcile.Event, id string) int {
	place := -1
	for i, e := range events {
		switch {
		case e.Shown != id:
		case place >= 0:
			return -1
		default:
			place = i
		}
	}
	return place
}

func within(i, n int) int {
	if i < 0 || i >= n {
		return -1
	}
	return i
}
