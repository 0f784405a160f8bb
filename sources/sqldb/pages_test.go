package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/table"
)

// place is a database that a test can fill.
type place struct {
	name, dsn string
	exec      func(testing.TB, ...string)
}

func places(t *testing.T) []place {
	t.Helper()
	path := makeDatabase(t, "CREATE TABLE unused (v)")
	owner, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Close() })
	all := []place{{"sqlite", path, server{name: "sqlite", owner: owner}.exec}}
	for _, s := range conforming(t) {
		all = append(all, place{s.name, s.dsn, s.exec})
	}
	return all
}

// fill makes a table of orders with the given numbers of lines, shuffled.
func (p place) fill(t *testing.T, name string, lines ...int) (want []string) {
	t.Helper()
	p.exec(t, "CREATE TABLE "+name+" (ord INTEGER, line VARCHAR(20), sku VARCHAR(20))")
	var values []string
	for order, n := range lines {
		for line := range n {
			values = append(values, fmt.Sprintf("(%d, 'L%05d', 'sku''%d')", order+7, line, line))
			want = append(want, fmt.Sprintf("%d|L%05d|sku'%d", order+7, line, line))
		}
	}
	for i := range values {
		j := (i * 7919) % len(values)
		values[i], values[j] = values[j], values[i]
	}
	for chunk := range slices.Chunk(values, 500) {
		p.exec(t, "INSERT INTO "+name+" VALUES "+strings.Join(chunk, ","))
	}
	return want
}

// readNoted gives the rows of a file and what is noted of them.
func readNoted(ctx context.Context, f table.File) (rows, notes []string, err error) {
	c, err := f.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { notes, err = c.Notes(), errors.Join(err, c.Close()) }()
	for {
		switch row, err := c.Next(); {
		case err == io.EOF:
			return rows, nil, nil
		case err != nil:
			return rows, nil, err
		default:
			rows = append(rows, strings.Join(row.Cells, "|"))
		}
	}
}

func TestPages(t *testing.T) {
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			for name, lines := range map[string][]int{"one": {1}, "few": {2, 3}, "page": {pageRows}, "more": {pageRows - 1, 2, pageRows + 5, 1}} {
				want := p.fill(t, name, lines...)
				rows, _, err := readAll(t.Context(), New("shop", p.dsn, "", Options{Table: name, Key: []string{"ord", "line"}}))
				if err != nil || !slices.Equal(rows, want) {
					t.Errorf("%s: %d rows, want %d, error %v", name, len(rows), len(want), err)
				}
			}
			p.exec(t, "CREATE TABLE nobody (ord INTEGER, line INTEGER)")
			if rows, _, err := readAll(t.Context(), New("shop", p.dsn, "", Options{Table: "nobody", Key: []string{"ord"}})); err != nil || len(rows) > 0 {
				t.Errorf("an empty table: %q, error %v", rows, err)
			}
		})
	}
}

func TestPagesRefuse(t *testing.T) {
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			p.exec(t, "CREATE TABLE o (ord INTEGER, line INTEGER)", "INSERT INTO o VALUES (1, 1), (1, 2), (2, NULL)")
			for name, c := range map[string]struct {
				table, key, says string
			}{
				"twice":     {"o", "ord", "two rows of o have one key (ord)"},
				"empty":     {"o", "line", "1 rows of o have no value in line"},
				"no column": {"o", "nix", "nix"},
				"no table":  {"order", "ord", "there is no table \"order\""},
				"no schema": {"elsewhere.o", "ord", ""},
			} {
				_, _, err := readAll(t.Context(), New("shop", p.dsn, "", Options{Table: c.table, Key: []string{c.key}}))
				if !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// cutter is a network between makegood and a server that breaks.
type cutter struct {
	net.Listener
	to   string
	cuts []int64 // of each connection: after how many bytes of answers; 0: never
	made atomic.Int64
}

func newCutter(t *testing.T, to string, cuts ...int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to, cuts: cuts}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.join(conn, int(c.made.Add(1))-1)
		}
	}()
	return c
}

// join copies both ways until the connection is cut.
func (c *cutter) join(conn net.Conn, n int) {
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		conn.Close()
		return
	}
	go func() {
		_, _ = io.Copy(server, conn)
		server.Close()
	}()
	go func() {
		from := io.Reader(server)
		if n < len(c.cuts) && c.cuts[n] > 0 {
			from = io.LimitReader(server, c.cuts[n])
		}
		_, _ = io.Copy(conn, from)
		conn.Close()
		server.Close()
	}()
}

