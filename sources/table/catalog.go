package table

import (
	"encoding/binary"
)

// catalog remembers of each order that a pass gave what the second pass must
// find again. It keeps a fixed number of bytes per order, in memory as long as
// there are few.
type catalog struct {
	dir    string
	recent []byte
	older  *scratch
}

// entry is what the catalog knows of one order.
type entry struct {
	hash   uint64 // of the key
	rows   uint32
	file   uint32
	digest [16]byte
}

const (
	entrySize  = 32
	maxCatalog = 8 << 20
)

func (c *catalog) add(e entry) error {
	c.recent = binary.LittleEndian.AppendUint64(c.recent, e.hash)
	c.recent = binary.LittleEndian.AppendUint32(c.recent, e.rows)
	c.recent = binary.LittleEndian.AppendUint32(c.recent, e.file)
	c.recent = append(c.recent, e.digest[:]...)
	if len(c.recent) < maxCatalog {
		return nil
	}
	if c.older == nil {
		var err error
		if c.older, err = openScratch(c.dir); err != nil {
			return err
		}
	}
	err := c.older.write(c.recent)
	c.recent = c.recent[:0]
	return err
}

// each lists all entries.
func (c *catalog) each(do func(entry)) error {
	list := func(b []byte) error {
		for ; len(b) >= entrySize; b = b[entrySize:] {
			e := entry{hash: binary.LittleEndian.Uint64(b), rows: binary.LittleEndian.Uint32(b[8:]),
				file: binary.LittleEndian.Uint32(b[12:])}
			copy(e.digest[:], b[16:])
			do(e)
		}
		return nil
	}
	if c.older != nil {
		if err := c.older.each(list); err != nil {
			return err
		}
	}
	return list(c.recent)
}

func (c *catalog) close() error {
	c.recent = nil
	err := c.older.close()
	c.older = nil
	return err
}
