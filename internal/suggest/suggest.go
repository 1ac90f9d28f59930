// Package suggest finds the word that a mistyped one was meant to be.
package suggest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRunes bounds the work per option: a longer word is no typing error.
const (
	maxRunes    = 64
	maxDistance = 3
	minStem     = 3
)

// DidYouMean returns the end of an error message, such as "; did you mean
// complete?", or "" when no option is near word or word is itself an option.
//
//go:noinline
func DidYouMean(word string, options []string) string {
	nearest := Nearest(word, options)
	if nearest == "" || nearest == word {
		return ""
	}
	return "; did you mean " + nearest + "?"
}

// Nearest returns the option that word most likely stands for, or "" when none
// is near enough. Case does not matter. In this order it takes: the option
// equal to word; the only option that begins with word ("comp" for complete);
// the option with the fewest insertions, deletions, replacements and swaps of
// neighbours, at most a third of the longer word and never more than three;
// the longest option that word begins with ("cancelled" for cancel). Of equally
// near options it takes the first in byte order, whatever the order of options.
// A word of more than 64 characters is near nothing.
func Nearest(word string, options []string) string {
	typed := fold(word)
	if typed == nil {
		return ""
	}
	best, least := "", maxDistance+1
	for _, option := range options {
		d, ok := near(typed, fold(option))
		if ok && (d < least || d == least && option < best) {
			best, least = option, d
		}
	}
	if least == 0 {
		return best
	}
	if completed := onlyCompletion(typed, options); completed != "" {
		return completed
	}
	if best != "" {
		return best
	}
	return longestStem(typed, options)
}

func fold(word string) []rune {
	if word == "" || utf8.RuneCountInString(word) > maxRunes {
		return nil
	}
	return []rune(strings.ToLower(word))
}

func near(a, b []rune) (int, bool) {
	shorter, longer := min(len(a), len(b)), max(len(a), len(b))
	limit := min(max(1, longer/3), maxDistance)
	if shorter == 0 || longer-shorter > limit {
		return 0, false
	}
	d := distance(a, b)
	return d, d <= limit && d < shorter
}

// distance counts insertions, deletions, replacements and swaps of neighbours,
// no rune being edited twice (optimal string alignment).
func distance(a, b []rune) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost(a[i], b[j]))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}

func cost(a, b rune) int {
	if a == b {
		return 0
	}
	return 1
}

func onlyCompletion(typed []rune, options []string) string {
	found := ""
	for _, option := range options {
		if !strings.HasPrefix(string(fold(option)), string(typed)) {
			continue
		}
		if found != "" && found != option {
			return ""
		}
		found = option
	}
	return found
}

func longestStem(typed []rune, options []string) string {
	found, length := "", minStem-1
	for _, option := range options {
		stem := fold(option)
		longer := len(stem) > length || len(stem) == length && found != "" && option < found
		if longer && strings.HasPrefix(string(typed), string(stem)) {
			found, length = option, len(stem)
		}
	}
	return found
}

// Among returns the end of an error message about an unknown word: what was
// meant, where that can be told, and what there is, such as "; did you mean
// complete? states: complete, fail". The hidden words may be meant, but are not
// listed.
func Among(word, noun string, list []string, hidden ...string) string {
	near := DidYouMean(word, append(slices.Clone(list), hidden...))
	if near == "" {
		near = ";"
	}
	return near + " " + noun + ": " + strings.Join(list, ", ")
}
