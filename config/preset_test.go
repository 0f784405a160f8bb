package config

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// headers of testdata of the command, and what they are.
func presetHeader(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "cmd", "makegood", "testdata", "presets", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	header, err := csv.NewReader(f).Read()
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func TestPresetOf(t *testing.T) {
	for _, name := range PresetNames() {
		header := presetHeader(t, name+".csv")
		if p := PresetOf(header); p == nil || p.Name != name {
			t.Errorf("the header of %s is taken for %+v", name, p)
		}
		for i := range header { // names vary between versions
			header[i] = " " + strings.ToUpper(strings.ReplaceAll(header[i], " ", "_"))
		}
		if p := PresetOf(header); p == nil || p.Name != name {
			t.Errorf("the header of %s in another spelling is taken for %+v", name, p)
		}
	}
	if p := PresetOf([]string{"id", "date", "email", "sku", "n", "price"}); p != nil {
		t.Errorf("any header is taken for %s", p.Name)
	}
}

// TestPresetColumns: every column that a preset names is one that sources have.
func TestPresetColumns(t *testing.T) {
	for _, p := range presets {
		for name := range p.Columns {
			if !strings.Contains(" "+sourceColumns+" ", " "+name+" ") {
				t.Errorf("%s maps %q", p.Name, name)
			}
		}
		if p.Title == "" || p.Channel == "" && p.Columns["channel"] == nil {
			t.Errorf("%s: %+v", p.Name, p)
		}
	}
}

func TestResolved(t *testing.T) {
	own := &Source{Preset: "shopify", Currency: "EUR", Columns: map[string]string{"sku": "Lineitem name"}, LeaveOut: []Rule{{Reason: "own", When: `true`}}}
	r, err := own.Resolved(presetHeader(t, "shopify.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Columns["sku"] != "Lineitem name" || r.Columns["order"] != "Name" || r.Columns["currency"] != "" || r.LeaveOut[0].Reason != "own" || len(r.LeaveOut) != 2 {
		t.Errorf("resolved to %+v", r)
	}
	if len(own.Columns) != 1 || len(own.LeaveOut) != 1 {
		t.Errorf("the source itself was changed: %+v", own)
	}
	for name, says := range map[string]string{"magento2_grid.csv": "exports no lines", "square.csv": "nothing in it is order, completed_at, quantity, price"} {
		if _, err := (&Source{Preset: "magento2"}).Resolved(presetHeader(t, name)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}
