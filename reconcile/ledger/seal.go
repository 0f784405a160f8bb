package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"makegood/reconcile"
)

// personSize is how many bytes of a person's hash are kept.
const personSize = 16

// twinSize is how many bytes are kept of what a purchase looks like.
const twinSize = 16

// blob is bytes that travel as hexadecimal text inside JSON.
type blob []byte

// MarshalText gives hexadecimal text.
func (b blob) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

// UnmarshalText reads hexadecimal text.
func (b *blob) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// Scan reads what a database holds; NULL is no bytes.
func (b *blob) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = bytes.Clone(v)
	default:
		return fmt.Errorf("read bytes: the column holds %T", value)
	}
	return nil
}

// seal makes the keyed hashes that stand for what the ledger must not hold.
type seal struct{ key []byte }

func (s seal) sum(data []byte) blob {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(data)
	return mac.Sum(nil)
}

// person is what the ledger keeps of a person; nobody gives no bytes.
func (s seal) person(p reconcile.Person) blob {
	if p == "" {
		return blob{}
	}
	return s.sum([]byte(p))[:personSize]
}

// twinOf is what the ledger keeps of what a purchase looks like; no bytes where
// that is not known.
func (s seal) twinOf(kind reconcile.Kind, p reconcile.Person, v reconcile.Value, goods reconcile.Digest) blob {
	like, ok := reconcile.LikenessOf(p, v, goods)
	if kind != reconcile.KindPurchase || !ok {
		return blob{}
	}
	return s.twin(like)
}

func (s seal) twin(l reconcile.Likeness) blob {
	return s.sum(fmt.Appendf(nil, "twin\x00%s\x00%s\x00%s\x00%s", l.Person, l.Amount, l.Currency, l.Goods))[:twinSize]
}

// mark16 is what the ledger keeps of a mark; nothing of none.
func (s seal) mark16(m reconcile.Digest) blob {
	if m == (reconcile.Digest{}) {
		return blob{}
	}
	return s.sum(append([]byte("mark\x00"), m[:]...))[:hashSize]
}

// hide gives the id under which decisions about an event are kept: an order
// number that may be an address, put into the wrong column, goes under a keyed
// hash.
func (s seal) hide(id reconcile.EventID) reconcile.EventID {
	if !strings.ContainsRune(string(id), '@') {
		return id
	}
	kind, rest, _ := strings.Cut(string(id), "/")
	shop, _, _ := strings.Cut(rest, "/")
	if strings.ContainsRune(shop, '@') {
		shop = ""
	}
	return reconcile.EventID(kind + "/" + shop + "/hidden-" + hex.EncodeToString(s.sum([]byte(id))[:8]))
}

// payload is what the ledger keeps of a request: of its body, and of its path
// where events have one.
func (s seal) payload(e reconcile.Event) blob {
	if e.Path == "" {
		return s.sum(e.Body)
	}
	return s.sum(append([]byte(e.Path+"\x00"), e.Body...))
}

// mark tells keys apart without telling anything about them.
func (s seal) mark() blob { return s.sum([]byte("makegood person key"))[:8] }

func (s seal) fits(mark []byte) bool { return bytes.Equal(s.mark(), mark) }
