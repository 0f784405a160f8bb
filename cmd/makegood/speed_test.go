package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// BenchmarkPlan compares the first plan of a real shop's year (541,909 rows,
// 18,356 messages) with a bare loop over the same file by the same library.
// They take turns, so that what else the machine does falls on both.
func BenchmarkPlan(b *testing.B) {
	for name, c := range map[string]struct {
		file, kind string
		bare       func(path string) (rows int, err error)
	}{
		"csv":  {"online_retail.csv", "csv", bareCSV},
		"xlsx": {"online_retail.xlsx", "xlsx", bareXLSX},
	} {
		b.Run(name, func(b *testing.B) {
			path := retail(b, c.file)
			config := retailConfig(b, b.TempDir(), "http://127.0.0.1:1",
				fmt.Sprintf(retailSource(b, "type: "+c.kind+"\npath: "+path+englishColumns), "InvoiceNo"))
			var bare, plan time.Duration
			for b.Loop() {
				begin := time.Now()
				if rows, err := c.bare(path); err != nil || rows != 541910 {
					b.Fatalf("the bare loop read %d rows: %v", rows, err)
				}
				bare += time.Since(begin)
				begin = time.Now()
				cmd := play(b, append([]string{"plan", "-c", config}, retailWindow...)...)
				out, err := cmd.CombinedOutput()
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitLeft {
					b.Fatalf("makegood plan: %v\n%s", err, out)
				}
				plan += time.Since(begin)
			}
			b.ReportMetric(float64(plan)/float64(bare), "x-bare")
			b.ReportMetric(plan.Seconds()/float64(b.N), "s-plan")
			b.ReportMetric(bare.Seconds()/float64(b.N), "s-bare")
		})
	}
}

func bareCSV(path string) (rows int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return rows, err
		}
		rows++
	}
}

func bareXLSX(path string) (rows int, err error) {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		return 0, err
	}
	for r.Next() {
		if _, err := r.Columns(excelize.Options{RawCellValue: true}); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, errors.Join(r.Error(), r.Close())
}
