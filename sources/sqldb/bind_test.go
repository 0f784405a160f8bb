package sqldb

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func ends(name string) (string, error) { return strings.TrimPrefix(name, ":"), nil }

func TestBindPostgres(t *testing.T) {
	for query, want := range map[string]string{
		"at >= :from AND at < :to":                "at >=  $1  AND at <  $2 ",
		"at<:to OR at>:from OR :to":               "at< $1  OR at> $2  OR  $1 ",
		":from::timestamp, x::to, (:to)::date":    " $1 ::timestamp, x::to, ( $2 )::date",
		"':from' 'it''s :from' E'\\':from' :from": "':from' 'it''s :from' E'\\':from'  $1 ",
		`'\' :from`:                                     `'\'  $1 `,
		`"a "":from" :to -- :from` + "\n:from":          `"a "":from"  $1  -- :from` + "\n $2 ",
		"/* /* :from */ :to */ :from":                   "/* /* :from */ :to */  $1 ",
		"$$ :from $$ $a$ $$ :to $b$ $a$ :from":          "$$ :from $$ $a$ $$ :to $b$ $a$  $1 ",
		"a$x$ :from":                                    "a$x$  $1 ",
		"x ? 'a', x ->> '?', a[1:2], :fromage, :tonne_": "x ? 'a', x ->> '?', a[1:2], :fromage, :tonne_",
		"a[:from], f(x := 1)":                           "a[ $1 ], f(x := 1)",
		"'open :from":                                   "'open :from",
		"nameE':from' :to":                              "nameE':from'  $1 ",
		"-- a\r:from":                                   "-- a\r $1 ",
	} {
		if got, _, err := (postgres{}).bind(query, ends); err != nil || got != want {
			t.Errorf("bind(%q) = %q, error %v; want %q", query, got, err, want)
		}
	}
	if _, args, _ := (postgres{}).bind(":to :from :to", ends); len(args) != 2 || args[0] != periodEnd("to") || args[1] != "from" {
		t.Errorf("arguments %q", args)
	}
	if _, _, err := (postgres{}).bind("a = $1 AND b = :from", ends); !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "$1") {
		t.Errorf("a parameter that nobody fills: %v", err)
	}
}

func TestBindSQLServer(t *testing.T) {
	for query, want := range map[string]string{
		"at >= :from AND at < :to OR :from":              "at >=  @makegood_from  AND at <  @makegood_to  OR  @makegood_from ",
		`'it''s :from' "a"":to" [b]]:from] :to`:          `'it''s :from' "a"":to" [b]]:from]  @makegood_to `,
		"/* /* :from */ :to */ :from -- :to\n@@ROWCOUNT": "/* /* :from */ :to */  @makegood_from  -- :to\n@@ROWCOUNT",
		`'\' :from`: `'\'  @makegood_from `,
	} {
		if got, _, err := (sqlserver{}).bind(query, ends); err != nil || got != want {
			t.Errorf("bind(%q) = %q, error %v; want %q", query, got, err, want)
		}
	}
	_, args, _ := (sqlserver{}).bind(":to :from :to", func(string) (string, error) { return "2026-11-01 10:00:00", nil })
	if len(args) != 2 || args[0] != sql.Named("makegood_to", "2026-11-01T10:00:00") {
		t.Errorf("arguments %v", args)
	}
	if _, _, err := (sqlserver{}).bind("a = @a AND b = :from", ends); !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "@a") {
		t.Errorf("a parameter that nobody fills: %v", err)
	}
}

func TestPageStatements(t *testing.T) {
	key, last := []string{"o", "l]`"}, []any{7, "x"}
	for name, c := range map[string]struct {
		engine      engine
		first, next string
	}{
		"sqlserver": {sqlserver{}, "SELECT TOP (2000) * FROM [a].[t] ORDER BY [o], [l]]`]",
			"SELECT TOP (2000) * FROM [a].[t] WHERE [o] >= @p1 AND (([o] > @p2) OR ([o] = @p3 AND [l]]`] > @p4)) ORDER BY [o], [l]]`]"},
		"postgres": {postgres{}, `SELECT * FROM "a"."t" ORDER BY "o", "l]` + "`" + `" LIMIT 2000`,
			`SELECT * FROM "a"."t" WHERE "o" >= $1 AND (("o" > $2) OR ("o" = $3 AND "l]` + "`" + `" > $4)) ORDER BY "o", "l]` + "`" + `" LIMIT 2000`},
		"mysql": {mariadb{}, "SELECT * FROM `a`.`t` ORDER BY `o`, `l]``` LIMIT 2000",
			"SELECT * FROM `a`.`t` WHERE `o` >= ? AND ((`o` > ?) OR (`o` = ? AND `l]``` > ?)) ORDER BY `o`, `l]``` LIMIT 2000"},
	} {
		first, none := c.engine.page(quotedTable(c.engine, "a.t"), key, nil)
		next, args := c.engine.page(quotedTable(c.engine, "a.t"), key, last)
		if first != c.first || next != c.next || len(none) > 0 || !slices.Equal(args, []any{7, 7, 7, "x"}) {
			t.Errorf("%s: %s %v\n%s %v", name, first, none, next, args)
		}
	}
}

