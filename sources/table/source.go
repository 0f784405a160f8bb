package table

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/internal/idshape"
)

// Options say how a source works, beside what its configuration says.
type Options struct {
	// StateDir is the folder for what does not fit into memory. It is made
	// when it is needed; "": a folder of the system's temporary one.
	StateDir string
	// Budget is the estimated size in bytes up to which orders that are not
	// yet whole are held in memory; 0: 16 MiB. What is more is spilled to
	// StateDir.
	Budget int
	// Joins gives the files of an entry of join.
	Joins func(context.Context, *config.Join) ([]File, error)
	// Now tells what is in the future; nil: time.Now.
	Now func() time.Time
	// Waits are those before the first pass is made anew because a connection
	// was lost; nil: 2 s, 10 s.
	Waits []time.Duration
	// Progress is told now and then, and at the end of each file, how many rows
	// have been read in the pass; nil: nobody.
	Progress func(rows int)
	// Blame is told of each row with something wrong, where the first pass
	// finds it, more than once perhaps; nil: nobody. Where it is set, what is
	// known of the rows is kept for MarkFiles.
	Blame func(reconcile.RowProblem)
}

func (o Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

const defaultBudget = 16 << 20

// Source reads the orders of mapped rows. It implements reconcile.Source, for
// one caller at a time.
type Source struct {
	cfg     *config.Source
	mapping *mapping
	files   Files
	options Options
	hasher  hasher

	tally    reconcile.Tally
	of       []File     // of the last Heads
	read     []readFile // of these, by the last Heads
	habits   Habits
	taints   map[string]problem // order numbers of rows whose order is not known
	reversed map[string]bool    // order numbers that others say to undo
	shape    idshape.Shape
	catalog  catalog
	links    links
}

var _ reconcile.Source = (*Source)(nil)

// readFile is a file as the last Heads met it.
type readFile struct {
	File
	mark  string
	spool *spool
	told  *toldRows
}

// New compiles the mapping of a source. An expression that cannot be compiled
// and a field that is missing are errors; whether the columns exist is known
// when a file is opened. files is asked once by every Heads.
func New(cfg *config.Source, files Files, o Options) (*Source, error) {
	var m *mapping
	if cfg.Preset == "" { // else the mapping depends on the file
		var err error
		if m, err = newMapping(cfg); err != nil {
			return nil, err
		}
	}
	if len(cfg.Join) > 0 && o.Joins == nil {
		return nil, errors.New("prepare source " + cfg.Name + ": nothing opens the files of join")
	}
	if o.Waits == nil {
		o.Waits = []time.Duration{2 * time.Second, 10 * time.Second}
	}
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	if o.StateDir == "" {
		o.StateDir = filepath.Join(os.TempDir(), "makegood-spill")
	}
	sweepScratch(o.StateDir)
	return &Source{cfg: cfg, mapping: m, files: files, options: o, hasher: hasher{maphash.MakeSeed()},
		catalog: catalog{dir: o.StateDir}}, nil
}

// Name is the source's key in the configuration.
func (s *Source) Name() string { return s.cfg.Name }

// Tally counts what the last Heads met.
func (s *Source) Tally() reconcile.Tally { return s.tally }

// Close removes what the source spooled. It is safe to call twice.
func (s *Source) Close() error {
	errs := []error{s.catalog.close()}
	for i := range s.read {
		if s.read[i].spool != nil {
			errs = append(errs, s.read[i].spool.close())
		}
		if s.read[i].told != nil {
			errs = append(errs, s.read[i].told.rows.close())
		}
	}
	s.read = nil
	return errors.Join(errs...)
}

// parts reports whether an order may be cut across files.
func (s *Source) parts() bool { return s.cfg.Files == "parts" }

// progress tells how far a pass has come.
func (s *Source) progress(rows int) {
	if s.options.Progress != nil {
		s.options.Progress(rows)
	}
}

// settle compiles the mapping for what the files show where the settings are
// empty: it holds for all files of the source, and for both passes.
func (s *Source) settle(ctx context.Context, files []File) error {
	known, err := s.known(ctx, files)
	if err != nil {
		return err
	}
	t, err := settle(ctx, files, s.cfg.Table, s.mapping.habits())
	if err != nil {
		return err
	}
	cfg := *known
	if cfg.Decimal == "" && t.Decimal == "," {
		if text := vagueLiteral(&cfg); text != "" {
			return fmt.Errorf("%s %w: it has the decimal sign \",\", with which %s in an expression is a thousand; "+
				"set decimal: \",\" and write it so", t.decimal, ErrAmbiguous, text)
		}
	}
	cfg.Table, s.habits = t.Table, t.learnt(s.cfg.Table)
	s.tally.Notes = append(s.tally.Notes, t.notes...)
	s.mapping, err = newMapping(&cfg)
	return err
}

// known is the configuration with what its preset says of the first file.
func (s *Source) known(ctx context.Context, files []File) (*config.Source, error) {
	if s.cfg.Preset == "" || len(files) == 0 {
		return s.cfg, nil
	}
	header, err := headerOf(ctx, files[0])
	if err != nil {
		return nil, err
	}
	cfg, err := s.cfg.Resolved(header.Columns)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w; it has: %s", files[0].Name(), err, strings.Join(header.Columns[:min(len(header.Columns), 100)], ", "))
	}
	s.mapping, err = newMapping(cfg)
	return cfg, err
}

// headerOf reads the names of a file's columns.
func headerOf(ctx context.Context, f File) (h *Header, err error) {
	if sampler, ok := f.(Sampler); ok {
		sample, err := sampler.Sample(ctx)
		if err != nil || sample.Header != nil {
			return sample.Header, err
		}
	}
	cursor, err := f.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	row, err := cursor.Next()
	if errors.Is(err, io.EOF) {
		return &Header{File: f.Name()}, nil
	}
	return row.Header, err
}

var thousandths = regexp.MustCompile(`["'][0-9]{1,3}\.[0-9]{3}["']`)

// vagueLiteral finds a number in an expression that was perhaps written before
// anybody knew the decimal sign of the files.
func vagueLiteral(cfg *config.Source) string {
	var texts []string
	for _, text := range cfg.Columns {
		if strings.HasPrefix(strings.TrimSpace(text), "=") {
			texts = append(texts, text)
		}
	}
	for _, r := range cfg.LeaveOut {
		texts = append(texts, r.When)
	}
	for _, r := range cfg.SkipLines {
		texts = append(texts, r.When)
	}
	if cfg.MaySend != nil {
		texts = append(texts, cfg.MaySend.When)
	}
	return thousandths.FindString(strings.Join(texts, "\n"))
}

// loadJoins reads the files to look up in, once per Heads.
func (s *Source) loadJoins(ctx context.Context) error {
	for _, j := range s.mapping.joins {
		files, err := s.options.Joins(ctx, j.cfg)
		if err == nil {
			err = j.load(ctx, files, s.mapping)
			s.tally.Notes = append(s.tally.Notes, j.notes...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
