package suggest_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/suggest"
)

func TestNearest(t *testing.T) {
	states := []string{"wait", "pending", "complete", "fail", "cancel", "reject", "created"}
	flags := []string{"to", "timeout", "allow-remote", "header", "seed"}
	tests := []struct {
		name, word string
		options    []string
		want       string
	}{
		{"equal", "complete", states, "complete"},
		{"other case", "COMPLETE", states, "complete"},
		{"swapped neighbours", "compelte", states, "complete"},
		{"letter missing", "tmeout", flags, "timeout"},
		{"letter added", "faill", states, "fail"},
		{"letter replaced", "rejact", states, "reject"},
		{"two errors in a long word", "alow-remot", flags, "allow-remote"},
		{"swap in two letters", "ot", flags, "to"},
		{"only completion", "comp", states, "complete"},
		{"one letter completes", "w", states, "wait"},
		{"two completions", "c", states, ""},
		{"completion beats distance", "list", []string{"lint", "listen"}, "listen"},
		{"repeated option completes once", "comp", []string{"complete", "complete"}, "complete"},
		{"past tense, near", "completed", states, "complete"},
		{"past tense, far", "cancelled", states, "cancel"},
		{"longest stem", "timeout-seconds", []string{"tim", "timeout", "time"}, "timeout"},
		{"a short stem is chance", "tomatoes", flags, ""},
		{"nothing in common", "xyzzy", states, ""},
		{"all letters replaced", "xx", flags, ""},
		{"one edit of one letter", "x", []string{"y"}, ""},
		{"three letters, two errors", "abc", []string{"axy"}, ""},
		{"two errors in four letters", "fxxl", states, ""},
		{"four of sixteen", "abcdefghijklmnop", []string{"WXYZefghijklmnop"}, ""},
		{"three of sixteen", "abcdefghijklmnop", []string{"XYZdefghijklmnop"}, "XYZdefghijklmnop"},
		{"tie in byte order", "bat", []string{"rat", "cat", "hat"}, "cat"},
		{"Hangul counts characters", "결재", []string{"결제"}, "결제"},
		{"not UTF-8", "fai\xff", states, "fail"},
		{"empty word", "", states, ""},
		{"empty option", "a", []string{""}, ""},
		{"no options", "complete", nil, ""},
		{"too long", "complete" + strings.Repeat("e", 57), states, ""},
		{"hostile word", strings.Repeat("complete", 1<<17), states, ""},
		{"hostile option", "comp", []string{"comp" + strings.Repeat("e", 1<<20)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := suggest.Nearest(tt.word, tt.options); got != tt.want {
				t.Errorf("Nearest(%.40q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	options := []string{"complete", "fail"}
	tests := []struct{ word, want string }{
		{"compelte", "; did you mean complete?"},
		{"Fail", "; did you mean fail?"},
		{"fail", ""},
		{"xyzzy", ""},
	}
	for _, tt := range tests {
		if got := suggest.DidYouMean(tt.word, options); got != tt.want {
			t.Errorf("DidYouMean(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

// One edit anywhere in a lone option of four or more letters is forgiven.
func TestOneEditIsForgiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		option := rapid.StringMatching(`[a-z]{4,20}`).Draw(t, "option")
		at := rapid.IntRange(0, len(option)-2).Draw(t, "at")
		edits := []string{
			option[:at] + option[at+1:],
			option[:at] + "-" + option[at:],
			option[:at] + "-" + option[at+1:],
			option[:at] + option[at+1:at+2] + option[at:at+1] + option[at+2:],
		}
		word := rapid.SampledFrom(edits).Draw(t, "word")
		if got := suggest.Nearest(word, []string{option}); got != option {
			t.Fatalf("Nearest(%q) = %q, want %q", word, got, option)
		}
	})
}

func TestOrderOfOptionsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abAB]{0,6}`).Draw(t, "word")
		options := rapid.SliceOfN(rapid.StringMatching(`[abAB]{0,6}`), 0, 6).Draw(t, "options")
		want := suggest.Nearest(word, options)
		shuffled := slices.Clone(options)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		if got := suggest.Nearest(word, shuffled); got != want {
			t.Fatalf("Nearest(%q, %q) = %q, but %q for %q", word, shuffled, got, want, options)
		}
		if want != "" && !slices.Contains(options, want) {
			t.Fatalf("Nearest(%q, %q) = %q, not an option", word, options, want)
		}
	})
}

func TestAmong(t *testing.T) {
	list := []string{"complete", "fail"}
	for word, want := range map[string]string{
		"completed": "; did you mean complete? states: complete, fail",
		"redy":      "; did you mean ready? states: complete, fail",
		"nonsense":  "; states: complete, fail",
		"":          "; states: complete, fail",
	} {
		if got := suggest.Among(word, "states", list, "ready"); got != want {
			t.Errorf("Among(%q) is %q, want %q", word, got, want)
		}
	}
	if list[1] != "fail" || len(list) != 2 {
		t.Error("the list was changed")
	}
}
