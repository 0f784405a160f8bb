package upload

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"makegood/reconcile"
)

// Options say who may come, and what the pages work with.
type Options struct {
	Core    Core
	Brake   Brake
	Counter Counter
	// Overseer looks what several machines do; nil: this is the only one.
	Overseer Overseer
	Dir      string // of uploads; made where it is not there
	Users    string // the file of users
	Targets  []string
	// Destinations are all that can be paused and compared.
	Destinations []string
	Zone         *time.Location
	MaxSize      int64 // of a file, in bytes
	// SecondPerson: who uploaded a file, or made its preview, does not approve it.
	SecondPerson bool
	// Above asks for that only where more money than this would be sent, by
	// currency; any other currency, and what nobody knows, is more.
	Above map[string]reconcile.Decimal
	Keep  time.Duration
	// Header names the user in requests of Proxies; "" is none.
	Header  string
	Proxies []netip.Prefix
	Log     *slog.Logger
	Clock   Clock
	// Ended is called by Close when nothing is under way any more; nil: nobody
	// waits for that.
	Ended func()
}

// Pages answer under /uploads/. Close is called once nobody asks any more.
type Pages struct {
	o        Options
	store    *store
	history  *history
	sessions *sessions
	failures *failures
	shapes   sync.Mutex // of the file of shapes

	mux     *http.ServeMux
	working sync.WaitGroup
	keeping sync.WaitGroup // removing what is old
	stop    context.CancelFunc
	life    context.Context //nolint:containedctx // of the work that outlives a request
	stops   sync.Map        // by upload: a *context.CancelCauseFunc that ends what is under way
	one     chan struct{}   // one file is planned or sent at a time
	looks   chan struct{}   // one file is looked at at a time
	hash    chan struct{}   // passwords that are looked at
	receive chan struct{}   // files that are received
}

//go:embed templates
var templates embed.FS

//go:embed static
var static embed.FS

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"thin": func(n int) string { return thin(fmt.Sprint(n)) }, "size": sizeText, "words": wordsOf, "pair": figuresOf,
}).ParseFS(templates, "templates/*.html"))

// New opens what earlier services left.
func New(o Options) (*Pages, error) {
	if _, err := Users(o.Users); err != nil {
		return nil, err
	}
	store, err := openStore(o.Dir, func() time.Time { return o.Clock().Add(-o.Keep) })
	if err != nil {
		return nil, err
	}
	p := &Pages{o: o, store: store, history: &history{path: filepath.Join(o.Dir, "history.jsonl")}, sessions: newSessions(o.Clock),
		failures: newFailures(o.Clock), one: make(chan struct{}, 1), looks: make(chan struct{}, 1), hash: make(chan struct{}, 2), receive: make(chan struct{}, 4)}
	p.life, p.stop = context.WithCancel(context.Background())
	p.routes()
	p.tidy()
	p.keeping.Go(p.tidies)
	return p, nil
}

// Close ends what is under way in order: a plan is given up, and of what is
// sent the messages that are under way are finished.
func (p *Pages) Close() {
	p.stop()
	p.working.Wait()
	p.keeping.Wait()
	if p.o.Ended != nil {
		p.o.Ended()
	}
}

func (p *Pages) routes() {
	p.mux = http.NewServeMux()
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, name := range []string{"style.css", "icon.svg"} {
		p.mux.Handle("GET /uploads/static/"+name, http.StripPrefix("/uploads/static/", http.FileServerFS(files)))
	}
	p.mux.HandleFunc("GET /uploads/sign-in", p.signInPage)
	p.mux.HandleFunc("POST /uploads/sign-in", p.signIn)
	p.mux.HandleFunc("POST /uploads/sign-out", p.signOut)
	p.mux.HandleFunc("GET /uploads/{$}", p.known(Analyst, p.list))
	p.mux.HandleFunc("POST /uploads/{$}", p.known(Analyst, p.take))
	p.mux.HandleFunc("GET /uploads/history", p.known(Operator, p.past))
	p.mux.HandleFunc("GET /uploads/counts", p.known(Analyst, p.countsPage))
	p.mux.HandleFunc("POST /uploads/counts", p.known(Analyst, p.compare))
	p.mux.HandleFunc("GET /uploads/pause", p.known(Operator, p.pausePage))
	p.mux.HandleFunc("GET /uploads/pause/confirm", p.known(Operator, p.confirmPage))
	p.mux.HandleFunc("POST /uploads/pause", p.known(Operator, p.brake))
	if p.o.Overseer != nil {
		p.mux.HandleFunc("GET /uploads/workers", p.known(Operator, p.machines))
	}
	p.mux.HandleFunc("GET /uploads/{id}", p.known(Analyst, p.of(p.show)))
	p.mux.HandleFunc("GET /uploads/{id}/columns", p.known(Analyst, p.of(p.columns)))
	p.mux.HandleFunc("POST /uploads/{id}/columns", p.known(Analyst, p.of(p.choose)))
	p.mux.HandleFunc("POST /uploads/{id}/read", p.known(Analyst, p.of(p.reread)))
	p.mux.HandleFunc("GET /uploads/{id}/approve", p.known(Approver, p.of(p.approvePage)))
	p.mux.HandleFunc("POST /uploads/{id}/approve", p.known(Approver, p.of(p.approve)))
	p.mux.HandleFunc("POST /uploads/{id}/stop", p.known(Analyst, p.of(p.halted)))
	p.mux.HandleFunc("POST /uploads/{id}/remove", p.known(Analyst, p.of(p.remove)))
	p.mux.HandleFunc("GET /uploads/{id}/report", p.known(Analyst, p.of(p.report)))
	p.mux.HandleFunc("GET /uploads/{id}/marked", p.known(Analyst, p.of(p.marked)))
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.fail(w, http.StatusNotFound, notThere) })
}

