package xlsxfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/richardlehane/mscfb"
	"github.com/xuri/excelize/v2"

	"makegood/sources/internal/near"
)

// Limits on what is unpacked. Sheets are read as they are unpacked; of the
// texts only what fits is held in memory.
const (
	maxUnpacked  = 2 << 30   // all parts of XML
	maxStrings   = 256 << 20 // the table of shared strings
	maxProtected = 64 << 20  // a protected workbook is decrypted in memory
	maxSpins     = 1_000_000 // rounds of a password's hash; Office makes 100,000
	maxParts     = 20_000
)

// container is the zip archive of a workbook.
type container struct {
	file  *os.File             // open for as long as parts are read
	parts map[string]*zip.File // by name in lower case
	list  []*zip.File          // all of them, as they stand there
}

// identify finds out what a file is, and refuses in words what is no workbook
// or would not fit. The caller closes the container's file.
func identify(path, password string) (c *container, err error) {
	defer catch(&err)
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	c = &container{file: file}
	archive, size := io.ReaderAt(file), info.Size()
	if head := first(file, 512); bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")) {
		plain, err := decrypt(file, size, password)
		if err != nil {
			return nil, err
		}
		archive, size = bytes.NewReader(plain), int64(len(plain))
	} else if !bytes.HasPrefix(head, []byte("PK")) {
		kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
		return nil, fmt.Errorf("%w: its content looks like %s", ErrNoWorkbook, kind)
	}
	return c, c.unzip(archive, size)
}

// openFile opens a file that is there and holds something.
func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil && os.IsNotExist(err):
		return nil, missing(path)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%w: it is a folder", ErrNoWorkbook)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is not a regular file", ErrNoWorkbook)
	case info.Size() == 0:
		return nil, fmt.Errorf("%w: the file has no bytes", ErrEmpty)
	}
	return os.Open(path)
}

func missing(path string) error {
	var names []string
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if n := near.Name(filepath.Base(path), names); n != "" {
		return fmt.Errorf("%w; did you mean %s?", fs.ErrNotExist, n)
	}
	return fs.ErrNotExist
}

func first(r io.ReaderAt, n int) []byte {
	buf := make([]byte, n)
	got, _ := r.ReadAt(buf, 0)
	return buf[:got]
}

var rounds = regexp.MustCompile(`spinCount="([0-9]{1,20})"`)

// decrypt opens the container that Office uses for protected workbooks and
// used for everything before 2007.
func decrypt(file io.ReaderAt, size int64, password string) ([]byte, error) {
	switch streams := compound(file); {
	case streams["EncryptedPackage"]:
	case streams["Workbook"] || streams["Book"]:
		return nil, fmt.Errorf("%w: it is an old .xls file; save it as .xlsx", ErrNoWorkbook)
	default:
		return nil, fmt.Errorf("%w: it is another kind of Office file", ErrNoWorkbook)
	}
	if password == "" {
		return nil, fmt.Errorf("%w; give the source's password, or save it without one", ErrPassword)
	}
	if size > maxProtected {
		return nil, fmt.Errorf("%w: a protected workbook may have %d MiB; save it without a password",
			ErrTooLarge, maxProtected>>20)
	}
	raw := make([]byte, size)
	if _, err := file.ReadAt(raw, 0); err != nil {
		return nil, err
	}
	if spins := rounds.FindSubmatch(raw); spins != nil {
		if n, err := strconv.Atoi(string(spins[1])); err != nil || n > maxSpins {
			return nil, fmt.Errorf("%w: its password takes %s rounds to try; save it without a password", ErrTooLarge, spins[1])
		}
	}
	plain, err := excelize.Decrypt(raw, &excelize.Options{Password: password})
	if err != nil || !bytes.HasPrefix(plain, []byte("PK")) {
		return nil, fmt.Errorf("%w, and the given one does not open it", ErrPassword)
	}
	return plain, nil
}

// compound lists the streams of a compound file, none when it is broken.
func compound(file io.ReaderAt) map[string]bool {
	streams := map[string]bool{}
	doc, err := mscfb.New(file)
	if err != nil {
		return streams
	}
	for _, entry := range doc.File {
		streams[entry.Name] = true
	}
	return streams
}

// unzip lists the parts of the archive, and refuses those that hold no
// workbook or more than fits.
func (c *container) unzip(archive io.ReaderAt, size int64) error {
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return fmt.Errorf("%w: the file is cut off or altered (%w)", ErrDamaged, err)
	}
	if len(z.File) > maxParts {
		return fmt.Errorf("%w: it has %d parts", ErrTooLarge, len(z.File))
	}
	c.parts, c.list = make(map[string]*zip.File, len(z.File)), z.File
	for _, p := range z.File {
		c.parts[partName(p)] = p
	}
	if other := c.otherFormat(); other != "" {
		return fmt.Errorf("%w: it is %s; save it as .xlsx", ErrNoWorkbook, other)
	}
	if c.parts["[content_types].xml"] == nil {
		return fmt.Errorf("%w: it is an archive that holds no workbook", ErrNoWorkbook)
	}
	return c.measure()
}

// otherFormat names spreadsheets of other makers, which are zip archives too.
func (c *container) otherFormat() string {
	for _, known := range [...]struct{ part, name string }{
		{"mimetype", "an OpenDocument file (.ods)"},
		{"xl/workbook.bin", "a binary workbook (.xlsb)"},
		{"word/document.xml", "a text document (.docx)"},
		{"index/document.iwa", "a Numbers document"},
	} {
		if c.parts[known.part] != nil {
			return known.name
		}
	}
	return ""
}

// measure refuses what is too large before anything is unpacked. Pictures and
// the like do not count: they are not read.
func (c *container) measure() error {
	var total uint64
	for name, p := range c.parts {
		if strings.HasSuffix(name, ".xml") {
			total += min(p.UncompressedSize64, maxUnpacked+1)
		}
	}
	if total > maxUnpacked {
		return fmt.Errorf("%w: unpacked it has more than %d MiB", ErrTooLarge, maxUnpacked>>20)
	}
	return nil
}

// partName is how a part is found: programs do not agree on slashes and case.
func partName(p *zip.File) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(p.Name, "\\", "/"), "/"))
}
