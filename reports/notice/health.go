package notice

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"makegood/reports"
)

// HealthCheck hears of every run that it has begun and how it ended, in the way
// of healthchecks.io (https://healthchecks.io/docs/http_api/): POST to URL/start,
// to URL when the run did its work, else to URL/EXIT. A run that was cut off did
// not do its work, whatever its exit code.
type HealthCheck struct {
	Name string
	URL  string
	// Fail is where a failure goes in place of the exit code, for services that
	// know no exit codes: "fail".
	Fail string
	Poster
}

// worked are the exit codes of runs that did their work: the next one ends what
// is left.
const worked = 1

// Start says that a run begins.
func (h HealthCheck) Start(ctx context.Context) error { return h.ping(ctx, "start", "") }

// End says how a run ended. The body has the first line and the balances.
func (h HealthCheck) End(ctx context.Context, exit int, r reports.Report) error {
	where := ""
	if exit > worked || r.Error != "" {
		if where = strconv.Itoa(exit); h.Fail != "" {
			where = h.Fail
		}
	}
	note := reports.NoteOf(r)
	return h.ping(ctx, where, strings.Join(append([]string{note.First}, note.Balance...), "\n"))
}

// Test leaves a line at the check that changes nothing there. Services that know
// no exit codes know no such lines either: there it is a ping as of a run that
// did its work.
func (h HealthCheck) Test(ctx context.Context) error {
	where := "log"
	if h.Fail != "" {
		where = ""
	}
	return h.ping(ctx, where, "This is a test of makegood's notices.")
}

// maxPing is how much of a body such services keep, in characters.
const maxPing = 10_000

func (h HealthCheck) ping(ctx context.Context, where, body string) error {
	address, err := url.Parse(h.URL)
	if err != nil {
		return errors.New("the url cannot be used") // its text would hold it
	}
	if where != "" {
		address = address.JoinPath(where)
	}
	return h.send(ctx, request{method: http.MethodPost, address: address.String(), contentType: "text/plain; charset=utf-8", body: []byte(cut(body, maxPing))})
}
