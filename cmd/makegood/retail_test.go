package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// retailConfig is the source of the design's configuration over the Online
// Retail data, with one live destination.
func retailConfig(t testing.TB, dir, url, source string) string {
	return write(t, dir, "makegood.yaml", fmt.Sprintf(`
zone: Europe/London
environment: test
sources:
  shop:
%s
    zone: Europe/London
    currency: GBP
    channel: online
    stable_for: 0s
    may_send: {all: true, reason: "a test"}
targets:
  activate:
    type: squeezely
    mode: live
    url: %s/v1/track
    account: shop
    api_key: key
    from: [shop]
    since: 2010-01-01
    nothing_else_sends: true
    rate: 100000/s
    concurrency: 8
`, indent(source), url))
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

func retailSource(t testing.TB, settings string) string {
	return settings + fmt.Sprintf(`
join:
  - {path: %s, on: {customer: customer_id}, take: {email: email, language: language}}
leave_out:
  - {reason: cancelled, when: 'row["%%[1]s"] startsWith "C"'}
  - {reason: bad_debt, when: 'row["%%[1]s"] startsWith "A"'}
`, retail(t, "customers.csv"))
}

const englishColumns = `
columns:
  order: InvoiceNo
  completed_at: InvoiceDate
  customer: '= trimSuffix(CustomerID, ".0")'
  sku: StockCode
  name: Description
  quantity: Quantity
  price: UnitPrice
`

const germanColumns = `
columns:
  order: RechnungsNr
  completed_at: Rechnungsdatum
  customer: '= trimSuffix(KundenNr, ".0")'
  sku: ArtikelNr
  name: Bezeichnung
  quantity: Menge
  price: Einzelpreis
`

var retailWindow = []string{"--from", "2010-12-01", "--to", "2011-12-10"}

func retailRun(t *testing.T, config string) reportJSON {
	t.Helper()
	return report(t, exitDone, append([]string{"run", "-c", config}, retailWindow...)...)
}

func checkRetail(t *testing.T, r reportJSON) {
	t.Helper()
	s := r.Sources[0]
	if s.Rows != 541909 || s.OrdersRead != 25900 || s.OutsideWindow != 0 || s.Orders != 22061 || s.Bad != 0 || s.Merged != 0 || s.RowsWithoutOrder != 0 {
		t.Errorf("source: %+v", s)
	}
	if fmt.Sprint(s.LeftOut) != "[{cancelled 3836} {bad_debt 3}]" {
		t.Errorf("left out: %v", s.LeftOut)
	}
	want := balanceJSON{
		NotForTarget: countJSON{0, 0, money{}},
		Eligible:     countJSON{22061, 22061, money{"GBP": "10655622.484"}},
		Sent:         countJSON{18356, 18356, money{"GBP": "8785927.524"}},
		AlreadySent:  countJSON{0, 0, money{}},
		HeldBack:     countJSON{3705, 3705, money{"GBP": "1869694.96"}},
		Refused:      countJSON{0, 0, money{}},
		InDoubt:      countJSON{0, 0, money{}},
		Left:         countJSON{0, 0, money{}},
		Holds:        true,
	}
	if got := r.Targets[0].Balance; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("balance\n%+v\nwant\n%+v", got, want)
	}
	var held []reasonJSON
	for _, reason := range r.Targets[0].Reasons {
		if reason.Bucket == "held_back" {
			held = append(held, reason)
		}
	}
	if fmt.Sprint(held) != "[{held_back no_email 3705 3705 map[GBP:1869694.96]}]" {
		t.Errorf("reasons: %v", held)
	}
}

// measuredRun is a night in a process of its own, whose peak memory stays under
// a limit in MiB.
func measuredRun(t *testing.T, config string, limit int) (out string) {
	t.Helper()
	cmd := play(t, append([]string{"run", "--json", "-c", config}, retailWindow...)...)
	peak := filepath.Join(t.TempDir(), "peak")
	cmd.Env = append(cmd.Env, peakVariable+"="+peak)
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(peak)
	check(t, err)
	kb, err := strconv.Atoi(string(text))
	switch {
	case raceDetector:
		t.Log("memory is measured without the race detector")
	case err != nil:
		t.Log("this system does not tell the peak memory of a process")
	case kb/1024 >= limit:
		t.Errorf("peak memory %d MiB, want under %d", kb/1024, limit)
	default:
		t.Logf("peak memory %d MiB", kb/1024)
	}
	return string(said)
}

