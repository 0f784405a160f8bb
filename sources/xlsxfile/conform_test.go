package xlsxfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"

	"makegood/sources/sourcetest"
	"makegood/sources/table"
)

func TestConform(t *testing.T) {
	sourcetest.Run(t, func(t testing.TB, rows [][]string) table.File {
		dir := t.TempDir()
		cells := make([][]any, len(rows))
		for i, row := range rows {
			for _, text := range row {
				cells[i] = append(cells[i], text)
			}
		}
		path, create := filepath.Join(dir, "orders.xlsx"), Create
		if len(cells) > 5_000 {
			create = stream
		}
		if err := create(path, "Orders", cells); err != nil {
			t.Fatal(err)
		}
		return New(path, Options{TmpDir: filepath.Join(dir, "unpacked")})
	})
}

// stream makes a workbook as programs do that write large ones: texts stand in
// their cells, not in the table of shared strings, which takes its own memory.
func stream(path, sheet string, rows [][]any) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return err
	}
	w, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), book.SaveAs(path))
}
