package sources

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/table"
)

// MaxListed is how many order numbers a list can have.
const MaxListed = 1_000_000

// maxNumber is how long a line of a list can be.
const maxNumber = 1024

// OrderNumbers reads a list of order numbers: a CSV or XLSX table, of which the
// column that looks like order numbers counts, else the first; or a text with one
// on each line. column is "" for a text.
func (o Opener) OrderNumbers(ctx context.Context, path string) (numbers []string, column string, err error) {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".xlsx" && ext != ".xlsm" {
		plain, err := plainList(path)
		if err != nil {
			return nil, "", err
		}
		if plain {
			f, err := os.Open(path)
			if err != nil {
				return nil, "", fmt.Errorf("read the list of orders: %w", err)
			}
			defer f.Close()
			numbers, err = OrderLines(f)
			return numbers, "", err
		}
	}
	kind, p, err := Look(ctx, path, o.StateDir)
	if err != nil {
		return nil, "", fmt.Errorf("read the list of orders: %w", err)
	}
	column = p.First
	for _, c := range p.Columns {
		if c.Name == "order" && !strings.HasPrefix(c.From, "=") {
			column = c.From
		}
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	t := &config.Table{Type: kind, Path: full}
	r := &rows{name: "list of orders", table: t, opener: o, wanted: []string{column}}
	files, err := r.files(ctx, reconcile.Window{})
	if err == nil {
		numbers, err = table.ReadColumn(ctx, t, column, files)
	}
	if err != nil {
		return nil, column, fmt.Errorf("read the list of orders: %w", err)
	}
	return numbers, column, nil
}

// plainList reports whether a file has one column only: no line of its first
// ones is divided.
func plainList(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("read the list of orders: %w", err)
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("read the list of orders: %w", err)
	}
	return !strings.ContainsAny(string(head[:n]), ",;\t|\"\x00"), nil
}

// OrderLines reads one order number from each line. A first line without a digit
// is a heading; blank lines count nothing.
func OrderLines(r io.Reader) ([]string, error) {
	var numbers []string
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxNumber), maxNumber)
	for first := true; lines.Scan(); first = false {
		number := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if number == "" || first && !strings.ContainsAny(number, "0123456789") {
			continue
		}
		if numbers = append(numbers, number); len(numbers) > MaxListed {
			return nil, fmt.Errorf("read the list of orders: it has more than %d numbers", MaxListed)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the list of orders: line %d: %w: one number on each line, or a table that ends in .csv or .xlsx", len(numbers)+1, err)
	}
	return numbers, nil
}

// NearestNumber finds the number that is most like another one: the same in
// another dress, or one that differs in a letter or two.
func NearestNumber(known []string) func(string) string { return table.NearestNumber(known) }
