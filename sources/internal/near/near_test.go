package near

import "testing"

func TestName(t *testing.T) {
	known := []string{"Orders", "Order lines", "Customers"}
	for word, want := range map[string]string{
		"orders":     "Orders",
		"Ordres":     "Orders",
		"Custmers":   "Customers",
		"Orderlines": "Order lines",
		"Stock":      "",
		"":           "",
	} {
		if got := Name(word, known); got != want {
			t.Errorf("Name(%q) = %q, want %q", word, got, want)
		}
	}
}
