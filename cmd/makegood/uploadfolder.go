package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// uploadFolder is a file that somebody uploaded, which is read in place of the
// files of the source that serve.uploads names. All rules of that source hold. A
// nil one is none.
type uploadFolder struct {
	dir      string
	mapping  upload.Mapping
	how      upload.Reading
	approval upload.Approval
}

func (f *uploadFolder) path() (path, kind string, err error) {
	for _, kind := range []string{"csv", "xlsx"} {
		path := filepath.Join(f.dir, "file", "orders."+kind)
		if _, err := os.Stat(path); err == nil {
			return path, kind, nil
		}
	}
	return "", "", &usageError{command: "makegood upload", err: fmt.Errorf("%s holds no upload", filepath.Base(f.dir))}
}

// plans is where the plan of an upload is written, "" where all plans are: it
// goes with the upload.
func (f *uploadFolder) plans() string {
	if f == nil {
		return ""
	}
	return filepath.Join(f.dir, upload.PlanFolder)
}

// read reads what the columns are.
func (f *uploadFolder) read() error {
	text, err := os.ReadFile(filepath.Join(f.dir, "mapping.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &usageError{command: "makegood upload", err: errors.New("nobody has said yet what the columns of the upload are")}
	}
	if err == nil {
		err = json.Unmarshal(text, &f.mapping)
	}
	if err != nil {
		return fmt.Errorf("read what the columns of the upload are: %w", err)
	}
	f.how, err = f.reading()
	return err
}

// into puts the upload in the place of the source's files, and leaves the
// destinations nothing else to read.
func (f *uploadFolder) into(cfg *config.Config) error {
	if f == nil {
		return nil
	}
	if cfg.Serve == nil || cfg.Serve.Uploads == nil {
		return &configError{errors.New("there is no serve.uploads")}
	}
	path, kind, err := f.path()
	if err != nil {
		return err
	}
	u := cfg.Serve.Uploads
	s := *cfg.Sources[u.Source]
	own := s.Table
	if !f.mapping.Own || own.Type != kind {
		own = config.Table{Decimal: f.mapping.Decimal, DateFormat: f.mapping.DateFormat, Zone: s.Zone}
	}
	own.Type, own.Path = kind, path
	reads(f.how, &own)
	s.Table, s.Columns, s.Preset = own, maps.Clone(f.mapping.Columns), f.mapping.Preset
	s.SFTP, s.AfterRead, s.Expect, s.Closed, s.StableFor, s.Files = nil, nil, nil, nil, 0, "versions"
	if s.Has("currency") {
		s.Currency = ""
	}
	if s.Has("channel") {
		s.Channel = ""
	}
	if len(s.CompletedWhen) > 0 && !s.Has("status") {
		return errors.New("the status decides which orders count (completed_when), and no column was chosen as status")
	}
	cfg.Sources[u.Source] = &s
	for _, name := range u.Targets {
		cfg.Targets[name].From = []string{u.Source}
	}
	return nil
}

// approve writes down on whose word the plan is carried out, which must be the
// one that was looked at.
func (f *uploadFolder) approve(r *reconcile.Runner, plan *reconcile.Plan) error {
	switch {
	case f == nil:
		return nil
	case plan.Digest != f.approval.Digest:
		return &reconcile.PlanRefused{Code: reconcile.RefusedOtherPlan, Text: "the approval is of another plan; nothing was sent; make the preview again"}
	}
	_, err := r.Approve(plan, f.approval.By, "on the upload page, as plan "+plan.Digest)
	return err
}

// counts is what counts the rows of the upload.
func (f *uploadFolder) counts(marks *reports.Marks, built reports.Report) *rowPlaces {
	if f == nil {
		return nil
	}
	return newRowPlaces(marks, built)
}

// fitting is the mapping of the source's own files, where the upload has all of
// their columns.
func fitting(s *config.Source, kind string, columns []string) (upload.Mapping, bool) {
	if s.Type != kind || len(s.Columns) == 0 {
		return upload.Mapping{}, false
	}
	names := map[string]string{}
	for _, c := range columns {
		names[strings.TrimSpace(c)] = c
	}
	m := upload.Mapping{Columns: map[string]string{}, Own: true}
	for field, from := range s.Columns {
		column, there := names[strings.TrimSpace(from)]
		switch {
		case strings.HasPrefix(strings.TrimSpace(from), "="):
			m.Columns[field] = from
		case !there:
			return upload.Mapping{}, false
		default:
			m.Columns[field] = column
		}
	}
	return m, true
}

// literals are the fields that the configuration says for all orders.
func literals(s *config.Source) map[string]string {
	said := map[string]string{}
	for field, value := range map[string]string{"currency": s.Currency, "channel": s.Channel} {
		if value != "" {
			said[field] = value
		}
	}
	for _, join := range s.Join {
		for _, field := range slices.Sorted(maps.Keys(join.Take)) {
			said[field] = "joined"
		}
	}
	return said
}
