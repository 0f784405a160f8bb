// Package near finds the word that somebody meant: the sheet, table or file
// whose name is spelt most like the one that is not there.
package near

import "strings"

// Name gives the known name that is nearest to word, ignoring case, or ""
// when none is near enough to be meant: more than a third of its letters
// differ.
func Name(word string, known []string) string {
	best, least := "", len([]rune(word))/3+2
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, drop or change that turn a
// into b (Levenshtein), of at most the first 64 letters of each.
func distance(a, b string) int {
	from, to := head(a), head(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range from {
		corner := row[0]
		row[0] = i + 1
		for j, y := range to {
			change := corner
			if x != y {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}

func head(s string) []rune {
	r := []rune(s)
	return r[:min(len(r), 64)]
}
