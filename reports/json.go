package reports

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the report indented, with a stable order of keys: those of the
// schema first, money and coverage sorted.
func JSON(w io.Writer, r Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	return nil
}

// Read reads the form of JSON. The report then renders as it did when it was
// built. Keys that are not known are left aside.
func Read(r io.Reader) (Report, error) {
	var report Report
	if err := json.NewDecoder(r).Decode(&report); err != nil {
		return Report{}, fmt.Errorf("read a report: %w", err)
	}
	if report.Schema != Schema {
		return Report{}, fmt.Errorf("read a report of schema %d: this version knows schema %d", report.Schema, Schema)
	}
	return report, nil
}
