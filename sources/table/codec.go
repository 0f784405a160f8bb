package table

import (
	"encoding/binary"
	"errors"
	"time"

	"makegood/reconcile"
)

// codec writes values into a record or reads them back: one description of a
// type serves both ways.
type codec struct {
	buf     []byte
	reading bool
	zones   map[string]*time.Location // that were read before; needed for reading
	err     error
}

var errRecord = errors.New("read spilled rows: a record is broken")

func (c *codec) number(n *int) {
	if !c.reading {
		c.buf = binary.AppendVarint(c.buf, int64(*n))
		return
	}
	v, size := binary.Varint(c.buf)
	if size <= 0 {
		c.fail()
		return
	}
	*n, c.buf = int(v), c.buf[size:]
}

func (c *codec) checksum(n *uint64) {
	signed := int(*n)
	c.number(&signed)
	*n = uint64(signed)
}

func (c *codec) fail() { c.err, c.buf = errRecord, nil }

// take gives the next n bytes of a record that is read.
func (c *codec) take(n int) []byte {
	if n < 0 || n > len(c.buf) {
		c.fail()
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

func (c *codec) text(s *string) {
	n := len(*s)
	c.number(&n)
	if c.reading {
		*s = string(c.take(n))
		return
	}
	c.buf = append(c.buf, *s...)
}

// zone writes a zone by its name.
func (c *codec) zone(z **time.Location) {
	name := ""
	if !c.reading && *z != nil {
		name = (*z).String()
	}
	c.text(&name)
	if !c.reading || name == "" || name == "UTC" {
		if c.reading {
			*z = time.UTC
		}
		return
	}
	loc := c.zones[name]
	if loc == nil {
		var err error
		if loc, err = time.LoadLocation(name); err != nil {
			c.fail()
			return
		}
		c.zones[name] = loc
	}
	*z = loc
}

func (c *codec) flag(f *bool) {
	n := 0
	if *f {
		n = 1
	}
	c.number(&n)
	*f = n == 1
}

func (c *codec) small(n *int32) {
	v := int(*n)
	c.number(&v)
	*n = int32(v)
}

// time keeps the instant in UTC to the nanosecond; the zero time stays zero.
func (c *codec) time(t *time.Time) {
	none := t.IsZero()
	c.flag(&none)
	if none {
		*t = time.Time{}
		return
	}
	seconds, nanos := int(t.Unix()), t.Nanosecond()
	c.number(&seconds)
	c.number(&nanos)
	*t = time.Unix(int64(seconds), int64(nanos)).UTC()
}

func (c *codec) decimal(d *reconcile.Decimal) {
	text := ""
	if !c.reading {
		text = d.String()
	}
	c.text(&text)
	if c.reading && c.err == nil {
		if *d, c.err = reconcile.ParseDecimal(text); c.err != nil {
			c.fail()
		}
	}
}

func (c *codec) optional(d **reconcile.Decimal) {
	has := *d != nil
	c.flag(&has)
	if !has || c.err != nil {
		*d = nil
		return
	}
	if c.reading {
		*d = new(reconcile.Decimal)
	}
	c.decimal(*d)
}

func (c *codec) sum(s *reconcile.DigestSum) {
	for i := range s {
		if c.reading {
			if b := c.take(8); b != nil {
				s[i] = binary.LittleEndian.Uint64(b)
			}
			continue
		}
		c.buf = binary.LittleEndian.AppendUint64(c.buf, s[i])
	}
}

// list writes or reads the elements of a list.
func list[T any](c *codec, elements *[]T, one func(*T)) {
	n := len(*elements)
	c.number(&n)
	if c.reading {
		*elements = nil
		if n < 0 || n > len(c.buf) { // every element has at least one byte
			if n != 0 {
				c.fail()
			}
			return
		}
		if n > 0 {
			*elements = make([]T, n)
		}
	}
	for i := range *elements {
		if c.err == nil {
			one(&(*elements)[i])
		}
	}
}
