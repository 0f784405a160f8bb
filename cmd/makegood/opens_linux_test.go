package main

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
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

// TestOneReadServesAllAccounts: an export is opened as often for three
// accounts as for one.
func TestOneReadServesAllAccounts(t *testing.T) {
	count := func(countries ...string) int {
		s := newShop(t)
		s.tills("tills", fields{"order_unique": "per_store", "columns": columns(fields{"store": "store"})})
		var rows []string
		for i, store := range []string{"NL-1", "NL-2", "BE-1", "DE-1", "FR-1"} {
			rows = append(rows, fmt.Sprintf("7,%s,visitor%d@example.com,MUG,1,%d,%s", ago(time.Hour), i, 10+i, store))
		}
		s.csv("tills.csv", usualHeader+",store", rows...)
		for _, country := range countries {
			s.activate(country, fields{"when": fmt.Sprintf(`store startsWith "%s-"`, country)})
		}
		n := opens(t, filepath.Join(s.dir, "tills.csv"), func() { s.run(exitDone) })
		if sent := s.sim.Counts().Platforms["squeezely"].Orders; int(sent) != map[int]int{1: 1, 3: 4}[len(countries)] {
			t.Errorf("%d orders were sent to %v", sent, countries)
		}
		return n
	}
	one, three := count("BE"), count("NL", "BE", "DE")
	if one == 0 || three != one {
		t.Errorf("the export was opened %d times for one account, %d times for three", one, three)
	}
	t.Logf("opened %d times", three)
}
