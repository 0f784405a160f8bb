package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// counter is a platform that notes when its first and its last message came, and
// what they said.
type counter struct {
	http.Handler
	mu          sync.Mutex
	first, last time.Time
	n           int
	bodies      [][]byte // nil: they are not kept
	header      http.Header
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	if c.last = time.Now(); c.n == 0 {
		c.first, c.header = c.last, r.Header.Clone()
	}
	c.n++
	if c.bodies != nil {
		c.bodies = append(c.bodies, body)
	}
	c.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.Handler.ServeHTTP(w, r)
}

// rate is in messages per second.
func (c *counter) rate() float64 { return float64(c.n-1) / c.last.Sub(c.first).Seconds() }

func platform(b *testing.B, delay time.Duration) (*counter, *httptest.Server) {
	b.Helper()
	sim := simulator.New(simulator.Options{})
	if delay > 0 {
		f, err := simulator.ParseFault("delay=" + delay.String())
		if err == nil {
			err = sim.SetFaults(f)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	c := &counter{Handler: sim}
	return c, httptest.NewServer(c)
}

// sendersAtOnce is how many messages are under way at a time.
const sendersAtOnce = 8

// BenchmarkSending compares the sending of a real shop's year (18,356 messages,
// each claimed and settled on disk) with a bare client that posts the same
// bodies with as many connections to the same platform, in turns.
func BenchmarkSending(b *testing.B) {
	for _, delay := range []time.Duration{5 * time.Millisecond, 0} {
		b.Run("answer after "+delay.String(), func(b *testing.B) {
			var ours, bare float64
			for b.Loop() {
				c, server := platform(b, delay)
				c.bodies = [][]byte{}
				config := retailConfig(b, b.TempDir(), server.URL, fmt.Sprintf(retailSource(b, "type: csv\npath: "+retail(b, "online_retail.csv")+englishColumns), "InvoiceNo"))
				cmd := play(b, append([]string{"run", "-c", config}, retailWindow...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					if _, is := err.(*exec.ExitError); !is || c.n != 18356 {
						b.Fatalf("%v\n%s", err, out)
					}
				}
				server.Close()
				if c.n != 18356 {
					b.Fatalf("%d messages were sent", c.n)
				}
				ours += c.rate()
				again, server := platform(b, delay)
				post(b, server.URL+"/v1/track", c.header, c.bodies)
				server.Close()
				bare += again.rate()
			}
			b.ReportMetric(ours/bare, "x-bare")
			b.ReportMetric(ours/float64(b.N), "messages/s")
			b.ReportMetric(bare/float64(b.N), "messages/s-bare")
		})
	}
}

// post is the bare client.
func post(b *testing.B, url string, header http.Header, bodies [][]byte) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: sendersAtOnce}}
	defer client.CloseIdleConnections()
	next := make(chan []byte)
	var senders sync.WaitGroup
	for range sendersAtOnce {
		senders.Go(func() {
			for body := range next {
				req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header = header.Clone()
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body) // what it says was looked at before
				_ = resp.Body.Close()
			}
		})
	}
	for _, body := range bodies {
		next <- body
	}
	close(next)
	senders.Wait()
}
