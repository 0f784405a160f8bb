package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxValueFile is the size in bytes up to which file:PATH is read.
const maxValueFile = 64 << 10

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces the text of a value. Whether it names a file is decided on the text as written, so that no variable
// can make makegood read a file; neither the contents of a file nor of a variable are expanded again.
func (d *document) expand(n *yaml.Node) {
	text, err := d.variables(n.Value)
	if path, ok := strings.CutPrefix(text, "file:"); ok && err == nil && strings.HasPrefix(n.Value, "file:") {
		if text, err = d.contents(path); err != nil {
			err = fmt.Errorf("read %s: %w (a relative path starts from the folder of this file)", quoted(n.Value), err)
		}
	}
	if err != nil {
		d.breakAt(n, err.Error())
		return
	}
	if text != n.Value {
		d.written[n] = n.Value
		n.Value = text
	}
}

// variables replaces each ${NAME}; $${ stands for ${.
func (d *document) variables(text string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			out.WriteString(text)
			return out.String(), nil
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			out.WriteString(escaped + "${")
			text = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !variableName.MatchString(name) {
			return "", errors.New("${ does not begin the name of a variable, as in ${NAME}; write $${ for the characters themselves")
		}
		value, set := d.env(name)
		if !set {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		out.WriteString(before + value)
		text = rest
	}
}

// contents reads a text file, less one line end at its end. Only regular files: a device or a pipe might never end.
// Errors leave the path out, which a variable may be part of.
func (d *document) contents(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxValueFile+1))
	switch {
	case err != nil:
		return "", cause(err)
	case len(data) > maxValueFile:
		return "", errors.New("larger than 64 KiB")
	case !utf8.Valid(data) || bytes.ContainsRune(data, 0):
		return "", errors.New("not text")
	}
	if bytes.HasSuffix(data, []byte("\r\n")) {
		return string(data[:len(data)-2]), nil
	}
	return strings.TrimSuffix(string(data), "\n"), nil
}

// cause is err without the path that it names.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
