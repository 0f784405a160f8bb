package table

import (
	"context"
	"fmt"
	"strings"

	"makegood/config"
	"makegood/reconcile"
)

// MaxProducts is how many products a catalog can have.
const MaxProducts = 2_000_000

// Products are what a platform knows of products: a catalog. It implements
// reconcile.Products.
type Products struct {
	languages map[string][]string // by SKU, lower case; nil: in any
	alike     map[string]string   // by what is left of a SKU without its dressing
}

var _ reconcile.Products = (*Products)(nil)

// ReadProducts reads a table of products. A row without an article number is
// none.
func ReadProducts(ctx context.Context, cfg *config.Catalog, files []File) (*Products, error) {
	columns := map[string]string{"sku": cfg.SKU}
	if cfg.Language != "" {
		columns["language"] = cfg.Language
	}
	r, err := newRecords(&cfg.Table, "catalog", columns, []string{"sku", "language"})
	if err != nil {
		return nil, err
	}
	c := &Products{languages: map[string][]string{}, alike: map[string]string{}}
	keep := interner{}
	err = r.each(ctx, files, func(rec record) error {
		sku := rec.texts[0]
		if sku == "" {
			return nil
		}
		known, has := c.languages[sku]
		if !has && len(c.languages) == MaxProducts {
			return fmt.Errorf("the catalog has more than %d products", MaxProducts)
		}
		if language := strings.ToLower(rec.texts[1]); language != "" {
			known = append(known, keep.keep(language))
		}
		c.languages[sku] = known
		c.alike[bareSKU(sku)] = sku
		return nil
	})
	if err == nil && len(c.languages) == 0 {
		err = fmt.Errorf("it holds no product in the column %q", cfg.SKU)
	}
	return c, err
}

// Has implements reconcile.Products. A language fits another one when they are
// the same, or when one of the two names no country: nl and nl-BE.
func (c *Products) Has(sku, language string) bool {
	known, has := c.languages[sku]
	if !has || language == "" || len(known) == 0 {
		return has
	}
	language = strings.ToLower(language)
	for _, l := range known {
		if l == language || strings.HasPrefix(l, language+"-") || strings.HasPrefix(language, l+"-") {
			return true
		}
	}
	return false
}

// Nearest implements reconcile.Products: the same number in another dress
// (case, zeros in front, signs between), else one that differs by a letter or
// two.
func (c *Products) Nearest(sku string) string {
	bare := bareSKU(sku)
	if same, is := c.alike[bare]; is {
		return same
	}
	best, near := "", 1+min(2, len(bare)/3)
	for other, original := range c.alike {
		if d := apart(bare, other, near+1); d < near || d == near && best != "" && original < best {
			best, near = original, d
		}
	}
	return best
}

// bareSKU is a number without what people and programs put around it.
func bareSKU(sku string) string {
	bare := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '_', '.', '/':
			return -1
		}
		return r
	}, strings.ToLower(sku))
	return strings.TrimLeft(bare, "0")
}

// apart is how many letters are to be changed, added or taken out to make one
// text of the other; limit when it is as many or more.
func apart(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit || len(a) > 64 {
		return limit
	}
	var rows [2][65 + 64]int
	before, row := &rows[0], &rows[1]
	for j := range len(b) + 1 {
		before[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			change := before[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, before[j+1]+1, row[j]+1)
			least = min(least, row[j+1])
		}
		if least >= limit {
			return limit
		}
		before, row = row, before
	}
	return min(before[len(b)], limit)
}
