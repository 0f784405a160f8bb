package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// verified runs verify over the last run and gives its exit code and words.
func (s *shop) verified() (int, string) {
	s.Helper()
	code, out, errs := makegood(s.T, "verify", "-c", s.file())
	return code, out + errs
}

// everyClass is a shop whose orders end in every class: sent, held back, left
// out, bad, refused, and sent in two lines.
func everyClass(t *testing.T) (s *shop, rows []string) {
	s = newShop(t)
	s.source("shop", fields{"columns": columns(fields{"name": "name", "status": "status", "language": "language", "store": "store", "line_total": "sum"}),
		"leave_out": []fields{{"reason": "cancelled", "when": `status == "cancelled"`}}})
	s.activate("activate", fields{"max_age": "30d"})
	line := func(order int, email, price, sum, status string, days time.Duration) {
		rows = append(rows, fmt.Sprintf("%d,%s,%s,MUG,2,%s,Mug,%s,nl-NL,Utrecht,%s", order, ago(days*24*time.Hour + time.Duration(order)*time.Minute)[:16]+":00", email, price, status, sum))
	}
	for n := range 8 {
		email := fmt.Sprintf("visitor%d@example.com", n)
		line(1000+n, email, "2.50", "5.00", "paid", 1)
		rows = append(rows, rows[len(rows)-1]) // a second line, the same
		line(2000+n, "", "2.50", "5.00", "paid", 1)
		line(3000+n, email, "2.50", "5.00", "cancelled", 1)
		line(4000+n, email, "two", "5.00", "paid", 1)
		line(5000+n, email, "2.50", "5.00", "paid", 40)
	}
	s.csv("shop.csv", usualHeader+",name,status,language,store,sum", rows...)
	return s, rows
}

// TestVerifyFindsEveryRow deletes, doubles or alters one row of the source at a
// time, drawn over all classes of orders; verify names the order.
func TestVerifyFindsEveryRow(t *testing.T) {
	s, rows := everyClass(t)
	got := s.run(exitPerson, "--from", time.Now().AddDate(0, 0, -50).Format(time.DateOnly))
	s.wants(got, "activate", "held_back no_email 8, held_back too_old 8, sent 8")
	if code, said := s.verified(); code != exitDone {
		t.Fatalf("exit %d over a shop that nobody touched:\n%s", code, said)
	}
	rounds := 200
	if testing.Short() {
		rounds = 30
	}
	const seed = 20261121
	random := rand.New(rand.NewPCG(seed, 2))
	for n := range rounds {
		changed := slices.Clone(rows)
		at := random.IntN(len(rows))
		what := ""
		switch random.IntN(3) {
		case 0:
			what, changed = "deleted", slices.Delete(changed, at, at+1)
		case 1:
			what, changed = "doubled", slices.Insert(changed, at, changed[at])
		default:
			cells := strings.Split(changed[at], ",")
			column := random.IntN(len(cells))
			what, cells[column] = fmt.Sprint("altered in column ", column), otherCell(cells[column], column)
			changed[at] = strings.Join(cells, ",")
		}
		s.csv("shop.csv", usualHeader+",name,status,language,store,sum", changed...)
		order, _, _ := strings.Cut(rows[at], ",")
		if code, said := s.verified(); code != exitLeft || !strings.Contains(said, "order "+order) {
			t.Errorf("round %d (seed %d): %q %s: exit %d\n%s", n, seed, rows[at], what, code, said)
		}
	}
}

// otherCell is another value that a column can have.
func otherCell(cell string, column int) string {
	switch column {
	case 0:
		return cell + "9"
	case 1: // the time
		return cell[:len(cell)-1] + "7"
	case 4:
		return "3"
	}
	return cell + "1"
}
