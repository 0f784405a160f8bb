package capture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a body":           {`curl 'https://c.example.com/x' --data-raw '{"a":1}'`, `POST https://c.example.com/x {"a":1}`},
		"ANSI quotes":      {`curl 'https://c.example.com/x' -H $'a: \'b\'' --data-raw $'{"a":"it\'s"}' --compressed`, `POST https://c.example.com/x {"a":"it's"}`},
		"several lines":    {"curl --url https://c.example.com/x \\\n  -X PUT \\\n  -d '{\"a\":1.50}'", `PUT https://c.example.com/x {"a":1.50}`},
		"in the address":   {`curl 'https://c.example.com/x?payload=%7B%22a%22%3A%221%22%7D'`, `GET https://c.example.com/x?payload=%7B%22a%22%3A%221%22%7D {"a":"1"}`},
		"nothing to send":  {`curl https://c.example.com/x`, `GET https://c.example.com/x null`},
		"what a shell has": {`curl 'https://c.example.com/x?$(id)' -d $'{"a":"\\u0021<(b) {1..9} *"}'`, "POST https://c.example.com/x?$(id) {\"a\":\"!\\u003c(b) {1..9} *\"}"},
		"no list of many":  {`curl https://c.example.com/{1..999999999}`, `GET https://c.example.com/%7B1..999999999%7D null`},
		"HAR":              {`{"log":{"entries":[{"request":{"method":"POST","url":"https://c.example.com/x","postData":{"text":"{\"a\":[]}"}}},{"request":{"url":"data:"}}]}}`, `request 1 POST https://c.example.com/x {"a":[]}`},
		"a mark before it": {"\ufeff" + `curl https://c.example.com/x`, `GET https://c.example.com/x null`},

		"empty":              {" \n", "it is empty; copy the request as cURL, or save the session as HAR"},
		"a page":             {"<html>", `it begins neither with "curl" nor with "{"; in the network tab choose Copy as cURL (bash), or save the session as HAR`},
		"no address":         {"curl", "it names no address that begins with https://"},
		"an open quote":      {"curl 'https://c.example.com", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a command in it":    {"curl https://c.example.com/$(id)", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a process in it":    {"curl https://c.example.com/c2/1/track_cart?a=<(b)", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a variable in it":   {`curl "https://c.example.com/$HOME" -d '{}'`, "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a sum in it":        {"curl https://c.example.com/$((1+1))", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a home in it":       {"curl ~root", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a second command":   {"curl https://c.example.com/?a=1&b=2", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a second line":      {"curl https://c.example.com/\ncurl https://c.example.com/", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a file to write":    {"curl https://c.example.com/ > x", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a function":         {"curl() { curl; }", "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a very long one":    {"curl " + strings.Repeat("$(", maxCommand), "the cURL command has more than 64 KiB; copy the one request"},
		"a very deep one":    {"curl " + strings.Repeat("$(", maxCommand/2-3), "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"a deep sum":         {"curl $((" + strings.Repeat("(", maxCommand-100), "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"deep braces":        {"curl " + strings.Repeat("${a:-", maxCommand/5-3), "the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows"},
		"no JSON in it":      {"curl https://c.example.com -d a=b", "its body is no JSON"},
		"too deep":           {"curl https://c.example.com -d '" + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "'", "its JSON is nested deeper than 64"},
		"no HAR":             {"{", "it is no HAR file: its JSON cannot be read; save the session again"},
		"a HAR with nothing": {`{"log":{}}`, "it holds no request: log.entries is empty; save the session with its content"},
	} {
		list, err := Read(strings.NewReader(c.text))
		got := ""
		for _, r := range list {
			body, _ := json.Marshal(r.Payload)
			got += strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Where, r.Method, r.URL, body))
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if _, err := Read(strings.NewReader(strings.Repeat(" ", MaxBytes+1))); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Errorf("a huge file gave %v", err)
	}
}

func TestCompare(t *testing.T) {
	read := func(text string) any {
		value, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	got := ""
	for _, f := range Compare(read(`{"a":{"b":"1","c":2,"d":true,"e":null},"l":[{"x":"2"},{"x":"1"}]}`), read(`{"a":{"b":"2","c":"2","d":true},"l":[{"x":"1"},{"x":"2","y":1}]}`)) {
		got += fmt.Sprintf("%s %s %s | %s\n", f.Path, f.Sign, f.There, f.Here)
	}
	want := `a.b value "1" | "2"
a.c type 2 | "2"
a.d same true | true
a.e only_there null | 
l[].x same "1", "2" | "1", "2"
l[].y only_here  | 1
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
