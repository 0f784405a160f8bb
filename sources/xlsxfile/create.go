package xlsxfile

import (
	"errors"
	"fmt"
	"os"

	"github.com/xuri/excelize/v2"
)

// Create makes a new workbook with one sheet of the given rows, for
// demonstrations and tests. It refuses a file that is there.
func Create(path, sheet string, rows [][]any) (err error) {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make the workbook %s: %w", path, os.ErrExist)
	}
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return fmt.Errorf("make the workbook %s: %w", path, err)
	}
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = book.SetSheetRow(sheet, cell, &row)
		}
		if err != nil {
			return fmt.Errorf("make the workbook %s: %w", path, err)
		}
	}
	if err := book.SaveAs(path); err != nil {
		return fmt.Errorf("make the workbook %s: %w", path, err)
	}
	return nil
}
