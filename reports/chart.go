package reports

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// chart is a timeline as the page draws it: one path for each part, over a
// plane of one unit for each column and 100 upwards, which is stretched to the
// width that there is.
type chart struct {
	ID, Title, Words string
	Width            int
	Paths            []chartPath
	Bands            []chartBand
	Ticks            []chartTick // upwards
	Times            []chartTick
	Outages          []string
	Key              []part
	Table            *chartTable // of the first chart alone: it holds all
}

type chartPath struct{ Class, D string }

type chartBand struct{ X, Width int }

type chartTick struct{ At, Anchor, Text string }

// chartTable says the same as the charts, in numbers.
type chartTable struct {
	Caption    string
	Currencies []string
	Rows       []chartRow
	Joined     string // which of it is not shown, and where it is
}

type chartRow struct {
	When   string
	Counts []string
	Money  []string // that was missing, by currency
}

// maxCurrencies is how many currencies have a chart and a column of their own.
const maxCurrencies = 3

// charts draws the messages over time, and their money.
func (r Report) charts(id string, t Target) []chart {
	list := r.columns(t.Timeline)
	if list == nil {
		return nil
	}
	unit, by := t.Timeline.Unit, r.stretch(t.Timeline, list)
	messages := chart{ID: id + "-time", Title: "Messages, by the " + by + " of completion", Table: r.chartTable(t, list)}
	for _, o := range outages(list) {
		if o.First > 0 || o.Last < len(list)-1 { // a band behind everything would show nothing
			messages.Bands = append(messages.Bands, chartBand{o.First, o.Last + 1 - o.First})
		}
		messages.Outages = append(messages.Outages, thinned(o.words(unit))+".")
	}
	messages.Words = chartWords(list, messages.Outages)
	messages.draw(list, unit, func(c column, p int) float64 { return float64(c.N[p]) })
	all := []chart{messages}
	for i, currency := range timelineCurrencies(t.Timeline) {
		money := chart{ID: fmt.Sprintf("%s-money%d", id, i+1), Title: currency + ", by the " + by + " of completion", Bands: messages.Bands,
			Words: "The same by what the orders are worth in " + currency + "; the table below has the amounts."}
		money.draw(list, unit, func(c column, p int) float64 {
			if c.Money[currency] == nil {
				return 0
			}
			f, _ := strconv.ParseFloat(c.Money[currency][p].String(), 64) // it is drawn, not counted
			return max(f, 0)
		})
		all = append(all, money)
	}
	return all
}

// stretch names what a column stands for: "hour", or "3 days" where units were
// joined.
func (r Report) stretch(t *Timeline, list []column) string {
	for units := 2; len(list) > 0 && !list[0].To.Before(t.Begin(units, r.location())); units++ {
		if list[0].To.Equal(t.Begin(units, r.location())) {
			return plural(units, t.Unit)
		}
	}
	return t.Unit
}

func timelineCurrencies(t *Timeline) []string {
	list := slices.Sorted(maps.Keys(t.Money))
	return list[:min(len(list), maxCurrencies)]
}

func chartWords(list []column, outages []string) string {
	var all column
	for _, c := range list {
		for p, n := range c.N {
			all.N[p] += n
		}
	}
	var told []string
	for p, one := range parts {
		if all.N[p] > 0 {
			told = append(told, number(all.N[p])+" "+one.Label)
		}
	}
	text := "Stacked columns over time: " + strings.Join(told, ", ") + "."
	return strings.Join(append([]string{text}, outages...), " ")
}

// Where the plane of a chart lies in its picture, in pixels; the times stand
// below it.
const (
	planeTop    = 10
	planeHeight = 150
)

// slightest is the height of a part that holds anything: it can be seen.
const slightest = 1.5

