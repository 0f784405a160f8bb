package sqldb

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

func TestWindow(t *testing.T) {
	path := makeDatabase(t, `CREATE TABLE orders (id TEXT, at DATETIME)`,
		`INSERT INTO orders VALUES ('before', '2026-10-25 09:59:59'), ('first', '2026-10-25 10:00:00'),
		 ('last', '2026-10-25 11:59:59'), ('after', '2026-10-26 00:00:00')`)
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	w := reconcile.Window{
		From: time.Date(2026, 10, 25, 9, 0, 0, 0, time.UTC), // 10:00 in Amsterdam, winter time since 03:00
		To:   time.Date(2026, 10, 25, 11, 0, 0, 0, time.UTC),
	}
	query := `SELECT id, ':to and ?' AS "a :form" FROM orders WHERE at >= :from AND at < :to -- not :this
		AND id <> '' /* :nor @this */ ORDER BY at`
	rows, columns, err := readAll(t.Context(), New("shop", path, query, Options{Zone: amsterdam}).Within(w))
	if want := []string{"first|:to and ?", "last|:to and ?"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, error %v; want %q", rows, err, want)
	}
	if want := []string{"id", "a :form"}; !slices.Equal(columns, want) {
		t.Errorf("columns %q, want %q", columns, want)
	}
	echo := New("shop", path, `SELECT :to, :from, :to`, Options{Zone: amsterdam, Bind: Instant}).
		Within(reconcile.Window{From: w.From.Add(time.Millisecond), To: w.To.Add(time.Millisecond)})
	rows, _, err = readAll(t.Context(), echo)
	if want := []string{"2026-10-25T11:00:01Z|2026-10-25 09:00|2026-10-25T11:00:01Z"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("instants %q, error %v; want %q", rows, err, want)
	}
}

// No form of a time that is a text leaves an order out at an end of the period.
func TestWindowForms(t *testing.T) {
	w := reconcile.Window{From: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), To: time.Date(2026, 7, 2, 11, 0, 0, 0, time.UTC)}
	for form, layout := range map[string]string{"blank": "2006-01-02 15:04:05", "T": "2006-01-02T15:04:05", "T and Z": "2006-01-02T15:04:05Z",
		"minutes": "2006-01-02 15:04", "minutes and T": "2006-01-02T15:04", "milliseconds": "2006-01-02T15:04:05.000Z"} {
		path := makeDatabase(t, "CREATE TABLE orders (id TEXT, at DATETIME)")
		owner, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		for id, at := range map[string]time.Time{"before": w.From.Add(-24 * time.Hour), "first": w.From, "last": w.To.Add(-time.Minute), "past": w.To.Add(24 * time.Hour)} {
			if _, err := owner.Exec("INSERT INTO orders VALUES (?, ?)", id, at.Format(layout)); err != nil {
				t.Fatal(err)
			}
		}
		if err := owner.Close(); err != nil {
			t.Fatal(err)
		}
		for _, bind := range []Bind{WallClock, Instant} {
			for _, where := range []string{"at >= :from AND at < :to", "datetime(at) >= datetime(:from) AND datetime(at) < datetime(:to)"} {
				f := New("shop", path, "SELECT id FROM orders WHERE "+where+" ORDER BY at", Options{Bind: bind}).Within(w)
				rows, _, err := readAll(t.Context(), f)
				if want := []string{"first", "last"}; err != nil || !slices.Equal(rows, want) {
					t.Errorf("%s, %s: rows %q, error %v; want %q", form, where, rows, err, want)
				}
			}
		}
	}
}

func TestOneParameter(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE t (v)")
	w := reconcile.Window{From: time.Unix(0, 0), To: time.Unix(60, 0)}
	rows, _, err := readAll(t.Context(), New("shop", path, "SELECT :to;", Options{}).Within(w))
	if want := []string{"1970-01-01T00:01:00"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, error %v; want %q", rows, err, want)
	}
	if _, _, err := readAll(t.Context(), New("shop", path, "SELECT :to", Options{})); !errors.Is(err, ErrWindow) {
		t.Errorf("without a period: error %v, want ErrWindow", err)
	}
}

// A column of days is in the period with the day that it ends in.
func TestServersDays(t *testing.T) {
	for _, s := range servers(t) {
		s.exec(t, "CREATE TABLE days (d DATE)", "INSERT INTO days VALUES ('2026-06-30'), ('2026-07-01'), ('2026-07-02'), ('2026-07-03')")
		for name, c := range map[string]struct {
			to   time.Time
			want []string
		}{
			"midnight": {time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), []string{"2026-07-01"}},
			"morning":  {time.Date(2026, 7, 2, 2, 30, 0, 0, time.UTC), []string{"2026-07-01", "2026-07-02"}},
		} {
			w := reconcile.Window{From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), To: c.to}
			for _, bind := range []Bind{WallClock, Instant} {
				rows, _, err := readAll(t.Context(), s.file("SELECT d FROM days WHERE d < :to AND d >= :from AND :to > d ORDER BY d", Options{Bind: bind}).Within(w))
				if err != nil || !slices.Equal(rows, c.want) {
					t.Errorf("%s, %s: rows %q, error %v; want %q", s.name, name, rows, err, c.want)
				}
			}
		}
	}
}
