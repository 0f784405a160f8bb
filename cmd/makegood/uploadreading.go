package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reports"
	"makegood/sources"
)

// reading is how somebody said that the file is read.
func (f *uploadFolder) reading() (how upload.Reading, err error) {
	text, err := os.ReadFile(filepath.Join(f.dir, upload.ReadingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return how, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &how)
	}
	if err != nil {
		return how, fmt.Errorf("read how the upload is read: %w", err)
	}
	return how, nil
}

// reads puts what somebody said into the settings of a table.
func reads(how upload.Reading, t *config.Table) {
	if how.Sheet != "" {
		t.Sheet = config.Sheets{Pick: []config.Sheet{{Name: how.Sheet}}}
	}
	if how.HeaderRow > 0 {
		t.HeaderRow = how.HeaderRow
	}
	if how.Encoding != "" {
		t.Encoding = how.Encoding
	}
	if how.Delimiter != "" {
		t.Delimiter = how.Delimiter
	}
}

// readAs says how the file was read. It is in doubt where there are several
// sheets, where the columns are not named in the first row, and where a note says
// what was found out of the letters or the rows.
func readAs(look *upload.Look, how upload.Reading, kind string, seen sources.Seen) {
	look.Text, look.Reading = kind == "csv", how
	for _, name := range seen.Sheets {
		if shownCell(name) == name { // one that can be shown can be chosen
			look.Sheets = append(look.Sheets, name)
		}
	}
	look.Sheet = shownCell(seen.Sheet)
	for _, note := range seen.Notes {
		look.Notes = append(look.Notes, ofTheFile.Replace(reports.Mask(note)))
	}
	if look.HeaderRow = how.HeaderRow; look.HeaderRow == 0 && len(seen.Rows) > 0 {
		look.HeaderRow = max(seen.Rows[0].Number-1, 1)
	}
	guessed := slices.ContainsFunc(seen.Notes, func(note string) bool {
		return strings.Contains(note, "was read as ") || strings.Contains(note, "its header")
	})
	look.InDoubt = len(seen.Sheets) > 1 || look.HeaderRow > 1 || guessed
}
