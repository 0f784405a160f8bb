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
	"slices"
	"strings"

	"github.com/richardlehane/mscfb"
	"github.com/xuri/excelize/v2"

	"makegood/sources/internal/near"
)

// Limits on what is unpacked. The library keeps every part in memory but
// large sheets and a large table of shared strings.
const (
	maxUnpacked  = 1 << 30   // all parts
	maxKept      = 64 << 20  // parts that stay in memory
	maxStrings   = 256 << 20 // the table of shared strings
	maxProtected = 64 << 20  // a protected workbook is decrypted in memory
	maxParts     = 20_000
)

// container is the zip archive of a workbook.
type container struct {
	file  *os.File
	plain []byte // the archive of a protected workbook, decrypted; else nil
	parts []*zip.File
	spill int64 // sheets and shared strings above this size go to disk
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
		if c.plain, err = decrypt(file, size, password); err != nil {
			return nil, err
		}
		archive, size = bytes.NewReader(c.plain), int64(len(c.plain))
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
	c.parts = z.File
	if len(c.parts) > maxParts {
		return fmt.Errorf("%w: it has %d parts", ErrTooLarge, len(c.parts))
	}
	if other := c.otherFormat(); other != "" {
		return fmt.Errorf("%w: it is %s; save it as .xlsx", ErrNoWorkbook, other)
	}
	if !slices.ContainsFunc(c.parts, isTypes) {
		return fmt.Errorf("%w: it is an archive that holds no workbook", ErrNoWorkbook)
	}
	return c.measure()
}

// otherFormat names spreadsheets of other makers, which are zip archives too.
func (c *container) otherFormat() string {
	for _, p := range c.parts {
		switch p.Name {
		case "mimetype":
			return "an OpenDocument file (.ods)"
		case "xl/workbook.bin":
			return "a binary workbook (.xlsb)"
		case "word/document.xml":
			return "a text document (.docx)"
		case "Index/Document.iwa":
			return "a Numbers document"
		}
	}
	return ""
}

// measure chooses from which size on parts are unpacked to disk, and refuses
// what is too large before anything is unpacked. Shared strings are kept in
// memory up to 4 MiB, where looking them up is quick.
func (c *container) measure() error {
	var total, text uint64
	for _, p := range c.parts {
		total += min(p.UncompressedSize64, maxUnpacked+1)
		if isStrings(p) {
			text = p.UncompressedSize64
		}
	}
	if total > maxUnpacked {
		return fmt.Errorf("%w: unpacked it has more than %d MiB", ErrTooLarge, maxUnpacked>>20)
	}
	if text > maxStrings {
		return fmt.Errorf("%w: its texts have more than %d MiB", ErrTooLarge, maxStrings>>20)
	}
	c.spill = 1 << 16
	if text <= 4<<20 {
		c.spill = max(c.spill, int64(text))
	}
	if c.kept() > maxKept {
		c.spill = 1 << 16
	}
	if kept := c.kept(); kept > maxKept {
		return fmt.Errorf("%w: beside its sheets it has %d MiB of pictures and other parts; save it without them",
			ErrTooLarge, kept>>20)
	}
	return nil
}

// kept is how much of the workbook the library holds in memory.
func (c *container) kept() int64 {
	var sum int64
	for _, p := range c.parts {
		if size := int64(p.UncompressedSize64); size <= c.spill || !isStrings(p) && !isSheet(p) {
			sum += size
		}
	}
	return sum
}

func partName(p *zip.File) string { return strings.ReplaceAll(p.Name, "\\", "/") }

func isTypes(p *zip.File) bool { return strings.EqualFold(partName(p), "[Content_Types].xml") }

func isStrings(p *zip.File) bool { return strings.EqualFold(partName(p), "xl/sharedStrings.xml") }

func isSheet(p *zip.File) bool {
	return strings.HasPrefix(strings.ToLower(partName(p)), "xl/worksheets/sheet")
}
