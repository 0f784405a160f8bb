// Package sources opens what the configuration names: sources of orders,
// evidence and open carts. One switch in this file knows the kinds of files.
package sources

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/csvfile"
	"makegood/sources/internal/spill"
	"makegood/sources/sqldb"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
)

// Opener opens what a configuration names. The zero value works; its fields
// are for callers that show progress and for tests.
type Opener struct {
	// StateDir is the folder for what does not fit into memory.
	StateDir string
	// Now tells the age of files; nil: time.Now.
	Now func() time.Time
	// Progress is told how many rows of a source have been read in a pass.
	Progress func(source string, rows int)
	// Waiting is told how long a source waits for a file that may still be
	// written; nil: nobody.
	Waiting func(source, file string, d time.Duration)
	// Blame is told of each row with something wrong, more than once perhaps;
	// nil: nobody.
	Blame func(source string, p reconcile.RowProblem)
	// Budget is the memory for orders that are not yet whole; 0: table's own.
	Budget int
}

// Open gives the source that cfg describes. It opens no file: that there are
// files and that they have the mapped columns is known when it is read.
func Open(cfg *config.Source, stateDir string) (reconcile.Source, error) {
	return Opener{StateDir: stateDir}.Source(cfg)
}

// OpenEvidence gives the reader of what others recorded as sent.
func OpenEvidence(cfg *config.Evidence, stateDir string) (reconcile.EvidenceReader, error) {
	return Opener{StateDir: stateDir}.Evidence(cfg)
}

// OpenCarts gives the reader of open carts.
func OpenCarts(cfg *config.CartSource, stateDir string) (reconcile.CartFeed, error) {
	return Opener{StateDir: stateDir}.Carts(cfg)
}

