package xlsxfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// book is an open workbook.
type book struct {
	file   *excelize.File
	spill  *spill
	is1904 bool
	sheets []string // all, in the order of the workbook
}

func openBook(box *container, tmpDir string) (b *book, err error) {
	s, err := newSpill(tmpDir)
	if err != nil {
		return nil, fmt.Errorf("make a folder to unpack in: %w", err)
	}
	b = &book{spill: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	defer catch(&err)
	if b.file, err = box.open(s.dir); err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := box.check(b.file); err != nil {
		return b, err
	}
	if b.sheets = b.file.GetSheetList(); len(b.sheets) == 0 {
		return b, fmt.Errorf("%w: it is an archive that holds no workbook", ErrNoWorkbook)
	}
	props, err := b.file.GetWorkbookProps()
	b.is1904 = props.Date1904 != nil && *props.Date1904
	return b, err
}

// open unpacks the container with the library.
func (c *container) open(dir string) (*excelize.File, error) {
	o := excelize.Options{RawCellValue: true, TmpDir: dir, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: c.spill}
	if c.plain != nil {
		return excelize.OpenReader(bytes.NewReader(c.plain), o)
	}
	return excelize.OpenFile(c.file.Name(), o)
}

// check proves that the parts were unpacked whole: the library does not look
// at errors while it unpacks, and half a sheet would be half an order. Parts
// that went to disk were checked while they were copied; one that could not
// be copied is in memory, and fails here.
func (c *container) check(f *excelize.File) error {
	for _, p := range c.parts {
		name := partName(p)
		content, ok := f.Pkg.Load(name)
		if !ok || p.FileInfo().IsDir() {
			continue
		}
		b := content.([]byte)
		if uint64(len(b)) != p.UncompressedSize64 || crc32.ChecksumIEEE(b) != p.CRC32 {
			return fmt.Errorf("%w: its part %s cannot be unpacked", ErrDamaged, name)
		}
		if int64(len(b)) > c.spill && isSheet(p) {
			return fmt.Errorf("%w: there is no room to unpack part %s to disk", ErrTooLarge, name)
		}
	}
	if err := c.checkStyles(); err != nil {
		return err
	}
	return c.checkStrings(f)
}

// checkStyles refuses sheets whose cells name an empty style (s=""): the
// library gives such cells as empty ones. Who writes them writes them from the
// first rows on, so the beginning of each sheet is enough to look at.
func (c *container) checkStyles() error {
	for _, p := range c.parts {
		if !isSheet(p) || p.FileInfo().IsDir() {
			continue
		}
		part, err := p.Open()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		head, err := io.ReadAll(io.LimitReader(part, 1<<16))
		_ = part.Close() // read only
		if err == nil && bytes.Contains(head, []byte(` s=""`)) {
			return fmt.Errorf("%w: its cells have styles without a number; open it in a spreadsheet program and save it again",
				ErrDamaged)
		}
	}
	return nil
}

// checkStrings proves that shared strings which went to disk can be read to
// their end: the library takes a fault in them for their end, and gives the
// later ones as empty cells.
func (c *container) checkStrings(f *excelize.File) error {
	i := slices.IndexFunc(c.parts, isStrings)
	if i < 0 || int64(c.parts[i].UncompressedSize64) <= c.spill {
		return nil
	}
	part, err := c.parts[i].Open()
	if err != nil {
		return err
	}
	defer func() { _ = part.Close() }() // read only
	d := xml.NewDecoder(part)
	d.CharsetReader = f.CharsetReader
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: its table of texts cannot be read: %w", ErrDamaged, err)
		}
	}
}

// chosen lists the sheets to read; one that is wanted and not there is a
// [*SheetError].
func (b *book) chosen(want []string) ([]string, error) {
	if len(want) == 0 {
		return slices.DeleteFunc(slices.Clone(b.sheets), b.hidden), nil
	}
	if len(want) == 1 && want[0] == All {
		return b.sheets, nil
	}
	var names []string
	for _, w := range want {
		i := slices.IndexFunc(b.sheets, func(s string) bool { return strings.EqualFold(s, w) })
		if n, err := strconv.Atoi(strings.TrimPrefix(w, "#")); i < 0 && err == nil && strings.HasPrefix(w, "#") && n >= 1 && n <= len(b.sheets) {
			i = n - 1
		}
		if i < 0 {
			return nil, newSheetError(w, b.sheets)
		}
		names = append(names, b.sheets[i])
	}
	return names, nil
}

func (b *book) hidden(sheet string) bool {
	visible, err := b.file.GetSheetVisible(sheet)
	return err == nil && !visible
}

func (b *book) close() error {
	var errs []error
	if b.file != nil {
		errs = append(errs, b.file.Close())
	}
	return errors.Join(append(errs, b.spill.remove())...)
}
