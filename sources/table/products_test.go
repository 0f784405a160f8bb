package table

import "testing"

func TestNearest(t *testing.T) {
	c := &Products{languages: map[string][]string{}, alike: map[string]string{}}
	for _, sku := range []string{"85123A", "0071477", "WHITE-T-LIGHT", "KETTLE", "X1"} {
		c.languages[sku] = nil
		c.alike[bareSKU(sku)] = sku
	}
	for sku, want := range map[string]string{
		"85123a": "85123A", "71477": "0071477", "white t light": "WHITE-T-LIGHT", "85123B": "85123A", "KETLE": "KETTLE",
		"KETTTLES": "KETTLE", "nothing like it": "", "Y2": "", "": "",
	} {
		if got := c.Nearest(sku); got != want {
			t.Errorf("%q: %q, want %q", sku, got, want)
		}
	}
}

func TestProductsHaveLanguages(t *testing.T) {
	c := &Products{languages: map[string][]string{"A": {"nl-nl", "fr"}, "B": nil}}
	for _, tc := range []struct {
		sku, language string
		want          bool
	}{{"A", "", true}, {"A", "nl-NL", true}, {"A", "nl", true}, {"A", "fr-BE", true}, {"A", "nl-BE", false}, {"A", "de", false},
		{"B", "de", true}, {"C", "", false}} {
		if got := c.Has(tc.sku, tc.language); got != tc.want {
			t.Errorf("%s in %q: %v", tc.sku, tc.language, got)
		}
	}
}

func TestApart(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"abc", "xbcd", 2}, {"", "ab", 2}, {"abcdef", "fedcba", 3}} {
		if got := apart(tc.a, tc.b, 3); got != tc.want {
			t.Errorf("%s and %s are %d apart, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
