package table

import (
	"context"
	"fmt"
	"slices"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// Carts reads open carts. It implements reconcile.CartFeed.
type Carts struct {
	cfg   *config.CartSource
	files Files
	said
}

var (
	_ reconcile.CartFeed = (*Carts)(nil)
	_ reconcile.Noted    = (*Carts)(nil)
)

// NewCarts compiles the mapping of a table of open carts.
func NewCarts(cfg *config.CartSource, files Files) (*Carts, error) {
	c := &Carts{cfg: cfg, files: files}
	if _, err := c.records(); err != nil {
		return nil, fmt.Errorf("prepare carts %s: %w", cfg.Name, err)
	}
	return c, nil
}

const (
	cartEmail = iota
	cartSKU
	cartQuantity
	cartPrice
	cartActivity
	cartUniqueID
	cartItem
)

var cartNames = []string{"email", "sku", "quantity", "price", "last_activity", "unique_id", "item"}

func (c *Carts) records() (*records, error) {
	return newRecords(&c.cfg.Table, "columns", c.cfg.Columns, cartNames)
}

// Name is the table's key in the configuration.
func (c *Carts) Name() string { return c.cfg.Name }

// Read gives the carts of the persons asked for. A row without an address and
// a row of theirs that cannot be read are errors: a person who is missing from
// the answer has no cart, and that must never be guessed.
//
// Files show the carts as they were when the oldest of them was written; a
// database as they are now.
func (c *Carts) Read(ctx context.Context, persons map[reconcile.Person]bool) (map[reconcile.Person]reconcile.Cart, time.Time, error) {
	files, err := c.files(ctx, reconcile.Window{})
	var asOf time.Time
	var carts map[reconcile.Person]reconcile.Cart
	if err == nil {
		asOf, err = written(files)
	}
	if err == nil {
		carts, err = c.read(ctx, files, persons)
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read open carts %s: %w", c.cfg.Name, err)
	}
	return carts, asOf, nil
}

// written is when the oldest of some files was written, zero where none says.
func written(files []File) (time.Time, error) {
	var oldest time.Time
	for _, f := range files {
		dated, ok := f.(Dated)
		if !ok {
			continue
		}
		at, err := dated.Written()
		if err != nil {
			return oldest, err
		}
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest, nil
}

func (c *Carts) read(ctx context.Context, files []File, persons map[reconcile.Person]bool) (map[reconcile.Person]reconcile.Cart, error) {
	r, err := c.records()
	if err != nil {
		return nil, err
	}
	defer c.say(r)
	found := map[reconcile.Person]*openCart{}
	err = r.each(ctx, files, func(rec record) error {
		if rec.texts[cartEmail] == "" {
			return rec.fault("email", "the row has no address, so that nobody can say whose cart it is; leave such carts out of the table")
		}
		person := reconcile.EmailPerson(rec.texts[cartEmail])
		if !persons[person] {
			return nil
		}
		if found[person] == nil {
			found[person] = &openCart{}
		}
		return found[person].add(rec, newNumbers(r.table))
	})
	if err != nil {
		return nil, err
	}
	carts := make(map[reconcile.Person]reconcile.Cart, len(found))
	for person, cart := range found {
		carts[person] = cart.whole()
	}
	return carts, nil
}

// openCart gathers the rows of one person's cart.
type openCart struct {
	cart    reconcile.Cart
	unknown bool // a row does not say when it was last touched
}

// whole gives the cart. Activity is the latest of its rows; when one of them
// does not say, the cart's is not known.
func (o *openCart) whole() reconcile.Cart {
	if o.unknown {
		o.cart.LastActivity = time.Time{}
	}
	return o.cart
}

func (o *openCart) add(rec record, n numbers) error {
	if err := o.touch(rec); err != nil {
		return err
	}
	l := reconcile.CartLine{SKU: rec.texts[cartSKU], UniqueID: rec.texts[cartUniqueID], Item: rec.texts[cartItem]}
	switch {
	case l.SKU == "":
		return rec.fault("sku", "the row has no article number")
	case damaged(l.SKU):
		return rec.fault("sku", damageText("sku"))
	case rec.texts[cartQuantity] == "":
		return rec.fault("quantity", "the row has no quantity")
	}
	var err error
	if l.Quantity, err = n.parse(rec.texts[cartQuantity]); err != nil {
		return rec.fault("quantity", shape(rec.texts[cartQuantity])+" "+err.Error())
	}
	if l.Quantity.IsNeg() {
		return rec.fault("quantity", "a cart cannot hold less than nothing")
	}
	if text := rec.texts[cartPrice]; text != "" {
		price, err := n.parse(text)
		if err != nil {
			return rec.fault("price", shape(text)+" "+err.Error())
		}
		l.Price = &price
	}
	return o.put(rec, l)
}

// put adds a line. One product on two rows is more of it; at two prices it is
// not known which holds.
func (o *openCart) put(rec record, l reconcile.CartLine) error {
	if l.Quantity.IsZero() {
		return nil
	}
	at := slices.IndexFunc(o.cart.Lines, func(k reconcile.CartLine) bool {
		return k.SKU == l.SKU && k.UniqueID == l.UniqueID && k.Item == l.Item
	})
	if at < 0 {
		o.cart.Lines = append(o.cart.Lines, l)
		return nil
	}
	known := &o.cart.Lines[at]
	if known.Price != nil && l.Price != nil && known.Price.Cmp(*l.Price) != 0 {
		return rec.fault("price", "the same product stands in this cart at another price")
	}
	sum, err := reconcile.Add(known.Quantity, l.Quantity)
	if err != nil {
		return rec.fault("quantity", "the sum "+err.Error())
	}
	known.Quantity = sum
	return nil
}

// touch notes when the cart was last active.
func (o *openCart) touch(rec record) error {
	text := rec.texts[cartActivity]
	if text == "" {
		o.unknown = true
		return nil
	}
	m := rec.clock.read(text)
	if m.err != nil {
		return rec.fault("last_activity", shape(text)+" "+m.err.Error())
	}
	if m.at.After(o.cart.LastActivity) {
		o.cart.LastActivity = m.at
	}
	o.cart.DayOnly = o.cart.DayOnly || m.dayOnly
	o.cart.Undecidable = o.cart.Undecidable || m.ambiguous
	return nil
}
