package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
)

// Digest is a SHA-256 over content without personal data. The zero value means
// "not known" and never equals a known one.
type Digest [sha256.Size]byte

// String gives the digest as hexadecimal text, "" when it is not known.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// MarshalText gives the form of String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form of String.
func (d *Digest) UnmarshalText(text []byte) error {
	*d = Digest{}
	if len(text) == 0 {
		return nil
	}
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("read digest of %d characters, want %d", len(text), hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// DigestSum adds up SHA-256 hashes modulo 2^256. It does not depend on the
// order in which lines are met, can be merged from parts, and, unlike XOR,
// counts identical lines as often as they stand there.
type DigestSum [4]uint64

// Add counts one more hash of the given fields. Fields are length-prefixed, so
// that ("ab", "c") and ("a", "bc") differ.
func (s *DigestSum) Add(fields ...string) {
	s.Merge(sumOf(HashFields(fields...)))
}

// Merge adds what another sum has counted.
func (s *DigestSum) Merge(o DigestSum) {
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], o[i], carry)
	}
}

func sumOf(d Digest) (s DigestSum) {
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(d[i*8:])
	}
	return s
}

func (s DigestSum) text() string {
	var b [32]byte
	for i := range s {
		binary.LittleEndian.PutUint64(b[i*8:], s[i])
	}
	return string(b[:])
}

// HashFields is the SHA-256 of length-prefixed fields.
func HashFields(fields ...string) Digest {
	buf := make([]byte, 0, 128)
	for _, f := range fields {
		buf = strconv.AppendInt(buf, int64(len(f)), 10)
		buf = append(buf, ':')
		buf = append(buf, f...)
	}
	return sha256.Sum256(buf)
}

// ContentDigest is the digest of what was bought: shop, order, currency,
// number of lines, and the sum over SKU, quantity and price (or line total) of
// every line, in canonical decimals. It holds no personal data.
func ContentDigest(key OrderKey, currency string, lines int, sum DigestSum) Digest {
	return HashFields(key.Shop, key.Order, currency, strconv.Itoa(lines), sum.text())
}

// GoodsDigest is the digest of which SKUs were bought in which quantities,
// without order id and sign: equal for a purchase and the credit note that
// undoes it, and for one purchase that two tills recorded.
func GoodsDigest(sum DigestSum) Digest { return HashFields("goods", sum.text()) }

// CosmeticDigest covers what may change without changing what was bought:
// names, store, channel and completion time. fields names what the source
// maps, so that only like is compared with like.
func CosmeticDigest(fields string, names DigestSum, store, channel string, completedAtUnix int64) Digest {
	return HashFields(fields, names.text(), store, channel, strconv.FormatInt(completedAtUnix, 10))
}
