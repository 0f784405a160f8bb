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
	var files []*zip.File
	for _, one := range z.File {
		if one.Name == "[Content_Types].xml" {
			return nil, errors.New("it is a workbook; set type: xlsx")
		}
		if !one.FileInfo().IsDir() && !strings.HasPrefix(one.Name, "__MACOSX/") && !strings.HasPrefix(path.Base(one.Name), ".") {
			files = append(files, one)
		}
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("it holds %d files; unpack it and name the one to read", len(files))
	}
	if files[0].Flags&1 != 0 {
		return nil, errors.New("it is protected by a password; unpack it")
	}
	return files[0].Open()
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