// through gives the DSN of a server behind the cutter.
func (s server) through(c *cutter) string {
	_, port, _ := net.SplitHostPort(c.Addr().String())
	dsn := strings.Replace(s.dsn, "127.0.0.1:5432", "127.0.0.1:"+port, 1)
	return strings.Replace(dsn, "root@127.0.0.1/", "root@127.0.0.1:"+port+"/", 1)
}

func (s server) address() string {
	if s.name == "postgres" {
		return "127.0.0.1:5432"
	}
	return "127.0.0.1:3306"
}

var soon = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}

// TestLostConnection cuts the connection at many places. Each row is given
// once, in the order of the key.
func TestLostConnection(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.name, func(t *testing.T) {
			want := place{s.name, s.dsn, s.exec}.fill(t, "o", 3, 1900, 250, 1, 4000)
			for _, cut := range []int64{20_000, 45_001, 60_000, 99_999, 120_000} {
				c := newCutter(t, s.address(), cut, cut+7000, 0)
				rows, notes, err := readNoted(t.Context(), New("shop", s.through(c), "", Options{Table: "o", Key: []string{"ord", "line"}, Waits: soon}))
				if err != nil || !slices.Equal(rows, want) {
					t.Errorf("cut after %d: %d rows, want %d, error %v", cut, len(rows), len(want), err)
				}
				if c.made.Load() < 2 || len(notes) != 1 || !strings.Contains(notes[0], "lost") {
					t.Errorf("cut after %d: %d connections, notes %q", cut, c.made.Load(), notes)
				}
			}
			restarted := newCutter(t, s.address(), 45_000, 1, 1) // the server comes back after a while
			rows, _, err := readNoted(t.Context(), New("shop", s.through(restarted), "", Options{Table: "o", Key: []string{"ord", "line"}, Waits: soon}))
			if err != nil || !slices.Equal(rows, want) {
				t.Errorf("a server that starts anew: %d rows, want %d, error %v", len(rows), len(want), err)
			}
			c := newCutter(t, s.address(), slices.Repeat([]int64{20_000}, 20)...)
			_, _, err = readAll(t.Context(), New("shop", s.through(c), "", Options{Table: "o", Key: []string{"ord", "line"}, Waits: soon}))
			if !errors.Is(err, table.ErrLost) || c.made.Load() > 8 { // PostgreSQL is told on a connection of its own that a query is over

				t.Errorf("cut again and again: error %v after %d connections", err, c.made.Load())
			}
		})
	}
}

// TestLostQuery: a query has no place to go on from. The pass begins anew, and
// each order is there once, with all its lines.
func TestLostQuery(t *testing.T) {
	cfg := &config.Source{Name: "shop", Shop: "main", Currency: "EUR", Channel: "online", OrderUnique: "always", Files: "versions",
		Table:   config.Table{Zone: &config.Zone{Location: time.UTC}},
		MaySend: &config.MaySend{All: true, Reason: "test"},
		Columns: map[string]string{"order": "ord", "completed_at": `= "2026-05-01 10:00"`, "sku": "sku", "quantity": `= "1"`, "price": `= "2"`}}
	w := reconcile.Window{From: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)}
	for _, s := range servers(t) {
		place{s.name, s.dsn, s.exec}.fill(t, "o", 3, 1900, 250, 1, 4000)
		for _, c := range []struct {
			cuts []int64
			fine bool
		}{{[]int64{45_000, 0, 60_000}, true}, {slices.Repeat([]int64{45_000}, 20), false}} {
			net := newCutter(t, s.address(), c.cuts...)
			file := New("shop", s.through(net), "SELECT * FROM o", Options{})
			source, err := table.New(cfg, func(context.Context, reconcile.Window) ([]table.File, error) { return []table.File{file}, nil },
				table.Options{StateDir: t.TempDir(), Waits: soon[:2]})
			if err != nil {
				t.Fatal(err)
			}
			lines := map[string]int{}
			for h, headErr := range source.Heads(t.Context(), w) {
				if err = headErr; err == nil {
					lines[h.Key.Order] += h.Lines
				}
			}
			if c.fine && (err != nil || fmt.Sprint(lines) != "map[10:1 11:4000 7:3 8:1900 9:250]" || source.Tally().Rows != 6154) {
				t.Errorf("%s: %v, %d rows, error %v", s.name, lines, source.Tally().Rows, err)
			}
			if !c.fine && (!errors.Is(err, table.ErrLost) || len(lines) > 0) {
				t.Errorf("%s, cut again and again: %v, error %v", s.name, lines, err)
			}
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
