package contract

import "strings"

// Placeholder is a {fact} or {fact/N} in the text of a generator.
type Placeholder struct {
	// Start and End are where it stands in the text, in bytes.
	Start, End int
	// Fact is the fact's name; By is N, a whole number above zero, or empty.
	Fact, By string
}

// Placeholders finds the placeholders of a text, in order.
func Placeholders(text string) []Placeholder {
	var out []Placeholder
	for at := 0; ; {
		next := strings.IndexByte(text[at:], '{')
		if next < 0 {
			return out
		}
		at += next
		p, ok := placeholder(text[at:])
		if !ok {
			at++
			continue
		}
		p.Start, p.End = p.Start+at, p.End+at
		out = append(out, p)
		at = p.End
	}
}

// placeholder reads the placeholder that a text starts with.
func placeholder(text string) (p Placeholder, ok bool) {
	const letters = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	inside, _, closed := strings.Cut(text[1:], "}")
	fact, by, divided := strings.Cut(inside, "/")
	switch {
	case !closed, fact == "", strings.Trim(fact, letters+digits) != "", strings.ContainsAny(fact[:1], digits):
		return p, false
	case divided && (by == "" || by[0] == '0' || len(by) > 18 || strings.Trim(by, digits) != ""):
		return p, false
	}
	return Placeholder{End: len(inside) + 2, Fact: fact, By: by}, true
}
