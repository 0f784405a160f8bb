package reports

import (
	"fmt"
	"strings"
)

// segment is one bucket's part of the bar. X and Width are percentages of the
// bar's width; Text is written on it where there is room.
type segment struct {
	Bucket   string
	X, Width string
	Middle   string
	Text     string
}

// A bucket that holds anything can be seen, and a part that is wide enough
// says its share.
const (
	narrowest = 0.9
	roomy     = 9.0
)

// bar divides 100 percent among the messages of the buckets, in the order of
// the table. It is nil when there are none.
func bar(b Balance) []segment {
	widths, total := [len(shown)]float64{}, 0.0
	for i, bucket := range shown {
		if n := b.of(bucket).Events; n > 0 && b.Eligible.Events > 0 {
			widths[i] = max(100*float64(n)/float64(b.Eligible.Events), narrowest)
			total += widths[i]
		}
	}
	var list []segment
	x := 0.0
	for i, bucket := range shown {
		if widths[i] == 0 {
			continue
		}
		width := 100 * widths[i] / total
		s := segment{Bucket: string(bucket), X: percent(x), Width: percent(width), Middle: percent(x + width/2)}
		if width >= roomy {
			s.Text = mark(bucket) + " " + share(b.of(bucket).Events, b.Eligible.Events)
		}
		list = append(list, s)
		x += width
	}
	return list
}

func percent(f float64) string { return fmt.Sprintf("%.3f%%", f) }

// share never says 0 % of something, nor 100 % of not quite everything.
func share(n, of int) string {
	p := min(max((200*n+of)/(2*of), 1), 100)
	if p == 100 && n < of {
		p = 99
	}
	return fmt.Sprintf("%d\u202f%%", p)
}

// barWords tells the bar to those who do not see it.
func barWords(b Balance) string {
	var parts []string
	for _, bucket := range shown {
		if n := b.of(bucket).Events; n > 0 {
			parts = append(parts, number(n)+" "+BucketWords(bucket))
		}
	}
	return "Of " + plural(b.Eligible.Events, "message") + " in this period: " + strings.Join(parts, ", ") + "."
}
