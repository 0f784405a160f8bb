package xlsxfile

import (
	"fmt"
	"math"
	"time"

	"github.com/xuri/excelize/v2"
)

// lastDay is the serial number of 9999-12-31 in the 1900 system.
const lastDay = 2958465

// serial converts a date number to the wall-clock time that a spreadsheet
// shows, rounded to the second.
func (b *book) serial(days float64) (time.Time, error) {
	if math.IsNaN(days) || days < 0 || days >= lastDay+1 {
		return time.Time{}, fmt.Errorf("read %v as a date: it is no date number", days)
	}
	whole, fraction := math.Modf(days)
	date, err := excelize.ExcelDateToTime(whole, b.is1904)
	if err != nil {
		return time.Time{}, fmt.Errorf("read %v as a date: %w", days, err)
	}
	return date.Add(time.Duration(math.Round(fraction*86400)) * time.Second), nil
}
