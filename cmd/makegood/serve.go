package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"makegood/cmd/makegood/web"
	"makegood/config"
	"makegood/reconcile/placement"
	"makegood/reports"
	"makegood/sinks/outfile"
	"makegood/sources"
	"makegood/sources/rokt"
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	var asJSON, withoutSchedule bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the schedule by the clock, and answer what pages, shops and monitoring ask",
		Long: `Runs the entries of schedule by the clock, and answers what the section serve of
the configuration names, until Ctrl-C.

Each moment of an entry has one run, whichever host or cron begins it. Missed
moments, while nobody ran, are caught up by one run, which closes all gaps. An
entry with an hour of its own ("30 2 * * *") runs once a night also when the clocks
change; one for every few minutes runs every few minutes. Whoever has a cron of
their own calls makegood run --schedule NAME in place of this. SIGTERM finishes
what is in flight; the next start goes on.

With serve.bridge, pages that show a placement load /rokt-bridge.js and hand over
what the placement says of its cart. Each message is on the disk before it is
answered, in the file of its entry of messages, where makegood compare reads it.
The shop's backend gives its cart with PUT /rokt/carts/SESSION and the key. What
differs is asked of the placement by the page; it counts as aligned only when the
placement's closing message says so, and what Rokt refuses is shown.

With serve.availability, the shop's backend asks POST /rokt/availability before
it shows its upsell page. Rokt is asked on its behalf, and the answer says whether
to show the page, and the session for Rokt.createLauncher. On any doubt the answer
is to skip the page, in time, and never an error.

With serve.metrics, Prometheus asks GET /metrics with the key and gets the numbers
of the last runs in the ledger, which makegood metrics prints.

With serve.uploads, people bring a file of orders to /uploads/, say which column
is what, look at what would be sent, and have exactly that sent. Operators pause
and resume destinations there, and see who works where several machines do.

A page whose origin is not listed is not heard, and nothing here can stop a page:
without an answer the placement and the shop go on by themselves. Put it behind
the shop's own proxy, which speaks TLS.`,
		GroupID: "service",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood serve
  makegood serve --listen 127.0.0.1:0 --json
  makegood serve --without-schedule     # answers alone`,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.serve(c.Context(), listen, asJSON, withoutSchedule)
		},
	}
	c.Flags().BoolVar(&withoutSchedule, "without-schedule", false, "run nothing by the clock")
	c.Flags().StringVar(&listen, "listen", "", "`ADDRESS` to listen on in place of the configured one; port 0 takes a free one")
	c.Flags().BoolVar(&asJSON, "json", false, "the counts at the end as JSON")
	return c
}

func (a *app) serve(ctx context.Context, listen string, asJSON, withoutSchedule bool) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if withoutSchedule {
		cfg.Schedule = nil
	}
	if cfg.Serve == nil && len(cfg.Schedule) == 0 {
		return &configError{errors.New("there is neither a section serve nor a schedule; makegood serve --help says what they do")}
	}
	clock, err := a.byTheClock(cfg)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var runs sync.WaitGroup
	runs.Go(func() { clock.Serve(ctx) })
	defer func() { stop(); runs.Wait() }()
	if cfg.Serve == nil {
		runs.Wait()
		return nil
	}
	return a.serveHTTP(ctx, cfg, listen, asJSON)
}

// serveHTTP answers until ctx ends.
func (a *app) serveHTTP(ctx context.Context, cfg *config.Config, listen string, asJSON bool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	var told served
	if cfg.Serve.Bridge != nil {
		bridge, err := a.bridge(ctx, cfg)
		if err != nil {
			return err
		}
		mux.Handle("/rokt/", bridge)
		mux.Handle("/rokt-bridge.js", bridge)
		told.bridge = bridge
	}
	if s := cfg.Serve.Availability; s != nil {
		told.availability = web.NewAvailability(web.AvailabilityOptions{URL: s.URL, Key: s.APIKey.Reveal(), Tag: s.TagID.Reveal(),
			ShopKey: s.Key.Reveal(), Timeout: time.Duration(s.Timeout), Log: a.log, Clock: a.clock})
		defer told.availability.Close()
		mux.Handle("/rokt/availability", told.availability)
	}
	if s := cfg.Serve.Metrics; s != nil {
		mux.Handle("/metrics", web.Metrics(web.MetricsOptions{Key: s.Key.Reveal(), Write: (&scraped{app: a, cfg: cfg}).write, Log: a.log}))
	}
	if cfg.Serve.Uploads != nil {
		pages, err := a.uploadPages(ctx, cfg)
		if err != nil {
			return err
		}
		defer pages.Close()
		mux.Handle("/uploads/", pages)
		mux.Handle("/{$}", http.RedirectHandler("/uploads/", http.StatusSeeOther))
	}
	if listen == "" {
		listen = cfg.Serve.Listen
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("%w; name another address with --listen, or port 0 for a free one", err)
	}
	fmt.Fprintf(a.io.err, "makegood answers at http://%s, until Ctrl-C\n", l.Addr())
	if err := web.Serve(ctx, l, mux); err != nil {
		return err
	}
	return a.tellServed(told, asJSON)
}

