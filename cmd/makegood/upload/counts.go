package upload

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Counter lays a platform's counts by day beside what is known of a destination.
type Counter interface {
	// Compare takes a CSV table of the columns day and count, and gives the words
	// of makegood compare --counts. zone is that of the platform's days, "" the
	// configured one. An error of type [Refused] is shown.
	Compare(ctx context.Context, target, zone, table string) (string, error)
}

// maxTyped is how many days can be typed, and compareWithin how long it takes to
// compare them.
const (
	maxTyped      = 1_000
	compareWithin = time.Minute
)

func (p *Pages) countsPage(w http.ResponseWriter, _ *http.Request, u User) {
	p.counts(w, http.StatusOK, u, map[string]any{}, "")
}

func (p *Pages) counts(w http.ResponseWriter, status int, u User, data map[string]any, problem string) {
	data["Destinations"], data["ConfiguredZone"] = p.o.Destinations, p.o.Zone.String()
	p.render(w, status, "counts.html", view{Title: "Compare", User: u, Problem: problem, Data: data})
}

// compare tells what the counts that were typed show. Nothing is changed, and
// what was typed is kept nowhere.
func (p *Pages) compare(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, http.StatusBadRequest, "The form was not understood. Go back and try again.")
		return
	}
	target, zone, typed := r.PostForm.Get("target"), strings.TrimSpace(r.PostForm.Get("zone")), r.PostForm.Get("counts")
	data := map[string]any{"Target": target, "Zone": zone, "Typed": typed}
	table, err := tableOf(typed)
	if err == nil && !slices.Contains(p.o.Destinations, target) {
		err = &Refused{"Choose a destination."}
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), compareWithin)
		defer cancel()
		data["Words"], err = p.o.Counter.Compare(ctx, target, zone, table)
	}
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		delete(data, "Words")
		p.counts(w, http.StatusUnprocessableEntity, u, data, refused.Text)
	case err != nil:
		p.fault(w, err)
	default:
		p.counts(w, http.StatusOK, u, data, "")
	}
}

// tableOf makes a table of lines with a day and a number, as they were typed or
// copied out of a table: its rows are numbered as the lines are, behind one that
// names the columns.
func tableOf(typed string) (string, error) {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(typed, "\r\n", "\n")), "\n")
	if !strings.ContainsAny(lines[0], "0123456789") { // the columns' names
		lines = lines[1:]
	}
	switch {
	case len(lines) == 0:
		return "", &Refused{"Write a day and a number on each line, such as 2026-11-20 412."}
	case len(lines) > maxTyped:
		return "", &Refused{"These are more than 1,000 lines. Give a file to makegood compare --counts, or fewer days."}
	}
	var table strings.Builder
	rows := csv.NewWriter(&table)
	_ = rows.Write([]string{"day", "count"}) // a builder takes everything
	for _, line := range lines {
		line = strings.TrimSpace(line)
		at := strings.IndexAny(line, "\t;")
		if at < 0 {
			at = strings.IndexAny(line, ", ")
		}
		day, count := line, ""
		if at >= 0 {
			day, count = line[:at], strings.Trim(line[at:], " \t;,")
		}
		_ = rows.Write([]string{day, count})
	}
	rows.Flush()
	return table.String(), nil
}
