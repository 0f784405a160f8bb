package sources

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/internal/sftpfile"
	"makegood/sources/internal/spill"
)

const (
	maxFetched      = 10_000  // files in one run
	maxFetchedBytes = 8 << 30 // of all of them
)

// errTooMuch is returned when more files are on a server than any run needs.
var errTooMuch = errors.New("more than 10,000 files or 8 GiB would be fetched; narrow path, or set after_read")

// fetcher brings the files of a source from its server into state_dir, where
// they stay until they are read.
type fetcher struct {
	server *config.Server
	parent string
	folder *spill.Folder
}

func (f *fetcher) dial(ctx context.Context) (*sftpfile.Client, error) {
	s := f.server
	return sftpfile.Dial(ctx, sftpfile.Options{Addr: s.Addr, User: s.User, KnownHosts: s.KnownHosts,
		Key: s.Key.Reveal(), Passphrase: s.Passphrase.Reveal(), Password: s.Password.Reveal()})
}

// fetch copies files that were listed, and gives the paths of the copies.
func (f *fetcher) fetch(c *sftpfile.Client, all []found) (paths []string, err error) {
	var size int64
	for _, one := range all {
		size += one.size
	}
	if len(all) > maxFetched || size > maxFetchedBytes {
		return nil, fmt.Errorf("fetch files: %w", errTooMuch)
	}
	if f.folder, err = spill.New(f.parent); err != nil {
		return nil, fmt.Errorf("make a folder for fetched files: %w", err)
	}
	for i, one := range all {
		dir := filepath.Join(f.folder.Dir, strconv.Itoa(i)) // names can be the same
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for fetched files: %w", err)
		}
		to := filepath.Join(dir, filepath.Base(one.path))
		if err := c.Fetch(one.path, to); err != nil {
			return nil, err
		}
		if now, err := look(c, one.path); err != nil || !now.as(one) {
			return nil, errors.Join(fmt.Errorf("fetch %s: it %w", filepath.Base(one.path), reconcile.ErrChanged), err)
		}
		paths = append(paths, to)
	}
	return paths, nil
}

// close removes what was fetched. It is safe to call twice.
func (f *fetcher) close() error {
	if f == nil || f.folder == nil {
		return nil
	}
	err := f.folder.Remove()
	f.folder = nil
	if err != nil {
		return fmt.Errorf("remove fetched files: %w", err)
	}
	return nil
}
