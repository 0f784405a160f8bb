package config

import (
	"path/filepath"
	"strings"
)

// checkFile looks at where a file target writes: never into what a source reads, and never where another one does.
func (t *Target) checkFile(d *document, path string, c *Config) {
	at := path + ".path"
	dir, base := filepath.Split(t.Path)
	rest := strings.ReplaceAll(base, "{date}", "")
	switch {
	case t.Path == "" || d.failed(at):
		return
	case strings.Contains(t.Path, "://"):
		d.fail(at, "%s: files are written on this machine; write a path such as out/events-{date}.jsonl", at)
	case strings.ContainsAny(dir+rest, "{}") || strings.Count(base, "{date}") > 1:
		d.fail(at, "%s: {date}, once and in the name of the file, is all that is filled in; write out/events-{date}.jsonl", at)
	case base == "" || base == "." || base == "..":
		d.fail(at, "%s names a folder; write the name of a file, such as out/events.jsonl", at)
	}
	own := c.absolute(t.Path)
	for _, name := range sortedKeys(c.Targets) {
		if other := c.Targets[name]; other != t && other.Path != "" && c.absolute(other.Path) == own && other.Name < t.Name {
			d.fail(at, "%s: targets.%s writes to this file already", at, name)
		}
	}
	for _, name := range sortedKeys(c.Sources) {
		if s := c.Sources[name]; s.Path != "" && reads(c.absolute(s.Path), own) {
			d.fail(at, "%s: sources.%s would read this file as orders; write into another folder", at, name)
		}
	}
	if t.Corrections == "resend" && !d.failed(path+".corrections") {
		d.fail(path+".corrections", "%s.corrections: a line that was written is not replaced; write report", path)
	}
}

// reads says whether a source of files, named by a glob or a folder, may come across a file. The day in the name may be
// any text.
func reads(source, file string) bool {
	name := strings.ReplaceAll(file, "{date}", "2026-01-31")
	if hit, err := filepath.Match(source, name); err == nil && hit {
		return true
	}
	return source == file || source == filepath.Dir(file)
}
