package config

import (
	"fmt"
	"slices"
	"strings"
)

// nearest returns the word of known that word is a likely slip of: at most one change in three characters, where two
// letters that changed places are one change.
func nearest(word string, known []string) (string, bool) {
	best, least := "", len(word)/3+1
	if len(word) > 64 {
		return "", false
	}
	for _, k := range known {
		// A difference in length is a lower bound, and keeps long words from costing anything.
		if len(k)-len(word) >= least || len(word)-len(k) >= least {
			continue
		}
		if n := changes(strings.ToLower(word), strings.ToLower(k)); n < least {
			best, least = k, n
		}
	}
	return best, best != ""
}

// changes counts inserted, lost, exchanged and swapped bytes between a and b.
func changes(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			n := min(rows[i-1][j], rows[i][j-1]) + 1
			if a[i-1] == b[j-1] {
				n = min(n, rows[i-1][j-1])
			} else {
				n = min(n, rows[i-1][j-1]+1)
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				n = min(n, rows[i-2][j-2]+1)
			}
			rows[i][j] = n
		}
	}
	return rows[len(a)][len(b)]
}

// instead names the nearest of known, or else all of them.
func instead(word string, known []string) string {
	if k, ok := nearest(word, known); ok {
		return fmt.Sprintf("did you mean %q?", k)
	}
	return "known are " + listed(known)
}

// listed is "a, b and c" in the order of words.
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
