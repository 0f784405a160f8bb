package sinktest

import "testing"

// RunLocal runs what a sink without a platform must pass: the contract of
// Expect and Compose. Suite.New is given addresses that lead nowhere.
func RunLocal(t *testing.T, s Suite) {
	t.Run("expect", s.expect)
	t.Run("compose", s.compose)
	t.Run("held", s.held)
}
