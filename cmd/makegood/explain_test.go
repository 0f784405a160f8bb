package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"makegood/reconcile"
	"makegood/reports"
)

// neverOfAnOrder are reasons that explain never gives, each with the sentence
// why.
var neverOfAnOrder = map[reconcile.Reason]string{
	reconcile.ReasonNotScheduled: "it is about one entry of the schedule; what another entry does is told by that one",
	reconcile.ReasonNotListed:    "it is about one run's list, which the ledger does not keep",
	reconcile.ReasonExcepted:     "it is about one run's list, which the ledger does not keep",
	reconcile.ReasonSent:         "It stands in the report of the run that sent it; from then on the order is one that makegood sent before.",
	reconcile.ReasonUnreadable:   "The ledger's tables take no state but those that this version knows.",
}

// onWhoseWord are what explain says in other words than reports do: it names
// who says so.
var onWhoseWord = map[reconcile.Reason]string{reconcile.ReasonProven: " recorded", reconcile.ReasonAssumed: "taken as sent, on the word of "}

// situations are small shops in each of which explain must give reasons.
type situations map[string]func(w witness)

// witness is a shop whose orders explain is asked about; seen gathers the
// reasons that it gave.
type witness struct {
	*shop
	seen *sync.Map
}

// at is the same witness of another shop.
func (w witness) at(s *shop) witness { return witness{s, w.seen} }

// night is a run that may end in any ordinary way.
func (w witness) night(args ...string) {
	w.Helper()
	if code, out, errs := makegood(w.T, append(append([]string{"run"}, args...), "-c", w.file())...); code > exitFailed {
		w.Fatalf("exit %d\n%s%s", code, errs, out)
	}
}

// tells wants the reasons, sorted and with commas, that explain gives of an
// order: as JSON and in words, on one screen, without an address. With --read
// only those count that the sources give.
func (w witness) tells(order, want string, args ...string) {
	w.Helper()
	args = append([]string{"explain", order, "-c", w.file()}, args...)
	code, out, errs := makegood(w.T, append(args, "--json")...)
	var all struct{ Orders []legend }
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != exitDone || len(all.Orders) != 1 {
		w.Errorf("%v: exit %d, %v\n%s%s", args, code, err, errs, out)
		return
	}
	reasons := map[string]bool{}
	for _, j := range all.Orders[0].Now {
		reasons[j.Reason] = true
	}
	if !slices.Contains(args, "--read") {
		reasons = all.Orders[0].reasons()
	}
	given := strings.Join(slices.Sorted(maps.Keys(reasons)), ", ")
	if given != want {
		w.Errorf("explain %s gives %q, want %q\n%s", order, given, want, out)
	}
	_, text, errs := makegood(w.T, args...)
	if n := strings.Count(text, "\n"); n > 24 || n == 0 {
		w.Errorf("explain %s fills %d lines:\n%s%s", order, n, text, errs)
	}
	said := out + text + errs
	if masked := reports.Mask(order); masked != order { // as which the order that was asked for may be named
		said = strings.ReplaceAll(said, masked, "")
	}
	if strings.Contains(said, "@") {
		w.Errorf("explain %s tells an address:\n%s", order, text)
	}
	for reason := range reasons {
		words := reports.ReasonWords(reconcile.Reason(reason)).Text
		if who, is := onWhoseWord[reconcile.Reason(reason)]; is {
			words = who
		}
		if !strings.Contains(text, words) {
			w.Errorf("%q is not said of %s:\n%s", words, order, text)
		}
		w.seen.Store(reconcile.Reason(reason), true)
	}
}

// reasons are those of the ledger; what is still to send has none of its own.
func (l legend) reasons() map[string]bool {
	all := map[string]bool{}
	for _, s := range l.Stories {
		if s.Reason != "" {
			all[s.Reason] = true
		}
	}
	for _, j := range l.Decided {
		all[j.Reason] = true
	}
	return all
}

// TestExplainNamesTheReason plays a situation for every reason there is. A new
// reason fails it until some situation shows it.
func TestExplainNamesTheReason(t *testing.T) {
	if testing.Short() {
		t.Skip("a long one: a shop for every reason")
	}
	var seen sync.Map
	t.Run("situations", func(t *testing.T) {
		for _, part := range []situations{explainedBad, explainedOrders, explainedPeople, explainedNumbers, explainedCarts, explainedNights, explainedAnswers, explainedCharges} {
			for name, play := range part {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := newShop(t)
					s.activate("activate", fields{"concurrency": 1})
					s.source("shop", nil)
					play(witness{s, &seen})
				})
			}
		}
	})
	for name, reason := range allReasons(t) {
		_, told := seen.Load(reason)
		if _, never := neverOfAnOrder[reason]; told == never {
			t.Errorf("%s (%s): told by explain: %t, exempt: %t", name, reason, told, never)
		}
	}
}

// allReasons reads the reasons from the source in which they are written.
func allReasons(t *testing.T) map[string]reconcile.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), projectFile(t, "reconcile/reason.go"), nil, parser.SkipObjectResolution)
	check(t, err)
	all := map[string]reconcile.Reason{}
	for _, decl := range file.Decls {
		consts, is := decl.(*ast.GenDecl)
		if !is || consts.Tok != token.CONST {
			continue
		}
		for _, spec := range consts.Specs {
			one := spec.(*ast.ValueSpec)
			if kind, is := one.Type.(*ast.Ident); !is || kind.Name != "Reason" || len(one.Values) != 1 {
				t.Fatalf("%s is not one reason with its code", one.Names[0])
			}
			code, err := strconv.Unquote(one.Values[0].(*ast.BasicLit).Value)
			check(t, err)
			all[one.Names[0].Name] = reconcile.Reason(code)
		}
	}
	if len(all) < 70 {
		t.Fatalf("%d reasons were found", len(all))
	}
	return all
}
