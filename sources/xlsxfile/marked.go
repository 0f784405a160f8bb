package xlsxfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"makegood/sources/internal/spill"
	"makegood/sources/table"
)

// WriteMarked writes the workbook with three more columns beside its rows, a
// sheet of the rows to fix for each sheet that was read, and a summary. All
// other parts are copied as they are packed. Nothing that is added can be
// executed.
func (f *File) WriteMarked(ctx context.Context, m *table.Marking) (names []string, err error) {
	defer catch(&err)
	if err := m.Claim(f.Name()); err != nil {
		return nil, err
	}
	folder, err := spill.New(m.TmpDir)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the marked workbook: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Remove()) }()
	box, err := identify(f.path, "")
	if errors.Is(err, ErrPassword) {
		return nil, fmt.Errorf("%w: the workbook is protected with a password, and its copy would not be", table.ErrUnmarkable)
	}
	if err != nil {
		return nil, err
	}
	b, err := openBook(box, f.options.TmpDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.findOwn(&cursor{ctx: ctx, file: f, book: b})
	w := &markedBook{book: b, file: f, marking: m, dir: folder.Dir, ctx: ctx, made: map[string][]byte{}, fixes: map[string]*fixSheet{}}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.write(filepath.Join(folder.Dir, "marked")); err != nil {
		return nil, fmt.Errorf("mark the rows of %s: %w", f.Name(), err)
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return []string{f.Name()}, m.Deliver(filepath.Join(folder.Dir, "marked"), f.Name(), f.path)
}

// markedBook is a workbook while its marked copy is written.
type markedBook struct {
	*book
	file    *File
	marking *table.Marking
	dir     string
	ctx     context.Context
	out     *zip.Writer
	made    map[string][]byte    // small parts that are written anew, by name in lower case; nil: left out
	fixes   map[string]*fixSheet // by the part of the sheet that their rows are from
	sheets  []addedSheet
	look    looks
}

// addedSheet is a sheet of makegood's.
type addedSheet struct {
	name, part string
	fix        *fixSheet // nil: the summary
	from       layout    // of the sheet that the rows are from
}

func (w *markedBook) close() error {
	var errs []error
	for _, f := range w.fixes {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

func (w *markedBook) write(to string) (err error) {
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Sync(), file.Close()) }()
	buffered := bufio.NewWriterSize(file, 1<<20)
	w.out = zip.NewWriter(buffered)
	quick(w.out)
	if err := w.plan(); err != nil {
		return err
	}
	if err := w.copyParts(); err != nil {
		return err
	}
	for _, s := range w.sheets {
		if err := w.addSheet(s); err != nil {
			return err
		}
	}
	return errors.Join(w.out.Close(), buffered.Flush())
}

// copyParts copies all parts, those with marks piece by piece.
func (w *markedBook) copyParts() error {
	rows := map[string]string{}
	for _, name := range w.marking.Sheets() {
		rows[strings.ToLower(w.file.layouts[name].part)] = name
	}
	for _, part := range w.box.list {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		name := partName(part)
		text, made := w.made[name]
		sheet, marked := rows[name]
		var err error
		switch {
		case made && text == nil:
		case made:
			err = w.put(part.Name, text)
			delete(w.made, name)
		case marked:
			err = w.copySheet(part, sheet)
		default:
			err = w.out.Copy(part)
		}
		if err != nil {
			return fmt.Errorf("copy its part %s: %w", part.Name, err)
		}
	}
	return w.putMade()
}

// putMade writes the parts that the workbook did not have.
func (w *markedBook) putMade() error {
	var names []string
	for name, text := range w.made {
		if text != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.put(name, w.made[name]); err != nil {
			return err
		}
	}
	return nil
}

func (w *markedBook) put(name string, text []byte) error {
	out, err := w.out.Create(name)
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

// copySheet copies a sheet with marks beside its rows.
func (w *markedBook) copySheet(part *zip.File, name string) (err error) {
	in, err := part.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	r := &rewriter{ctx: w.ctx, layout: w.file.layouts[name], fixes: w.fixes[name], look: w.look, recalc: w.book.recalc}
	if r.in, err = newRaw(in); err != nil {
		return err
	}
	if r.right, err = w.rawCorrections(r.layout); err != nil {
		return err
	}
	if r.next, err = w.marking.Rows(name); err != nil {
		return err
	}
	out, err := w.out.Create(part.Name)
	if err != nil {
		return err
	}
	r.out = bufio.NewWriterSize(out, ahead)
	return errors.Join(r.run(), r.out.Flush())
}

func (w *markedBook) addSheet(s addedSheet) error {
	out, err := w.out.Create(s.part)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, ahead)
	if s.fix == nil {
		err = w.writeSummary(buffered)
	} else {
		err = s.fix.write(buffered, s.from)
	}
	return errors.Join(err, buffered.Flush())
}

// plan finds the names and parts of the sheets that are added, and makes the
// small parts that tell of them. Sheets of an older copy are made anew where
// they stand.
func (w *markedBook) plan() error {
	for _, name := range w.marking.Sheets() {
		l := w.file.layouts[name]
		if l.behind+len(widths)+2 > maxColumns {
			return fmt.Errorf("%w: there is no column left beside sheet %q", table.ErrUnmarkable, name)
		}
		fix, err := newFixSheet(w.dir)
		if err != nil {
			return err
		}
		fix.habits = w.marking.Habits
		w.fixes[name] = fix
		if !l.alone {
			w.sheets = append(w.sheets, addedSheet{fix: fix, from: l})
		}
	}
	w.sheets = append(w.sheets, addedSheet{})
	w.reuse()
	if err := w.addLooks(); err != nil {
		return err
	}
	return w.tell()
}

// reuse gives the added sheets the places of those in an older copy; of older
// ones that are too many, their rows are gone.
func (w *markedBook) reuse() {
	read := map[string]bool{}
	for _, l := range w.file.layouts {
		read[l.part] = true
	}
	for _, tab := range w.book.sheets {
		if !tab.own() || read[tab.part] {
			continue
		}
		i := slices.IndexFunc(w.sheets, func(s addedSheet) bool { return s.part == "" && (s.fix == nil) == tab.sums })
		w.made[strings.ToLower(relationsOf(tab.part))] = nil
		w.made[strings.ToLower(tab.part)] = nil
		if i >= 0 {
			w.sheets[i].name, w.sheets[i].part = tab.name, tab.part
			continue
		}
		w.made[strings.ToLower(tab.part)] = []byte(w.dialect().of(`<worksheet xmlns="` + sheetXML + `"><sheetData/></worksheet>`))
	}
}

// relationsOf is where the relations of a part stand.
func relationsOf(part string) string {
	return path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
}

// whole reads a small part.
func (w *markedBook) whole(name string) ([]byte, error) {
	part := w.box.parts[strings.ToLower(name)]
	if part == nil {
		return nil, fmt.Errorf("%w: its part %s is missing", ErrDamaged, name)
	}
	in, err := part.Open()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPiece+1))
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxPiece || bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%w: its part %s is too large, or written as UTF-16", table.ErrUnmarkable, name)
	}
	return text, nil
}
