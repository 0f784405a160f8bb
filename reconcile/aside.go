package reconcile

import (
	"bufio"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// sightings remember the ids that sources with one numbering show.
type sightings struct {
	group []SourceSpec
	seen  map[OrderKey]sighting
}

// sighting is what is remembered of one id.
type sighting struct {
	sources uint64 // bit i: the group's source i shows it
	print   [16]byte
	clash   bool
}

// maxGroup is how many sources a sighting can tell apart.
const maxGroup = 64

func (m *sightings) note(s SourceSpec, h Head) error {
	i := m.index(s)
	if i >= maxGroup {
		return fmt.Errorf("compare the order numbers of shop %s: more than %d sources share it", s.Shop, maxGroup)
	}
	now, known := m.seen[h.Key]
	print := fingerprint(h)
	if known && now.print != print {
		now.clash = true
	}
	now.print, now.sources = print, now.sources|1<<i
	m.seen[h.Key] = now
	return nil
}

func (m *sightings) index(s SourceSpec) int {
	return slices.IndexFunc(m.group, func(g SourceSpec) bool { return g.Name() == s.Name() })
}

// clash reports whether two sources show different orders under one id.
func (m *sightings) clash(key OrderKey) bool { return m != nil && m.seen[key].clash }

// earlier reports whether a target has the order from a source that stands
// before s.
func (m *sightings) earlier(t *targetPlan, s SourceSpec, key OrderKey) bool {
	if m == nil {
		return false
	}
	sources := m.seen[key].sources
	for i, g := range m.group[:m.index(s)] {
		if sources&(1<<i) != 0 && t.Reads(g.Name()) {
			return true
		}
	}
	return false
}

func fingerprint(h Head) [16]byte {
	sum := sha256.Sum256([]byte(strings.ToLower(h.Email) + "\x00" + h.Amount.String() + "\x00" + h.Currency + "\x00" + h.GoodsDigest.String()))
	return [16]byte(sum[:])
}

// headFile keeps heads on disk while a group of sources is read.
type headFile struct {
	file *os.File
	out  *bufio.Writer
	enc  *gob.Encoder
}

// asideHead is a head as a headFile keeps it. gob leaves out a pointer to zero:
// the flags tell a zero that was mapped from nothing.
type asideHead struct {
	Head                      Head
	Total, Shipping, Discount bool
}

func (a asideHead) restored() Head {
	h := a.Head
	for _, f := range []struct {
		filled bool
		amount **Decimal
	}{{a.Total, &h.Total}, {a.Shipping, &h.Shipping}, {a.Discount, &h.Discount}} {
		if f.filled && *f.amount == nil {
			*f.amount = new(Decimal)
		}
	}
	return h
}

func newHeadFile(dir string) (*headFile, error) {
	f, err := os.CreateTemp(dir, "heads-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("put heads aside: %w", err)
	}
	out := bufio.NewWriterSize(f, 1<<16)
	return &headFile{file: f, out: out, enc: gob.NewEncoder(out)}, nil
}

func (f *headFile) write(h Head) error {
	err := f.enc.Encode(asideHead{h, h.Total != nil, h.Shipping != nil, h.Discount != nil})
	if err != nil {
		return fmt.Errorf("put heads aside: %w", err)
	}
	return nil
}

func (f *headFile) read(each func(Head) error) error {
	if err := f.out.Flush(); err != nil {
		return fmt.Errorf("put heads aside: %w", err)
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	dec := gob.NewDecoder(bufio.NewReaderSize(f.file, 1<<16))
	for {
		var a asideHead
		switch err := dec.Decode(&a); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read heads: %w", err)
		}
		if err := each(a.restored()); err != nil {
			return err
		}
	}
}

func (f *headFile) remove() {
	if f == nil {
		return
	}
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
}
