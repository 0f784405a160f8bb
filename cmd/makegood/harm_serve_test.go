package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHarmCanaryWhileServing: what a service is told, and the key of those who
// talk to it, turns up in nothing that it says or keeps, whoever talks to it.
func TestHarmCanaryWhileServing(t *testing.T) {
	t.Parallel()
	s := canaryFolder(t)
	s.set("messages", "rokt_cart", fields{"path": "said-{date}.jsonl", "from": []string{"tills"}, "order": "number"})
	s.conf["serve"] = fields{"bridge": fields{"messages": "rokt_cart", "origins": []string{"https://shop.example.com"}, "key": canaryKey + canaryKey},
		"metrics":      fields{"key": canaryKey + canaryKey},
		"availability": fields{"url": s.url, "api_key": canaryKey, "tag_id": canaryKey, "key": canaryKey + canaryKey}}
	page := `{"cartId":"c","pageIdentifier":"p","url":"https://shop.example.com/","attributes":{"email":"` + canaryAddress + `"},"sessionId":"v"}`
	path, address := s.file(), freeAddress()
	ctx, stop := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	over := make(chan int, 1)
	go func() {
		over <- run(ctx, []string{"serve", "--listen", address, "-c", path}, os.LookupEnv, stdio{strings.NewReader(""), &out, &errs})
	}()
	said := `{"session":"s1","at":"2026-11-20T10:00:00Z","attributes":{"email":"` + canaryAddress + `","phone":"` + canaryKey + `","number":"1"},` +
		`"body":{"cartItem":{"cartItemId":"1","catalogItemId":"c"},"oldCartItem":null}}`
	for _, one := range []struct{ method, path, origin, key, body string }{
		{"GET", "/healthz", "", "", ""}, {"POST", "/rokt/messages", "https://shop.example.com", "", said},
		{"POST", "/rokt/messages", "https://shop.example.com", "", strings.Replace(said, "2026-11-20T10:00:00Z", canaryAddress, 1)},
		{"POST", "/rokt/messages", "https://" + canaryPerson + ".example.com", "", said},
		{"PUT", "/rokt/carts/s1", "", canaryKey, `{"lines":[{"sku":"` + canaryAddress + `","quantity":1}]}`},
		{"PUT", "/rokt/carts/s1", "", canaryKey + canaryKey, `{"lines":[{"sku":"` + canaryAddress + `","quantity":1}]}`},
		{"POST", "/rokt/availability", "", canaryKey + canaryKey, page}, {"POST", "/rokt/availability", "", canaryKey, page},
		{"POST", "/rokt/availability", "", canaryKey + canaryKey, canaryAddress},
		{"GET", "/rokt/status", "", canaryKey + canaryKey, ""}, {"GET", "/metrics", "", canaryKey + canaryKey, ""}, {"GET", "/metrics", "", canaryKey, ""}, {"GET", "/" + canaryAddress, "", "", ""},
	} {
		s.quietAll(one.path, s.told(address, one.method, one.path, one.origin, one.key, one.body))
	}
	stop()
	if code := <-over; code != exitDone {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	s.contains(out.String(), "1 messages of 1 visits")
	s.quietAll("serve", out.String()+errs.String())
	s.quietState(canaryFiles...)
}

// TestHarmForgedVisits: whatever a page has got into the files of messages, the
// service starts, and says what it left out.
func TestHarmForgedVisits(t *testing.T) {
	t.Parallel()
	s := canaryFolder(t)
	s.set("messages", "rokt_cart", fields{"path": "said-{date}.jsonl", "from": []string{"tills"}, "order": "number"})
	s.conf["serve"] = fields{"bridge": fields{"messages": "rokt_cart", "origins": []string{"https://shop.example.com"}, "key": canaryKey + canaryKey}}
	path, address, at := s.file(), freeAddress(), time.Now().UTC().Add(-time.Second)
	var lines strings.Builder
	for i := range 203 {
		fmt.Fprintf(&lines, `{"session":"s1","at":"%s","body":{"cartItem":{"cartItemId":"i%d","catalogItemId":"%s%d"},"oldCartItem":null}}`+"\n",
			at.Format(time.RFC3339Nano), i, canaryPerson, i)
	}
	zone, err := time.LoadLocation(s.conf["zone"].(string))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(filepath.Dir(path), "said-"+at.In(zone).Format(time.DateOnly)+".jsonl"), []byte(lines.String()), 0o600))
	ctx, stop := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	over := make(chan int, 1)
	go func() {
		over <- run(ctx, []string{"serve", "--listen", address, "-c", path}, os.LookupEnv, stdio{strings.NewReader(""), &out, &errs})
	}()
	s.contains(s.told(address, "GET", "/healthz", "", "", ""), "ok")
	stop()
	if code := <-over; code != exitDone {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	s.contains(errs.String(), "3 messages of earlier runs are not remembered: their visits name more items than are kept")
	s.contains(out.String(), "of 1 visits")
	s.quietAll("serve", out.String()+errs.String())
}

// told asks a service that may still be starting, and gives what it answers.
func (s *shop) told(address, method, path, origin, key, body string) string {
	s.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequestWithContext(s.Context(), method, "http://"+address+path, strings.NewReader(body))
		check(s.T, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", origin)
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := http.DefaultClient.Do(request)
		if err != nil && time.Since(begun) < 20*time.Second {
			continue
		}
		check(s.T, err)
		defer response.Body.Close()
		var text bytes.Buffer
		_, err = text.ReadFrom(response.Body)
		check(s.T, err)
		return text.String()
	}
}
