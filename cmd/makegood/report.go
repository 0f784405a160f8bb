package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"makegood/reconcile"
	"makegood/reports"
)

// report shows what a run found, in the forms that were asked for, and sets
// the exit code. An error that kept the run from its end comes back; what the
// run did until then is reported all the same.
func (a *app) report(w *wiring, f *runFlags, res reconcile.Result, err error) error {
	if err = advised(err); err != nil && len(res.Sources) == 0 {
		return err
	}
	res.Err = err
	a.code = resultCode(res)
	built := reports.Build(res, reports.Options{Zone: w.Zone, Config: a.named()})
	built.Exit = &a.code
	built.CompareWith(w.past)
	a.logEnd(built)
	return errors.Join(err, a.show(f, built))
}

// named is the configuration file where commands have to name it.
func (a *app) named() string {
	if a.file == defaultConfig {
		return ""
	}
	return a.file
}

// show writes the report. A page that cannot be written takes the report on
// standard output away from nobody: what was sent has been sent.
func (a *app) show(f *runFlags, built reports.Report) error {
	var page error
	if f.html != "" {
		if page = writePage(f.html, built); page == nil {
			a.mention("the report is in " + f.html)
		}
	}
	if f.json {
		return errors.Join(reports.JSON(a.io.out, built), page)
	}
	return errors.Join(reports.Terminal(a.io.out, built, reports.TerminalOptions{Colour: a.colours(a.io.out)}), page)
}

// checkPage says what would keep a page from being written to path, before
// anything is sent.
func checkPage(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("--html %s: it is a folder; name a file in it", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("--html %s: there is no folder %s", path, filepath.Dir(path))
	}
	return nil
}

// writePage writes the page so that a reader sees the old one or the new one.
func writePage(path string, built reports.Report) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	err = reports.HTML(f, built)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the report %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
