package table

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// DayCount is how many a platform counted on one day. Day has the form
// 2006-01-02.
type DayCount struct {
	Day   string
	Count int
}

// MaxDayCounts is how many days a table of counts can have: ten years.
const MaxDayCounts = 3660

// maxDayCount is the largest count that is believed.
const maxDayCount = 1_000_000_000

// ReadDayCounts reads a table with a day and a count in each row. A row that
// cannot be read goes to blame, and the rest goes on: a day that stands there
// twice, too, with its second row.
func ReadDayCounts(ctx context.Context, cfg *config.Table, columns map[string]string, files []File, blame func(reconcile.RowProblem)) (list []DayCount, notes []string, err error) {
	r, err := newRecords(cfg, "columns", columns, []string{"at", "count"})
	if err != nil {
		return nil, nil, err
	}
	r.blame = blame
	seen := map[string]int{}
	err = r.each(ctx, files, func(rec record) error {
		one, err := dayCount(rec, columns)
		if err != nil {
			return err
		}
		if row, twice := seen[one.Day]; twice {
			return rec.fault(columns["at"], fmt.Sprintf("%s stands in row %d, too", one.Day, row))
		}
		if len(list) == MaxDayCounts {
			return fmt.Errorf("it has more than %d days; cut it into smaller files", MaxDayCounts)
		}
		seen[one.Day], list = rec.row, append(list, one)
		return nil
	})
	return list, r.notes, err
}

func dayCount(rec record, columns map[string]string) (one DayCount, err error) {
	day, count := rec.texts[0], rec.texts[1]
	if day == "" {
		return one, rec.fault(columns["at"], "the row has no day")
	}
	m := rec.clock.read(day)
	if m.err != nil {
		return one, rec.fault(columns["at"], shape(day)+" "+strings.ReplaceAll(m.err.Error(), "date_format", "--date-format"))
	}
	one.Day = m.at.In(rec.clock.zone).Format(time.DateOnly)
	if one.Count, err = wholeNumber(count); err != nil {
		return one, rec.fault(columns["count"], err.Error())
	}
	return one, nil
}

// groups is a whole number with its thousands kept apart, the same way
// throughout.
var groups = regexp.MustCompile(`^[0-9]{1,3}(?:(?:,[0-9]{3})+|(?:\.[0-9]{3})+|(?:'[0-9]{3})+|(?:[ \x{a0}\x{202f}][0-9]{3})+)$`)

// wholeNumber reads a count. 1,234 and 1.234 are both 1234: a platform counts no
// parts of purchases.
func wholeNumber(text string) (int, error) {
	if text == "" {
		return 0, errors.New("the row has no count; write 0 where nothing was counted")
	}
	plain := text
	if groups.MatchString(text) {
		plain = strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, text)
	} else if whole, zeros, is := strings.Cut(text, "."); is && len(zeros) < 3 && strings.Trim(zeros, "0") == "" {
		plain = whole
	}
	n, err := strconv.Atoi(plain)
	if err != nil || n < 0 || n > maxDayCount || strings.HasPrefix(plain, "+") {
		return 0, fmt.Errorf("%s is no count, a whole number from 0 on", shape(text))
	}
	return n, nil
}
