package table

import (
	"context"
	"fmt"

	"makegood/config"
)

// MaxColumn is how many values of a column are read.
const MaxColumn = 1_000_000

// ReadColumn reads the texts of one column, blank ones left out.
func ReadColumn(ctx context.Context, t *config.Table, column string, files []File) ([]string, error) {
	r, err := newRecords(t, "list", map[string]string{"order": column}, []string{"order"})
	if err != nil {
		return nil, err
	}
	var values []string
	err = r.each(ctx, files, func(rec record) error {
		if rec.texts[0] == "" {
			return nil
		}
		if values = append(values, rec.texts[0]); len(values) > MaxColumn {
			return fmt.Errorf("it has more than %d numbers", MaxColumn)
		}
		return nil
	})
	return values, err
}

// NearestNumber gives what finds the known number that is most like another.
func NearestNumber(known []string) func(string) string {
	alike := make(map[string]string, len(known))
	for _, number := range known {
		alike[bareSKU(number)] = number
	}
	return (&Products{alike: alike}).Nearest
}
