package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder is the simulator, and keeps what it was sent.
type recorder struct {
	mu     sync.Mutex
	bodies map[string][]string // by path
}

// record puts a recorder before a shop's simulator and returns its address.
func (s *shop) record() (*recorder, string) {
	r := &recorder{bodies: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.bodies[q.URL.Path] = append(r.bodies[q.URL.Path], string(body))
		r.mu.Unlock()
		inner := httptest.NewRequest(q.Method, q.URL.RequestURI(), nil)
		inner.Body, inner.Header, inner.ContentLength = io.NopCloser(bytes.NewReader(body)), q.Header, int64(len(body))
		s.sim.ServeHTTP(w, inner)
	}))
	s.T.Cleanup(server.Close)
	return r, server.URL
}

// sample is a payload of the documents: the text here must be the file's, where
// the file is there.
func sample(t *testing.T, name, text string) any {
	t.Helper()
	want := parsed(t, text)
	file, err := os.ReadFile(filepath.Join(projectFile(t, ".."), "shared", "targets", "samples", name))
	if err == nil {
		if diff := cmp.Diff(parsed(t, string(file)), want); diff != "" {
			t.Errorf("%s is another sample: %s", name, diff)
		}
	}
	return want
}

func parsed(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// only compares the requests to a path with the ones that are wanted, whatever
// their order.
func (r *recorder) only(t *testing.T, path string, want ...any) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []any
	for _, body := range r.bodies[path] {
		got = append(got, parsed(t, body))
	}
	for _, w := range want {
		i := slices.IndexFunc(got, func(g any) bool { return cmp.Equal(g, w) })
		if i < 0 {
			t.Errorf("%s was not sent\n%v\nbut %v", path, w, got)
			return
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		t.Errorf("%s was also sent %v", path, got)
	}
}

const (
	sampleUpdate = `{"payload": {"cart": [
		{"item": "22098765", "quantity": "2", "price": "29.99", "unique_id": "20080292"},
		{"item": "22017432", "quantity": "3", "price": "49.99", "unique_id": "20088817"},
		{"item": "22032501", "quantity": "1", "price": "64.99", "unique_id": "20080089"}],
		"url": "https://www.examplestore.com/cart/items.htm", "user_info": {"email": "exampleuser@email.com"}}}`
	sampleClear = `{"payload": {"clear_cart": true, "url": "https://www.examplestore.com/cart/empty.htm",
		"user_info": {"email": "newuser@example.com"}}}`
)

// TestSamplesOfCollect: a checkout that took all of one cart, and one that left
// three things of another, give the samples of the customer's document.
func TestSamplesOfCollect(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r, url := s.record()
	s.tills("tills", nil)
	s.collect("stores", fields{"url": url, "send": []string{"cart_update", "cart_clear"},
		"cart_url": "https://www.examplestore.com/cart/items.htm", "clear_url": "https://www.examplestore.com/cart/empty.htm"})
	s.set("carts", "open", fields{"type": "csv", "path": "carts.csv", "zone": "UTC",
		"columns": fields{"email": "email", "sku": "sku", "quantity": "n", "price": "price", "last_activity": "at", "item": "item", "unique_id": "unique"}})
	bought, before := ago(3*time.Hour), ago(30*time.Hour)
	s.csv("tills.csv", usualHeader, "1,"+bought+",exampleuser@email.com,MUG,1,5", "2,"+bought+",newuser@example.com,KETTLE,2,9")
	s.csv("carts.csv", "email,sku,n,price,at,item,unique",
		"exampleuser@email.com,A,2,29.99,"+before+",22098765,20080292", "exampleuser@email.com,B,3,49.99,"+before+",22017432,20088817",
		"exampleuser@email.com,C,1,64.99,"+before+",22032501,20080089", "exampleuser@email.com,MUG,1,5,"+before+",MUG,MUG",
		"newuser@example.com,KETTLE,2,9,"+before+",KETTLE,KETTLE")
	s.run(exitDone)
	r.only(t, "/c2/123456/track_cart", sample(t, "collect_update_cart.json", sampleUpdate), sample(t, "collect_clear_cart.json", sampleClear))
}

// TestSamplesOfSqueezely: the purchase with the fields that the documents ask
// for, at the least, with several languages, with several currencies and with a
// field of the customer's own. The time is what makegood adds to all of them.
func TestSamplesOfSqueezely(t *testing.T) {
	t.Parallel()
	const completed, seconds = "2026-11-20 10:00:00", `1795168800`
	for name, c := range map[string]struct {
		columns fields
		header  string
		row     string
		want    string
	}{
		"at the least": {nil, "", "", `{"event":"Purchase","email":"jane@example.com","orderid":"1","currency":"EUR",
			"products":[{"id":"KETTLE","quantity":2,"price":9.95}],"timestamp":` + seconds + `}`},
		"languages": {fields{"language": "lang"}, ",lang", ",nl_NL", `{"event":"Purchase","email":"jane@example.com","orderid":"1","currency":"EUR",
			"language":"nl-NL","products":[{"id":"KETTLE","quantity":2,"price":9.95,"language":"nl-NL"}],"timestamp":` + seconds + `}`},
		"currencies": {fields{"currency": "cur"}, ",cur", ",SEK", `{"event":"Purchase","email":"jane@example.com","orderid":"1","currency":"SEK",
			"products":[{"id":"KETTLE","quantity":2,"price":9.95}],"timestamp":` + seconds + `}`},
		"categories": {fields{"category_ids": "categories"}, ",categories", ",12|K-7", `{"event":"Purchase","email":"jane@example.com","orderid":"1","currency":"EUR",
			"products":[{"id":"KETTLE","quantity":2,"price":9.95,"category_ids":["12","K-7"]}],"timestamp":` + seconds + `}`},
		"a field of one's own": {fields{"custom_province": "province"}, ",province", ",Utrecht", `{"event":"Purchase","email":"jane@example.com","orderid":"1",
			"currency":"EUR","custom_province":"Utrecht","products":[{"id":"KETTLE","quantity":2,"price":9.95}],"timestamp":` + seconds + `}`},
	} {
		s := newShop(t)
		r, url := s.record()
		over := fields{"columns": columns(c.columns)}
		if c.columns["currency"] != nil {
			over["currency"] = nil
		}
		s.source("shop", over)
		s.activate("activate", fields{"url": url + "/v1/track"})
		s.csv("shop.csv", usualHeader+c.header, "1,"+completed+",jane@example.com,KETTLE,2,9.95"+c.row)
		s.run(exitDone)
		t.Run(name, func(t *testing.T) { r.only(t, "/v1/track", parsed(t, c.want)) })
	}
}
