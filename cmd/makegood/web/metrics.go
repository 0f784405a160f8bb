package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// MetricsOptions say what is answered, and to whom.
type MetricsOptions struct {
	Key string // which Prometheus proves itself with
	// Write writes the numbers as they are now.
	Write func(ctx context.Context, w io.Writer) error
	Log   *slog.Logger
}

// gatherTime is how long numbers may take: Prometheus asks every few seconds and
// gives up after ten.
const gatherTime = 8 * time.Second

// Metrics answers GET with numbers in the form of Prometheus. Who asks is known
// by "Authorization: Bearer KEY".
func Metrics(o MetricsOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case r.Method != http.MethodGet:
			fail(w, http.StatusMethodNotAllowed, "only GET is answered here")
			return
		case !is || !sameSecret(given, o.Key):
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "the key of serve.metrics is wanted: Authorization: Bearer KEY")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), gatherTime)
		defer cancel()
		var text bytes.Buffer
		if err := o.Write(ctx, &text); err != nil {
			o.Log.Warn("metrics could not be answered", "error", err)
			fail(w, http.StatusServiceUnavailable, "there are no numbers now; the log says why")
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = text.WriteTo(w) // a client that left is no concern
	})
}
