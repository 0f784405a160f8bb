package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/sources/internal/near"
)

// statement is the people's own query, or the one that reads the whole table.
func (f *File) statement(ctx context.Context, e engine, db *sqlx.DB) (string, error) {
	switch {
	case strings.TrimSpace(f.query) != "" && f.options.Table != "":
		return "", errors.New("read either a query or a table: both are given")
	case strings.TrimSpace(f.query) != "":
		return f.query, nil
	case f.options.Table != "":
		return f.wholeTable(ctx, e, db)
	}
	return "", errors.New("read either a query or a table: none is given")
}

// wholeTable is the query for a table or view, which must be there.
func (f *File) wholeTable(ctx context.Context, e engine, db *sqlx.DB) (string, error) {
	if err := f.lookForTable(ctx, e, db); err != nil {
		return "", err
	}
	return "SELECT * FROM " + quotedTable(e, f.options.Table), nil
}

// lookForTable names those that there are when the wanted one is missing. What
// is in another schema is looked for by the server.
func (f *File) lookForTable(ctx context.Context, e engine, db *sqlx.DB) error {
	want := f.options.Table
	if strings.Contains(want, ".") {
		return nil
	}
	var names []string
	if err := db.SelectContext(ctx, &names, e.tables()); err != nil {
		return err
	}
	if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, want) }) {
		text := fmt.Sprintf("there is no table %q; the tables are %s", want, quoted(names))
		if n := near.Name(want, names); n != "" {
			text += fmt.Sprintf(" (did you mean %q?)", n)
		}
		return fmt.Errorf("%w: %s", ErrQuery, text)
	}
	return nil
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(list, ", ")
}

// end is the text of :from or :to.
func (f *File) end(name string) (string, error) {
	if err := f.window.Check(); err != nil {
		return "", ErrWindow
	}
	if name == ":from" {
		return f.text(f.window.From), nil
	}
	return f.text(f.window.To.Add(time.Second - time.Nanosecond)), nil
}

// text writes a time for the query, cut to the second.
func (f *File) text(t time.Time) string {
	if f.options.Bind == Instant {
		return t.UTC().Format(time.RFC3339)
	}
	return t.In(f.options.Zone).Format(time.DateTime)
}

// parameters lists the parameters of a query once each, with their sign, in
// the order in which they first occur: not those in texts, quoted names and
// comments.
func parameters(query string) []string {
	var found []string
	for i := 0; i < len(query); {
		end := skip(query, i)
		switch {
		case end > i:
		case strings.IndexByte(":@$?", query[i]) >= 0:
			end = i + 1 + word(query[i+1:])
			if p := query[i:end]; (len(p) > 1 || p == "?") && !slices.Contains(found, p) {
				found = append(found, p)
			}
		default:
			end = i + max(1, word(query[i:]))
		}
		i = end
	}
	return found
}

// skip gives the end of the text, quoted name or comment that begins at i, or
// i where none does. One that is not closed goes on to the end.
func skip(query string, i int) int {
	rest := query[i:]
	for _, q := range [...]struct{ open, end string }{
		{"'", "'"}, {`"`, `"`}, {"`", "`"}, {"[", "]"}, {"--", "\n"}, {"/*", "*/"},
	} {
		if !strings.HasPrefix(rest, q.open) {
			continue
		}
		if n := strings.Index(rest[len(q.open):], q.end); n >= 0 {
			return i + len(q.open) + n + len(q.end)
		}
		return len(query)
	}
	return i
}

// word is the length of the identifier at the beginning of s.
func word(s string) int {
	for i, c := range []byte(s) {
		letter := c == '_' || c == '$' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter {
			return i
		}
	}
	return len(s)
}