// Source is Open with the settings of o.
func (o Opener) Source(cfg *config.Source) (reconcile.Source, error) {
	r := &rows{name: cfg.Name, table: &cfg.Table, slack: time.Duration(cfg.Slack), bind: cfg.Bind,
		stable: time.Duration(cfg.StableFor), opener: o, wanted: wanted(cfg.Columns)}
	if p := config.PresetNamed(cfg.Preset); p != nil {
		r.wanted = append(r.wanted, p.Wanted()...)
	}
	if cfg.AfterRead != nil {
		r.moveTo = cfg.AfterRead.MoveTo
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if o.StateDir != "" {
		spill.Sweep(MarkedDir(o.StateDir))
	}
	options := table.Options{StateDir: o.spillDir(), Budget: o.Budget, Joins: o.join, Now: o.Now}
	if o.Progress != nil {
		options.Progress = func(n int) { o.Progress(cfg.Name, n) }
	}
	if o.Blame != nil {
		options.Blame = func(p reconcile.RowProblem) { o.Blame(cfg.Name, p) }
	}
	if cfg.SFTP != nil {
		r.fetcher = &fetcher{server: cfg.SFTP, parent: filepath.Join(o.StateDir, "sftp")}
	}
	if cfg.Type == "emanage" {
		r.exporter = &exporter{parent: o.exportDir()}
	}
	source, err := table.New(cfg, r.files, options)
	switch {
	case err != nil:
		return nil, err
	case r.exporter != nil:
		return exportSource{fileSource{source, r}}, nil
	case r.moveTo != "":
		return dropSource{fileSource{source, r}}, nil
	}
	return fileSource{source, r}, nil
}

// fileSource is a source that removes what was fetched for it.
type fileSource struct {
	*table.Source
	rows *rows
}

// Close implements reconcile.Source.
func (s fileSource) Close() error {
	return errors.Join(s.Source.Close(), s.rows.fetcher.close(), s.rows.exporter.close())
}

// Evidence is OpenEvidence with the settings of o.
func (o Opener) Evidence(cfg *config.Evidence) (reconcile.EvidenceReader, error) {
	r := &rows{name: cfg.Name, table: &cfg.Table, opener: o, wanted: wanted(cfg.Columns)}
	if err := r.check(); err != nil {
		return nil, err
	}
	return table.NewEvidence(cfg, r.files)
}

// Carts is OpenCarts with the settings of o.
func (o Opener) Carts(cfg *config.CartSource) (reconcile.CartFeed, error) {
	r := &rows{name: cfg.Name, table: &cfg.Table, opener: o, wanted: wanted(cfg.Columns)}
	if err := r.check(); err != nil {
		return nil, err
	}
	return table.NewCarts(cfg, r.files)
}

// join opens the files to look up in. They may be of any age: they are no
// orders, and what they lack shows as a missing address.
func (o Opener) join(ctx context.Context, cfg *config.Join) ([]table.File, error) {
	r := &rows{name: "join", table: &cfg.Table, opener: o, wanted: append(wanted(cfg.On), wanted(cfg.Take)...)}
	if r.table.Type == "" {
		r.table.Type = "csv"
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r.files(ctx, reconcile.Window{})
}

// Catalog reads which products a platform knows.
func (o Opener) Catalog(ctx context.Context, cfg *config.Catalog) (reconcile.Products, error) {
	r := &rows{name: "catalog", table: &cfg.Table, opener: o, wanted: wanted(map[string]string{"sku": cfg.SKU, "language": cfg.Language})}
	if err := r.check(); err != nil {
		return nil, err
	}
	files, err := r.files(ctx, reconcile.Window{})
	if err != nil {
		return nil, err
	}
	return table.ReadProducts(ctx, cfg, files)
}

// MarkedDir is where marked files are until they are whole. What a killed run
// has left there is removed when a source is opened.
func MarkedDir(stateDir string) string { return filepath.Join(stateDir, "marked") }

func (o Opener) spillDir() string { return filepath.Join(o.StateDir, "spill") }

// rows are the files behind one entry of the configuration.
type rows struct {
	name   string
	table  *config.Table
	stable time.Duration // how long a file must have been left alone
	slack  time.Duration
	bind   string
	opener Opener
	wanted []string // columns by which a header is known
	moveTo string   // the folder for files that were read; "": they stay
	listed []found  // by the last files
	// fetcher is set where files lie on a server.
	fetcher *fetcher
	// exporter is set where a shop system hands out its orders.
	exporter *exporter
}

// wanted are the columns that a mapping names, without those inside of
// expressions.
func wanted(columns map[string]string) []string {
	var names []string
	for _, column := range columns {
		if column = strings.TrimSpace(column); !strings.HasPrefix(column, "=") {
			names = append(names, column)
		}
	}
	return names
}

func (r *rows) check() error {
	switch r.table.Type {
	case "csv", "xlsx", "sql", "emanage":
		return nil
	}
	return fmt.Errorf("open %s: the type %q is not built yet; there are csv, xlsx, sql and emanage", r.name, r.table.Type)
}

// files is the one switch over the kinds of files.
func (r *rows) files(ctx context.Context, w reconcile.Window) ([]table.File, error) {
	if r.table.Type == "sql" {
		return []table.File{r.query(w)}, nil
	}
	if r.exporter != nil {
		return r.exporter.files(ctx, r.table, r.wanted, w)
	}
	paths, err := r.paths(ctx, w)
	if err != nil {
		return nil, err
	}
	files := make([]table.File, len(paths))
	for i, path := range paths {
		switch r.table.Type {
		case "csv":
			files[i] = csvfile.New(path, *r.table, r.wanted...)
		case "xlsx":
			files[i] = r.workbook(path)
		}
	}
	return files, nil
}

// paths finds the files on this machine, or brings them there.
func (r *rows) paths(ctx context.Context, w reconcile.Window) (paths []string, err error) {
	if r.fetcher == nil {
		all, err := r.find(ctx, w, r.drop(local{}))
		for _, f := range all {
			paths = append(paths, f.path)
		}
		return paths, err
	}
	if err := r.fetcher.close(); err != nil {
		return nil, err
	}
	server, err := r.fetcher.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	all, err := r.find(ctx, w, r.drop(server))
	if err != nil {
		return nil, err
	}
	return r.fetcher.fetch(server, all)
}

// find lists the files, those that were moved first, and waits until nobody
// writes the others.
func (r *rows) find(ctx context.Context, w reconcile.Window, d drop) ([]found, error) {
	r.listed = nil
	fresh, moved, err := d.list(w)
	if err != nil {
		return nil, err
	}
	s := stillness{disk: d, stable: r.stable, now: r.opener.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if r.opener.Waiting != nil {
		s.waiting = func(file string, d time.Duration) { r.opener.Waiting(r.name, file, d) }
	}
	settled, err := s.settle(ctx, fresh)
	if err != nil {
		return nil, err
	}
	r.listed = slices.Concat(moved, settled)
	return r.listed, nil
}

func (r *rows) drop(d disk) drop {
	path := r.table.Path
	if r.fetcher != nil {
		path = r.fetcher.server.Path
	}
	return drop{paths: paths{d, endings[r.table.Type]}, path: path, to: r.moveTo}
}

// move moves what the last files gave.
func (r *rows) move(ctx context.Context) (n int, err error) {
	if r.fetcher == nil || !slices.ContainsFunc(r.listed, func(f found) bool { return !f.moved }) {
		return r.drop(local{}).moveAll(ctx, r.listed)
	}
	server, err := r.fetcher.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	return r.drop(server).moveAll(ctx, r.listed)
}

func (r *rows) workbook(path string) table.File {
	o := xlsxfile.Options{Password: r.table.Password.Reveal(), HeaderRow: r.table.HeaderRow, Wanted: r.wanted, Decimal: r.table.Decimal,
		TmpDir: filepath.Join(r.opener.StateDir, "xlsx")}
	if r.table.Sheet.All {
		o.Sheets = []string{xlsxfile.All}
	}
	for _, s := range r.table.Sheet.Pick {
		name := s.Name
		if name == "" {
			name = "#" + strconv.Itoa(s.Number)
		}
		o.Sheets = append(o.Sheets, name)
	}
	return xlsxfile.New(path, o)
}

// query widens the window by the slack; makegood cuts exactly afterwards.
func (r *rows) query(w reconcile.Window) table.File {
	o := sqldb.Options{Table: r.table.SQLTable, Key: r.table.Key, Timeout: time.Duration(r.table.Timeout)}
	if r.table.Zone != nil {
		o.Zone = r.table.Zone.Location
	}
	if r.bind == "instant" {
		o.Bind = sqldb.Instant
	}
	f := sqldb.New(r.name, r.table.DSN.Reveal(), r.table.Query, o)
	if w.From.IsZero() || w.To.IsZero() {
		return f
	}
	return f.Within(reconcile.Window{From: w.From.Add(-r.slack), To: w.To.Add(r.slack)})
}
