package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// TestHarmCellsThatAreNotWhatTheySeem: nothing is sent of an order one of whose
// cells a spreadsheet did not work out, or which can be read in two ways; each
// is named by its cell.
func TestHarmCellsThatAreNotWhatTheySeem(t *testing.T) {
	s := newShop(t)
	s.source("shop", fields{"type": "xlsx", "path": "orders.xlsx"})
	s.activate("activate", nil)
	at := ago(time.Hour)
	book := excelize.NewFile()
	for i, row := range [][]any{
		{"Orders of the shop", "", "all"},
		{"id", "paid", "email", "sku", "n", "price"},
		{"a1", at, "ann@example.com", "MUG", 1, 1.299},
		{"a2", at, "bob@example.com", "MUG", 1, "1.299"},
		{"a3", at, "#N/A", "MUG", 1, 5},
		{"a4", at, "eve@example.com", "MUG", 1, nil},
		{"#REF!", at, "eve@example.com", "MUG", 1, 5},
		{"a6", at, "ann@example.com", "MUG", 1, "many"},
		{"a7", 0.35, "ann@example.com", "MUG", 1, 5},
		{123456789012345678, at, "ann@example.com", "MUG", 1, 5},
	} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SetCellFormula("Sheet1", "F6", "E6*5"); err != nil {
		t.Fatal(err)
	}
	if err := book.SetRowVisible("Sheet1", 4, false); err != nil {
		t.Fatal(err)
	}
	if err := book.SaveAs(filepath.Join(s.dir, "orders.xlsx")); err != nil {
		t.Fatal(err)
	}
	got := s.run(exitPerson)
	s.wants(got, "activate", "sent 1")
	cells := map[string]string{}
	for _, p := range got.source(t, "shop").Problems {
		if p.Sheet != "Sheet1" || p.File != "orders.xlsx" {
			t.Errorf("%+v does not say where it stands", p)
		}
		cells[p.Cell] = p.Text
	}
	for cell, says := range map[string]string{"F4": "thousands", "C5": "#N/A", "F6": "formula without a result", "A7": "#REF!",
		"F8": "is not a number", "B9": "is no order's date", "A10": "more than 15 digits"} {
		s.contains(cells[cell], says)
	}
	if len(cells) != 7 {
		t.Errorf("named are the cells %q", cells)
	}
	s.contains(strings.Join(got.source(t, "shop").Notes, "; "), "1 hidden rows were read")
}