// TestOnlineRetail reads a real shop's year from its CSV export, sends exactly
// what the platform lacks, in little memory, and finds nothing more to do: in a
// second run, nor from the same orders in a workbook.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	dir := t.TempDir()
	sim, url := simulate(t)
	source := fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "online_retail.csv")+englishColumns), "InvoiceNo")
	config := retailConfig(t, dir, url, source)
	said := measuredRun(t, config, 150)
	t.Parallel() // memory is measured while nothing else is going on
	checkRetail(t, readReport(t, said))
	if !undone(t, config, said) {
		t.Error("the orders that were undone are not reported")
	}
	totals := sim.Counts().Platforms["squeezely"]
	if totals.Orders != 18356 || totals.Accepted != 18356 || totals.Repeats != 0 || fmt.Sprint(totals.Money) != "map[GBP:8785927.524]" {
		t.Errorf("the platform holds %+v", totals)
	}

	again := retailRun(t, config).balance(t, "activate")
	if again.Sent.Events != 0 || again.AlreadySent.Events != 18356 || again.AlreadySent.Money["GBP"] != "8785927.524" {
		t.Errorf("the second run: %+v", again)
	}

	book := fmt.Sprintf(retailSource(t, "type: xlsx\npath: "+retail(t, "online_retail.xlsx")+englishColumns), "InvoiceNo")
	config = retailConfig(t, dir, url, book)
	code, out, errs := makegood(t, append([]string{"run", "--json", "-c", config}, retailWindow...)...)
	if code != exitDone {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	fromBook := readReport(t, out).balance(t, "activate")
	if fromBook.Sent.Events != 0 || fromBook.AlreadySent.Events != 18356 {
		t.Errorf("from the workbook after the CSV: %+v", fromBook)
	}
	if strings.Contains(out, `"corrections"`) {
		t.Error("the workbook after the CSV reports corrections")
	}
	if got := sim.Counts().Platforms["squeezely"].Accepted; got != 18356 {
		t.Errorf("the platform was sent %d events in all, want 18356", got)
	}
}

func TestOnlineRetailWorkbook(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	sim, url := simulate(t)
	book := fmt.Sprintf(retailSource(t, "type: xlsx\npath: "+retail(t, "online_retail.xlsx")+englishColumns), "InvoiceNo")
	checkRetail(t, readReport(t, measuredRun(t, retailConfig(t, t.TempDir(), url, book), 250)))
	if totals := sim.Counts().Platforms["squeezely"]; totals.Orders != 18356 || totals.Money["GBP"] != "8785927.524" {
		t.Errorf("the platform holds %+v", totals)
	}
}

// TestLocaleVariants wants the same plan from three disguises of the same
// lines: the same orders, to the byte of what would be sent.
func TestLocaleVariants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	original := firstLines(t, dir)
	plain := canonicalPlan(t, fmt.Sprintf(retailSource(t, "type: csv\npath: "+original+englishColumns), "InvoiceNo"))
	if n := strings.Count(plain, "\n"); n < 500 {
		t.Fatalf("the plan of the original has %d steps", n)
	}
	for name, source := range map[string]string{
		"german": fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "variant_de_semicolon_cp1252_crlf.csv")+
			"\ndelimiter: \";\"\nencoding: windows-1252\ndecimal: \",\"\ndate_format: dd.MM.yyyy HH:mm"+germanColumns), "RechnungsNr"),
		"unicode text": fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "variant_excel_unicode_utf16le_bom_tab.txt")+
			"\ndelimiter: tab\nencoding: utf-16\ndecimal: \",\"\ndate_format: dd.MM.yyyy HH:mm"+germanColumns), "RechnungsNr"),
		"american": fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "variant_us_utf8bom_crlf_currency.csv")+
			"\ndate_format: M/d/yy H:mm"+englishColumns), "InvoiceNo"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := canonicalPlan(t, source); got != plain {
				t.Errorf("another plan than the original's: %d and %d steps\n%s", strings.Count(got, "\n"), strings.Count(plain, "\n"), firstDifference(got, plain))
			}
		})
	}
}

func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return left[i] + "\n" + right[i]
		}
	}
	return ""
}

// asOf is the only part of a plan's steps that depends on when it was made.
func canonicalPlan(t *testing.T, source string) string {
	t.Helper()
	config := retailConfig(t, t.TempDir(), "http://127.0.0.1:1", source)
	code, out, errs := makegood(t, append([]string{"plan", "--canonical", "-c", config}, retailWindow...)...)
	if code != 0 {
		t.Fatalf("plan: exit %d\n%s", code, errs)
	}
	return out
}

