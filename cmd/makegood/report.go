package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	built := reports.Build(res, reports.Options{Zone: w.Zone, Config: a.named(), Past: w.past, Answers: w.answers, SentBefore: w.sentBefore, Upload: a.upload != nil})
	built.Exit = &a.code
	a.built = &built
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

// show writes the report. A file that cannot be written takes the report on
// standard output away from nobody: what was sent has been sent.
func (a *app) show(f *runFlags, built reports.Report) error {
	var files error
	for _, file := range f.files() {
		if err := writeReport(file.path, file.form, built); err != nil {
			files = errors.Join(files, err)
			continue
		}
		a.mention("the report is in " + file.path)
	}
	switch {
	case f.json:
		return errors.Join(reports.JSON(a.io.out, built), files)
	case f.brief:
		a.log.Log(context.Background(), levelOf(a.code), reports.FirstLine(built), "schedule", built.Schedule)
		return files
	}
	return errors.Join(reports.Terminal(a.io.out, built, reports.TerminalOptions{Colour: a.colours(a.io.out)}), files)
}

// levelOf is how loud a log says how a run ended: a warning calls a person.
func levelOf(code int) slog.Level {
	switch {
	case code >= exitFailed:
		return slog.LevelError
	case code == exitPerson:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// reportFile is a file that the report is written to.
type reportFile struct {
	flag, path string
	form       reports.Form
	known      bool
}

// files lists what --html and --report ask for.
func (f *runFlags) files() []reportFile {
	var list []reportFile
	if f.html != "" {
		form, known := reports.FormNamed("html")
		list = append(list, reportFile{"--html", f.html, form, known})
	}
	for _, path := range f.reports {
		form, known := reports.FormOf(path)
		list = append(list, reportFile{"--report", path, form, known})
	}
	return list
}

// checkForms says which files could be of no form.
func (f *runFlags) checkForms() error {
	for _, file := range f.files() {
		if !file.known {
			return fmt.Errorf("%s %s: its ending tells no form; there are .html, .json, .csv, .md, .xml, .xlsx and .txt", file.flag, file.path)
		}
	}
	return nil
}

// checkFiles says what would keep the files from being written, before anything
// is sent.
func (f *runFlags) checkFiles() error {
	for _, file := range f.files() {
		if err := checkFile(file.flag, file.path); err != nil {
			return err
		}
	}
	return nil
}

// checkFile says what would keep a file from being written to path.
func checkFile(flag, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s %s: it is a folder; name a file in it", flag, path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s %s: there is no folder %s", flag, path, filepath.Dir(path))
	}
	return nil
}

// writeReport writes a report in a form.
func writeReport(path string, form reports.Form, built reports.Report) error {
	return writeWhole(path, 0o644, func(w io.Writer) error { return form.Write(w, built) })
}
