package rehearsal

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"makegood/sinks/httpapi"
)

// wire is the network of one process: what it asked of each target, and how
// often it opened a connection.
type wire struct {
	mood uint64 // 0: every platform accepts; else the seed of what goes wrong

	mu     sync.Mutex
	dials  int
	asked  map[string][]string // by target: method, address and body of each request
	served sync.WaitGroup
}

func newWire(mood uint64) *wire { return &wire{mood: mood, asked: map[string][]string{}} }

// dial opens the connections of one target.
func (n *wire) dial(target string) httpapi.Dial {
	return func(context.Context, string, string) (net.Conn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dials++
		here, there := net.Pipe()
		n.served.Go(func() { n.serve(target, there) })
		return here, nil
	}
}

// serve is the platform's end of a connection.
func (n *wire) serve(target string, conn net.Conn) {
	defer func() { _ = conn.Close() }() // a pipe
	requests := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		text := r.Method + " " + r.URL.String() + "\n" + string(body)
		n.mu.Lock()
		n.asked[target] = append(n.asked[target], text)
		n.mu.Unlock()
		status, answer := n.answer(target, r, text)
		if status == 0 { // it hangs up, and nobody knows whether it took it
			return
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), len(answer), answer); err != nil {
			return
		}
	}
}

// answer is the same for the same request in the same mood, whenever it comes.
func (n *wire) answer(target string, r *http.Request, text string) (status int, body string) {
	sum := sha256.Sum256([]byte(text))
	good := `{"success":true}`
	if target == "charges" && strings.Contains(r.URL.Path, "new") {
		good = fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	if n.mood == 0 {
		return http.StatusOK, good
	}
	switch throw := (binary.BigEndian.Uint64(sum[16:24]) ^ n.mood) * 0x9e3779b97f4a7c15 >> 40 % 20; {
	case throw < 12:
		return http.StatusOK, good
	case throw < 15:
		return http.StatusBadRequest, `{"errors":[{"code":"TIMESTAMP_ERROR"}]}`
	case throw < 17:
		return 0, ""
	case throw < 18:
		return http.StatusInternalServerError, `{}`
	case throw < 19:
		return http.StatusServiceUnavailable, `{}`
	default:
		return http.StatusUnauthorized, `{}`
	}
}

// said are the messages to a target, sorted: each with the address that it was
// sent to. Workers that send at the same moment send in any order, and which
// messages share a request depends on who of them comes first.
func (n *wire) said(target string) (list []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range n.asked[target] {
		address, body, _ := strings.Cut(text, "\n")
		var batch struct{ Events []json.RawMessage }
		if json.Unmarshal([]byte(body), &batch) != nil || len(batch.Events) == 0 {
			list = append(list, text)
			continue
		}
		for _, event := range batch.Events {
			list = append(list, address+"\n"+string(event))
		}
	}
	slices.Sort(list)
	return list
}

func (n *wire) connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}
