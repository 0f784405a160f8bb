package sources

import (
	"context"
	"fmt"
	"path/filepath"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/csvfile"
	"makegood/sources/emanage"
	"makegood/sources/internal/spill"
	"makegood/sources/table"
)

// exporter brings the order export of a shop system into state_dir, where it
// stays until it is read.
type exporter struct {
	parent string
	folder *spill.Folder
	notes  []string // of the last files
}

// files brings the export of the window here. Its pages are parts of one
// whole: an order can stand on two of them.
func (e *exporter) files(ctx context.Context, t *config.Table, wanted []string, w reconcile.Window) ([]table.File, error) {
	err := e.close()
	if err != nil {
		return nil, err
	}
	if e.folder, err = spill.New(e.parent); err != nil {
		return nil, fmt.Errorf("make a folder for the export: %w", err)
	}
	o := emanage.Options{URL: t.URL, Login: t.Login.Reveal(), Password: t.Password.Reveal()}
	if t.Zone != nil {
		o.Zone = t.Zone.Location
	}
	export, err := emanage.Fetch(ctx, o, w, e.folder.Dir)
	if err != nil {
		return nil, err
	}
	e.notes = export.Notes
	files := make([]table.File, len(export.Paths))
	for i, path := range export.Paths {
		files[i] = emanage.File(csvfile.New(path, *t, append(emanage.Columns(), wanted...)...))
	}
	return files, nil
}

// close removes what was brought. It is safe to call twice.
func (e *exporter) close() error {
	if e == nil || e.folder == nil {
		return nil
	}
	err := e.folder.Remove()
	e.folder, e.notes = nil, nil
	if err != nil {
		return fmt.Errorf("remove the export: %w", err)
	}
	return nil
}

// exportDir is where exports are brought.
func (o Opener) exportDir() string { return filepath.Join(o.StateDir, "export") }

// exportSource is a source whose notes also say how its export ended.
type exportSource struct{ fileSource }

// Tally implements reconcile.Source.
func (s exportSource) Tally() reconcile.Tally {
	t := s.Source.Tally()
	t.Notes = append(append([]string(nil), s.rows.exporter.notes...), t.Notes...)
	return t
}
