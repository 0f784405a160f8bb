package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInitCanBePlanned: what init writes for a file can be read and planned as
// it stands, whatever the language of its columns and the form of its numbers.
func TestInitCanBePlanned(t *testing.T) {
	for name, text := range map[string]string{
		"english.csv": "Order Number,Order Date,Email,SKU,Qty,Unit Price\n1001,2026-11-01 10:00:00,ann@example.com,MUG,2,12.50\n",
		"dutch.csv":   "Bestelnummer;Besteldatum;E-mailadres;Artikelnummer;Aantal;Stukprijs\n1001;25-10-2026 10:00;ann@example.com;MOK;2;12,50\n",
		"german.csv":  "Bestellnr;Bestelldatum;E-Mail;ArtikelNr;Menge;Einzelpreis\n1001;25.10.2026 10:00;ann@example.com;TASSE;2;12,50\n",
		"french.csv":  "Numéro de commande;Date de commande;Courriel;Réf. article;Quantité;Prix unitaire\n1001;25/10/2026 10:00;ann@example.com;BOL;2;12,50\n",
		"spanish.csv": "Número de pedido;Fecha de pedido;Correo;Código;Cantidad;Precio\n1001;25/10/2026 10:00;ann@example.com;TAZA;2;12,50\n",
		"tills.csv":   "basket_id,household_id,store_id,product_id,quantity,sales_value,transaction_timestamp\n31198459044,ann,319,976199,2,25.00,2026-11-01 10:00:00\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, name, text)
			hour := time.Now().Add(-time.Hour)
			if err := os.Chtimes(path, hour, hour); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "makegood.yaml")
			code, stdout, stderr := makegood(t, "init", "--from", path, "--output", out)
			if code != exitDone || strings.Contains(stdout, "no column was found") {
				t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
			}
			written, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(written), "ann@example.com") {
				t.Errorf("an address was written:\n%s", written)
			}
			r := report(t, exitDone, "plan", "-c", out, "--from", "2026-10-01")
			if s := r.Sources[0]; s.Orders != 1 || s.Bad != 0 || r.Targets[0].Balance.Eligible.Money["EUR"] != "25" {
				t.Errorf("planned %+v, %+v\n%s", s, r.Targets[0].Balance.Eligible, written)
			}
		})
	}
}
