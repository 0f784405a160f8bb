package config

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Uploads are pages where people bring a file of orders, look at what would be sent of it, and have it sent.
type Uploads struct {
	// Users is the file of those who may sign in, one name:role:hash on each line.
	Users string `yaml:"users" required:"the file of those who may sign in; makegood user NAME --role analyst writes a line of it"`
	// Source names the source whose rules an uploaded file falls under: everything but where it lies and what its columns are
	// called.
	Source string `yaml:"source" required:"the source whose rules, such as may_send, an uploaded file falls under"`
	// Targets are where its orders may go to.
	Targets []string `yaml:"targets" required:"the destinations that its orders may go to, as in [activate]"`
	// MaxSize is how large a file may be.
	MaxSize Size `yaml:"max_size" default:"200MB"`
	// SecondPerson: who uploaded a file, or made its preview, does not approve it.
	SecondPerson bool `yaml:"second_person"`
	// SecondPersonAbove asks for that only where what would be sent to a destination is worth more, by currency. Any other
	// currency counts as more.
	SecondPersonAbove map[string]Amount `yaml:"second_person_above"`
	// Keep is how long an upload is kept.
	Keep  Days         `yaml:"keep" default:"30d"`
	Proxy *UploadProxy `yaml:"proxy"`
}

// UploadProxy says who has signed in already: the header is believed when it comes from one of the addresses alone.
type UploadProxy struct {
	Header string `yaml:"header" required:"the header that names the user, such as X-Forwarded-User"`
	// Addresses are those of the proxy, or networks of them.
	Addresses []string `yaml:"addresses" required:"where the proxy asks from, as in [127.0.0.1]"`
}

// Allowed are the networks of Addresses.
func (p *UploadProxy) Allowed() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range p.Addresses {
		if prefix, err := network(text); err == nil {
			list = append(list, prefix)
		}
	}
	return list
}

func network(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Prefix(address.BitLen())
}

// Size is a number of bytes.
type Size int64

// maxSize is the largest file that may be uploaded.
const maxSize = Size(2_000_000_000)

// UnmarshalText takes "200MB" and "500kB".
func (s *Size) UnmarshalText(text []byte) error {
	for unit, bytes := range map[string]Size{"kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000} {
		number, ok := strings.CutSuffix(string(text), unit)
		n, err := strconv.ParseInt(number, 10, 64)
		if ok && err == nil && n > 0 && n <= int64(maxSize/bytes) {
			*s = Size(n) * bytes
			return nil
		}
	}
	return errors.New("no size up to 2GB; write one such as 200MB")
}

var headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

func (u *Uploads) check(d *document, path string, c *Config) {
	refer(d, path+".source", []string{u.Source}, c.Sources, "source")
	refer(d, path+".targets", u.Targets, c.Targets, "target")
	if len(u.Targets) == 0 && d.given(path+".targets") && !d.failed(path+".targets") {
		d.fail(path+".targets", "%s.targets names no destination; nothing could be sent", path)
	}
	for i, name := range u.Targets {
		t, where := c.Targets[name], at(path+".targets", i)
		switch {
		case t == nil || d.failed(where):
		case t.Type == "emanage":
			d.fail(where, "%s.targets: %s charges customers, which no upload may; use makegood plan, approve and apply", path, name)
		case c.Sources[u.Source] != nil && !slices.Contains(t.From, u.Source):
			d.fail(where, "%s.targets: %s does not read the source %s; add it to targets.%s.from", path, name, u.Source, name)
		}
	}
	if above := path + ".second_person_above"; u.SecondPerson && len(u.SecondPersonAbove) > 0 && !d.failed(above) {
		d.fail(above, "%s.second_person asks for a second person always; take it away, or %s", path, above)
	}
	for _, currency := range sortedKeys(u.SecondPersonAbove) {
		if at := path + ".second_person_above." + currency; !currencyCode.MatchString(currency) && !d.failed(at) {
			d.fail(at, "%s: a currency is written in three capital letters, such as EUR", at)
		}
	}
	if u.Proxy == nil {
		return
	}
	if !headerName.MatchString(u.Proxy.Header) && u.Proxy.Header != "" && !d.failed(path+".proxy.header") {
		d.fail(path+".proxy.header", "%s.proxy.header: %s is no name of a header", path, d.quote(path+".proxy.header"))
	}
	if len(u.Proxy.Addresses) == 0 && d.given(path+".proxy.addresses") && !d.failed(path+".proxy.addresses") {
		d.fail(path+".proxy.addresses", "%s.proxy.addresses is empty; the header would be believed from nobody", path)
	}
	for i, text := range u.Proxy.Addresses {
		where := at(path+".proxy.addresses", i)
		if prefix, err := network(text); (err != nil || prefix.Bits() == 0) && !d.failed(where) {
			d.fail(where, "%s.proxy.addresses: %s is no address or network, such as 10.1.2.3 or 10.1.2.0/24", path, d.quote(where))
		}
	}
}