// served is what a service answered with; nil is what it did not.
type served struct {
	bridge       *web.Bridge
	availability *web.Availability
}

// bridge makes the bridge, and has it remember the visits that may be open.
func (a *app) bridge(ctx context.Context, cfg *config.Config) (*web.Bridge, error) {
	b := cfg.Serve.Bridge
	m := cfg.Messages[b.Messages]
	parser := placement.Parser{Price: m.Price}
	if m.Order != "" {
		parser.Attributes = []string{m.Order}
	}
	file := outfile.New(outfile.Options{Path: m.Path, Zone: cfg.Zone.Location, Clock: a.clock, ID: func([]byte) string { return "" }})
	bridge := web.NewBridge(web.BridgeOptions{
		Origins: b.Origins, Key: b.Key.Reveal(), Parser: parser, Append: file.Append, Log: a.log, Clock: a.clock,
		Rules: placement.Rules{Settle: time.Duration(b.Settle), Answer: time.Duration(b.Answer), Tries: 3},
	})
	return bridge, a.remember(ctx, cfg, m, bridge)
}

// remember takes in what earlier runs of the service were told lately: of files
// for each day, only those that can hold it are read. What is more than is kept
// is left out and said: pages fill these files, and no page stops the service.
func (a *app) remember(ctx context.Context, cfg *config.Config, m *config.MessageSource, bridge *web.Bridge) error {
	now, skipped := a.clock().In(cfg.Zone.Location), 0
	since := now.Add(-web.Kept)
	days := []string{since.Format(time.DateOnly), now.Format(time.DateOnly)}
	for _, day := range slices.Compact(days) {
		file := *m
		file.Path = strings.ReplaceAll(m.Path, outfile.Date, day)
		messages, err := sources.Opener{StateDir: cfg.StateDir}.Messages(&file)
		if err != nil {
			return &configError{err}
		}
		_, err = messages.Read(ctx, func(m placement.Message) error {
			if m.At.Before(since) {
				return nil
			}
			err := bridge.Remember(m)
			if errors.Is(err, web.ErrTooMuch) || errors.Is(err, placement.ErrTooMany) {
				skipped++
				return nil
			}
			return err
		})
		if errors.Is(err, rokt.ErrTooMany) {
			fmt.Fprintf(a.io.err, "visits of earlier runs are remembered in part: there are more than %d messages of %s\n", rokt.MaxMessages, day)
			err = nil
		}
		if err != nil && !errors.Is(err, sources.ErrNoFile) && !errors.Is(err, fs.ErrNotExist) { // nothing was ever said
			return err
		}
		if file.Path == m.Path {
			break
		}
	}
	if skipped > 0 {
		fmt.Fprintf(a.io.err, "%d messages of earlier runs are not remembered: their visits name more items than are kept\n", skipped)
	}
	return nil
}

// summary is what serve tells at the end.
type summary struct {
	*web.Status
	Availability *web.Asked `json:"availability,omitempty"`
}

func (a *app) tellServed(told served, asJSON bool) error {
	var sum summary
	if told.bridge != nil {
		s := told.bridge.Status()
		for i := range s.Refused {
			s.Refused[i].Item, s.Refused[i].Name = reports.Mask(s.Refused[i].Item), reports.Mask(s.Refused[i].Name)
		}
		sum.Status = &s
	}
	if told.availability != nil {
		s := told.availability.Status()
		sum.Availability = &s
	}
	if asJSON {
		enc := json.NewEncoder(a.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(sum)
	}
	if sum.Status != nil {
		a.tellBridge(*sum.Status)
	}
	if s := sum.Availability; s != nil {
		fmt.Fprintf(a.io.out, "placements were shown %d times\n", s.Shown)
		for _, why := range slices.Sorted(maps.Keys(s.Skipped)) {
			fmt.Fprintf(a.io.out, "  skipped, %-31s %d\n", why, s.Skipped[why])
		}
	}
	return nil
}

func (a *app) tellBridge(s web.Status) {
	fmt.Fprintf(a.io.out, "%d messages of %d visits\n", s.Messages, s.Visits)
	if s.Dropped > 0 {
		fmt.Fprintf(a.io.out, "  let go early, more at once than are kept %d\n", s.Dropped)
	}
	for _, stand := range []struct {
		is   placement.Stand
		text string
	}{
		{placement.Agrees, "the same on both sides"}, {placement.Aligned, "aligned: asked, and confirmed by Rokt"},
		{placement.Refused, "refused by Rokt"}, {placement.Unanswered, "asked, never answered"},
		{placement.Waiting, "asked, no answer yet"}, {placement.ToAsk, "differs, not asked yet"},
		{placement.Unjudged, "not judged: no newer cart of the shop"},
	} {
		if n := s.Items[stand.is]; n > 0 {
			fmt.Fprintf(a.io.out, "  %-40s %d\n", stand.text, n)
		}
	}
	for _, r := range s.Refused {
		fmt.Fprintf(a.io.out, "refused: %s, asked for %s, Rokt has %s\n", strings.TrimSpace(r.Item+" "+r.Name), r.Asked, r.Rokt)
	}
}
