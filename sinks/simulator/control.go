package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// controlRoutes is the control interface. It needs no login: a simulator belongs on a loopback address.
//
//	GET  /_sim/counts            Counts
//	GET  /_sim/state             State
//	GET  /_sim/requests?since=N  requests with a number above N, one JSON object on each line
//	GET  /_sim/faults            the faults in force, each with seen and fired
//	POST /_sim/faults            replaces them: a JSON list of objects, or of texts as ParseFault reads them
//	GET  /_sim/customer?who=NAME  Customer: whom an address, an order number or a session names
//	POST /_sim/emanage           makes a cart that the shop itself made and the customer paid: an EmanageCart
//	POST /_sim/reset             forgets everything but the faults
//	     /_sim/elsewhere         RedirectTarget
func (s *Simulator) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.State()) })
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Faults()) })
	mux.HandleFunc("GET /_sim/requests", s.serveRequests)
	mux.HandleFunc("POST /_sim/faults", s.serveFaults)
	mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		writeJSON(w, s.Counts())
	})
	mux.HandleFunc("GET /_sim/customer", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, s.Customer(r.URL.Query().Get("who"))) })
	mux.HandleFunc("POST /_sim/customer", s.serveCustomer)
	mux.HandleFunc("POST /_sim/emanage", s.serveEmanage)
	mux.HandleFunc(RedirectTarget, s.serveElsewhere)
	return mux
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value) //nolint:errcheck // a client that left is no concern
}

func writeProblem(w http.ResponseWriter, problem string) {
	refuse(http.StatusBadRequest, problem).write(w)
}

const requestsAtOnce = 10_000

// serveRequests reads piece by piece, so that a long list neither holds the lock nor fills the memory.
func (s *Simulator) serveRequests(w http.ResponseWriter, r *http.Request) {
	var since uint64
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseUint(text, 10, 64); err != nil {
			writeProblem(w, "since: must be the number of a request")
			return
		}
	}
	w.Header().Set("Content-Type", "application/jsonl")
	lines := json.NewEncoder(w)
	for {
		piece := s.requestsAfter(since, requestsAtOnce)
		for _, request := range piece {
			if lines.Encode(request) != nil {
				return
			}
		}
		if len(piece) < requestsAtOnce {
			return
		}
		since = piece[len(piece)-1].N
	}
}

func (s *Simulator) serveFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, defaultMaxBody))
	if err != nil {
		writeProblem(w, "the body could not be read")
		return
	}
	faults := []Fault{}
	if err := strictly(body, &faults); err != nil {
		writeProblem(w, err.Error())
		return
	}
	if err := s.SetFaults(faults...); err != nil {
		writeProblem(w, err.Error())
		return
	}
	writeJSON(w, s.Faults())
}

func (s *Simulator) serveElsewhere(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.memory.redirected++
	s.mu.Unlock()
	reply{status: http.StatusOK, body: []byte(`{"success":true}`)}.write(w)
}
