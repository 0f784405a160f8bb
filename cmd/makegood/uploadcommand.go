package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reports"
	"makegood/sources"
)

// uploadCommand is what the pages of makegood serve start for each file, in a
// process of its own.
func (a *app) uploadCommand() *cobra.Command {
	var approval upload.Approval
	c := &cobra.Command{
		Use:    "upload look|plan|apply FOLDER",
		Short:  "Look at an uploaded file, plan it, or apply its plan (makegood serve starts this)",
		Hidden: true,
		Args:   arguments(uploadArguments),
		RunE: func(c *cobra.Command, args []string) error {
			a.upload = &uploadFolder{dir: args[1], approval: approval}
			if args[0] == "look" {
				return a.lookAtUpload(c.Context())
			}
			if err := a.upload.read(); err != nil {
				return err
			}
			cfg, err := a.load()
			if err != nil {
				return err
			}
			f := runFlags{targets: cfg.Serve.Uploads.Targets, json: true, command: args[0]}
			if args[0] == "plan" {
				f.from, f.marked = allTime.Format("2006-01-02"), filepath.Join(args[1], "checked")
				return errors.Join(boundMemory(uploadMemory), a.plan(c.Context(), &f))
			}
			f.html, f.marked = filepath.Join(args[1], "report.html"), filepath.Join(args[1], "marked")
			return a.apply(c.Context(), &f, approval.Path)
		},
	}
	c.Flags().StringVar(&approval.Path, "plan", "", "the `PLAN`")
	c.Flags().StringVar(&approval.Digest, "digest", "", "its `DIGEST`, as it was approved")
	c.Flags().StringVar(&approval.By, "by", "", "who approved it")
	return c
}

func uploadArguments(_ *cobra.Command, args []string) error {
	if len(args) != 2 || !slices.Contains([]string{"look", "plan", "apply"}, args[0]) {
		return errors.New("name what to do and the folder of one upload; people use the pages of makegood serve")
	}
	return nil
}

// uploadMemory is how much memory, in bytes, reading an uploaded file may take.
const uploadMemory = 1536 << 20

// What a first look shows.
const (
	lookRows    = 6
	lookColumns = 300
	lookCell    = 60 // letters
)

// lookAtUpload writes what the file shows as JSON.
func (a *app) lookAtUpload(ctx context.Context) (err error) {
	if err := boundMemory(uploadMemory); err != nil {
		return err
	}
	f := a.upload
	a.upload = nil // the configuration as it is
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if cfg.Serve == nil || cfg.Serve.Uploads == nil {
		return &configError{errors.New("there is no serve.uploads")}
	}
	path, kind, err := f.path()
	if err != nil {
		return err
	}
	if kind == "xlsx" {
		if err := harmlessBook(path); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp(f.dir, "look-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	how, err := f.reading()
	if err != nil {
		return err
	}
	seen, err := sources.See(ctx, path, tmp, sources.Reading(how), lookRows)
	if err != nil {
		return err
	}
	look, err := lookOf(cfg.Sources[cfg.Serve.Uploads.Source], kind, seen)
	if err != nil {
		return err
	}
	readAs(&look, how, kind, seen)
	look.Rules = rulesOf(cfg, seen)
	return json.NewEncoder(a.io.out).Encode(look)
}

func lookOf(s *config.Source, kind string, seen sources.Seen) (upload.Look, error) {
	look := upload.Look{Columns: seen.Columns, Doubts: map[string]string{}, Refused: seen.Refused, Literal: literals(s)}
	switch {
	case len(seen.Columns) > lookColumns:
		return look, errors.New("the file has more than 300 columns; leave out those that are not about orders")
	case slices.ContainsFunc(seen.Columns, func(name string) bool { return reports.Mask(name) != name }):
		return look, errors.New("an address stands where the names of its columns should: export it with a header, or write one above its rows")
	}
	for i, name := range seen.Columns {
		if name = strings.TrimSpace(name); name != "" && slices.ContainsFunc(seen.Columns[:i], func(other string) bool { return strings.TrimSpace(other) == name }) {
			return look, errors.New("two columns have the name " + name + ": give one of them another name in the file")
		}
	}
	if len(s.CompletedWhen) > 0 && look.Literal["status"] == "" {
		look.Needs = []string{"status"}
	}
	look.Mapping = upload.Mapping{Preset: seen.Preset, Columns: map[string]string{}}
	if own, fits := fitting(s, kind, seen.Columns); fits {
		look.Mapping = own
	} else if p := config.PresetNamed(seen.Preset); p != nil {
		look.Title = p.Title
	}
	if !look.Mapping.Own {
		for _, c := range seen.Proposal.Columns {
			if !strings.HasPrefix(c.From, "=") {
				look.Mapping.Columns[c.Name], look.Doubts[c.Name] = exactName(seen.Columns, c.From), c.Doubt
			}
		}
		knownBy(s, &look)
	}
	for _, row := range seen.Rows {
		shown := upload.Row{Number: row.Number}
		for _, cell := range row.Cells {
			shown.Cells = append(shown.Cells, shownCell(cell))
		}
		look.Rows = append(look.Rows, shown)
	}
	return look, nil
}

// knownBy takes the columns that the file has in common with the source's own
// files: what the configuration says is no guess.
func knownBy(s *config.Source, look *upload.Look) {
	for field, from := range s.Columns {
		at := slices.IndexFunc(look.Columns, func(c string) bool { return strings.TrimSpace(c) == strings.TrimSpace(from) })
		if at < 0 {
			continue
		}
		maps.DeleteFunc(look.Mapping.Columns, func(other, column string) bool { return column == look.Columns[at] && s.Columns[other] != from })
		look.Mapping.Columns[field] = look.Columns[at]
		delete(look.Doubts, field)
	}
}

// exactName is a column as it stands in the file.
func exactName(columns []string, name string) string {
	for _, c := range columns {
		if strings.TrimSpace(c) == name {
			return c
		}
	}
	return name
}

// shownCell is a cell as people may see it: masked, on one line, cut.
func shownCell(cell string) string {
	cell = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c):
			return -1
		}
		return c
	}, strings.ToValidUTF8(cell, "?"))
	letters := []rune(reports.Mask(cell))
	if len(letters) > lookCell {
		return string(letters[:lookCell-1]) + "…"
	}
	return string(letters)
}
