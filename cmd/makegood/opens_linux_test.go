package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// opens counts how often a file was opened while do ran.
func opens(t *testing.T, path string, do func()) int {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK)
	if err != nil {
		t.Skipf("this system does not tell what is opened: %v", err)
	}
	defer syscall.Close(fd)
	if _, err := syscall.InotifyAddWatch(fd, path, syscall.IN_OPEN|syscall.IN_CLOSE); err != nil {
		t.Fatal(err)
	}
	do()
	n, buf := 0, make([]byte, 1<<16)
	for {
		size, err := syscall.Read(fd, buf)
		if err != nil || size <= 0 {
			return n
		}
		for at := 0; at < size; {
			if binary.NativeEndian.Uint32(buf[at+4:])&syscall.IN_OPEN != 0 {
				n++
			}
			at += syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[at+12:]))
		}
	}
}

// readBytes is how much this process has read so far, in bytes.
func readBytes(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skipf("this system does not tell what is read: %v", err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOneReadServesAllAccounts: an export of three countries is opened as often
// and read as far for three accounts as for one.
func TestOneReadServesAllAccounts(t *testing.T) {
	var size int
	count := func(countries ...string) (opened, read int) {
		s := newShop(t)
		s.tills("tills", fields{"order_unique": "per_store", "columns": columns(fields{"store": "store"})})
		var rows []string
		for i := range 5000 { // most of them without an address
			country := []string{"NL", "BE", "DE", "FR"}[i%4]
			email := ""
			if i < 40 {
				email = fmt.Sprintf("visitor%d@example.com", i)
			}
			rows = append(rows, fmt.Sprintf("%d,%s,%s,MUG,1,10,%s-1,%s", i, ago(time.Hour), email, country, strings.Repeat("x", 1000)))
			size += len(rows[i]) + 1
		}
		s.csv("tills.csv", usualHeader+",store,note", rows...)
		for _, country := range countries {
			s.activate(country, fields{"when": fmt.Sprintf(`store startsWith "%s-"`, country)})
		}
		before := readBytes(t)
		opened = opens(t, filepath.Join(s.dir, "tills.csv"), func() { s.run(exitDone) })
		if sent := s.sim.Counts().Platforms["squeezely"].Orders; int(sent) != 10*len(countries) {
			t.Errorf("%d orders were sent to %v", sent, countries)
		}
		return opened, readBytes(t) - before
	}
	opened, read := count("BE")
	size = 0
	openedByThree, readByThree := count("NL", "BE", "DE")
	t.Logf("opened %d times for one account, %d times for three; read %d and %d bytes of %d", opened, openedByThree, read, readByThree, size)
	if opened == 0 || openedByThree != opened {
		t.Error("the export was not opened as often for three accounts as for one")
	}
	// Once to see what the file is like, and once in each of the two passes.
	if read > 4*size || readByThree > read+size/2 {
		t.Error("the export was read more than once per pass")
	}
}
