package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"makegood/reconcile"
)

// TestHarmListOfOrderNumbers: somebody brings 214 order numbers of the last
// years, three of them mistyped. In whatever form they come, exactly the 211 are
// looked up and sent, and the three are named with the number that is most like
// each.
func TestHarmListOfOrderNumbers(t *testing.T) {
	number := func(n int) string { return fmt.Sprintf("W-%06d", 100000+n*7919%700000) }
	var rows, asked, sent []string
	for n := range 700 {
		rows = append(rows, fmt.Sprintf("%s,%d-%02d-15 10:00:00,shopper%d@example.com,MUG,1,5", number(n), 2021+n%6, 1+n%10, n))
		if n%3 == 1 && len(asked) < 211 {
			asked = append(asked, number(n))
			sent = append(sent, number(n)+" 5 EUR")
		}
	}
	slices.Sort(sent)
	mistyped := map[string]string{ // a letter O, a digit too few, another dress: and what they are most like
		strings.ReplaceAll(number(100), "0", "O"): number(100),
		number(91)[:7]: number(91),
		strings.Replace(number(202), "W-", "w ", 1): number(202),
	}
	for typed := range mistyped {
		if slices.Contains(asked, typed) {
			t.Fatalf("%s is no mistake", typed)
		}
		asked = slices.Insert(asked, len(asked)/2, typed)
	}
	for _, form := range []string{"csv", "xlsx", "txt", "-"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.source("shop", nil)
			s.activate("activate", nil)
			s.orders("shop", rows...)
			name, typed := s.orderList(form, asked)
			for _, c := range []struct {
				command string
				code    int
				left    string
			}{{"plan", exitPerson, "left planned 211, "}, {"run", exitPerson, ""}} {
				var out, errs bytes.Buffer
				code := run(context.Background(), []string{c.command, "--orders", name, "--json", "-c", s.file()}, os.LookupEnv, stdio{strings.NewReader(typed), &out, &errs})
				got := told{stdout: out.String(), errs: errs.String()}
				if err := json.Unmarshal(out.Bytes(), &got.Report); err != nil || code != c.code {
					t.Fatalf("%s: exit %d, %v\n%s", c.command, code, err, &errs)
				}
				if l := got.Listed; l.Asked != 214 || l.Found != 211 || l.MissingFound != 3 || len(l.Missing) != 3 {
					t.Errorf("%s: of the list: %+v", c.command, l)
				}
				for _, m := range got.Listed.Missing {
					if m.Nearest == "" || m.Nearest != mistyped[m.Order] {
						t.Errorf("%s: %s is like %q, want %q", c.command, m.Order, m.Nearest, mistyped[m.Order])
					}
				}
				want := c.left + "not_for_target not_listed 489"
				if c.command == "run" {
					want += ", sent 211"
				} else if s.requests() != 0 {
					t.Errorf("a plan made %d requests", s.requests())
				}
				s.wants(got, "activate", want)
				if len(got.PersonNeeded) != 1 || got.PersonNeeded[0].What != reconcile.NeedUnknown {
					t.Errorf("%s: needed %+v", c.command, got.PersonNeeded)
				}
			}
			s.wantsPlatform("activate", strings.Join(sent, ", "))
			text := s.lastReport()
			s.contains(text, "3 numbers of the list in no source")
			for typed, nearest := range mistyped {
				s.contains(text, typed+" (like "+nearest+")")
			}
		})
	}
}

// orderList writes order numbers in a form, and gives the name to ask for them by
// and what is typed.
func (s *shop) orderList(form string, numbers []string) (name, typed string) {
	s.Helper()
	switch form {
	case "-":
		return "-", "order\n" + strings.Join(numbers, "\n") + "\n"
	case "csv":
		rows := make([]string, len(numbers))
		for i, number := range numbers {
			rows[i] = fmt.Sprintf("\"Ann, %d\",%s,open", i, number)
		}
		s.csv("list.csv", "name,order number,state", rows...)
	case "xlsx":
		rows := [][]any{{"Name", "Order number", "State"}}
		for i, number := range numbers {
			rows = append(rows, []any{fmt.Sprintf("Ann %d", i), number, "open"})
		}
		s.book("list.xlsx", rows...)
	case "txt":
		write(s.T, s.dir, "list.txt", strings.Join(numbers, "\r\n"))
	}
	return filepath.Join(s.dir, "list."+form), ""
}
