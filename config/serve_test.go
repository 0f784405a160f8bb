package config

import (
	"strings"
	"testing"
	"time"
)

// TestServe: who may talk to the service is written down, and so is where it
// writes.
func TestServe(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
sources:
  shop: {type: csv, path: a.csv, currency: EUR, channel: online, columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price}}
messages:
  cart: {path: "rokt/said-{date}.jsonl", from: [shop], order: orderNumber}
serve:
  bridge:
    messages: cart
    origins: [https://shop.example.com, "http://localhost:8080"]
    key: 0123456789abcdef
  availability:
    url: https://cart.example.com
    api_key: key
    tag_id: tag
    key: 0123456789abcdef
`
	c, err := Parse([]byte(whole), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	if s.Listen != "127.0.0.1:8090" || time.Duration(s.Bridge.Settle) != 3*time.Second || time.Duration(s.Bridge.Answer) != 10*time.Second ||
		time.Duration(s.Availability.Timeout) != 300*time.Millisecond {
		t.Errorf("got %+v %+v %+v", s, s.Bridge, s.Availability)
	}
	for want, change := range map[string][2]string{
		"serve.listen: \"8090\" is no address":                {"serve:\n", "serve:\n  listen: \"8090\"\n"},
		"there is no messages called":                         {"messages: cart\n", "messages: card\n"},
		"must name a file that lines can be written to":       {"rokt/said-{date}.jsonl", "rokt/*.jsonl"},
		"serve.bridge.origins names no page":                  {`[https://shop.example.com, "http://localhost:8080"]`, "[]"},
		"no origin as browsers name them":                     {"https://shop.example.com,", "https://shop.example.com/,"},
		"origins: \"*\" is no origin":                         {"https://shop.example.com,", "\"*\","},
		"origins: \"http://shop.example.com\" is no origin":   {"https://shop.example.com,", "http://shop.example.com,"},
		"serve.bridge.key is shorter than 16":                 {"key: 0123456789abcdef\n  availability", "key: short\n  availability"},
		"serve.bridge.key is missing":                         {"    key: 0123456789abcdef\n  availability", "  availability"},
		"serve.availability.url is no usable address":         {"https://cart.example.com", "http://cart.example.com"},
		"serve.availability.timeout must be more than 0s and": {"    tag_id: tag\n", "    tag_id: tag\n    timeout: 3s\n"},
		"serve.availability.tag_id is missing":                {"    tag_id: tag\n", ""},
		"serve.availability.api_key holds a character":        {"api_key: key", "api_key: \"k\\ny\""},
	} {
		_, err := Parse([]byte(strings.Replace(whole, change[0], change[1], 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0123456789abcdef") {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if _, err := Parse([]byte("zone: UTC\nserve: {listen: \"127.0.0.1:1\"}\n"), "makegood.yaml", nil); err == nil || !strings.Contains(err.Error(), "serve answers nothing") {
		t.Errorf("got %v", err)
	}
}
