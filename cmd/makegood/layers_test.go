package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed says which of the project's packages may be imported where: by the
// longest prefix of the importing folder. A folder's own subfolders are always
// allowed unless apart says otherwise.
var allowed = []struct {
	folder  string
	imports []string
}{
	{"cmd", []string{"config", "reconcile", "reports", "sinks", "sources"}},
	{"config", nil},
	{"reconcile", nil},
	{"reconcile/ledger", []string{"reconcile"}},
	{"reconcile/verify", []string{"reconcile"}},
	{"reconcile/placement", []string{"reconcile"}},
	{"reconcile/daily", []string{"reconcile"}},
	{"reconcile/arrivals", []string{"reconcile"}},
	{"reconcile/outage", []string{"reconcile"}},
	{"reconcile/simulation/customers", nil},
	{"reconcile/reconciletest", []string{"reconcile"}},
	{"reports", []string{"reconcile"}},
	{"reports/notice", []string{"reconcile", "reports"}},
	{"reports/metrics", []string{"reconcile", "reports"}},
	{"sinks", []string{"reconcile", "config"}},
	{"sinks/simulator", nil},
	{"sources", []string{"reconcile", "reconcile/placement", "config"}},
}

// apart are folders whose direct children must not import each other.
var apart = map[string][]string{
	"sinks":   {"httpapi", "outfile", "sinktest", "capture"},   // these may be imported by their neighbours
	"sources": {"table", "internal", "sourcetest", "sftptest"}, // likewise
}

// reserved are libraries that may be imported in some folders only.
var reserved = map[string][]string{
	"github.com/xuri/excelize/v2":     {"sources/xlsxfile", "reports"},
	"github.com/mattn/go-sqlite3":     {"sources/sqldb", "reconcile/ledger", "cmd/makegood/wire.go", "cmd/makegood/advice.go"},
	"github.com/jmoiron/sqlx":         {"sources/sqldb", "reconcile/ledger"},
	"github.com/jackc/pgx/v5":         {"sources/sqldb", "reconcile/ledger", "cmd/makegood/workers"},
	"github.com/riverqueue":           {"cmd/makegood/workers"},
	"github.com/go-sql-driver/mysql":  {"sources/sqldb"},
	"github.com/microsoft/go-mssqldb": {"sources/sqldb"},
	"github.com/pkg/sftp":             {"sources/internal/sftpfile", "sources/sftptest"},
	"golang.org/x/crypto":             {"sources/internal/sftpfile", "sources/sftptest", "cmd/makegood/upload"},
	"github.com/expr-lang/expr":       {"sources/table"},
	"github.com/robfig/cron/v3":       {"cmd/makegood/schedule"},
	"github.com/spf13/cobra":          {"cmd"},
	"go.yaml.in/yaml/v4":              {"config"},
	"github.com/govalues/decimal":     {"reconcile", "sources/table", "sinks"},
	"github.com/vbauerster/mpb/v8":    {"cmd"},
	"github.com/wneessen/go-mail":     {"reports/notice"},
	"github.com/prometheus":           {"reports/metrics"},
	"go.opentelemetry.io/otel":        {"cmd/makegood/traces"},
	"github.com/pressly/goose/v3":     {"reconcile/ledger", "cmd/makegood/workers"},
	"github.com/cenkalti/backoff/v5":  {"sinks"},
	"golang.org/x/time/rate":          {"sinks"},
	"mvdan.cc/sh/v3":                  {"sinks/capture"},
}

type importLine struct{ file, folder, path string }

func TestLayers(t *testing.T) {
	root := filepath.Dir(projectFile(t, "go.mod"))
	lines := importsOf(t, root)
	if len(lines) < 100 {
		t.Fatalf("found only %d imports", len(lines))
	}
	for _, l := range lines {
		if own, ok := strings.CutPrefix(l.path, "makegood/"); ok {
			checkOwn(t, l, own)
			continue
		}
		checkLibrary(t, l)
	}
}

// importsOf lists the imports of every file that is no test.
func importsOf(t *testing.T, root string) []importLine {
	t.Helper()
	var lines []importLine
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			lines = append(lines, importLine{filepath.ToSlash(file), filepath.ToSlash(filepath.Dir(file)), name})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func checkOwn(t *testing.T, l importLine, own string) {
	t.Helper()
	var rule []string
	best := ""
	for _, a := range allowed {
		if within(l.folder, a.folder) && len(a.folder) >= len(best) {
			best, rule = a.folder, a.imports
		}
	}
	inside := within(own, best) && best != "reconcile" && best != "sinks/simulator"
	if !inside && !slices.ContainsFunc(rule, func(r string) bool {
		return own == r || r != "reconcile" && within(own, r) || best == "cmd" && within(own, r)
	}) {
		t.Errorf("%s imports %s", l.file, l.path)
	}
	for folder, shared := range apart {
		from, to := child(l.folder, folder), child(own, folder)
		if from != "" && to != "" && from != to && !slices.Contains(shared, to) && !slices.Contains(shared, from) {
			t.Errorf("%s imports its neighbour %s", l.file, l.path)
		}
	}
}

func checkLibrary(t *testing.T, l importLine) {
	t.Helper()
	if within(l.folder, "reconcile") && !within(l.folder, "reconcile/ledger") && !within(l.folder, "reconcile/reconciletest") &&
		strings.Contains(strings.Split(l.path, "/")[0], ".") && l.path != "github.com/govalues/decimal" {
		t.Errorf("%s imports %s; the core has the standard library and the decimal type", l.file, l.path)
	}
	for library, places := range reserved {
		if within(l.path, library) && !slices.ContainsFunc(places, func(p string) bool { return within(l.file, p) }) {
			t.Errorf("%s imports %s, which belongs into %v", l.file, l.path, places)
		}
	}
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// child is the name of the direct child of folder that path lies in, or "".
func child(path, folder string) string {
	rest, ok := strings.CutPrefix(path, folder+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// TestTopLevel keeps the top of the house as it is.
func TestTopLevel(t *testing.T) {
	root := filepath.Dir(projectFile(t, "go.mod"))
	entries, err := filepath.Glob(filepath.Join(root, "[a-zA-Z]*"))
	if err != nil {
		t.Fatal(err)
	}
	house := strings.Fields("cmd reconcile sources sinks reports config go.mod go.sum README.md LICENSE")
	for _, e := range entries {
		if !slices.Contains(house, filepath.Base(e)) && filepath.Base(e) != "makegood-demo" {
			t.Errorf("%s stands outside the house", filepath.Base(e))
		}
	}
}