// draw makes paths and axes; value is how high a part of a column is.
func (c *chart) draw(list []column, unit string, value func(column, int) float64) {
	highest := 0.0
	for _, one := range list {
		sum := 0.0
		for p := range parts {
			sum += value(one, p)
		}
		highest = max(highest, sum)
	}
	top := roundTop(highest)
	var paths [len(parts)]strings.Builder
	for i, one := range list {
		y := 100.0
		for p := range parts {
			v := value(one, p)
			if v <= 0 {
				continue
			}
			height := min(max(100*v/top, slightest), y)
			y -= height
			fmt.Fprintf(&paths[p], "M%d.1 %sh.8v%sh-.8z", i, short(y), short(height))
		}
	}
	c.Width = len(list)
	for p := range paths {
		if paths[p].Len() > 0 {
			c.Paths, c.Key = append(c.Paths, chartPath{parts[p].Class, paths[p].String()}), append(c.Key, parts[p])
		}
	}
	for _, share := range []float64{0, 0.5, 1} {
		c.Ticks = append(c.Ticks, chartTick{At: short(planeTop + planeHeight*(1-share)), Text: tickText(top * share)})
	}
	c.Times = timeTicks(list, unit)
}

func short(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

// roundTop is the first of 2, 4, 6, 10, 20, 40 ... that is not below.
func roundTop(highest float64) float64 {
	if highest <= 2 {
		return 2
	}
	ten := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, step := range []float64{1, 2, 4, 6} {
		if step*ten >= highest {
			return step * ten
		}
	}
	return 10 * ten
}

// tickText gives 1500, 15k and 1.5M.
func tickText(f float64) string {
	switch {
	case f >= 1e9:
		return short(f/1e9) + "G"
	case f >= 1e6:
		return short(f/1e6) + "M"
	case f >= 1e4:
		return short(f/1e3) + "k"
	}
	return short(f)
}

// maxTicks is how many times stand below a chart.
const maxTicks = 5

// timeTicks names some columns, evenly; of hours of several days those with
// which days begin.
func timeTicks(list []column, unit string) []chartTick {
	form, named := tickForm(list, unit), make([]int, 0, len(list))
	for i, c := range list {
		if unit != UnitHour || form != dayTick || i > 0 && c.From.Day() != list[i-1].From.Day() {
			named = append(named, i)
		}
	}
	each := (len(named) + maxTicks - 1) / maxTicks
	var ticks []chartTick
	for i := 0; i < len(named); i += each {
		share := (float64(named[i]) + 0.5) / float64(len(list))
		at := list[named[i]].From
		text := at.Format(form)
		if form == hourTick && i > 0 && at.Day() == list[named[i-each]].From.Day() {
			text = at.Format("15:04") // of the same day as the one before
		}
		tick := chartTick{At: percent(100 * share), Anchor: "middle", Text: text}
		switch {
		case share < 0.08:
			tick.At, tick.Anchor = "0%", "start"
		case share > 0.92:
			tick.At, tick.Anchor = "100%", "end"
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// How columns are named.
const (
	dayTick  = "2 Jan"
	hourTick = "2 Jan 15:04"
)

func tickForm(list []column, unit string) string {
	first, last := list[0].From, list[len(list)-1].From
	switch {
	case unit == UnitMonth:
		return "Jan 2006"
	case unit == UnitHour && last.Sub(first) < 48*time.Hour:
		return hourTick
	case first.Year() != last.Year():
		return "2 Jan 06"
	}
	return dayTick
}

// chartTable lists the columns in which anything was met.
func (r Report) chartTable(t Target, list []column) *chartTable {
	table := &chartTable{Caption: "Messages of " + t.Target + " by when their orders were completed", Currencies: timelineCurrencies(t.Timeline)}
	for _, c := range list {
		if c.found() == 0 {
			continue
		}
		row := chartRow{When: stamp(c.From, t.Timeline.Unit), Counts: []string{whole(c.found())}}
		for _, n := range c.N {
			row.Counts = append(row.Counts, whole(n))
		}
		for _, currency := range table.Currencies {
			row.Money = append(row.Money, lackedMoney(c, currency))
		}
		table.Rows = append(table.Rows, row)
	}
	if more := len(t.Timeline.Money) - len(table.Currencies); more > 0 {
		table.Joined = whole(more) + " more currencies are not shown; they are in the JSON form."
	}
	return table
}

func lackedMoney(c column, currency string) string {
	sums := c.Money[currency]
	if sums == nil {
		return ""
	}
	lacked, err := sums[partNow].Add(sums[partGap])
	if err != nil || lacked.Cmp(reconcile.Decimal{}) == 0 {
		return ""
	}
	return grouped(coins(canonical(lacked), currency), thin)
}
