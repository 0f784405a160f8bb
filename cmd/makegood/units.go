package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// units are files with which others start makegood.
//
//go:embed units
var units embed.FS

var (
	systemdUnits    = []string{"makegood.service", "makegood-run.service", "makegood-run.timer"}
	kubernetesUnits = []string{"kubernetes.yaml", "kubernetes-workers.yaml"}
)

// writeUnits writes files into a folder; one that is there already is left as it
// is, and nothing is written then.
func (a *app) writeUnits(names []string, dir string) error {
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return &usageError{command: "makegood init", err: fmt.Errorf("%s is there already and is left as it is: name another folder with --output", filepath.Join(dir, name))}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, name := range names {
		text, err := units.ReadFile("units/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil { //nolint:gosec // everybody may read it: it holds no secret
			return fmt.Errorf("write %s: %w", name, err)
		}
		fmt.Fprintf(a.io.out, "wrote %s\n", filepath.Join(dir, name))
	}
	_, err := fmt.Fprintln(a.io.out, "its first lines say how it is used")
	return err
}
