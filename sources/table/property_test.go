package table

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"makegood/config"
	"makegood/reconcile"
)

// facts are what must not depend on the order of rows or on memory.
type facts struct {
	Digest, Goods, Cosmetic string
	Amount, At, Email       string
	Lines                   int
	LeftOut                 reconcile.Reason
	Permitted               bool
	Bad                     string
	Items                   string
	Ordered, Updated        string
}

func factsOf(h reconcile.Head) facts {
	f := facts{h.Digest.String(), h.GoodsDigest.String(), h.Cosmetic.String(), h.Amount.String(), h.CompletedAt.String(), h.Email,
		h.Lines, h.LeftOut, h.Permitted, "", "",
		h.OrderedAt.String(), h.UpdatedAt.String()}
	if len(h.Bad) > 0 {
		f = facts{Bad: "bad"}
	}
	return f
}

func everything(t testing.TB, cfg *config.Source, o Options, list ...*memory) map[string]facts {
	s := build(t, cfg, o, list...)
	all := map[string]facts{}
	var ids []string
	for id, h := range headsOf(t, s) {
		all[id] = factsOf(h)
		if len(h.Bad) == 0 && h.LeftOut == "" {
			ids = append(ids, id)
		}
	}
	for id, order := range orderOf(t, s, ids...) {
		var items []string
		for _, l := range order.Items {
			items = append(items, l.SKU+" "+l.Quantity.String()+" "+l.Price.String()+" "+l.Name)
		}
		slices.Sort(items)
		f := all[id]
		f.Items = strings.Join(items, ",")
		if len(order.Items) != f.Lines {
			t.Fatalf("order %s has %d lines, its head says %d", id, len(order.Items), f.Lines)
		}
		all[id] = f
	}
	return all
}

// TestShuffledAndSpilled: rows in any order, in memory or spilled, from a file
// that can be read twice or not, make the same orders.
func TestShuffledAndSpilled(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		header := []string{"id", "at", "sku", "qty", "price", "mail", "kind", "name", "line", "touched"}
		n := rapid.IntRange(1, 60).Draw(r, "rows")
		rows := [][]string{header}
		for range n {
			order := rapid.IntRange(0, 9).Draw(r, "order")
			pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(r, name) }
			mail := fmt.Sprintf("p%d@example.com", order)
			rows = append(rows, []string{fmt.Sprintf("o%d", order),
				pick("at", "2026-05-01 10:00", "2026-05-01 10:01", "2026-05-02 09:00", ""), pick("sku", "a", "b", "c", "é"),
				pick("qty", "1", "2", "-1", "0", "1", "1", "x1"), pick("price", "1", "2.50", "0.125"),
				pick("mail", mail, mail, mail, "", "other@example.com"), pick("kind", "", "", "x", "y", "void"), pick("name", "", "n"),
				pick("line", "", "", "1", "2"), pick("touched", "", "2026-05-03 10:00", "2026-05-04 10:00")})
		}
		withLines := rapid.Bool().Draw(r, "line ids")
		cfg := example(t, map[string]string{"email": "mail", "name": "name", "custom_kind": `= upper(kind)`,
			"ordered_at": "touched", "updated_at": "touched"})
		if withLines {
			cfg.Columns["line"] = "line"
		}
		if rapid.Bool().Draw(r, "simple") {
			delete(cfg.Columns, "custom_kind")
		}
		cfg.LeaveOut = []config.Rule{{Reason: "void", When: `kind == "void"`}}
		cfg.MaySend = &config.MaySend{When: `mail != "p3@example.com"`}
		want := everything(t, cfg, Options{}, &memory{name: "a.csv", rows: rows})

		shuffled := slices.Clone(rows)
		rand.New(rand.NewPCG(1, uint64(rapid.Int().Draw(r, "seed")))).Shuffle(n, func(i, j int) {
			shuffled[i+1], shuffled[j+1] = shuffled[j+1], shuffled[i+1]
		})
		budget := rapid.SampledFrom([]int{1, 2000, 5000, 1 << 20}).Draw(r, "budget")
		list := []*memory{{name: "a.csv", rows: shuffled, once: rapid.Bool().Draw(r, "once")}}
		if rapid.Bool().Draw(r, "parts") {
			cfg.Files = "parts"
			cut := rapid.IntRange(1, n+1).Draw(r, "cut")
			list = append(list, &memory{name: "b.csv", rows: append([][]string{header}, shuffled[cut:]...)})
			list[0].rows = shuffled[:cut]
		}
		got := everything(t, cfg, Options{Budget: budget}, list...)
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("shuffled, with a budget of %d:\n%s", budget, diff)
		}
	})
}
