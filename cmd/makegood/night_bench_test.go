package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Of the benchmarks of a quiet night: how often the year is repeated with other
// numbers (20 when not set), how many distinct orders of one line there are
// (200,000 when not set; to adopt ten million takes the better part of an hour),
// and a folder where npm has installed @duckdb/node-api, which then does the same
// work in turns.
const (
	copiesVariable   = "MAKEGOOD_BENCH_COPIES"
	distinctVariable = "MAKEGOOD_BENCH_DISTINCT"
	duckVariable     = "MAKEGOOD_BENCH_DUCKDB"
)

// figure reads a benchmark's figure from the environment.
func figure(b *testing.B, variable string, usual, most int) int {
	b.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		b.Fatalf("%s=%s: a number from 1 to %d", variable, text, most)
	}
	return n
}

// BenchmarkNight is a night with nothing to do: all that the file holds was sent
// before. The file is a real shop's year, repeated with other order and customer
// numbers: 10.8 million lines, 367,120 orders that can be sent. Shuffled, no two
// lines of an order stand beside each other.
func BenchmarkNight(b *testing.B) {
	copies := figure(b, copiesVariable, 20, 89)
	for _, shuffled := range []bool{false, true} {
		b.Run(map[bool]string{false: "by order", true: "shuffled"}[shuffled], func(b *testing.B) {
			dir := b.TempDir()
			years(b, dir, copies, shuffled)
			config := nightConfig(b, dir)
			known(b, config)
			quietNight(b, config, 18356*copies) // it keeps what cannot be sent
			var ours, duck time.Duration
			var peak int
			for b.Loop() {
				begin := time.Now()
				peak = max(peak, quietNight(b, config, 18356*copies))
				ours += time.Since(begin)
				duck += duckNight(b, dir)
			}
			b.ReportMetric(ours.Seconds()/float64(b.N), "s-night")
			b.ReportMetric(float64(peak)/1024, "MiB")
			if duck > 0 {
				b.ReportMetric(duck.Seconds()/float64(b.N), "s-duckdb")
				b.ReportMetric(float64(ours)/float64(duck), "x-duckdb")
			}
		})
	}
}

// BenchmarkDistinct is a quiet night over orders of one line each: what it
// holds in memory must not grow with their number.
func BenchmarkDistinct(b *testing.B) {
	n, dir := figure(b, distinctVariable, 200_000, 10_000_000), b.TempDir()
	distinct(b, dir, n)
	config := nightConfig(b, dir)
	known(b, config)
	var peak int
	for b.Loop() {
		peak = max(peak, quietNight(b, config, n))
	}
	b.ReportMetric(float64(peak)/1024, "MiB")
}

// distinct writes n orders of one line each, of a thousand customers in one summer,
// into dir.
func distinct(b *testing.B, dir string, n int) {
	b.Helper()
	orders, customers, sent := create(b, dir, "orders.csv"), create(b, dir, "customers.csv"), create(b, dir, "sent.csv")
	fmt.Fprintln(orders, "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country")
	fmt.Fprintln(customers, "customer_id,email,language")
	fmt.Fprintln(sent, "order")
	for i := range n {
		at := time.Date(2011, 4, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * (200 * 24 * time.Hour / time.Duration(n)))
		fmt.Fprintf(orders, "%d,%d,BOX %d,%d,%s,2.55,%d.0,United Kingdom\n", 10_000_000+i, 20_000+i%4000, i%4000, 1+i%7, at.Format(time.DateTime), 10_000+i%1000)
		fmt.Fprintln(sent, 10_000_000+i)
	}
	for i := range 1000 {
		fmt.Fprintf(customers, "%d,of%d@example.com,en-GB\n", 10_000+i, i)
	}
	for _, f := range []*bufio.Writer{orders, customers, sent} {
		check(b, f.Flush())
	}
}

