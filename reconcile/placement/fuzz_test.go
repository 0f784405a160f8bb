package placement

import (
	"strings"
	"testing"
)

// FuzzParse: whatever a page sends is read or refused, within bounds, and a
// refusal tells nothing of it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"session":"s1","at":"2026-11-20T10:00:00Z","attributes":{"order":1},"body":{"cartItem":{"cartItemId":"i","catalogItemId":"c","quantity":2,"unitPrice":4.99},"oldCartItem":null}}`,
		`{"session":"s1","at":"2026-11-20T10:00:00Z","message":"V2_UPDATE_CART_ITEM","body":{"cartItemId":"i","quantity":0}}`,
		`{"body":{"cartItem":[]}}`, `null`, `[`, `{"at":{}}`, strings.Repeat("[", 100), `{"session":"\ud800","at":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parser{Attributes: []string{"order"}}.Parse(data)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("a long refusal: %v", err)
			}
			return
		}
		if m.Session == "" || m.At.IsZero() && !strings.Contains(string(data), "0001") || m.Kind == Updated && m.Item == nil && m.Old == nil || m.Kind == Update && m.CartItem == "" {
			t.Errorf("%s is read as %+v", data, m)
		}
		s := NewVisit(m.Session, Rules{})
		if err := s.Add(m); err != nil {
			t.Error(err)
		}
		s.Standings(m.At)
		s.Changes(m.At)
	})
}
