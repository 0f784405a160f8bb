package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"makegood/config"
	"makegood/reports/notice"
)

// toldFile keeps what was told of runs that had no ledger.
const toldFile = "told.json"

// maxToldFile is how large such a file can be, in bytes.
const maxToldFile = 64 << 20

// toldFiles are where such files may be: in state_dir, or, where a disk takes
// nothing, among the system's temporary files. There everybody may write, so the
// name is made of secrets that only this shop knows.
func toldFiles(cfg *config.Config) []string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", cfg.StateDir)
	for _, name := range slices.Sorted(maps.Keys(cfg.Notify.To)) {
		n := cfg.Notify.To[name]
		fmt.Fprintf(h, " %q %q %q", name, n.URL.Reveal(), n.Password.Reveal())
	}
	return []string{filepath.Join(cfg.StateDir, toldFile), filepath.Join(os.TempDir(), "makegood-"+hex.EncodeToString(h.Sum(nil)[:16])+"-"+toldFile)}
}

// toldInFiles lists what is kept in them. What one of them does not give keeps
// nobody from the other's.
func (a *app) toldInFiles(cfg *config.Config) ([]notice.Record, error) {
	var all []notice.Record
	var errs []error
	for _, path := range toldFiles(cfg) {
		records, err := readTold(path)
		all, errs = append(all, records...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

func readTold(path string) (records []notice.Record, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxToldFile) {
		err = errors.New("it is no file that makegood wrote")
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err == nil {
		err = json.Unmarshal(text, &records)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of what was told: %w", filepath.Base(path), err)
	}
	return records, nil
}

// keepInFile keeps a record in the first of the files that takes it.
func (a *app) keepInFile(cfg *config.Config, r notice.Record) error {
	errs := []error{os.MkdirAll(cfg.StateDir, 0o700)} // the run may have failed before it made it
	for _, path := range toldFiles(cfg) {
		records, _ := readTold(path) // what cannot be read is written anew
		records = append(records, r)
		text, err := json.Marshal(records[max(0, len(records)-recordsKept):])
		if err == nil {
			err = writeWhole(path, 0o600, writing(text))
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
