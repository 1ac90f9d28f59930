package listen

import (
	"fmt"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

// Expectation is an event that must come: a state, and facts it must carry.
type Expectation struct {
	// Text is what the user wrote.
	Text  string
	State *contract.State
	Facts []Wanted
}

// Wanted is a fact and its value.
type Wanted struct {
	Fact  *contract.Fact
	Value jsondoc.Value
}

// ParseExpectation reads "SUBJECT STATE [fact=value ...]"; a value with spaces
// is put in single or double quotes.
func ParseExpectation(c *contract.Contract, text string) (Expectation, error) {
	e := Expectation{Text: text}
	words, err := words(text)
	if err != nil {
		return e, fmt.Errorf("%.100q: %w", text, err)
	}
	if len(words) < 2 {
		return e, fmt.Errorf("%.100q: it takes SUBJECT STATE and maybe fact=value, such as %q", text, c.States()[0])
	}
	sub := c.Subject(words[0])
	if sub == nil {
		return e, fmt.Errorf("%.100q: unknown subject %q%s", text, words[0], suggest.Among(words[0], "subjects", c.SubjectNames()))
	}
	e.State = sub.State(words[1])
	if e.State == nil || e.State.IsInitial() {
		return e, fmt.Errorf("%.100q: no event reports the state %q of %s%s", text, words[1], sub.Name, suggest.Among(words[1], "states", sub.StateNames()))
	}
	for _, w := range words[2:] {
		name, typed, ok := strings.Cut(w, "=")
		f := e.State.Carries(name)
		if f == nil {
			return e, fmt.Errorf("%.100q: %s carries no fact %q%s", text, e.State, name, suggest.Among(name, "facts", e.State.FactNames()))
		}
		if !ok {
			return e, fmt.Errorf("%.100q: %s is to have which value? write %s=VALUE", text, name, name)
		}
		v, err := payment.FactValue(f, typed)
		if err != nil {
			return e, fmt.Errorf("%.100q: %w", text, err)
		}
		e.Facts = append(e.Facts, Wanted{f, v})
	}
	return e, nil
}

// words splits a text at spaces that are not inside quotes.
func words(text string) ([]string, error) {
	var out []string
	var word strings.Builder
	quote, started := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, started = r, true
		case r == ' ' || r == '\t':
			if started {
				out = append(out, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	if started {
		out = append(out, word.String())
	}
	return out, nil
}

// Met reports whether a verdict is of the expected event: a legal one, with the
// facts as expected.
func (e Expectation) Met(v verify.Verdict) bool {
	if !v.OK() || v.State != e.State {
		return false
	}
	for _, w := range e.Facts {
		got, ok := v.Fact(w.Fact)
		if !ok || !payment.Equal(w.Fact, got, w.Value) {
			return false
		}
	}
	return true
}
