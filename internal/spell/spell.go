// SPDX-License-Identifier: Apache-2.0

// Package spell finds the name that a misspelt one most likely means. It knows
// no names itself, and does not guess if the distance is too large.
package spell

import (
	"fmt"
	"strings"
)

// maxLength bounds the work: no name of the toolkit is longer than 64 bytes.
const maxLength = 128

// Nearest returns the name that word most likely means: the one with the
// smallest edit distance, the first of several. Upper and lower case, - and _
// count as equal. It returns false if the best is too far (more than one edit
// for every three letters of the shorter word, rounded up), is the word itself,
// or does not exist.
func Nearest(word string, names []string) (string, bool) {
	if word == "" || len(word) > maxLength {
		return "", false
	}
	best, least := "", -1
	for _, name := range names {
		if name == word || name == "" || len(name) > maxLength {
			continue
		}
		d := distance(fold(word), fold(name))
		if d <= (min(len(word), len(name))+2)/3 && (least < 0 || d < least) {
			best, least = name, d
		}
	}
	return best, least >= 0
}

// Hint ends a message about an unknown word: "; did you mean ...?" with the nearest of
// these names, or "" if none is near.
func Hint(word string, names []string) string {
	near, ok := Nearest(word, names)
	if !ok {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance counts insertions, deletions, replacements and swaps of neighbours
// (optimal string alignment), in bytes.
func distance(a, b string) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
