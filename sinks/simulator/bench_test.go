package simulator_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"makegood/sinks/simulator"
)

// BenchmarkTrack is the whole way over loopback, client included; the client takes more than half of it.
func BenchmarkTrack(b *testing.B) {
	sim := simulator.New(simulator.Options{})
	srv := httptest.NewServer(sim)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := purchase(strconv.FormatInt(n.Add(1), 10))
			req, _ := http.NewRequest("POST", srv.URL+"/v1/track", bytes.NewReader([]byte(body)))
			for key, value := range login {
				req.Header.Set(key, value)
			}
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	report(b, sim)
}

// BenchmarkTrackBareClient writes bare requests, so that what is measured is the server and the simulator.
func BenchmarkTrackBareClient(b *testing.B) {
	sim := simulator.New(simulator.Options{})
	srv := httptest.NewServer(sim)
	defer srv.Close()
	var n atomic.Int64
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answer := make([]byte, 4096)
		for pb.Next() {
			body := purchase(strconv.FormatInt(n.Add(1), 10))
			request := "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-AUTH-ACCOUNT: a\r\n" +
				"X-AUTH-APIKEY: k\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
			if _, err := conn.Write([]byte(request)); err != nil {
				b.Error(err)
				return
			}
			if got, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:got], []byte("HTTP/1.1 200")) {
				b.Errorf("answer %q, %v", answer[:got], err)
				return
			}
		}
	})
	report(b, sim)
}

func report(b *testing.B, sim *simulator.Simulator) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	if got := sim.Counts().Platforms[simulator.Squeezely].Orders; got != uint64(b.N) {
		b.Errorf("%d orders, want %d", got, b.N)
	}
}
