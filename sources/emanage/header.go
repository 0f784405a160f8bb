package emanage

import (
	"context"
	"strings"
	"unicode"

	"makegood/sources/table"
)

// names are the columns that an export has under several names, each under the
// one that a configuration uses, which is the first.
var names = [][]string{
	{"Order ID", "OrderId"},
	{"Order Number"},
	{"Order Status Name", "OrderStatus"},
	{"Receipt Status Name", "PaymentStatus"},
	{"Order Create Date", "createDate"},
	{"Updated Date"},
	{"Total", "Amount", "Amount USD", "productPrice"},
	{"Currency Code"},
	{"TransactionId"},
	{"Reference ID"},
	{"Receipt ID"},
	{"Payment Tracking Number"},
}

// Columns are all names by which the header of an export is known.
func Columns() []string {
	var all []string
	for _, list := range names {
		all = append(all, list...)
	}
	return all
}

// plain is a name without blanks, signs and case.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// Rename gives the columns of an export the names of a configuration. Of
// several that are the same the first in the list of names is taken, and a
// column is never called what another one is.
func Rename(columns []string) []string {
	renamed := append([]string(nil), columns...)
	at := map[string]int{}
	for i, name := range columns {
		if _, twice := at[plain(name)]; !twice {
			at[plain(name)] = i
		}
	}
	for _, list := range names {
		for _, name := range list {
			if i, ok := at[plain(name)]; ok {
				renamed[i] = list[0]
				break
			}
		}
	}
	return renamed
}

// File gives the rows of a file of an export under the names of a
// configuration.
func File(f interface {
	table.File
	table.Sampler
}) table.File {
	return &renaming{File: f, sampler: f, headers: map[*table.Header]*table.Header{}}
}

type renaming struct {
	table.File
	sampler table.Sampler
	headers map[*table.Header]*table.Header
}

func (r *renaming) header(h *table.Header) *table.Header {
	if h == nil {
		return nil
	}
	if r.headers[h] == nil {
		other := *h
		other.Columns = Rename(h.Columns)
		r.headers[h] = &other
	}
	return r.headers[h]
}

// Open starts a pass.
func (r *renaming) Open(ctx context.Context) (table.Cursor, error) {
	c, err := r.File.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &cursor{c, r}, nil
}

// Sample gives the first rows.
func (r *renaming) Sample(ctx context.Context) (table.Sample, error) {
	s, err := r.sampler.Sample(ctx)
	s.Header = r.header(s.Header)
	return s, err
}

// UseDecimal tells a file that knows numbers from texts which sign its texts show.
func (r *renaming) UseDecimal(sign string) {
	if typed, ok := r.File.(table.Typed); ok {
		typed.UseDecimal(sign)
	}
}

type cursor struct {
	table.Cursor
	file *renaming
}

// Header gives the header before the first row.
func (c *cursor) Header() *table.Header {
	if h, ok := c.Cursor.(table.Headed); ok {
		return c.file.header(h.Header())
	}
	return nil
}

// Next gives the next row.
func (c *cursor) Next() (table.Row, error) {
	row, err := c.Cursor.Next()
	row.Header = c.file.header(row.Header)
	return row, err
}
