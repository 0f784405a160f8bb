package xlsxfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"makegood/sources/table"
)

const relationsXML = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
	`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>`

// draw makes the chart of the summary and what leads to it.
func (w *markedBook) draw(t *telling) error {
	summary := w.sheets[len(w.sheets)-1]
	for _, name := range []string{drawingPart, chartPart, relationsOf(drawingPart)} {
		w.made[name] = nil
	}
	if w.marking.Summary.ChartFrom == 0 {
		return nil
	}
	drawing, chart, err := drawn(summary.name, w.marking.Summary)
	if err != nil {
		return fmt.Errorf("draw the chart of the summary: %w", err)
	}
	w.made[drawingPart], w.made[chartPart] = []byte(t.of(drawing)), []byte(t.of(chart))
	w.made[strings.ToLower(relationsOf(summary.part))] = fmt.Appendf(nil, relationsXML, t.of(relationTag("", "rId1", "drawing", drawingPart)))
	w.made[relationsOf(drawingPart)] = fmt.Appendf(nil, relationsXML, t.of(relationTag("", "rId1", "chart", chartPart)))
	t.declare(drawingPart, contentOf+"drawing+xml")
	t.declare(chartPart, contentOf+"drawingml.chart+xml")
	return nil
}

// drawn lets the library draw the chart in a small workbook of its own: it
// would hold the whole of a large one in memory.
func drawn(sheet string, s table.Summary) (drawing, chart string, err error) {
	small := excelize.NewFile()
	defer func() { err = errors.Join(err, small.Close()) }()
	if err := small.SetSheetName(small.GetSheetName(0), sheet); err != nil {
		return "", "", err
	}
	quoted := "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
	oneColour := false
	err = small.AddChart(sheet, "F3", &excelize.Chart{
		Type: excelize.Bar,
		Series: []excelize.ChartSeries{{
			Name:       s.ChartTitle,
			Categories: fmt.Sprintf("%s!$A$%d:$A$%d", quoted, s.ChartFrom+1, s.ChartEnd+1), // below the title
			Values:     fmt.Sprintf("%s!$B$%d:$B$%d", quoted, s.ChartFrom+1, s.ChartEnd+1),
		}},
		Title:      excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: s.ChartTitle}}},
		VaryColors: &oneColour,
		Legend:     excelize.ChartLegend{Position: "none"},
		PlotArea:   excelize.ChartPlotArea{ShowVal: true},
		XAxis:      excelize.ChartAxis{ReverseOrder: true, Font: excelize.Font{Color: "333333", Size: 10}},
		YAxis:      excelize.ChartAxis{None: true},
		Dimension:  excelize.ChartDimension{Width: 760, Height: 340},
	})
	if err != nil {
		return "", "", err
	}
	packed, err := small.WriteToBuffer()
	if err != nil {
		return "", "", err
	}
	z, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		return "", "", err
	}
	for name, text := range map[string]*string{"xl/drawings/drawing1.xml": &drawing, "xl/charts/chart1.xml": &chart} {
		in, err := z.Open(name)
		if err != nil {
			return "", "", err
		}
		read, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			return "", "", err
		}
		*text = string(read)
	}
	return drawing, chart, nil
}

// writeSummary writes the sheet that sums up. A row below a blank one is
// a heading.
func (w *markedBook) writeSummary(out io.Writer) error {
	s := w.marking.Summary
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<worksheet xmlns="` + sheetXML + `" xmlns:r="` + openXML + `">` +
		`<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>` +
		`<cols><col min="1" max="1" width="34" customWidth="1"/><col min="2" max="3" width="12" customWidth="1"/>` +
		`<col min="4" max="4" width="28" customWidth="1"/></cols><sheetData>`)
	blank := true
	for i, row := range append([][]any{{SummaryTitle}}, s.Rows...) {
		style := ""
		if blank {
			style = w.look.bold
		}
		blank = len(row) == 0
		fmt.Fprintf(&b, `<row r="%d">`, i+1)
		for at, value := range row {
			b.WriteString(summaryCell(table.CellName(at, i+1), style, value))
		}
		b.WriteString("</row>")
	}
	b.WriteString(`</sheetData><pageSetup orientation="landscape" fitToHeight="0"/>`)
	if s.ChartFrom > 0 {
		b.WriteString(`<drawing r:id="rId1"/>`)
	}
	b.WriteString("</worksheet>")
	_, err := io.WriteString(out, w.dialect().of(b.String()))
	return err
}

func summaryCell(name, style string, value any) string {
	switch value := value.(type) {
	case int:
		return fmt.Sprintf(`<c r="%s"><v>%d</v></c>`, name, value)
	case string:
		if value != "" {
			return textCell("", name, style, value)
		}
	}
	return ""
}
