package capture

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzRead: whatever somebody pastes is read or refused in words that hold
// nothing of it.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`curl 'https://c.example.com/x' -H $'a: \'b\'' --data-raw $'{"a":"it\'s"}' --compressed`, "curl https://x/c2/1/track_cart?a=<(b)",
		"curl $(id) `id` ${a:-b} $((1)) ~root @(a|b) {1..9} *", "curl a <<E\nE\n", `curl "a`, "curl() { :; }", "curl a=(b)", `curl $"a" $'\x00\u41'`,
		`{"log":{"entries":[{"request":{"method":"POST","url":"https://c.example.com/x","postData":{"text":"{\"a\":[]}"}}}]}}`, `{"log":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Read(bytes.NewReader(data))
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("a long refusal: %v", err)
			}
			return
		}
		for _, r := range list {
			if r.URL == nil || r.URL.Host == "" || r.Method != strings.ToUpper(r.Method) || r.Method == "" {
				t.Errorf("%q is read as %+v", data, r)
			}
		}
	})
}
