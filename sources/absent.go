package sources

import (
	"errors"

	"makegood/config"
	"makegood/reconcile"
)

// Absent reports whether a source is of files that lie on machines, and this one
// has none of them: no file, nor the folder that files are dropped into.
func Absent(cfg *config.Source) bool {
	if cfg.SFTP != nil || endings[cfg.Type] == nil || cfg.Path == "" {
		return false
	}
	d := drop{paths: paths{local{}, endings[cfg.Type]}, path: cfg.Path}
	if cfg.AfterRead != nil {
		d.to = cfg.AfterRead.MoveTo
	}
	_, _, err := d.list(reconcile.Window{})
	return errors.Is(err, ErrNoFile)
}
