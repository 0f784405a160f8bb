// Package capture reads requests that somebody copied from a browser's network
// tab, as cURL or as a HAR file, and compares their payload with another one,
// field by field.
package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Bounds of what is read.
const (
	MaxBytes    = 64 << 20 // of a file: HAR files hold whole pages
	maxCommand  = 64 << 10 // of a cURL command; the parser goes as deep as it nests
	maxRequests = 10_000
	maxDepth    = 64
)

// Request is one request as the browser sent it.
type Request struct {
	Where   string // which of several: "request 3"; "" for the only one
	Method  string
	URL     *url.URL
	Payload any // the JSON of its body, or of ?payload=; nil without one. Numbers are json.Number
}

// Read reads what was copied. The errors say in words what to copy instead.
func Read(r io.Reader) ([]Request, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > MaxBytes:
		return nil, fmt.Errorf("it has more than %d MiB; copy the one request instead of the whole session", MaxBytes>>20)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	switch {
	case len(text) == 0:
		return nil, errors.New("it is empty; copy the request as cURL, or save the session as HAR")
	case text[0] == '{':
		return readHAR(text)
	case bytes.HasPrefix(text, []byte("curl")):
		return readCURL(string(text))
	}
	return nil, errors.New(`it begins neither with "curl" nor with "{"; in the network tab choose Copy as cURL (bash), or save the session as HAR`)
}

func readHAR(text []byte) ([]Request, error) {
	var har struct {
		Log struct {
			Entries []struct {
				Request struct {
					Method, URL string
					PostData    struct{ Text string }
				}
			}
		}
	}
	if err := json.Unmarshal(text, &har); err != nil {
		return nil, errors.New("it is no HAR file: its JSON cannot be read; save the session again")
	}
	if len(har.Log.Entries) > maxRequests {
		return nil, fmt.Errorf("it holds more than %d requests; save a shorter session", maxRequests)
	}
	var list []Request
	for i, e := range har.Log.Entries {
		request, err := newRequest(e.Request.Method, e.Request.URL, e.Request.PostData.Text)
		if err != nil {
			continue // pages fetch many things that are none of ours
		}
		request.Where = fmt.Sprintf("request %d", i+1)
		list = append(list, request)
	}
	if len(list) == 0 {
		return nil, errors.New("it holds no request: log.entries is empty; save the session with its content")
	}
	return list, nil
}

// readCURL reads the form that browsers copy for a POSIX shell. Nothing in it
// is carried out or looked up.
func readCURL(text string) ([]Request, error) {
	if len(text) > maxCommand {
		return nil, fmt.Errorf("the cURL command has more than %d KiB; copy the one request", maxCommand>>10)
	}
	words, ok := wordsOf(text)
	if !ok {
		return nil, errors.New("the cURL command cannot be read; choose Copy as cURL (bash), not the form for Windows")
	}
	method, address, body := "", "", ""
	for i := 1; i < len(words); i++ {
		word, value := words[i], ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch word {
		case "-X", "--request":
			method, i = value, i+1
		case "-d", "--data", "--data-raw", "--data-binary", "--data-ascii":
			body, i = value, i+1
		case "--url":
			address, i = value, i+1
		case "-H", "--header", "-b", "--cookie", "-A", "--user-agent", "-e", "--referer", "-u", "--user", "-o", "--output":
			i++ // their values are of no concern
		default:
			if !strings.HasPrefix(word, "-") && address == "" {
				address = word
			}
		}
	}
	if method == "" && body != "" {
		method = http.MethodPost
	}
	request, err := newRequest(method, address, body)
	if err != nil {
		return nil, err
	}
	return []Request{request}, nil
}

// wordsOf splits one simple command of a shell into its words. ok is false for
// anything that browsers do not copy: a second command, a redirection, and words
// that are more than literals and quotes, for what they stand for is known to
// nobody who only reads.
func wordsOf(text string) (words []string, ok bool) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil || len(file.Stmts) != 1 {
		return nil, false
	}
	command := file.Stmts[0]
	call, simple := command.Cmd.(*syntax.CallExpr)
	if !simple || len(call.Assigns)+len(command.Redirs) > 0 || command.Negated || command.Background || command.Coprocess || command.Disown {
		return nil, false
	}
	for _, w := range call.Args {
		if !literal(w.Parts) {
			return nil, false
		}
		word, err := expand.Literal(&expand.Config{Env: expand.FuncEnviron(func(string) string { return "" })}, w)
		if err != nil {
			return nil, false
		}
		words = append(words, word)
	}
	return words, true
}

// literal reports parts of a word that stand for themselves.
func literal(parts []syntax.WordPart) bool {
	for i, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if i == 0 && strings.HasPrefix(p.Value, "~") {
				return false // somebody's home folder, which would be looked up
			}
		case *syntax.SglQuoted:
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				if _, plain := inner.(*syntax.Lit); !plain {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func newRequest(method, address, body string) (Request, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Request{}, errors.New("it names no address that begins with https://")
	}
	r := Request{Method: strings.ToUpper(method), URL: u}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	text := body
	if text == "" {
		text = u.Query().Get("payload") // as a browser's library may send it
	}
	if text == "" {
		return r, nil
	}
	if r.Payload, err = parse(text); err != nil {
		return Request{}, err
	}
	return r, nil
}

func parse(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("its body is no JSON")
	}
	if depth(value) > maxDepth {
		return nil, fmt.Errorf("its JSON is nested deeper than %d", maxDepth)
	}
	return value, nil
}

func depth(value any) int {
	deepest := 0
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			deepest = max(deepest, depth(inner))
		}
	case []any:
		for _, inner := range v {
			deepest = max(deepest, depth(inner))
		}
	default:
		return 0
	}
	return deepest + 1
}
