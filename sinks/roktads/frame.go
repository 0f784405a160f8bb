package roktads

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"makegood/reconcile"
)

// frame is one request: its body, and where in it each event's item stands.
type frame struct {
	body  []byte
	spans []span
}

// span is the place of an item in a body: the first byte and the one behind the
// last.
type span struct{ from, to int }

// frame puts the items of events into one body: an array at the Event &
// Audience API [P], and a list beside the account at the Conversions API [P].
// It is pure ASCII, so that a position in it is the same in bytes, in
// characters, and in the units of any encoding.
func (s *Sink) frame(events []reconcile.Event) frame {
	head, tail := "[", "]"
	if s.options.API == Conversions {
		account, _ := json.Marshal(s.options.Account) // a text always marshals
		head, tail = `{"accountId":`+string(ascii(account))+`,"events":[`, "]}"
		if s.options.Test {
			tail = `],"test":true}`
		}
	}
	f := frame{body: []byte(head)}
	for i, e := range events {
		if i > 0 {
			f.body = append(f.body, ',')
		}
		from := len(f.body)
		f.body = append(f.body, ascii(e.Body)...)
		f.spans = append(f.spans, span{from, len(f.body)})
	}
	f.body = append(f.body, tail...)
	return f
}

// at finds the item that holds the byte at offset, -1 when none does.
func (f frame) at(offset int) int {
	for i, s := range f.spans {
		if offset >= s.from && offset < s.to {
			return i
		}
	}
	return -1
}

// fitting is how many of events fit into one request by number and size, at
// least one: Compose lets no item be too large by itself.
func (s *Sink) fitting(events []reconcile.Event) int {
	size := len(`{"accountId":,"events":[],"test":true}`) + len(s.options.Account)*len(`\u0000`)
	for i, e := range events {
		size += len(ascii(e.Body)) + len(",")
		if i == s.options.Batch || i > 0 && size > maxBody {
			return i
		}
	}
	return len(events)
}

// ascii writes JSON with its other characters as \u escapes, which mean the
// same.
func ascii(text []byte) []byte {
	plain := true
	for _, c := range text {
		plain = plain && c < utf8.RuneSelf
	}
	if plain {
		return text
	}
	out := make([]byte, 0, 2*len(text))
	for _, r := range string(text) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
