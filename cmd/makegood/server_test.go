package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/sources/sftptest"
)

// TestServerFiles is two nights with a drop folder on an SFTP server.
func TestServerFiles(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t)
	s := newShop(t)
	s.activate("activate", nil)
	s.source("shop", fields{"path": "sftp://" + sftptest.User + "@" + server.Addr + s.dir + "/drop/*.csv",
		"sftp":       fields{"known_hosts": server.KnownHosts, "key": "file:" + write(t, s.dir, "key", server.Key)},
		"after_read": fields{"move_to": "read"}})
	check(t, os.Mkdir(filepath.Join(s.dir, "drop"), 0o700))
	s.csv("drop/orders.csv", usualHeader, "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.wants(s.run(exitDone), "activate", "sent 1")
	if _, err := os.Stat(filepath.Join(s.dir, "drop", "read", "orders.csv")); err != nil {
		t.Errorf("the file was not moved on the server: %v", err)
	}
	s.csv("drop/orders.csv", usualHeader, "2,"+ago(time.Hour)+",bob@example.com,MUG,1,7")
	s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, sent 1")
	s.wantsPlatform("activate", "1 5 EUR, 2 7 EUR")
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "sftp", "*")); len(left) != 0 {
		t.Errorf("fetched files are still there: %q", left)
	}

	s.source("shop", fields{"path": "sftp://" + sftptest.User + "@" + server.Addr + s.dir + "/drop/*.csv",
		"sftp": fields{"known_hosts": server.Knows(t, nil), "key": "file:key"}})
	got := s.run(exitFailed)
	if text := got.source(t, "shop").Error; !strings.Contains(text, "another one; somebody may be in between") {
		t.Errorf("the message is %q", text)
	}
}
