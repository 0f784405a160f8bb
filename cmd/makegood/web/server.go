package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Times of the server. Pages and shops send little and wait for little.
const (
	headerTime  = 5 * time.Second
	requestTime = 10 * time.Second
	answerTime  = 15 * time.Second
	idleTime    = 2 * time.Minute
	// leaveTime is how long requests may take to end after Ctrl-C.
	leaveTime = 5 * time.Second
)

// atOnce is how many requests are worked on at a time; more are told to come
// back.
const atOnce = 128

// Serve answers on l until the context ends, then lets the requests end that
// are under way. It closes l.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: limited(handler), ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10,
	}
	over := make(chan error, 1)
	go func() {
		<-ctx.Done()
		bound, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		over <- server.Shutdown(bound)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-over; err != nil {
		return fmt.Errorf("end the service: requests were cut off: %w", err)
	}
	return nil
}

// limited answers 503 to what comes beyond atOnce requests.
func limited(next http.Handler) http.Handler {
	places := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, "too many requests at once")
		}
	})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that left is no concern
}

// fail answers with words that hold nothing of the request.
func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}
