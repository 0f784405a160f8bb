package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// numberings are ways to number orders that a spreadsheet damages, each in its
// own way.
var numberings = map[string]struct {
	number  func(n int) string
	damaged map[string]func(number string, n int) string // by what does it
}{
	"padded": {
		func(n int) string { return fmt.Sprintf("%09d", 1_230_400+n*7) },
		map[string]func(string, int) string{
			"opened and saved": func(number string, _ int) string { return strings.TrimLeft(number, "0") },
			"as money":         func(number string, _ int) string { return thousands(strings.TrimLeft(number, "0")) + ".00" },
			"as a float":       func(number string, _ int) string { return strings.TrimLeft(number, "0") + ".0" },
		},
	},
	"long": {
		func(n int) string {
			return strconv.FormatInt(1_914_312_345_678_901_234+int64(n)*8_765_432_198_765_432, 10)
		},
		map[string]func(string, int) string{
			"opened and saved": func(number string, _ int) string { return exponent(number) },
			"as money":         func(number string, _ int) string { return thousands(number[:15]+"0000") + ".00" },
			"as a float":       func(number string, _ int) string { return number[:15] + "0000" },
		},
	},
	"per day": {
		func(n int) string { return fmt.Sprintf("%d-%d", n/9+1, n%9+1) },
		map[string]func(string, int) string{
			"opened and saved": func(_ string, n int) string { return fmt.Sprintf("%d-%s", n/9+1, time.Month(n%9 + 1).String()[:3]) },
			"as money":         func(_ string, n int) string { return fmt.Sprintf("2026-%02d-%02d", n%9+1, n/9+1) },
			"as a float":       func(_ string, n int) string { return fmt.Sprintf("%d/%d/2026", n/9+1, n%9+1) },
		},
	},
}

func exponent(number string) string {
	f, _ := strconv.ParseFloat(number, 64)
	return strings.Replace(fmt.Sprintf("%.4E", f), "E+0", "E+", 1)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

const disguised = 60 // orders, two lines each

// disguiseRows are the lines of some days' orders.
func disguiseRows(number func(int) string) rowsOfText {
	rows := rowsOfText{strings.Split(usualHeader, ",")}
	begin := time.Now().UTC().AddDate(0, 0, -5).Truncate(24 * time.Hour)
	for n := range disguised {
		at := begin.Add(time.Duration(n) * time.Hour).Format(time.DateTime)
		who := fmt.Sprintf("kunde%d@example.com", n%40)
		rows = append(rows, []string{number(n), at, who, "Löffel-" + strconv.Itoa(n%7), "2", "12.50"},
			[]string{number(n), at, who, "Tasse-" + strconv.Itoa(n%5), "1", strconv.Itoa(n+1) + ".95"})
	}
	return rows
}

func (rows rowsOfText) text(sep string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, sep) + "\r\n")
	}
	return b.String()
}

func (rows rowsOfText) each(change func(row []string)) rowsOfText {
	all := rowsOfText{rows[0]}
	for _, row := range rows[1:] {
		row = slices.Clone(row)
		change(row)
		all = append(all, row)
	}
	return all
}

func (rows rowsOfText) shuffled() rowsOfText {
	all := slices.Clone(rows)
	rand.New(rand.NewPCG(3, 5)).Shuffle(len(all)-1, func(i, j int) { all[i+1], all[j+1] = all[j+1], all[i+1] })
	return all
}

func (rows rowsOfText) cells(number func(string) any) [][]any {
	all := make([][]any, len(rows))
	for i, row := range rows {
		for at, cell := range row {
			switch {
			case i > 0 && at >= 4:
				f, _ := strconv.ParseFloat(cell, 64)
				all[i] = append(all[i], f)
			case i > 0 && at == 0:
				all[i] = append(all[i], number(cell))
			default:
				all[i] = append(all[i], cell)
			}
		}
	}
	return all
}

// disguise writes the same orders once more, and gives the source that reads
// them.
type disguise func(s *shop, rows rowsOfText) fields

func file(name, text string) disguise {
	return func(s *shop, _ rowsOfText) fields { write(s.T, s.dir, name, text); return fields{"path": name} }
}

var german = strings.NewReplacer(".", ",")

