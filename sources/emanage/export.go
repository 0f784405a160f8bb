// Package emanage reads the order export of EmanageCRM: an API that hands out
// links to CSV files, page by page. It brings the files here and names their
// columns alike; what stands in them is read by others.
package emanage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// What can be wrong with an export as a whole. The errors of this package wrap
// them and say more.
var (
	// ErrLogin is returned when login and password, or the token that they
	// gave, are not taken.
	ErrLogin = errors.New("the login is not taken")
	// ErrAnswer is returned for an answer that is none of the known ones.
	ErrAnswer = errors.New("the answer is not understood")
	// ErrEndless is returned when pages repeat, so that nobody can say what is
	// missing.
	ErrEndless = errors.New("the export does not end")
	// ErrBusy is returned when the shop's system asks for a longer wait than a
	// run can take.
	ErrBusy = errors.New("the shop's system is busy")
	// ErrTooLarge is returned for more than is ever brought here.
	ErrTooLarge = errors.New("the export is too large")
)

// Bounds on what comes from outside.
const (
	PageSize   = 2000 // orders, the most that the API gives
	maxPages   = 5000
	maxAnswer  = 1 << 20
	maxPage    = 256 << 20
	maxExport  = 8 << 30
	maxTries   = 4 // of one request
	maxWait    = 2 * time.Minute
	maxRequest = 10 * time.Minute
)

// Options say where the export is.
type Options struct {
	URL             string // of the public API, without /auth
	Login, Password string
	Zone            *time.Location // of the days that are asked for
	// Wait waits before a request is made again; nil: by the clock.
	Wait func(ctx context.Context, d time.Duration) error
}

// Export is what was brought here.
type Export struct {
	Paths []string // of CSV files, 0600, in the order of their pages
	Notes []string // what a person should know of how it ended
}

// Fetch brings the orders of the window into dir, which must be empty: whole
// days, and one more on both sides, because nothing is said of the days' zone.
// It asks for pages until none is left. An empty page ends the export, whatever
// is announced behind it; so does one that was given before, if that one was
// not full. Otherwise a repeated page is ErrEndless. No error shows a secret or
// a link.
func Fetch(ctx context.Context, o Options, w reconcile.Window, dir string) (Export, error) {
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil {
		return Export{}, fmt.Errorf("fetch the export: %w", errors.New("url is no address"))
	}
	c := newClient(o, base)
	defer c.http.CloseIdleConnections()
	f := &fetch{client: c, dir: dir, days: days(w, o.Zone), seen: map[[32]byte]page{}}
	if err := f.all(ctx); err != nil {
		return Export{}, fmt.Errorf("fetch the export: %w", err)
	}
	return f.export, nil
}

// days are the first and the last day to ask for.
func days(w reconcile.Window, zone *time.Location) url.Values {
	if zone == nil {
		zone = time.UTC
	}
	return url.Values{"StartDate": {w.From.In(zone).AddDate(0, 0, -1).Format(time.DateOnly)},
		"EndDate": {w.To.In(zone).AddDate(0, 0, 1).Format(time.DateOnly)}}
}

// fetch is one export at work.
type fetch struct {
	*client
	dir    string
	days   url.Values
	seen   map[[32]byte]page
	size   int64
	export Export
}

// page is what a page turned out to be.
type page struct {
	number int
	header bool
	rows   int // at least those there are
	size   int64
	hash   [32]byte
}

// answer is what the API says of a page.
type answer struct {
	Link string `json:"link"`
	More bool   `json:"hasMoreToExport"`
	Next any    `json:"nextExport"`
}

func (f *fetch) all(ctx context.Context) error {
	for number := 1; ; {
		a, err := f.ask(ctx, number)
		if err != nil {
			return fmt.Errorf("page %d: %w", number, err)
		}
		end, err := f.take(ctx, number, a)
		if err != nil {
			return fmt.Errorf("page %d: %w", number, err)
		}
		if end || !a.More {
			return nil
		}
		next := nextPage(a.Next, number)
		if next <= number {
			return fmt.Errorf("page %d: %w: page %d is said to be the next one", number, ErrEndless, next)
		}
		if len(f.seen) == maxPages {
			return fmt.Errorf("%w: %d pages, and more are announced; read a shorter period", ErrTooLarge, maxPages)
		}
		number = next
	}
}

// take brings a page here. The export ends with it when it is empty, or was
// given before.
func (f *fetch) take(ctx context.Context, number int, a answer) (end bool, err error) {
	p := page{number: number}
	path := filepath.Join(f.dir, fmt.Sprintf("export-%d.csv", number))
	if a.Link != "" {
		if p, err = f.download(ctx, a.Link, path); err != nil {
			return false, err
		}
		p.number = number
	}
	if p.rows == 0 {
		if a.More {
			f.note("page %d of the export is empty though more is announced; it was taken for the end", number)
		}
		if p.header && len(f.export.Paths) == 0 {
			f.export.Paths = []string{path} // its columns can be looked at
			return true, nil
		}
		return true, gone(path)
	}
	before, twice := f.seen[p.hash]
	switch {
	case twice && before.rows >= PageSize:
		return false, fmt.Errorf("%w: it is page %d again, which was full, so that nobody can say what is missing; read a shorter period",
			ErrEndless, before.number)
	case twice:
		f.note("page %d of the export is page %d again, which was not full; it was taken for the end", number, before.number)
		return true, gone(path)
	}
	if f.size += p.size; f.size > maxExport {
		return false, fmt.Errorf("%w: more than %d GiB; read a shorter period", ErrTooLarge, maxExport>>30)
	}
	f.seen[p.hash] = p
	f.export.Paths = append(f.export.Paths, path)
	return false, nil
}

func (f *fetch) note(form string, args ...any) {
	f.export.Notes = append(f.export.Notes, fmt.Sprintf(form, args...))
}

// gone removes a file that may never have been made.
func gone(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

var pageInPath = regexp.MustCompile(`/order/export/([0-9]{1,9})/`)

// nextPage reads nextExport: a number, or the address of the next page. Where
// it is neither the next page is the one after this.
func nextPage(next any, number int) int {
	text := fmt.Sprint(next)
	if n, ok := next.(float64); ok {
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if m := pageInPath.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return number + 1
}
