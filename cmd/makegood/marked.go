package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
	"makegood/sources"
	"makegood/sources/table"
)

func (f *runFlags) marks(c *cobra.Command) {
	f.command = c.Name()
	c.Flags().StringVar(&f.marked, "marked", "", "write the files that were read into the folder `DIR`, with what became of each row beside it")
}

// checkMarked says what would keep marked files from being written, before
// anything is sent: they must not take the place of what is read.
func (f *runFlags) checkMarked(cfg *config.Config) error {
	if f.marked == "" {
		return nil
	}
	if err := os.MkdirAll(f.marked, 0o700); err != nil {
		return fmt.Errorf("--marked %s: %w", f.marked, err)
	}
	dir, err := real(f.marked)
	if err != nil {
		return fmt.Errorf("--marked %s: %w", f.marked, err)
	}
	for name, s := range cfg.Sources {
		if s.SFTP != nil || s.Type != "csv" && s.Type != "xlsx" {
			continue
		}
		for _, folder := range foldersOf(s) {
			if folder == dir {
				return fmt.Errorf("--marked %s: the source %s reads that folder; name another one", f.marked, name)
			}
		}
	}
	return nil
}

// foldersOf lists the folders that a source reads.
func foldersOf(s *config.Source) (folders []string) {
	paths := []string{s.Path, filepath.Dir(s.Path)}
	if found, err := filepath.Glob(filepath.Dir(s.Path)); err == nil {
		paths = append(paths, found...)
	}
	if s.AfterRead != nil {
		paths = append(paths, s.AfterRead.MoveTo)
	}
	for _, path := range paths {
		if folder, err := real(path); err == nil {
			folders = append(folders, folder)
		}
	}
	return folders
}

// real is the one name of a folder.
func real(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// watchMarks lets the run tell where its orders end.
func (w *wiring) watchMarks(f *runFlags) {
	if f.marked == "" {
		return
	}
	w.marks = reports.NewMarks(f.command)
	w.Seen = w.marks.Seen
}

// blame is who is told of rows with something wrong; nil: nobody.
func (w *wiring) blame() func(string, reconcile.RowProblem) {
	if w.marks == nil {
		return nil
	}
	return w.marks.Blame
}

// markable is a source whose files can be written with marks.
type markable interface {
	MarkFiles(ctx context.Context, o table.MarkOptions) []table.Marked
}

// mark writes the files that the sources read with what became of their rows.
// What was sent was sent: whatever goes wrong here is a warning.
func (s *session) mark(ctx context.Context, res reconcile.Result, failed error) {
	if s.marks == nil {
		return
	}
	switch {
	case failed != nil:
		s.Log.Warn("no file was marked: the run was stopped before its end")
		return
	case s.marks.Full():
		s.Log.Warn("no file was marked: the run has more messages than can be kept for that")
		return
	}
	if slices.ContainsFunc(res.Targets, func(t reconcile.TargetResult) bool { return t.Err != nil }) {
		s.marks.Incomplete()
	}
	built := reports.Build(res, reports.Options{Zone: s.Zone})
	o := table.MarkOptions{Dir: s.flags.marked, TmpDir: sources.MarkedDir(s.StateDir), Taken: map[string]bool{}}
	lists := map[string][]table.Marked{}
	for _, spec := range s.Sources {
		m, ok := spec.Source.(markable)
		if !ok || sourceFailed(res, spec.Name()) {
			s.Log.Warn("the files of a source that was not read to its end were not marked", "source", spec.Name())
			continue
		}
		meter := s.Progress.Begin("marking "+spec.Name(), 0)
		marker := &rowMarker{marks: s.marks, report: built, meter: meter, places: s.upload.counts(s.marks, built)}
		o.Marker = marker
		lists[spec.Name()] = m.MarkFiles(ctx, o)
		meter.End()
		if err := marker.told(s.upload); err != nil {
			s.Log.Warn("the rows of the upload were not counted", "error", err)
		}
	}
	s.stop()
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		s.tellMarked(name, lists[name])
	}
}

// sourceFailed reports whether a source was not read to its end.
func sourceFailed(res reconcile.Result, name string) bool {
	i := slices.IndexFunc(res.Sources, func(s reconcile.SourceResult) bool { return s.Source == name })
	return i < 0 || res.Sources[i].Err != nil
}

// tellMarked says what became of the files of a source.
func (s *session) tellMarked(name string, list []table.Marked) {
	if len(list) == 0 {
		s.Log.Warn("no file was marked: none was read", "source", name)
	}
	for _, one := range list {
		if one.Err != nil {
			s.Log.Warn("a file was not marked", "source", name, "file", one.File, "why", unmarked(one.Err))
			continue
		}
		for i := range one.Names {
			one.Names[i] = filepath.Join(s.flags.marked, one.Names[i])
		}
		s.mention(strings.Join(one.Names, " and ") + ": the rows of " + one.File + ", marked; " + rowsToFix(one.ToFix))
	}
}

func rowsToFix(n int) string {
	switch n {
	case 0:
		return "none is to be fixed"
	case 1:
		return "1 is of an order that is to be fixed"
	}
	return fmt.Sprintf("%d are of orders that are to be fixed", n)
}

// unmarked says why a file was not marked, and what then.
func unmarked(err error) string {
	switch {
	case errors.Is(err, reconcile.ErrChanged):
		return "it has changed since it was read; run again"
	case errors.Is(err, table.ErrUnmarkable):
		return err.Error() + "; only CSV and XLSX files of your own come back with marks"
	}
	return err.Error()
}

// rowMarker words what became of rows.
type rowMarker struct {
	marks  *reports.Marks
	report reports.Report
	meter  reconcile.Meter
	rows   int        // that the meter was not told of
	places *rowPlaces // of an upload, since the last summary
	whole  *rowPlaces // of an upload, until the last summary
	failed error      // of counting them
}

// meterEvery is after how many rows the meter is told.
const meterEvery = 4096

// Mark implements table.Marker.
func (m *rowMarker) Mark(t table.Told) table.Mark {
	m.failed = errors.Join(m.failed, m.places.add(t))
	if m.rows++; m.rows == meterEvery {
		m.meter.Add(m.rows)
		m.rows = 0
	}
	at := reports.RowAt{Source: t.Source, File: t.File, Sheet: t.Sheet, Row: t.Row}
	switch t.Met {
	case table.MetOrder:
		mark := table.Mark(m.marks.Order(at, t.Key))
		if t.Damaged {
			return table.Mark(reports.InWholeFile(reports.Mark(mark)))
		}
		if t.Skipped != "" && !mark.Fix {
			mark.Reason = strings.TrimPrefix(mark.Reason+"; this line is left out of its order: "+reports.ReasonWords(t.Skipped).Text, "; ")
		}
		return mark
	case table.MetLoose:
		return table.Mark(m.marks.Loose(at))
	case table.MetHeader:
		return table.Mark(m.marks.Beside("the header again"))
	case table.MetTotal:
		return table.Mark(m.marks.Beside("a total below the table"))
	}
	return table.Mark{}
}

// Summary implements table.Marker.
func (m *rowMarker) Summary() table.Summary {
	if m.whole = m.places; m.places != nil {
		m.places = newRowPlaces(m.marks, m.report)
	}
	return table.Summary(m.marks.Summary(m.report))
}

// told leaves where the rows of an upload are.
func (m *rowMarker) told(f *uploadFolder) error {
	if m.whole == nil || m.failed != nil {
		return m.failed
	}
	return m.whole.write(f)
}

var _ table.Marker = (*rowMarker)(nil)
