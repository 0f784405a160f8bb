package sqldb

import (
	"errors"
	"strings"
	"testing"
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
	if _, args, _ := (postgres{}).bind(":to :from :to", ends); len(args) != 2 || args[0] != "to" || args[1] != "from" {
		t.Errorf("arguments %q", args)
	}
	if _, _, err := (postgres{}).bind("a = $1 AND b = :from", ends); !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "$1") {
		t.Errorf("a parameter that nobody fills: %v", err)
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
