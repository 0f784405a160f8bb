package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// Settings is the configuration that a run went by. Values, by path and as the
// file has them, are in some of the reports with that digest only.
type Settings struct {
	Digest string            `json:"digest"`
	Values map[string]string `json:"values,omitempty"`
}

// NewSettings masks values and digests them.
func NewSettings(values map[string]string) *Settings {
	s := &Settings{Values: make(map[string]string, len(values))}
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(values)) {
		s.Values[path] = Mask(values[path])
		sum.Write([]byte(path + "\x00" + s.Values[path] + "\x00"))
	}
	s.Digest = hex.EncodeToString(sum.Sum(nil)[:8])
	return s
}

// SettingChange is a value of the configuration that changed: "" is none.
type SettingChange struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// changed lists what differs between two configurations, by path.
func changed(before, after map[string]string) []SettingChange {
	paths := maps.Clone(before)
	maps.Copy(paths, after)
	var list []SettingChange
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if before[path] != after[path] {
			list = append(list, SettingChange{path, before[path], after[path]})
		}
	}
	return list
}