// policy is what a browser may do with the pages.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler. What another site makes a browser post is
// refused before anything looks at it.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		p.fail(w, http.StatusForbidden, "This came from a page of another site, and nothing was done. Open the upload page itself and do it there.")
		return
	}
	p.mux.ServeHTTP(w, r)
}

type handler func(w http.ResponseWriter, r *http.Request, u User)

// known lets those in whose role includes the given one.
func (p *Pages) known(least Role, next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		users, err := Users(p.o.Users)
		if err != nil {
			p.fault(w, err)
			return
		}
		u, is := users[p.who(r)]
		switch {
		case !is && r.Method == http.MethodGet:
			http.Redirect(w, r, "/uploads/sign-in", http.StatusSeeOther)
		case !is:
			p.fail(w, http.StatusUnauthorized, "You are not signed in, or were silent for too long. Sign in and do it again; nothing was done.")
		case !u.Role.may(least):
			p.fail(w, http.StatusForbidden, "Your role does not include this. Ask somebody who is "+string(least)+".")
		default:
			next(w, r, u)
		}
	}
}

// who is the name that a request comes from: as the proxy says, or whose session
// it is.
func (p *Pages) who(r *http.Request) string {
	if p.proxied(r) {
		return r.Header.Get(p.o.Header)
	}
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return ""
	}
	return p.sessions.user(cookie.Value)
}

func (p *Pages) proxied(r *http.Request) bool {
	from := remote(r)
	return p.o.Header != "" && len(r.Header.Values(p.o.Header)) == 1 &&
		slices.ContainsFunc(p.o.Proxies, func(allowed netip.Prefix) bool { return allowed.Contains(from) })
}

const notThere = "There is no such page, or it is not yours to see. Go back to the list of uploads."

// of finds the upload that a request is about. What somebody else uploaded is
// not there for an analyst.
func (p *Pages) of(next func(http.ResponseWriter, *http.Request, User, Upload)) handler {
	return func(w http.ResponseWriter, r *http.Request, u User) {
		upload, is := p.store.get(r.PathValue("id"))
		if !is || !p.sees(u, upload) {
			p.fail(w, http.StatusNotFound, notThere)
			return
		}
		next(w, r, u, upload)
	}
}

func (p *Pages) sees(u User, upload Upload) bool { return upload.By == u.Name || u.Role.may(Approver) }

// view is what every page shows.
type view struct {
	Title   string
	User    User
	Refresh bool
	Problem string
	Paused  []string // what is paused at the moment
	Shared  bool     // several machines work
	Data    any
}

func (p *Pages) render(w http.ResponseWriter, status int, page string, v view) {
	if v.User.Name != "" && page != "pauses.html" { // which says it itself
		v.Paused = p.paused()
	}
	v.Shared = p.o.Overseer != nil
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, page, v); err != nil {
		p.o.Log.Debug("a page was not shown to its end", "page", page, "error", err)
	}
}

// fail says in words what was refused, and what to do.
func (p *Pages) fail(w http.ResponseWriter, status int, text string) {
	title := map[int]string{http.StatusNotFound: "Not found", http.StatusUnauthorized: "Not signed in"}[status]
	if title == "" {
		title = "Not done"
	}
	p.render(w, status, "problem.html", view{Title: title, Problem: text})
}

// fault says that something is wrong here; what, says the log.
func (p *Pages) fault(w http.ResponseWriter, err error) {
	var refused *Refused
	if errors.As(err, &refused) {
		p.fail(w, http.StatusConflict, refused.Text)
		return
	}
	if errors.Is(err, errGone) {
		p.fail(w, http.StatusNotFound, notThere)
		return
	}
	p.o.Log.Error("a page of uploads could not be answered", "error", err)
	p.fail(w, http.StatusInternalServerError, "Something is wrong with this service, and this was not done. Whoever runs it finds the cause in its log.")
}

// deed adds to the history. What cannot be written down is not done.
func (p *Pages) deed(d Deed) error {
	d.At = p.o.Clock().UTC().Truncate(time.Second)
	return p.history.add(d)
}

func sizeText(n int64) string {
	switch {
	case n < 1_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", (n+500)/1_000)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/1e6), ".0") + " MB"
}
