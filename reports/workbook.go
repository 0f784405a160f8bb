package reports

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"makegood/reconcile"
)

// The sheets of the workbook.
const (
	sheetSummary = "Summary"
	sheetPlaces  = "Places"
	sheetTime    = "Over time"
	sheetOrders  = "Orders"
	sheetSources = "Sources"
	sheetDays    = "Days"
)

// XLSX writes the report as a workbook: a summary with a chart, the places of
// all messages as CSV has them, the messages over time, examples of orders, the
// sources, and, of check, the orders of each day. Amounts are numbers as long as a spreadsheet keeps all of their
// digits. No cell is a formula.
func XLSX(w io.Writer, r Report) (err error) {
	b := &workbook{File: excelize.NewFile(), report: r.legible(), rows: map[string]int{}}
	defer func() { err = errors.Join(err, b.Close()) }()
	b.bold, b.err = b.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	form := "#,##0.00##"
	b.amount, err = b.NewStyle(&excelize.Style{CustomNumFmt: &form})
	b.try(err)
	b.try(b.SetSheetName("Sheet1", sheetSummary))
	b.summary()
	b.places()
	b.times()
	b.orders()
	b.sources()
	b.days()
	if b.err == nil {
		b.err = b.Write(w)
	}
	if b.err != nil {
		return fmt.Errorf("write the report as a workbook: %w", b.err)
	}
	return nil
}

// workbook keeps the first error; what comes after one is not looked at.
type workbook struct {
	*excelize.File
	report Report
	bold   int // styles
	amount int
	rows   map[string]int // that each sheet has
	err    error
}

func (b *workbook) try(err error) {
	if b.err == nil {
		b.err = err
	}
}

// sheet adds a sheet with widths of its columns.
func (b *workbook) sheet(name string, widths ...float64) {
	if name != sheetSummary {
		_, err := b.NewSheet(name)
		b.try(err)
	}
	for i, width := range widths {
		b.try(b.SetColWidth(name, letter(i), letter(i), width))
	}
}

// letter is the name of a column, the first one being 0.
func letter(i int) string { return string(rune('A' + i)) }

// header writes the bold first row of a table. That of a sheet stays when one
// scrolls.
func (b *workbook) header(sheet string, cells ...any) {
	b.add(sheet, cells...)
	b.try(b.SetRowStyle(sheet, b.rows[sheet], b.rows[sheet], b.bold))
	if sheet != sheetSummary {
		b.try(b.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	}
}

// add writes the next row of a sheet.
func (b *workbook) add(sheet string, cells ...any) {
	b.rows[sheet]++
	for i, cell := range cells {
		if text, is := cell.(string); is {
			if text == "" {
				continue
			}
			cell = defused(text)
		}
		b.try(b.SetCellValue(sheet, fmt.Sprint(letter(i), b.rows[sheet]), cell))
	}
}

// chart draws columns of a sheet over rows of it.
func (b *workbook) chart(c drawn) {
	ink := excelize.Font{Color: "444444", Size: 9}
	gap := uint(10)
	chart := &excelize.Chart{Type: c.kind, GapWidth: &gap, Legend: excelize.ChartLegend{Position: "bottom"},
		Dimension: excelize.ChartDimension{Width: 900, Height: 320},
		Title:     excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: c.title, Font: &excelize.Font{Size: 12, Color: "222222"}}}},
		XAxis:     excelize.ChartAxis{Font: ink, TickLabelSkip: (c.last-c.first)/maxTicks + 1, ReverseOrder: c.kind == excelize.BarPercentStacked},
		YAxis:     excelize.ChartAxis{Font: ink, MajorGridLines: true}}
	if c.kind == excelize.BarPercentStacked {
		chart.XAxis.TickLabelSkip = 1
	}
	for i, colour := range c.colours {
		column := letter(c.column + i)
		chart.Series = append(chart.Series, excelize.ChartSeries{
			Name:       fmt.Sprintf("'%s'!$%s$%d", c.sheet, column, c.head),
			Categories: fmt.Sprintf("'%s'!$%s$%d:$%s$%d", c.sheet, letter(c.names), c.first, letter(c.names), c.last),
			Values:     fmt.Sprintf("'%s'!$%s$%d:$%s$%d", c.sheet, column, c.first, column, c.last),
			Fill:       excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}},
		})
	}
	b.try(b.AddChart(c.sheet, c.at, chart))
}

// drawn says which cells a chart shows, and where it lies: the numbers of the
// rows from first to last in columns from column on, one for each colour.
type drawn struct {
	kind              excelize.ChartType
	sheet, title, at  string
	head, first, last int // rows
	names, column     int
	colours           []string
}

// Colours as on the page, in the order of shown and of parts.
var (
	bucketColours = []string{"9FCAC5", "0B6B66", "C3C9CB", "B3261E", "E0A92E", "5B7FA6"}
	partColours   = []string{"B4D6D2", "2B8F88", "8F1710", "CFD4D5"}
)

// exactDigits is how many digits a spreadsheet keeps of a number.
const exactDigits = 15

// numeric is an amount or a count as a number, or as text where a number would
// lose digits or it is none.
func numeric(text string) any {
	digits := len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0"))
	if _, err := reconcile.ParseDecimal(text); err != nil || digits > exactDigits {
		return text
	}
	f, err := strconv.ParseFloat(text, 64) // exact when shown with its digits
	if err != nil {
		return text
	}
	return f
}

func (b *workbook) summary() {
	r := b.report
	b.sheet(sheetSummary, 34, 16, 16, 34, 22, 22, 22, 22, 22, 22)
	b.header(sheetSummary, r.firstLine())
	for i, step := range r.steps() {
		b.add(sheetSummary, fmt.Sprint(i+1, ". ", step.line()))
	}
	b.rows[sheetSummary]++
	head := []any{"destination", "missing orders", "repaired orders", "usual"}
	for _, bucket := range shown {
		head = append(head, BucketWords(bucket))
	}
	b.header(sheetSummary, head...)
	first := b.rows[sheetSummary] + 1
	for _, t := range r.Targets {
		row := []any{t.Target, t.missing().Orders, t.Balance.Sent.Orders, usualWords(t.Usual, t.missing())}
		for _, bucket := range shown {
			row = append(row, t.Balance.of(bucket).Events)
		}
		b.add(sheetSummary, row...)
	}
	if last := b.rows[sheetSummary]; last >= first {
		b.chart(drawn{kind: excelize.BarPercentStacked, sheet: sheetSummary, title: "Where the messages are", at: fmt.Sprint("A", last+2),
			head: first - 1, first: first, last: last, names: 0, column: len(head) - len(shown), colours: bucketColours})
		b.rows[sheetSummary] += 19 // it lies there
	}
	for _, one := range r.changed() {
		b.add(sheetSummary, one.Kind, one.Text)
	}
	for _, f := range r.facts() {
		b.add(sheetSummary, f.Name, f.Text)
	}
}

func (b *workbook) places() {
	b.sheet(sheetPlaces, 20, 16, 22, 60, 10, 10, 10, 16)
	var head []any
	for _, name := range flatHeader {
		head = append(head, name)
	}
	b.try(b.SetColStyle(sheetPlaces, letter(len(head)-1), b.amount))
	b.header(sheetPlaces, head...)
	for _, row := range b.report.flat() {
		b.add(sheetPlaces, row.Target, row.Bucket, row.Reason, row.Words, numeric(row.Orders), numeric(row.Events), row.Currency, numeric(row.Amount))
	}
}
