package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// advisedError is an error of the disk, with the next step.
type advisedError struct {
	error
	advice string
}

func (e *advisedError) Error() string { return e.error.Error() + "; " + e.advice }
func (e *advisedError) Unwrap() error { return e.error }

// advised adds the next step to an error of the disk. It leaves others, and
// those that have one already, as they are.
func advised(err error) error {
	var known *advisedError
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch systemSaid(err) {
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return &advisedError{err, "there is no room: make some on that disk, or raise the limit of this user; the same command then goes on from here"}
	case syscall.EACCES, syscall.EPERM:
		return &advisedError{err, "this user may not: correct who owns it, and what its rights are"}
	case syscall.EROFS:
		return &advisedError{err, "it must be writable: mount that disk for writing, or correct who owns the file; the same command then goes on from here"}
	}
	return err
}

// systemSaid is what the system said to whoever could not write, 0 where that
// is not known.
func systemSaid(err error) (said syscall.Errno) {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		_ = errors.As(err, &said) // else it stays 0
		return said
	}
	switch lite.Code {
	case sqlite3.ErrFull:
		return syscall.ENOSPC
	case sqlite3.ErrReadonly:
		return syscall.EROFS
	}
	return lite.SystemErrno
}

// mayWrite refuses a ledger whose files may not be written. Already to look at
// it SQLite would leave others beside it that may not be written either, and
// would keep everybody from writing once the ledger itself is put right.
func mayWrite(ledger string) error {
	if !filepath.IsAbs(ledger) { // a server's
		return nil
	}
	const writing = 2
	for _, path := range []string{ledger, ledger + "-wal", ledger + "-shm"} {
		if err := syscall.Access(path, writing); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("open ledger %s: %s may not be written: %w", ledger, filepath.Base(path), err)
		}
	}
	return nil
}