// firstLines writes the lines of the original that the locale variants hold:
// the first 20,000, and the later ones whose description holds a pound sign.
func firstLines(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Open(retail(t, "online_retail.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for i, line := range strings.SplitAfter(string(text), "\n") {
		if i <= 20000 || strings.Contains(line, "£") {
			kept = append(kept, line)
		}
	}
	return write(t, dir, "first.csv", strings.Join(kept, ""))
}

// TestShuffledRetail makes another shop of the same year: lines shuffled over
// the whole file, ids renamed, one row in a hundred spoilt. A small count of
// its own says what must come out.
func TestShuffledRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MAKEGOOD_TEST_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("seed %d (MAKEGOOD_TEST_SEED)", seed)
	dir := t.TempDir()
	rows := shuffledRows(t, rand.New(rand.NewPCG(seed, 1)))
	path := filepath.Join(dir, "shuffled.csv")
	writeRows(t, path, rows)
	want := countRows(t, rows)

	sim, url := simulate(t)
	source := fmt.Sprintf(retailSource(t, "type: csv\npath: "+path+englishColumns), "InvoiceNo")
	code, out, errs := makegood(t, append([]string{"run", "--json", "-c", retailConfig(t, dir, url, source)}, retailWindow...)...)
	if code != exitPerson { // bad orders need a person
		t.Fatalf("exit %d\n%s", code, errs)
	}
	r := readReport(t, out)
	b, s := r.balance(t, "activate"), r.Sources[0]
	got := retailCount{rows: s.Rows, read: s.OrdersRead, bad: s.Bad, orders: s.Orders, sent: b.Sent.Events,
		eligible: b.Eligible.Money["GBP"], sentMoney: b.Sent.Money["GBP"]}
	for _, l := range s.LeftOut {
		got.leftOut += l.Orders
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	totals := sim.Counts().Platforms["squeezely"]
	if int(totals.Orders) != want.sent || totals.Money["GBP"] != want.sentMoney {
		t.Errorf("the platform holds %+v, want %d orders, %s", totals, want.sent, want.sentMoney)
	}
}

func shuffledRows(t *testing.T, random *rand.Rand) [][]string {
	t.Helper()
	f, err := os.Open(retail(t, "online_retail.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	renamed := map[string]string{}
	body := rows[1:]
	for _, row := range body {
		id := row[0]
		if renamed[id] == "" {
			renamed[id] = strings.TrimRight(id, "0123456789") + fmt.Sprintf("%07d-%d", len(renamed), random.IntN(10))
		}
		row[0] = renamed[id]
		if random.IntN(100) == 0 {
			spoilt := [...][2]string{{"3", "many"}, {"5", "12,50 or so"}, {"4", "2011-13-01 10:00:00"}, {"5", "1.23456789012345678901"}, {"1", ""}}
			how := spoilt[random.IntN(len(spoilt))]
			row[how[0][0]-'0'] = how[1]
		}
	}
	random.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
	return rows
}

func writeRows(t *testing.T, path string, rows [][]string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	if err := errors.Join(w.WriteAll(rows), f.Close()); err != nil {
		t.Fatal(err)
	}
}

type retailCount struct {
	rows, read, leftOut, bad, orders, sent int
	eligible, sentMoney                    string
}

type countedOrder struct {
	sum      *big.Rat
	bad      bool
	customer string
}

var plainNumber = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,6})?$`)

// countRows counts what must come out, by a second, simple path: rational
// numbers, one map, no code of the project.
func countRows(t *testing.T, rows [][]string) retailCount {
	t.Helper()
	addresses := map[string]bool{}
	f, err := os.Open(retail(t, "customers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range list[1:] {
		addresses[row[0]] = row[1] != ""
	}
	orders := map[string]*countedOrder{}
	for _, row := range rows[1:] {
		o := orders[row[0]]
		if o == nil {
			o = &countedOrder{sum: new(big.Rat)}
			orders[row[0]] = o
		}
		_, dateErr := time.Parse(time.DateTime, row[4])
		if row[1] == "" || dateErr != nil || !plainNumber.MatchString(row[3]) || !plainNumber.MatchString(row[5]) {
			o.bad = true
			continue
		}
		quantity, _ := new(big.Rat).SetString(row[3])
		price, _ := new(big.Rat).SetString(row[5])
		o.sum.Add(o.sum, quantity.Mul(quantity, price))
		if customer := strings.TrimSuffix(row[6], ".0"); customer != "" {
			o.customer = customer
		}
	}
	return tallyOrders(orders, addresses, len(rows)-1)
}

func tallyOrders(orders map[string]*countedOrder, addresses map[string]bool, rows int) retailCount {
	c := retailCount{rows: rows, read: len(orders)}
	eligible, sent := new(big.Rat), new(big.Rat)
	for _, id := range slices.Sorted(maps.Keys(orders)) {
		o := orders[id]
		switch {
		case o.bad:
			c.bad++
		case id[0] == 'C' || id[0] == 'A':
			c.leftOut++
		default:
			c.orders++
			eligible.Add(eligible, o.sum)
			if addresses[o.customer] {
				c.sent++
				sent.Add(sent, o.sum)
			}
		}
	}
	c.eligible, c.sentMoney = plain(eligible), plain(sent)
	return c
}

func plain(r *big.Rat) string {
	return strings.TrimRight(strings.TrimRight(r.FloatString(6), "0"), ".")
}
