package contract_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
)

// TestPlaceholders holds that placeholders are found where a regular expression
// finds them.
func TestPlaceholders(t *testing.T) {
	form := regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9]*)(?:/([1-9][0-9]{0,17}))?\}`)
	piece := rapid.SampledFrom([]string{
		"{", "}", "/", "a", "fact", "Z9", "7", "0", "{a}", "{cashAmount/10000}", "{b/0}", "{c/1/2}", "{/5}", "{9a}", "{a b}", "{é}", "{{a}}",
		"{a/123456789012345678}", "{a/1234567890123456789}", "원", "\xff",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, p := range rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces") {
			text += p
		}
		var want []contract.Placeholder
		for _, at := range form.FindAllStringSubmatchIndex(text, -1) {
			p := contract.Placeholder{Start: at[0], End: at[1], Fact: text[at[2]:at[3]]}
			if at[4] >= 0 {
				p.By = text[at[4]:at[5]]
			}
			want = append(want, p)
		}
		if diff := cmp.Diff(want, contract.Placeholders(text)); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}
