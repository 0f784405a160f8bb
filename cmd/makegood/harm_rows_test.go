package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realLife is the table at the end of the rules of the trade, and where each of
// its rows is played. A row without a test is not built yet, and says so.
var realLife = []struct{ row, test string }{
	{"paid in the store 11:00, fills the web cart 20:00, run 02:30", "TestHarmToCarts"},
	{"bought one thing of three in the synced cart", "TestHarmToCarts"},
	{"till restarts its numbers daily, 293 stores", "TestHarmTillRestartsItsNumbersDailyAlways"},
	{"web number 100012345, ERP number SO-100012345", "TestHarmByNumbers"},
	{"click-and-collect: web order and till ticket", "TestHarmByNumbers"},
	{"order edited, new number with `-1`", "TestHarmByNumbers"},
	{"join with two payments per order", "TestHarmToMoney"},
	{"placed on day 1, paid on day 12, lookback 7 d", "TestHarmPlacedOnDay1PaidOnDay12"},
	{"key expired from 20 Dec to 5 Jan", "TestHarmKeyExpiredForManyNights"},
	{"evidence table empty tonight", "TestHarmEvidenceTableEmptyTonight"},
	{"order query returns 0 rows", "TestHarmOrderQueryReturnsNoRows"},
	{"1,000 till orders with geen@email.nl", "TestHarmToPeople"},
	{"erased between plan and apply", "TestHarmBetweenPlanAndApply"},
	{"credit note after sending", "TestTranscripts"}, // returns.txtar
	{"exchange ticket (-1, +1)", "TestHarmToMoney"},
	{"weighed goods 0.734 kg x 12.99", "TestHarmToMoney"},
	{"1,000 SEK from last month in a EUR shop", "TestHarmToMoney"},
	{"NL, BE, DE stores in one export, three accounts", "TestHarmThreeAccountsFromOneExport"},
	{"live integration still busy with the order of 02:29", "TestHarmLiveIntegrationStillBusy"},
	{"one bad row in the window for 7 nights", "TestHarmOneBadRowForSevenNights"},
	{"staging copy of the production database", "TestHarmStagingCopyOfTheProductionDatabase"},
	{"till clock 20 min wrong", "TestHarmToCarts"},
	{"two people, one address", "TestHarmToCarts"},
	{"several addresses in one cell", "TestHarmToPeople"},
}

// TestEveryRowOfRealLifeHasACase: the table is the rules', and its tests exist.
func TestEveryRowOfRealLifeHasACase(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	for _, r := range realLife {
		if r.test != "" && !tests[r.test] {
			t.Errorf("%s: there is no %s", r.row, r.test)
		}
	}
	rules, err := os.ReadFile(projectFile(t, filepath.Join("..", "shared", "RULES.md")))
	if err != nil {
		t.Skip("the rules of the trade are not here")
	}
	_, table, _ := strings.Cut(string(rules), "## Real life")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.HasPrefix(cells[1], " situation") || strings.HasPrefix(cells[1], " ---") {
			continue
		}
		rows++
		if row := strings.TrimSpace(cells[1]); !slices.ContainsFunc(realLife, func(r struct{ row, test string }) bool { return r.row == row }) {
			t.Errorf("the rules name %q, which has no case", row)
		}
	}
	if rows != len(realLife) {
		t.Errorf("the rules have %d rows, the table here %d", rows, len(realLife))
	}
}