// TestSQLServerValues: what the driver makes of values, back in text.
func TestSQLServerValues(t *testing.T) {
	at := time.Date(2026, 11, 1, 23, 5, 6, 120_000_000, time.FixedZone("", 3600))
	for _, c := range []struct {
		kind  string
		value any
		want  string
	}{
		{"BIT", true, "true"}, {"REAL", float64(float32(9.8)), "9.8"}, {"FLOAT", 9.8, "9.8"}, {"DECIMAL", []byte("12.50"), "12.50"},
		{"DATETIMEOFFSET", at, "2026-11-01T23:05:06.12+01:00"}, {"DATETIME2", at, "2026-11-01 23:05:06.12"}, {"DATE", at, "2026-11-01"},
		{"BIGINT", int64(1 << 60), "1152921504606846976"}, {"NVARCHAR", "Täßchen", "Täßchen"}, {"INT", nil, ""},
		{"UNIQUEIDENTIFIER", []byte{0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8}, "01234567-89AB-CDEF-0102-030405060708"},
	} {
		if got, problem := text((sqlserver{}).value(c.kind, c.value)); got != c.want || problem != "" {
			t.Errorf("%s is %q (%s), want %q", c.kind, got, problem, c.want)
		}
	}
}

func TestBindMySQL(t *testing.T) {
	for query, want := range map[string]string{
		"at >= :from AND at < :to OR :from":               "at >=  ?  AND at <  ?  OR  ? ",
		`'it\'s :from' "\":to" 'it''s :to' :from`:         `'it\'s :from' "\":to" 'it''s :to'  ? `,
		"`a``:from` `\\` :to":                             "`a``:from` `\\`  ? ",
		"# :from\n:from -- :from\n:from --\t:from\n:from": "# :from\n ?  -- :from\n ?  --\t:from\n ? ",
		"1--:from":                              "1-- ? ",
		"/* :from */ :to '?' `?` /* ? */ @a:=1": "/* :from */  ?  '?' `?` /* ? */ @a:=1",
		"/* /* */ :from":                        "/* /* */  ? ",
		"'a' --":                                "'a' --",
	} {
		if got, _, err := (mariadb{}).bind(query, ends); err != nil || got != want {
			t.Errorf("bind(%q) = %q, error %v; want %q", query, got, err, want)
		}
	}
	if _, args, _ := (mariadb{}).bind(":to :from :to", ends); len(args) != 3 || args[0] != "to" || args[1] != "from" || args[2] != "to" {
		t.Errorf("arguments %q", args)
	}
	if _, _, err := (mariadb{}).bind("a = ? AND b = :from", ends); !errors.Is(err, ErrQuery) {
		t.Errorf("a parameter that nobody fills: %v", err)
	}
}

// FuzzBind puts a query together of pieces that hold no parameter and of
// parameters, and wants exactly these found.
func FuzzBind(f *testing.F) {
	common := []string{"a >= ", "':from'", "'it''s :to'", `":from"`, " x::to ", "/* :from */", "-- :to\n", "é", ":fromx", "1.5", "(", " /*'*/ ", "''", "\n"}
	kinds := []struct {
		grammar grammar
		pieces  []string
	}{
		{postgresGrammar, append([]string{"$$:from$$", "$t$ $$ :to $t$", `E'\':from'`, `'\'`, `"\"`, "/*/*:to*/:to*/", "a$b$", "ab$$", " ? "}, common...)},
		{mysqlGrammar, append([]string{"`:from`", "`\\`", `'\':from'`, `"\":to"`, "# :from\n", "1--2", "/*/*:to*/", "$$"}, common...)},
	}
	for i := range 30 {
		f.Add([]byte{byte(i), 0, byte(i), 1, byte(i + 1)}, ":from '")
	}
	f.Fuzz(func(t *testing.T, choice []byte, raw string) {
		for _, kind := range kinds {
			pieces, names, err := kind.grammar.cut(raw) // whatever it is: nothing is lost
			if err == nil && joined(pieces, names) != raw {
				t.Fatalf("%q was cut into %q and %q", raw, pieces, names)
			}
			var query strings.Builder
			var want []string
			for _, c := range choice {
				switch n := int(c) % (len(kind.pieces) + 2); n {
				case 0, 1:
					want = append(want, [...]string{":from", ":to"}[n])
					query.WriteString(" " + want[len(want)-1] + " ")
				default:
					query.WriteString(" " + kind.pieces[n-2] + " ")
				}
			}
			pieces, names, err = kind.grammar.cut(query.String())
			if err != nil || strings.Join(names, "") != strings.Join(want, "") || joined(pieces, names) != query.String() {
				t.Fatalf("%q: found %q, error %v; want %q", query.String(), names, err, want)
			}
		}
	})
}

func joined(pieces, names []string) string {
	var b strings.Builder
	for i, p := range pieces {
		b.WriteString(p)
		if i < len(names) {
			b.WriteString(names[i])
		}
	}
	return b.String()
}
