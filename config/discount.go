package config

import (
	"errors"
	"regexp"
	"strings"
)

// DiscountStep is the discount on orders of From products and more.
type DiscountStep struct {
	From    int      `yaml:"from" required:"the number of products from which it holds"`
	Percent Discount `yaml:"percent" required:"the discount in percent, such as 25"`
}

// Discount is a percentage in exact decimal text, from 0 to 100.
type Discount string

var discountText = regexp.MustCompile(`^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)%?$`)

// UnmarshalText takes 25, 12.5 and 25%.
func (p *Discount) UnmarshalText(text []byte) error {
	if !discountText.Match(text) {
		return errors.New("no percentage; write one from 0 to 100, with at most 2 decimals")
	}
	*p = Discount(strings.TrimSuffix(string(text), "%"))
	return nil
}

// checkDiscount wants steps in their order, and to know what prices are.
func (s *Source) checkDiscount(d *document, path string) {
	steps := path + ".progressive_discount"
	given := len(s.ProgressiveDiscount) > 0
	if given != (s.Prices != "") && !d.failed(path+".prices") && !d.failed(steps) {
		d.fail(path, "%s: progressive_discount and prices go together; prices is list where the columns have prices before the discount, "+
			"discounted where they have those after it", path)
	}
	for i, step := range s.ProgressiveDiscount {
		if step.From < 1 || i > 0 && step.From <= s.ProgressiveDiscount[i-1].From {
			d.fail(at(steps, i)+".from", "%s.from must be 1 or more, and more than the one before", at(steps, i))
		}
	}
}
