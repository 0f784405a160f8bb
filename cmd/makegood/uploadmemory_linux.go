//go:build !race

package main

import (
	"fmt"
	"syscall"
)

// boundMemory bounds the memory of this process: a file that takes more ends it, and
// nothing else on this machine. What is only reserved does not count.
func boundMemory(bytes uint64) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		return fmt.Errorf("bound the memory of reading an upload: %w", err)
	}
	return nil
}
