package sources_test

import (
	"os"
	"path/filepath"
	"testing"

	"makegood/config"
	"makegood/sources"
)

// TestAbsent: a machine lacks files that lie elsewhere, and no others: not those
// of a server or a database, nor those of a folder that was emptied by runs.
func TestAbsent(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(file, []byte("id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := func(kind, path string) config.Table { return config.Table{Type: kind, Path: path} }
	elsewhere := filepath.Join(dir, "elsewhere")
	for name, c := range map[string]struct {
		source config.Source
		want   bool
	}{
		"a file":                  {config.Source{Table: table("csv", file)}, false},
		"no file":                 {config.Source{Table: table("csv", file+".gone")}, true},
		"a pattern":               {config.Source{Table: table("csv", filepath.Join(dir, "*.csv"))}, false},
		"a pattern of none":       {config.Source{Table: table("csv", filepath.Join(dir, "*.tsv"))}, true},
		"a folder of other files": {config.Source{Table: table("xlsx", dir)}, true},
		"a database":              {config.Source{Table: table("sql", "")}, false},
		"a server":                {config.Source{Table: table("csv", elsewhere), SFTP: &config.Server{}}, false},
		"what was moved":          {config.Source{Table: table("xlsx", dir), AfterRead: &config.AfterRead{MoveTo: filepath.Join(dir, "read")}}, false},
		"no folder to move from":  {config.Source{Table: table("csv", filepath.Join(elsewhere, "*.csv")), AfterRead: &config.AfterRead{MoveTo: filepath.Join(dir, "read")}}, true},
	} {
		if got := sources.Absent(&c.source); got != c.want {
			t.Errorf("%s: absent is %v", name, got)
		}
	}
}