// years writes orders.csv, customers.csv and sent.csv, the numbers of what can be
// sent, into dir.
func years(b *testing.B, dir string, copies int, shuffled bool) {
	b.Helper()
	text, err := os.ReadFile(retail(b, "online_retail.csv"))
	check(b, err)
	people, err := os.ReadFile(retail(b, "customers.csv"))
	people = bytes.ReplaceAll(people, []byte("\r"), nil)
	check(b, err)
	reachable := map[string]bool{}
	for line := range strings.SplitSeq(string(people), "\n") {
		if cells := strings.Split(line, ","); len(cells) == 3 && cells[1] != "" {
			reachable[cells[0]+".0"] = true
		}
	}
	header, body, _ := bytes.Cut(text, []byte("\n"))
	rows := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	dice := rand.New(rand.NewPCG(1, 2))
	if shuffled {
		dice.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	orders, customers, sent := create(b, dir, "orders.csv"), create(b, dir, "customers.csv"), create(b, dir, "sent.csv")
	fmt.Fprintf(orders, "%s\n", header)
	fmt.Fprintln(customers, "customer_id,email,language")
	fmt.Fprintln(sent, "order")
	order := make([]int, copies)
	for i := range order {
		order[i] = 10 + i
	}
	if !shuffled {
		for _, n := range order {
			numbered(orders, sent, rows, n, reachable)
		}
	} else { // line by line, so that an order's lie as far apart as they can
		for len(rows) > 0 {
			some := rows[:min(len(rows), 1+dice.IntN(3))]
			rows = rows[len(some):]
			dice.Shuffle(copies, func(i, j int) { order[i], order[j] = order[j], order[i] })
			for _, n := range order {
				numbered(orders, sent, some, n, reachable)
			}
		}
	}
	for _, n := range order {
		for line := range strings.SplitSeq(strings.TrimSpace(string(people)), "\n") {
			if id, rest, _ := strings.Cut(line, ","); id != "customer_id" {
				fmt.Fprintf(customers, "%d%s,of%d.%s\n", n, id, n, rest)
			}
		}
	}
	for _, f := range []*bufio.Writer{orders, customers, sent} {
		check(b, f.Flush())
	}
}

func create(b *testing.B, dir, name string) *bufio.Writer {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	check(b, err)
	b.Cleanup(func() { _ = f.Close() })
	return bufio.NewWriterSize(f, 1<<20)
}

// numbered writes rows whose order and customer numbers begin with n, and which of
// their orders have a customer with an address.
func numbered(orders, sent *bufio.Writer, rows [][]byte, n int, reachable map[string]bool) {
	var last []byte
	for _, row := range rows {
		number, rest, _ := bytes.Cut(row, []byte(","))
		country := bytes.LastIndexByte(rest, ',')
		customer := bytes.LastIndexByte(rest[:country], ',') + 1
		letter := 0
		if number[0] == 'C' || number[0] == 'A' {
			letter = 1
		}
		someone := customer < country
		fmt.Fprintf(orders, "%s%d%s,%s", number[:letter], n, number[letter:], rest[:customer])
		if someone {
			fmt.Fprint(orders, n)
		}
		fmt.Fprintf(orders, "%s\n", rest[customer:])
		if letter == 0 && reachable[string(rest[customer:country])] && !bytes.Equal(number, last) {
			fmt.Fprintf(sent, "%d%s\n", n, number)
			last = number
		}
	}
}

func nightConfig(b *testing.B, dir string) string {
	b.Helper()
	source := fmt.Sprintf(retailSource(b, "type: csv\npath: "+filepath.Join(dir, "orders.csv")+englishColumns), "InvoiceNo")
	source = strings.Replace(source, retail(b, "customers.csv"), filepath.Join(dir, "customers.csv"), 1)
	config := retailConfig(b, dir, "http://127.0.0.1:1", source)
	text, err := os.ReadFile(config)
	check(b, err)
	text = append(bytes.Replace(text, []byte("nothing_else_sends: true"), []byte("already_sent: [sent]"), 1), fmt.Sprintf(`evidence:
  sent:
    type: csv
    path: %s
    trust: proven
    shop: main
    side: backend
    covers_from: 2010-01-01
    columns: {order: order}
`, filepath.Join(dir, "sent.csv"))...)
	return write(b, dir, "adopt.yaml", string(text))
}

// known makes the ledger know everything that can be sent.
func known(b *testing.B, config string) {
	b.Helper()
	if out, err := play(b, "adopt", "sent", "-c", config, "--unseen").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

// quietNight plays a night over so many known orders, and gives the peak of its
// memory in KiB.
func quietNight(b *testing.B, config string, orders int) int {
	b.Helper()
	plain := filepath.Join(filepath.Dir(config), "makegood.yaml")
	cmd := play(b, append([]string{"run", "--json", "-c", plain}, retailWindow...)...)
	peak := filepath.Join(b.TempDir(), "peak")
	cmd.Env = append(cmd.Env, peakVariable+"="+peak)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v\n%.4000s", err, out)
	}
	var r reportJSON
	check(b, json.Unmarshal(out, &r))
	if n := r.Targets[0].Balance.AlreadySent.Orders; n != orders {
		b.Fatalf("%d orders were sent before, not %d\n%.4000s", n, orders, out)
	}
	text, err := os.ReadFile(peak)
	check(b, err)
	kb, err := strconv.Atoi(string(text))
	check(b, err)
	return kb
}

// duckScript does in DuckDB what the night does: filter, group, exact sum, join
// with the customers, and what was not sent.
const duckScript = `import { DuckDBInstance } from '@duckdb/node-api'
const db = await DuckDBInstance.create(':memory:', { threads: '2' })
const at = await db.connect()
const csv = (name, columns) => ` + "`read_csv('${process.env.DIR}/${name}.csv', header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = ${columns})`" + `
const found = await at.runAndReadAll(` + "`" + `
WITH orders AS (
  SELECT InvoiceNo AS id, min(InvoiceDate) AS at, sum(Quantity * UnitPrice) AS amount, max(CustomerID) AS customer
  FROM ${csv('orders', "{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'INTEGER', 'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DECIMAL(18, 5)', 'CustomerID': 'VARCHAR', 'Country': 'VARCHAR'}")}
  WHERE InvoiceNo NOT LIKE 'C%' AND InvoiceNo NOT LIKE 'A%' GROUP BY InvoiceNo),
sendable AS (SELECT id, amount FROM orders JOIN ${csv('customers', "{'customer_id': 'VARCHAR', 'email': 'VARCHAR', 'language': 'VARCHAR'}")} ON customer_id = replace(customer, '.0', ''))
SELECT (SELECT count(*) FROM sendable), (SELECT sum(amount) FROM orders),
  (SELECT count(*) FROM sendable ANTI JOIN ${csv('sent', "{'number': 'VARCHAR'}")} ON number = id)` + "`" + `)
console.log(found.getRows()[0].map(String).join(' '))
`

// duckNight is the same work by DuckDB in a process of its own; 0 where there is
// none.
func duckNight(b *testing.B, dir string) time.Duration {
	b.Helper()
	modules := os.Getenv(duckVariable)
	if modules == "" {
		return 0
	}
	script := write(b, modules, "night.mjs", duckScript)
	cmd := exec.Command("node", script)
	cmd.Env = append(slices.Clone(os.Environ()), "DIR="+dir)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begin)
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), " 0") {
		b.Fatalf("%v\n%s", err, out)
	}
	return took
}
