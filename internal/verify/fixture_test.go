package verify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fataler is what testing and rapid have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func state(t fataler, c *contract.Contract, ref string) *contract.State {
	t.Helper()
	subject, name, _ := strings.Cut(ref, "/")
	if s := c.Subject(subject); s != nil {
		if st := s.State(name); st != nil {
			return st
		}
	}
	t.Fatalf("there is no state %s", ref)
	return nil
}

// event is a webhook in the terms of the tests below.
type event struct {
	state    string // "invoice/complete"
	previous string // "wait"; empty takes the usual one
	facts    []string
	edits    []string // path=value, on the finished payload
}

func ev(state string, facts ...string) event { return event{state: state, facts: facts} }

func (e event) from(previous string) event { e.previous = previous; return e }

func (e event) edit(edits ...string) event { e.edits = slices.Concat(e.edits, edits); return e }

// payload makes the event of a payment that comes to the states of toward.
func payload(t fataler, c *contract.Contract, seed uint64, e event, toward ...string) []byte {
	t.Helper()
	o := payment.Options{Seed: seed, Start: c.Epoch, Facts: map[*contract.Fact]jsondoc.Value{}}
	for _, x := range toward {
		o.Toward = append(o.Toward, state(t, c, x))
	}
	for _, x := range e.facts {
		name, typed, _ := strings.Cut(x, "=")
		f := c.Fact(name)
		if f == nil {
			t.Fatalf("there is no fact %s", name)
		}
		v, err := payment.FactValue(f, typed)
		if err != nil {
			t.Fatalf("%v", err)
		}
		o.Facts[f] = v
	}
	st := state(t, c, e.state)
	g := generate.Options{Force: true}
	if e.previous != "" {
		g.Previous = state(t, c, st.Subject.Name+"/"+e.previous)
	}
	doc, err := generate.Payload(c, payment.New(c, o), st, g)
	if err != nil {
		t.Fatalf("%s: %v", e.state, err)
	}
	for _, x := range e.edits {
		edit := generate.Edit{Kind: generate.Add, Expression: x}
		if path, found := strings.CutPrefix(x, "!"); found {
			edit = generate.Edit{Kind: generate.Remove, Expression: path}
		}
		if err := edit.Apply(&doc); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return doc.AppendCanonical(nil)
}

// codes lists what was found, each code once, in order.
func codes(v verify.Verdict, severities ...verify.Severity) []verify.Code {
	var out []verify.Code
	for _, f := range v.Findings {
		if len(severities) == 0 || slices.Contains(severities, f.Severity) {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func find(v verify.Verdict, code verify.Code, pointer string) *verify.Finding {
	for i, f := range v.Findings {
		if f.Code == code && f.Pointer == pointer {
			return &v.Findings[i]
		}
	}
	return nil
}
