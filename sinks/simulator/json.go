package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

type object = map[string]any

var errNoObject = errors.New("the body is no JSON object")

// parseObject reads one JSON object and nothing after it. Numbers stay text (json.Number), so that money is exact.
func parseObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root object
	if err := dec.Decode(&root); err != nil || root == nil {
		return nil, errNoObject
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return root, nil
}

// strictly reads data into target; an unknown key is an error.
func strictly(data []byte, target any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(target)
}
