package config

import "testing"

func FuzzParse(f *testing.F) {
	f.Add([]byte(example(f)))
	for _, text := range []string{"zone: UTC", "zone: [", "zone: *a", "a: &a [*a]", "? {a: b}\n: c", "zone: ${A}", "targets: {t: 1}",
		"sources: {s: {join: [{}, 1], may_send: {}, sheet: [1, [a]]}}", "targets: {t: {cart: {a: }, since: 9999-12-31}}", "<<: {zone: UTC}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "makegood.yaml", testEnv.lookup)
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err == nil {
			c.Missing()
			return
		}
		if all, ok := err.(Errors); !ok || len(all) == 0 || all.Error() == "" {
			t.Fatalf("not Errors: %#v", err)
		}
	})
}
