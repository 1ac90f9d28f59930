package conform

import (
	"bytes"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// otherWord is how payloads spell another final state of a payment, or else any.
func (t *trial) otherWord(st *contract.State) string {
	for _, other := range append([]*contract.State{t.s.roles.Failed}, st.Subject.States...) {
		if other != nil && other != st && other.Wire != "" {
			return other.Wire
		}
	}
	return "Paytested"
}

// twice writes an event with its state named twice.
func (t *trial) twice(e event, first, second string) []byte {
	state := t.s.Contract.Envelope.State
	return t.written(e, state, func(name string) string {
		return name + quoted(first) + "," + name + quoted(second)
	})
}

// written writes an event with other bytes in place of the member at a place;
// change is given the member's name with its colon.
func (t *trial) written(e event, at jsondoc.Pointer, change func(name string) string) []byte {
	const here = "paytest-here"
	doc := e.doc.Clone()
	if doc.Add(at, jsondoc.StringValue(here)) != nil {
		return e.body()
	}
	name := quoted(at[len(at)-1]) + ":"
	return bytes.Replace(doc.AppendCanonical(nil), []byte(name+quoted(here)), []byte(change(name)), 1)
}

func quoted(s string) string { return string(jsondoc.StringValue(s).AppendCanonical(nil)) }

// bare writes an event with a word without quotes in place of facts.
func (t *trial) bare(e event, facts []*contract.Fact, word string) []byte {
	const here = "paytest-here"
	for _, f := range facts {
		set(f, jsondoc.StringValue(here))(&e)
	}
	return bytes.ReplaceAll(e.doc.AppendLiteral(nil), []byte(quoted(here)), []byte(word))
}
