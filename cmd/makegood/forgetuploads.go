package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"makegood/cmd/makegood/upload"
)

// uploadTraces are what an uploaded file holds of people and orders: an address
// anywhere, a number as a cell of its own.
func uploadTraces(emails, orders []string) (traces [][]byte) {
	for _, email := range emails {
		address := strings.ToLower(email)
		var escaped bytes.Buffer
		_ = xml.EscapeText(&escaped, []byte(address)) // a buffer takes everything
		traces = append(traces, []byte(address), escaped.Bytes())
	}
	for _, order := range orders {
		number := strings.ToLower(strings.ReplaceAll(order, " ", ""))
		for _, before := range []string{",", ";", "\t", "|", "\n", `"`, "'", ">"} {
			for _, behind := range []string{",", ";", "\t", "|", "\n", "\r", `"`, "<"} {
				traces = append(traces, []byte(before+number+behind))
			}
		}
	}
	return traces
}

// removeUploads removes the uploads that hold one of the traces, with all that
// was made of them. One that is under way is an error, and stays.
func removeUploads(ctx context.Context, stateDir string, traces [][]byte) (removed int, err error) {
	folders, err := filepath.Glob(filepath.Join(stateDir, "uploads", strings.Repeat("[0-9a-f]", 32)))
	if err != nil {
		return 0, fmt.Errorf("look for uploads: %w", err)
	}
	var busy error
	for _, folder := range folders {
		if ctx.Err() != nil {
			return removed, context.Cause(ctx)
		}
		named, err := uploadNames(folder, traces)
		switch {
		case err != nil:
			return removed, fmt.Errorf("look into upload %s: %w", filepath.Base(folder), err)
		case !named:
			continue
		case underWay(folder):
			busy = errors.New("an upload that names them is under way; run makegood forget again when it has ended")
			continue
		}
		if err := os.RemoveAll(folder); err != nil {
			return removed, fmt.Errorf("remove an upload: %w", err)
		}
		removed++
	}
	return removed, busy
}

// underWay reports whether something is done with an upload at the moment.
func underWay(folder string) bool {
	text, err := os.ReadFile(filepath.Join(folder, "upload.json"))
	var u struct{ State upload.State }
	return err == nil && json.Unmarshal(text, &u) == nil && u.State.Busy()
}

// uploadNames reports whether a file of an upload holds one of the traces.
func uploadNames(folder string, traces [][]byte) (named bool, err error) {
	err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if named, err = fileNames(path, traces); !named && err == nil && strings.HasSuffix(path, decisionsOf) {
			named, err = names(path, traces)
		}
		if named {
			return fs.SkipAll
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // it was removed meanwhile
		return named, nil
	}
	return named, err
}

func fileNames(path string, traces [][]byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // read only
	if book, err := zip.OpenReader(path); err == nil {
		defer func() { _ = book.Close() }() // read only
		for _, part := range book.File {
			in, err := part.Open()
			if err != nil {
				continue // a damaged part: nobody reads it
			}
			found, _ := holds(asCells(in), traces)
			_ = in.Close()
			if found {
				return true, nil
			}
		}
	}
	return holds(asCells(f), traces)
}

// asCells is a text without blanks and zeros, which UTF-16 has between its
// letters, and with a line's end around it.
func asCells(in io.Reader) io.Reader {
	return io.MultiReader(strings.NewReader("\n"), &closeText{in}, strings.NewReader("\n"))
}

type closeText struct{ in io.Reader }

func (c *closeText) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		if b != 0 && b != ' ' {
			kept = append(kept, b)
		}
	}
	return len(kept), err
}
