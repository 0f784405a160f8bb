package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"slices"
	"strings"

	"makegood/cmd/makegood/upload"
	"makegood/reconcile"
	"makegood/reports"
	"makegood/sources/table"
)

// rowPlaces counts where the rows of an upload are, at each destination. A nil
// one counts nothing.
type rowPlaces struct {
	marks   *reports.Marks
	targets []string
	all     rowSum
	sums    map[string]map[reconcile.Place]*rowSum
	// orders are hashes of those that were counted; their rows may stand apart.
	orders map[uint64]bool
	seed   maphash.Seed
	// The currency of an order may stand on its first row alone.
	order, currency string
}

// rowSum is the rows of one place.
type rowSum struct {
	rows, orders, unpriced int
	money                  reconcile.Money
	at                     rowNumbers
}

// newRowPlaces counts at the destinations of a report.
func newRowPlaces(marks *reports.Marks, built reports.Report) *rowPlaces {
	var targets []string
	for _, t := range built.Targets {
		targets = append(targets, t.Target)
	}
	return &rowPlaces{marks: marks, targets: targets, sums: map[string]map[reconcile.Place]*rowSum{}, orders: map[uint64]bool{}, seed: maphash.MakeSeed()}
}

// add counts a row.
func (p *rowPlaces) add(t table.Told) error {
	if p == nil || t.Met != table.MetOrder && t.Met != table.MetLoose {
		return nil
	}
	var places map[string]reconcile.Place
	first := false
	if t.Met == table.MetOrder {
		places = p.marks.Places(t.Source, t.Key)
		hash := maphash.Comparable(p.seed, t.Key)
		first = !p.orders[hash]
		p.orders[hash] = true
		if t.Currency == "" && t.Key.Order == p.order {
			t.Currency = p.currency
		}
		p.order, p.currency = strings.Clone(t.Key.Order), t.Currency
	}
	if err := p.all.add(t, first); err != nil {
		return fmt.Errorf("add up the rows: %w", err)
	}
	for _, target := range p.targets {
		if err := p.sum(target, placeAt(t, places, target)).add(t, first); err != nil {
			return fmt.Errorf("add up the rows: %w", err)
		}
	}
	return nil
}

// placeAt is where a row is at a destination.
func placeAt(t table.Told, places map[string]reconcile.Place, target string) reconcile.Place {
	if t.Met == table.MetLoose {
		return reconcile.Place{Bucket: upload.BucketLoose}
	}
	if place, own := places[target]; own {
		return place
	}
	if place, told := places[""]; told {
		return place
	}
	return reconcile.Place{Bucket: upload.BucketRest}
}

func (p *rowPlaces) sum(target string, place reconcile.Place) *rowSum {
	if p.sums[target] == nil {
		p.sums[target] = map[reconcile.Place]*rowSum{}
	}
	if p.sums[target][place] == nil {
		p.sums[target][place] = &rowSum{}
	}
	return p.sums[target][place]
}

func (s *rowSum) add(t table.Told, first bool) (err error) {
	s.rows++
	if first {
		s.orders++
	}
	s.at.add(t.Sheet, t.Row)
	if !t.Priced {
		s.unpriced++
		return nil
	}
	s.money, err = s.money.Plus(t.Currency, t.Worth)
	return err
}

// earned is the money as texts.
func (s *rowSum) earned() map[string]string {
	list := map[string]string{}
	for currency, amount := range s.money {
		list[currency] = amount.String()
	}
	return list
}

// write leaves what was counted for the page of the upload.
func (p *rowPlaces) write(f *uploadFolder) error {
	all := upload.Rows{Rows: p.all.rows, Money: p.all.earned(), Unpriced: p.all.unpriced, Targets: map[string][]upload.RowsPlace{}}
	for target, sums := range p.sums {
		for place, s := range sums {
			all.Targets[target] = append(all.Targets[target], upload.RowsPlace{Bucket: place.Bucket, Reason: place.Reason, Rows: s.rows, Orders: s.orders,
				Money: s.earned(), Unpriced: s.unpriced, At: s.at.String(), More: s.at.more})
		}
		slices.SortFunc(all.Targets[target], func(a, b upload.RowsPlace) int {
			return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Reason, b.Reason))
		})
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(f.dir, upload.RowsFile), 0o600, writing(text))
}

// maxRanges is how many ranges of rows are named.
const maxRanges = 8

// rowNumbers names rows: 2-5, 9. Those of another sheet begin with its name.
type rowNumbers struct {
	ranges []rowRange
	more   int
}

type rowRange struct {
	sheet    string
	from, to int
}

func (n *rowNumbers) add(sheet string, row int) {
	if n.more > 0 {
		n.more++
		return
	}
	if last := len(n.ranges) - 1; last >= 0 && n.ranges[last].sheet == sheet && n.ranges[last].to+1 == row {
		n.ranges[last].to = row
		return
	}
	if len(n.ranges) == maxRanges {
		n.more++
		return
	}
	n.ranges = append(n.ranges, rowRange{sheet, row, row})
}

// String names the rows.
func (n *rowNumbers) String() string {
	var text strings.Builder
	sheet := ""
	for i, r := range n.ranges {
		if i > 0 {
			text.WriteString(", ")
		}
		if r.sheet != sheet {
			text.WriteString(reports.Mask(r.sheet) + " ")
			sheet = r.sheet
		}
		fmt.Fprint(&text, r.from)
		if r.to > r.from {
			fmt.Fprintf(&text, "-%d", r.to)
		}
	}
	return text.String()
}
