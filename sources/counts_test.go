package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"makegood/config"
	"makegood/sources"
	"makegood/sources/table"
)

func TestCountsFile(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		file sources.CountsFile
		want []table.DayCount
		bad  string // what the problems say
		err  string
	}{
		"ISO":                    {text: "day,count\n2026-11-01,3\n2026-11-02,0\n", want: []table.DayCount{{Day: "2026-11-01", Count: 3}, {Day: "2026-11-02"}}},
		"a time of day":          {text: "Date;Orders\n2026-11-01 00:00:00;3\n", want: []table.DayCount{{Day: "2026-11-01", Count: 3}}},
		"groups":                 {text: "date;orders\n2026-11-01;1.234\n2026-11-02;1,234\n2026-11-03;1 234 567\n2026-11-04;5.0\n", want: []table.DayCount{{Day: "2026-11-01", Count: 1234}, {Day: "2026-11-02", Count: 1234}, {Day: "2026-11-03", Count: 1234567}, {Day: "2026-11-04", Count: 5}}},
		"another form":           {text: "tag,anzahl\n13.11.2026,3\n1.12.2026,4\n", want: []table.DayCount{{Day: "2026-11-13", Count: 3}, {Day: "2026-12-01", Count: 4}}},
		"named columns":          {text: "when,n,count\n2026-11-01,3,9\n", file: sources.CountsFile{DayColumn: "When", CountColumn: "n"}, want: []table.DayCount{{Day: "2026-11-01", Count: 3}}},
		"said form":              {text: "day,count\n1/2/2026,3\n", file: sources.CountsFile{DateFormat: "M/d/yyyy"}, want: []table.DayCount{{Day: "2026-01-02", Count: 3}}},
		"a summary row":          {text: "day,count\n2026-11-01,3\nTotal,3\n", want: []table.DayCount{{Day: "2026-11-01", Count: 3}}, bad: `row 3, column day: "aaaaa"`},
		"a day twice":            {text: "day,count\n2026-11-01,3\n2026-11-01,4\n", want: []table.DayCount{{Day: "2026-11-01", Count: 3}}, bad: "row 3, column day: 2026-11-01 stands in row 2, too"},
		"no count":               {text: "day,count\n2026-11-01,\n2026-11-02,1\n", want: []table.DayCount{{Day: "2026-11-02", Count: 1}}, bad: "row 2, column count: the row has no count"},
		"no day":                 {text: "day,count\n,2\n2026-11-02,1\n", want: []table.DayCount{{Day: "2026-11-02", Count: 1}}, bad: "row 2, column day: the row has no day"},
		"less than none":         {text: "day,count\n2026-11-01,-3\n2026-11-02,1\n", want: []table.DayCount{{Day: "2026-11-02", Count: 1}}, bad: "row 2, column count"},
		"a part":                 {text: "day,count\n2026-11-01,3.5\n2026-11-02,1\n", want: []table.DayCount{{Day: "2026-11-02", Count: 1}}, bad: "row 2, column count"},
		"nobody counts that far": {text: "day,count\n2026-11-01,99999999999999999999\n2026-11-02,1\n", want: []table.DayCount{{Day: "2026-11-02", Count: 1}}, bad: "row 2, column count"},
		"either form":            {text: "day,count\n1/2/2026,3\n", err: "set --date-format d/M/yyyy or --date-format M/d/yyyy"},
		"no such column":         {text: "day,count\n2026-11-01,3\n", file: sources.CountsFile{CountColumn: "purchases"}, err: "it has no column purchases; it has: day, count; say which with --count-column"},
		"no row":                 {text: "day,count\n", err: "there is a header and no row"},
		"nothing":                {text: "", err: "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			c.file.Path, c.file.Zone = filepath.Join(t.TempDir(), "counts.csv"), config.Zone{Location: time.FixedZone("east", 3600)}
			if err := os.WriteFile(c.file.Path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := c.file.Read(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Days); diff != "" {
				t.Error(diff)
			}
			if got.Bad != len(got.Problems) || (c.bad == "") != (got.Bad == 0) || c.bad != "" && !strings.Contains(got.Problems[0].String(), c.bad) {
				t.Errorf("problems %v, want %q", got.Problems, c.bad)
			}
		})
	}
}
