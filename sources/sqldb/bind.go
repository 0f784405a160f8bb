package sqldb

import (
	"fmt"
	"strings"
)

// grammar is what must be known of a server's SQL to find :from and :to.
type grammar struct {
	// skip gives the end of the text, quoted name or comment at i, or i.
	skip func(query string, i int) int
	// foreign tells whether a parameter of the server's own kind is at the
	// beginning of rest. Nobody would fill it.
	foreign func(rest string) bool
}

// cut splits a query at :from and :to: names[i] stood between pieces[i] and
// pieces[i+1]. Nothing else is changed.
func (g grammar) cut(query string) (pieces, names []string, err error) {
	begin := 0
	for i := 0; i < len(query); {
		if end := g.skip(query, i); end > i {
			i = end
			continue
		}
		if g.foreign(query[i:]) {
			return nil, nil, fmt.Errorf("%w: it asks for %s; there are only :from and :to", ErrQuery, query[i:i+1+word(query[i+1:])])
		}
		n := parameter(query[i:])
		if n == 0 {
			i += step(query[i:])
			continue
		}
		pieces, names = append(pieces, query[begin:i]), append(names, query[i:i+n])
		i += n
		begin = i
	}
	return append(pieces, query[begin:]), names, nil
}

// parameter is the length of :from or :to at the beginning of s, or 0.
func parameter(s string) int {
	if s[0] != ':' {
		return 0
	}
	switch n := word(s[1:]); s[1 : 1+n] {
	case "from", "to":
		return 1 + n
	}
	return 0
}

// step is the length of the word or sign at the beginning of s. A cast is one
// sign: what follows it is a type.
func step(s string) int {
	if strings.HasPrefix(s, "::") {
		return 2
	}
	return max(1, word(s))
}

// closed gives the end of what begins before i and is closed by a sign that
// counts as part of it when it is doubled or, where escapes is "\\", follows
// a backslash. What is not closed goes on to the end.
func closed(query string, i int, sign byte, escapes string) int {
	for ; i < len(query); i++ {
		switch {
		case escapes != "" && query[i] == escapes[0]:
			i++
		case query[i] == sign && i+1 < len(query) && query[i+1] == sign:
			i++
		case query[i] == sign:
			return i + 1
		}
	}
	return len(query)
}

// after gives the end of the first end from i on, or that of the query.
func after(query string, i int, end string) int {
	if n := strings.Index(query[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(query)
}

func digit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

var postgresGrammar = grammar{
	skip:    skipPostgres,
	foreign: func(rest string) bool { return rest[0] == '$' && digit(rest[1:]) },
}

func skipPostgres(query string, i int) int {
	rest := query[i:]
	switch {
	case strings.HasPrefix(rest, "e'"), strings.HasPrefix(rest, "E'"):
		return closed(query, i+2, '\'', `\`)
	case rest[0] == '\'', rest[0] == '"':
		return closed(query, i+1, rest[0], "")
	case strings.HasPrefix(rest, "--"):
		return lineEnd(query, i)
	case strings.HasPrefix(rest, "/*"):
		return nested(query, i)
	case rest[0] == '$':
		if tag := dollar(rest); tag != "" {
			return after(query, i+len(tag), tag)
		}
	}
	return i
}

// lineEnd is where the line of i ends: both signs end it.
func lineEnd(query string, i int) int {
	if n := strings.IndexAny(query[i:], "\r\n"); n >= 0 {
		return i + n
	}
	return len(query)
}

// nested gives the end of the comment at i, which may hold others.
func nested(query string, i int) int {
	for depth := 0; i < len(query); {
		switch rest := query[i:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			i += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(query)
}

// dollar is the opening $tag$ at the beginning of s, or "".
func dollar(s string) string {
	n := strings.IndexByte(s[1:], '$')
	if n < 0 || digit(s[1:]) || word(s[1:1+n]) != n {
		return ""
	}
	return s[:n+2]
}

var mysqlGrammar = grammar{
	skip:    skipMySQL,
	foreign: func(rest string) bool { return rest[0] == '?' },
}

func skipMySQL(query string, i int) int {
	rest := query[i:]
	switch {
	case rest[0] == '\'', rest[0] == '"':
		return closed(query, i+1, rest[0], `\`)
	case rest[0] == '`':
		return closed(query, i+1, '`', "")
	case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' ' || rest[2] == 0x7f):
		return after(query, i, "\n")
	case strings.HasPrefix(rest, "/*"):
		return after(query, i+2, "*/")
	}
	return i
}
