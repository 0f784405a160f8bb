package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// missedWords names the day, the channel and the store of which the web page
// missed the largest part, of those with enough orders to say so.
func missedWords(list []reconcile.MissedBy) string {
	var worst []string
	for _, by := range []string{"day", "channel", "store"} {
		part := slices.DeleteFunc(slices.Clone(list), func(m reconcile.MissedBy) bool { return m.By != by || m.Had+m.Missed < enoughToSay })
		if len(part) == 0 {
			continue
		}
		most := slices.MaxFunc(part, func(a, b reconcile.MissedBy) int {
			return cmp.Or(cmp.Compare(a.Missed*(b.Had+b.Missed), b.Missed*(a.Had+a.Missed)), cmp.Compare(a.Missed, b.Missed))
		})
		if most.Missed > 0 {
			worst = append(worst, fmt.Sprintf("%s %s (%s of %s, %d %%)", by, missedValue(most), number(most.Missed), number(most.Had+most.Missed), percentMissed(most)))
		}
	}
	if len(worst) == 0 {
		return ""
	}
	return "The web page missed the largest part of " + strings.Join(worst, ", ")
}

// enoughToSay is from how many orders on a share says anything.
const enoughToSay = 20

func percentMissed(m reconcile.MissedBy) int { return m.Missed * 100 / (m.Had + m.Missed) }

func missedValue(m reconcile.MissedBy) string {
	if day, err := time.Parse(time.DateOnly, m.Value); m.By == "day" && err == nil {
		return day.Format("2 Jan 2006")
	}
	return m.Value
}

// missedView is a row of the page's table.
type missedView struct{ By, Value, Orders, Missed, Share string }

func missedViews(list []reconcile.MissedBy) []missedView {
	var rows []missedView
	for _, m := range list {
		rows = append(rows, missedView{m.By, missedValue(m), whole(m.Had + m.Missed), whole(m.Missed), fmt.Sprintf("%d %%", percentMissed(m))})
	}
	return rows
}
