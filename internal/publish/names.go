package publish

import (
	"strconv"
	"strings"
)

// names gives each thing a name of its own.
type names map[string]bool

// free returns a name that nothing has yet, as near as can be to the one that is
// wanted.
func (n names) free(wanted string) string {
	plain := strings.Map(func(r rune) rune {
		if letter(r) || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, wanted)
	name := plain
	for i := 2; n[name] || name == ""; i++ {
		name = plain + "-" + strconv.Itoa(i)
	}
	n[name] = true
	return name
}

func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// words are what a text is made of besides punctuation.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !letter(r) })
}

// camel joins the words of a text: onOrderPaid.
func camel(text string) string {
	all := words(text)
	for i := 1; i < len(all); i++ {
		all[i] = strings.ToUpper(all[i][:1]) + all[i][1:]
	}
	return strings.Join(all, "")
}

// slug joins them as URNs and file names do: on-order-paid.
func slug(text string) string {
	if all := words(strings.ToLower(text)); len(all) > 0 {
		return strings.Join(all, "-")
	}
	return "contract"
}
