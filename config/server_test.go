package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// fileSource is a configuration with a source of the given keys and a second
// one that moves its files.
func fileSource(keys string) string {
	return `
zone: UTC
sources:
  shop:
    type: csv
    currency: EUR
    channel: online
    shop: a
    columns: {order: id, completed_at: paid, sku: sku, quantity: n, price: price}
` + keys + `
  tills:
    type: csv
    path: tills/*.csv
    after_read: {move_to: read}
    currency: EUR
    channel: online
    shop: b
    columns: {order: id, completed_at: paid, sku: sku, quantity: n, price: price}
`
}

func TestServerAndMoves(t *testing.T) {
	const known = "    sftp: {known_hosts: hosts, password: sesame}\n"
	for keys, want := range map[string]string{
		"    path: sftp://me@host.example.com/in/*.csv\n" + known:                                        "",
		"    path: sftp://me@host.example.com/in/*.csv\n" + known + "    after_read: {move_to: done}\n":  "",
		"    path: sftp://me@host.example.com/in/*.csv\n":                                                "sources.shop.sftp is missing: write sftp: {known_hosts",
		"    path: sftp://me@host.example.com/in/*.csv\n    sftp: {known_hosts: hosts}\n":                "sftp needs key",
		"    path: sftp://me@host.example.com/in/*.csv\n    sftp: {password: sesame}\n":                  "known_hosts is missing: the file with the server's key",
		"    path: sftp://me:sesame@host.example.com/in/*.csv\n" + known:                                 "holds a password",
		"    path: sftp://host.example.com/in/*.csv\n" + known:                                           "not of the form sftp://user@host/folder/*.csv",
		"    path: sftp://me@host.example.com\n" + known:                                                 "not of the form sftp://user@host/folder/*.csv",
		"    path: in/*.csv\n" + known:                                                                   "sources.shop.sftp goes with a path such as sftp://",
		"    path: sftp://me@host.example.com/in/*.csv\n" + known + "    after_read: {move_to: ../in}\n": "files are read from",
		"    path: in\n    after_read: {move_to: in}\n":                                                  "files are read from",
		"    path: in/*/*.csv\n    after_read: {move_to: in/done}\n":                                     "files are read from",
		"    path: in/*.csv\n    after_read: {move_to: ./read}\n":                                        "the folder of the source shop",
		"    path: in/*.csv\n    after_read: {}\n":                                                       "move_to is missing: the folder",
	} {
		_, err := Parse([]byte(fileSource(keys)), "makegood.yaml", nil)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s%v", keys, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%sgave %v, want %q", keys, err, want)
		case err != nil && want != "holds a password" && strings.Contains(err.Error(), "sesame"):
			t.Errorf("a password is in %v", err)
		}
	}
}

// TestServerOf takes a path on a server apart and makes local ones absolute.
func TestServerOf(t *testing.T) {
	c, err := Parse([]byte(fileSource("    path: sftp://me@host.example.com:2222/in/*.csv\n    sftp: {known_hosts: hosts, key: k}\n    after_read: {move_to: done}\n")),
		"/etc/makegood/makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Sources["shop"]
	if s.SFTP.User != "me" || s.SFTP.Addr != "host.example.com:2222" || s.SFTP.Path != "/in/*.csv" ||
		s.SFTP.KnownHosts != filepath.Join(c.Dir, "hosts") || s.AfterRead.MoveTo != "/in/done" {
		t.Errorf("shop is %+v, %+v", *s.SFTP, *s.AfterRead)
	}
	if to := c.Sources["tills"].AfterRead.MoveTo; to != filepath.Join(c.Dir, "read") {
		t.Errorf("tills moves to %s", to)
	}
}
