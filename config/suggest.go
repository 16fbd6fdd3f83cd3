package config

import "strings"

// maxSuggested is the longest word, in bytes, that is compared: the distance
// costs the product of both lengths and input may be anything.
const maxSuggested = 64

// didYouMean is `; did you mean "x"?` with the closest of the known words, or
// empty if none is close.
func didYouMean(word string, known []string) string {
	if best := closest(word, known); best != "" {
		return "; did you mean " + quote(best) + "?"
	}
	return ""
}

// closest returns the known word that a typing slip turns into word, or "".
// A third of the letters may differ, at most three.
func closest(word string, known []string) string {
	if len(word) > maxSuggested {
		return ""
	}
	word = strings.ToLower(word)
	best, bestDistance := "", min(3, (len(word)+1)/3)+1
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance counts the letters inserted, deleted, replaced or swapped with
// their neighbour between a and b (optimal string alignment). A dash,
// underscore or dot in place of another costs nothing: people mix them up.
func distance(a, b string) int {
	separators := strings.NewReplacer("-", "_", ".", "_")
	a, b = separators.Replace(a), separators.Replace(b)
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
