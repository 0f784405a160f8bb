package config

import (
	"path"
	"path/filepath"
)

// AfterRead is what a run does with the files that it has read to their end. Plans and failed runs move nothing.
type AfterRead struct {
	// MoveTo is the absolute path of a folder that belongs to this source alone: on this machine, or on the server that
	// the files lie on. What is in it stays part of the source.
	MoveTo string `yaml:"move_to" required:"the folder that files are moved to, such as exports/read"`
}

// checkMoves wants for each source a folder of its own, and none that files are read from.
func (c *Config) checkMoves(d *document) {
	owner := map[string]string{}
	for _, name := range sortedKeys(c.Sources) {
		s := c.Sources[name]
		at := "sources." + name + ".after_read.move_to"
		if s.AfterRead == nil || s.AfterRead.MoveTo == "" || s.Path == "" {
			continue
		}
		from, to := c.absolute(filepath.Clean(s.Path)), c.absolute(filepath.Clean(s.AfterRead.MoveTo))
		server := ""
		if s.SFTP != nil {
			from, server = s.SFTP.Path, s.SFTP.Addr
			s.AfterRead.MoveTo = beside(from, s.AfterRead.MoveTo)
			to = s.AfterRead.MoveTo
		}
		fits, err := filepath.Match(filepath.Dir(from), to)
		switch {
		case from == to || filepath.Dir(from) == to || err == nil && fits:
			d.fail(at, "%s: files are read from %s; name a folder that path does not reach", at, d.quote(at))
		case owner[server+to] != "":
			d.fail(at, "%s: %s is the folder of the source %s; what was moved would be read as orders of both", at, d.quote(at), owner[server+to])
		}
		owner[server+to] = name
	}
}

// beside is a folder on a server as it is seen from the folder of path.
func beside(file, folder string) string {
	if !path.IsAbs(folder) {
		folder = path.Join(path.Dir(file), folder)
	}
	return path.Clean(folder)
}