var disguises = map[string]disguise{
	"sorted otherwise": func(s *shop, rows rowsOfText) fields {
		body := slices.Clone(rows[1:])
		slices.SortFunc(body, func(a, b []string) int { return strings.Compare(b[3]+b[0], a[3]+a[0]) })
		return file("sorted.csv", append(rowsOfText{rows[0]}, body...).text(","))(s, rows)
	},
	"lines shuffled": func(s *shop, rows rowsOfText) fields { return file("shuffled.csv", rows.shuffled().text(","))(s, rows) },
	"renamed columns": func(s *shop, rows rowsOfText) fields {
		named := append(rowsOfText{{"Bestellnummer", "Datum", "E-Mail", "Artikel", "Menge", "Preis"}}, rows[1:]...)
		f := file("renamed.csv", named.text(";"))(s, rows)
		f["columns"] = fields{"order": "Bestellnummer", "completed_at": "Datum", "email": "E-Mail", "sku": "Artikel", "quantity": "Menge", "price": "Preis"}
		return f
	},
	"German numbers and dates": func(s *shop, rows rowsOfText) fields {
		return file("german.csv", rows.each(func(row []string) {
			row[1] = row[1][8:10] + "." + row[1][5:7] + "." + row[1][:4] + row[1][10:]
			row[5] = german.Replace(row[5])
		}).text(";"))(s, rows)
	},
	"UTF-16 with tabs": func(s *shop, rows rowsOfText) fields {
		var b bytes.Buffer
		for _, unit := range append([]uint16{0xFEFF}, utf16.Encode([]rune(rows.text("\t")))...) {
			_ = binary.Write(&b, binary.LittleEndian, unit)
		}
		return file("unicode.txt", b.String())(s, rows)
	},
	"Windows-1252, all quoted": func(s *shop, rows rowsOfText) fields {
		text := strings.ReplaceAll(`"`+strings.ReplaceAll(rows.text(`","`), "\r\n", "\"\r\n\"")+"\n", "\"\n", "")
		text, err := charmap.Windows1252.NewEncoder().String(text)
		if err != nil {
			s.Fatal(err)
		}
		return file("quoted.csv", text)(s, rows)
	},
	"a title above": func(s *shop, rows rowsOfText) fields {
		return file("title.csv", "Orders of the web shop\r\n\r\n"+rows.text(","))(s, rows)
	},
	"a workbook of texts": func(s *shop, rows rowsOfText) fields {
		s.book("texts.xlsx", rows.cells(func(n string) any { return n })...)
		return fields{"type": "xlsx", "path": "texts.xlsx"}
	},
	"a workbook with serial dates": func(s *shop, rows rowsOfText) fields {
		cells := rows.cells(func(n string) any { return n })
		for _, row := range cells[1:] {
			at, err := time.Parse(time.DateTime, row[1].(string))
			if err != nil {
				s.Fatal(err)
			}
			row[1] = float64(at.Unix())/86400 + 25569
		}
		s.book("serial.xlsx", cells...)
		return fields{"type": "xlsx", "path": "serial.xlsx"}
	},
	"cut over two files": func(s *shop, rows rowsOfText) fields {
		write(s.T, s.dir, "part-1.csv", rows[:52].text(","))
		write(s.T, s.dir, "part-2.csv", append(rowsOfText{rows[0]}, rows[52:]...).text(","))
		return fields{"path": "part-*.csv", "files": "parts"}
	},
	"one file twice": func(s *shop, rows rowsOfText) fields {
		write(s.T, s.dir, "twice-1.csv", rows.text(","))
		write(s.T, s.dir, "twice-2.csv", rows.shuffled().text(";"))
		return fields{"path": "twice-*.csv"}
	},
	"packed": func(s *shop, rows rowsOfText) fields {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(rows.text(",")))
		_ = w.Close()
		return file("packed.csv.gz", b.String())(s, rows)
	},
}

// TestDisguises sends some orders, and plans them again in every disguise: not
// one message more. Where a spreadsheet has damaged the numbers, each cell is
// named.
func TestDisguises(t *testing.T) {
	t.Parallel()
	for scheme, numbering := range numberings {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			rows := disguiseRows(numbering.number)
			s.source("shop", nil)
			write(t, s.dir, "shop.csv", rows.text(","))
			s.wants(s.run(exitDone), "activate", fmt.Sprintf("sent %d", disguised))
			for name, as := range disguises {
				s.source("shop", as(s, rows))
				got := s.makegood(exitDone, "plan", "--from", "2020-01-01")
				if ends := got.ends(t, "activate"); ends != fmt.Sprintf("already_sent sent_here %d", disguised) {
					t.Errorf("%s: %s\n%s", name, ends, got.stdout)
				}
			}
			for how, damage := range numbering.damaged {
				s.planDamaged(how, rows, damage)
			}
		})
	}
}

// planDamaged plans the orders under the numbers that a spreadsheet left of
// theirs, once in a CSV file and once in a workbook.
func (s *shop) planDamaged(how string, rows rowsOfText, damage func(string, int) string) {
	s.Helper()
	n := -1
	broken := rows.each(func(row []string) {
		n++
		row[0] = damage(row[0], n/2)
	})
	write(s.T, s.dir, "damaged.csv", broken.text(";"))
	s.book("damaged.xlsx", broken.cells(func(n string) any { return n })...)
	for kind, source := range map[string]fields{"csv": {"path": "damaged.csv"}, "xlsx": {"type": "xlsx", "path": "damaged.xlsx"}} {
		s.source("shop", source)
		got := s.makegood(exitPerson, "plan", "--from", "2020-01-01")
		target := got.target(s.T, "activate")
		if target.Balance.Left.Events > 0 || target.Balance.AlreadySent.Events > 0 {
			s.Errorf("%s, %s: %s", how, kind, got.ends(s.T, "activate"))
		}
		named := map[int]bool{} // orders: two rows each, from row 2 on
		for _, p := range got.source(s.T, "shop").Problems {
			sheet := map[string]string{"xlsx": "Orders"}[kind]
			if p.Reason == "damaged_id" && p.Column == "id" && p.File == "damaged."+kind && p.Sheet == sheet {
				named[p.Row/2] = true
			}
		}
		for _, e := range target.Examples {
			place := map[string]string{"csv": "damaged.csv, row", "xlsx": "damaged.xlsx, Orders, row"}[kind]
			if row := firstRow.FindStringSubmatch(e.Origin); e.Reason == "damaged_id" && row != nil && strings.HasPrefix(e.Origin, place) {
				at, _ := strconv.Atoi(row[1])
				named[at/2] = true
			}
		}
		if len(named) != disguised {
			s.Errorf("%s, %s: %d damaged orders are named, want %d\n%s", how, kind, len(named), disguised, got.stdout)
		}
	}
}

var firstRow = regexp.MustCompile(`rows? ([0-9]+)`)
