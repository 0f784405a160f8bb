package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reports"
)

// byDays is makegood compare --counts, for the pages of makegood serve.
type byDays struct {
	*app
	cfg *config.Config
}

var _ upload.Counter = byDays{}

// allDays is how many days with a difference the page shows.
const allDays = 1_000

// Compare implements upload.Counter.
func (c byDays) Compare(ctx context.Context, target, zone, table string) (words string, err error) {
	dir, err := os.MkdirTemp(c.cfg.StateDir, "counts-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "counts.csv")
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		return "", err
	}
	var out bytes.Buffer
	one := c.apart(&out)
	if err := one.startLog(); err != nil {
		return "", err
	}
	err = one.compareCounts(ctx, &compareFlags{counts: countsFlags{path: path, target: target, zone: zone}, rows: allDays})
	var conf *configError
	if err != nil && !errors.As(err, &conf) && ctx.Err() == nil {
		text, _, _ := strings.Cut(reports.Mask(err.Error()), "\nsee: ")
		if strings.Contains(text, "--date-format") {
			text = "the days can be read in more than one way; write them as 2026-11-20"
		}
		return "", &upload.Refused{Text: sentenceOf(text)}
	}
	return out.String(), err
}
