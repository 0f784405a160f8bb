package simulator

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"time"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"mask": mask,
	"time": func(t time.Time) string { return t.UTC().Format(time.DateTime) },
}).Parse(pageText))

const (
	purchasesOnPage = 50
	cartsOnPage     = 200
)

// page is what the page shows.
type page struct {
	Now       time.Time
	Counts    Counts
	Purchases []Purchase // the newest orders first
	Carts     []Cart     // the newest persons first
	MoreCarts int
}

func (s *Simulator) servePage(w http.ResponseWriter, _ *http.Request) {
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, s.page()); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	writePage(w, text.Bytes())
}

func writePage(w http.ResponseWriter, text []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'")
	header.Set("Cache-Control", "no-store")
	w.Write(text) //nolint:errcheck // a browser that left is no concern
}

func (s *Simulator) page() page {
	p := page{Now: s.opts.Clock(), Counts: s.Counts()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range newest(s.memory.purchaseOrder, purchasesOnPage) {
		p.Purchases = append(p.Purchases, known.view())
	}
	for _, known := range newest(s.memory.personOrder, cartsOnPage) {
		p.Carts = append(p.Carts, known.view())
	}
	p.MoreCarts = len(s.memory.personOrder) - len(p.Carts)
	return p
}

// newest returns the last n of list, the last one first.
func newest[T any](list []T, n int) []T {
	tail := slices.Clone(list[max(0, len(list)-n):])
	slices.Reverse(tail)
	return tail
}
