package sources_test

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"makegood/config"
	"makegood/sources"
	"makegood/sources/table"
)

// variantLines is the original cut to the lines that the locale variants
// hold: the first 20,000, and the later ones with a pound sign.
func variantLines(t *testing.T) string {
	t.Helper()
	in, err := os.Open(shared(t, "online_retail/online_retail.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path := filepath.Join(t.TempDir(), "original.csv")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r, w := csv.NewReader(in), csv.NewWriter(out)
	kept := 0
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n <= 20000 || strings.Contains(record[2], "£") {
			kept++
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Flush()
	if err := errors.Join(w.Error(), out.Close()); err != nil || kept != 20033 {
		t.Fatalf("%d lines kept, want 20032 and a header (%v)", kept, err)
	}
	return path
}

func digests(t *testing.T, cfg *config.Source) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, h := range heads(t, open(t, cfg), retailWindow) {
		if len(h.Bad) > 0 {
			t.Fatalf("order %s is bad: %v", h.Key.Order, h.Bad)
		}
		all[h.Key.Order] = h.Digest.String() + h.Cosmetic.String() + h.Customer + h.Amount.String() + h.CompletedAt.String()
	}
	return all
}

// TestLocaleVariants: the same orders, however a spreadsheet wrote them, and
// without a setting, but for the dates that can be read in two ways.
func TestLocaleVariants(t *testing.T) {
	want := digests(t, retail(t, variantLines(t)))
	german := map[string]string{"order": "RechnungsNr", "completed_at": "Rechnungsdatum", "customer": "KundenNr",
		"sku": "ArtikelNr", "name": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis"}
	dates := map[string]string{"variant_us_utf8bom_crlf_currency.csv": "M/d/yy H:mm"}
	for name, columns := range map[string]map[string]string{
		"variant_de_semicolon_cp1252_crlf.csv":      german,
		"variant_excel_unicode_utf16le_bom_tab.txt": german,
		"variant_us_utf8bom_crlf_currency.csv":      nil,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := retail(t, "")
			cfg.Path = shared(t, "online_retail/"+name)
			if form := dates[name]; form != "" {
				if err := fail(t, sources.Opener{}, cfg); !errors.Is(err, table.ErrAmbiguous) || !strings.Contains(err.Error(), "date_format: "+form) {
					t.Errorf("dates of December alone gave %v", err)
				}
				cfg.DateFormat = form
			}
			if columns != nil {
				cfg.Columns = columns
				for i := range cfg.LeaveOut {
					cfg.LeaveOut[i].When = strings.Replace(cfg.LeaveOut[i].When, "InvoiceNo", "RechnungsNr", 1)
				}
			}
			if diff := cmp.Diff(want, digests(t, cfg)); diff != "" {
				t.Errorf("differs from the original:\n%.3000s", diff)
			}
		})
	}
}

// TestLiteralIsAsked: a number in an expression is not read with a sign that
// was found out later.
func TestLiteralIsAsked(t *testing.T) {
	cfg := retail(t, write(t, t.TempDir(), "orders.csv",
		strings.ReplaceAll(header, ",", ";")+"1;a;x;1;2011-01-02 10:00;2,55;\n"))
	if err := fail(t, sources.Opener{}, cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Columns["price"] = `= mul(UnitPrice, "1.125")`
	if err := fail(t, sources.Opener{}, cfg); !errors.Is(err, table.ErrAmbiguous) || !strings.Contains(err.Error(), `"1.125"`) {
		t.Errorf("got %v", err)
	}
}
