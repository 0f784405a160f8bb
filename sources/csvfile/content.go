package csvfile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

const maxUnpacked = 4 << 30

var (
	// ErrPacked is returned for a packed file from which not exactly one text
	// can be read.
	ErrPacked = errors.New("is packed, but not as one text file")
	// ErrLarge is returned for a packed file that holds more than 4 GiB.
	ErrLarge = errors.New("is packed and holds more than 4 GiB; unpack it, and split it")
)

// content is the text of a file from its begin, unpacked.
type content struct {
	io.Reader
	closers []io.Closer
}

// Close closes what is open, the outermost last.
func (c *content) Close() error {
	var errs []error
	for _, one := range c.closers {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// open gives the text of the file. What is packed is known by its first bytes,
// not by its name.
func (f *File) open() (*content, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return nil, f.explain(err)
	}
	c, err := unpack(in)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", f.Name(), err), in.Close())
	}
	return c, nil
}

func unpack(in *os.File) (*content, error) {
	head := make([]byte, 4)
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPacked, err)
		}
		return &content{&bounded{z, maxUnpacked}, []io.Closer{z, in}}, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		z, err := unzip(in)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPacked, err)
		}
		return &content{&bounded{z, maxUnpacked}, []io.Closer{z, in}}, nil
	}
	return &content{in, []io.Closer{in}}, nil
}

// foreign names files of other kinds that bear the names of tables: a login
// page that was saved as an export, for one.
func foreign(head []byte) error {
	for _, kind := range [...]struct{ begin, what string }{
		{"\xd0\xcf\x11\xe0", "an old .xls workbook or another Office file; save it as .csv or .xlsx"},
		{"SQLite format 3\x00", "an SQLite database; set type: sql"},
		{"%PDF", "a PDF"}, {"PAR1", "a Parquet file"}, {"BZh", "packed with bzip2; unpack it"}, {"\xfd7zXZ", "packed with xz; unpack it"},
		{"7z\xbc\xaf", "packed with 7-Zip; unpack it"}, {"\x28\xb5\x2f\xfd", "packed with zstd; unpack it"}, {"Rar!", "packed with RAR; unpack it"},
		{"\xff\xfe\x00\x00", "UTF-32; save it as UTF-8"}, {"\x00\x00\xfe\xff", "UTF-32; save it as UTF-8"},
	} {
		if bytes.HasPrefix(head, []byte(kind.begin)) {
			return fmt.Errorf("%w: it is %s", ErrNoTable, kind.what)
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	for _, kind := range [...]struct{ begin, what string }{
		{"<!doctype html", "a web page; was somebody logged out?"}, {"<html", "a web page; was somebody logged out?"},
		{"<?xml", "XML"}, {"{\"", "JSON"}, {"[{\"", "JSON"},
	} {
		if strings.HasPrefix(text, kind.begin) {
			return fmt.Errorf("%w: it is %s", ErrNoTable, kind.what)
		}
	}
	return nil
}

// unzip opens the one file of an archive, beside what macOS adds.
func unzip(in *os.File) (io.ReadCloser, error) {
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(in, info.Size())
	if err != nil {
		return nil, err
	}
	var files, tables []*zip.File
	for _, one := range z.File {
		if one.Name == "[Content_Types].xml" {
			return nil, errors.New("it is a workbook; set type: xlsx")
		}
		if !one.FileInfo().IsDir() && !strings.HasPrefix(one.Name, "__MACOSX/") && !strings.HasPrefix(path.Base(one.Name), ".") {
			files = append(files, one)
			if ending := strings.ToLower(path.Ext(one.Name)); ending == ".csv" || ending == ".tsv" {
				tables = append(tables, one)
			}
		}
	}
	if len(tables) == 1 { // beside a text about it, or a licence
		files = tables
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("it holds %d files%s; unpack it and name the one to read", len(files), list(files))
	}
	if files[0].Flags&1 != 0 {
		return nil, errors.New("it is protected by a password; unpack it")
	}
	return files[0].Open()
}

// list names some of the files.
func list(files []*zip.File) string {
	var names []string
	for _, one := range files[:min(len(files), 5)] {
		names = append(names, path.Base(one.Name))
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + strings.Repeat(" ...", min(1, len(files)-len(names))) + ")"
}

// bounded ends what unpacks to more than anybody's export.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		// Its text alone: what is wrapped would be taken for the file's end.
		err = fmt.Errorf("%w: %s", ErrPacked, err.Error())
	}
	return n, err
}
