// Package author helps who writes a pack: it says what is wrong with one, and
// writes one to start from.
package author

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// Remark is something about a pack that its author should know.
type Remark struct {
	// Problem says that the pack cannot be used as it is; otherwise it can, and is
	// likely not what was meant.
	Problem bool
	// File is where it is, Pointer the place in it; empty for the whole of it.
	File    string
	Pointer jsondoc.Pointer
	// Message says what is wrong, and what to do.
	Message string
}

// Lint returns what is wrong with a pack, problems first. A pack without problems
// is also made payments from, which must hold under its own rules.
func Lint(pack fs.FS) []Remark {
	c, problems := contract.Lint(pack)
	var out []Remark
	for _, err := range problems {
		r := Remark{Problem: true, Message: err.Error()}
		if le, ok := err.(*contract.LoadError); ok { //nolint:errorlint // Lint wraps none
			r.File, r.Pointer, r.Message = le.File, le.Pointer, le.Message
		}
		out = append(out, r)
	}
	if c == nil {
		return out
	}
	l := &linter{c: c}
	l.whole()
	l.facts()
	for _, st := range c.States() {
		l.state(st)
	}
	l.lives()
	return l.remarks
}

type linter struct {
	c       *contract.Contract
	remarks []Remark
}

func (l *linter) warn(file string, at jsondoc.Pointer, format string, args ...any) {
	l.remarks = append(l.remarks, Remark{File: file, Pointer: at, Message: fmt.Sprintf(format, args...)})
}

func (l *linter) problem(file string, at jsondoc.Pointer, format string, args ...any) {
	l.remarks = append(l.remarks, Remark{Problem: true, File: file, Pointer: at, Message: fmt.Sprintf(format, args...)})
}

const (
	contractFile = "contract.json"
	factsFile    = "facts.json"
)

// whole looks at what contract.json leaves out.
func (l *linter) whole() {
	c := l.c
	if c.Signature == nil {
		l.warn(contractFile, nil, `says nothing of a "signature": who knows the URL can forge events; add it if the documents have one`)
	}
	if c.Roles == nil {
		l.warn(contractFile, nil, `has no "roles": conform and demo cannot tell what an event must cause; name the state that is paid and the fact that is the price`)
	}
	for _, a := range c.AllAnswers() {
		taken := slices.Contains(c.Delivery.Success, a.Answer.Status)
		at := jsondoc.Pointer{"answers", a.Name, "status"}
		if a.Name == "signature" {
			at = jsondoc.Pointer{"signature", "answer", "status"}
		}
		switch accepts := a.Name == "ok" || a.Name == "duplicate"; {
		case accepts && !taken:
			l.warn(contractFile, at, "is %d, which /delivery/success does not list: an event that is answered so is delivered again", a.Answer.Status)
		case !accepts && taken:
			l.warn(contractFile, at, "is %d, which /delivery/success lists: an event that is refused so is never delivered again", a.Answer.Status)
		}
	}
	for _, s := range c.Subjects {
		if !slices.ContainsFunc(s.States, (*contract.State).IsFinal) {
			l.warn(s.Name, nil, "has no final state: each leads to another")
		}
		if s.ID.Generate == nil {
			l.warn(factsFile, jsondoc.Pointer{"$defs", s.ID.Name}, `identifies a %s and has no "generate": all made-up ones would be the same; add {"uuid": {}} or the like`, s.Name)
		}
	}
}

// facts looks for facts that nothing mentions.
func (l *linter) facts() {
	used := map[*contract.Fact]bool{}
	for _, st := range l.c.States() {
		for _, f := range st.Fields() {
			used[f.Fact] = true
		}
	}
	for changed := true; changed; {
		changed = false
		for _, f := range l.c.Facts {
			for _, u := range f.Generate.Uses(l.c) {
				if used[f] && !used[u] {
					used[u], changed = true, true
				}
			}
		}
	}
	for _, f := range l.c.Facts {
		if !used[f] {
			l.warn(factsFile, jsondoc.Pointer{"$defs", f.Name}, "no event carries it, and nothing is made from it: remove it, or refer to it from a schema")
		}
	}
}

// state looks at one state.
func (l *linter) state(st *contract.State) {
	for _, at := range st.Schema().Undeclared(st.Sample) {
		l.warn(st.File, append(jsondoc.Pointer{"sample"}, at...), "is in the sample and not in the schema: listen would call it an unknown field; declare it under properties")
	}
	for i, e := range st.From {
		if !e.From.IsInitial() && e.From.At > st.At && !loops(e) {
			l.warn(st.File, jsondoc.Pointer{"at"}, "is %s, and %s, from which it comes (/from/%d), happens at %s: a state follows what leads to it", st.At, e.From, i, e.From.At)
		}
	}
	for _, e := range st.From {
		for seed := range uint64(seeds) {
			p := payment.New(l.c, payment.Options{Seed: seed, Start: l.c.Epoch, Toward: []*contract.State{st}})
			doc, err := generate.Payload(l.c, p, st, generate.Options{Previous: e.From})
			if err != nil {
				l.problem(st.File, nil, "no payload of it can be made: %v", err)
				return
			}
			if f, bad := violation(verify.Payload(l.c, doc.AppendCanonical(nil), st.Path)); bad {
				l.problem(st.File, nil, "a made-up payload breaks the contract: %s: mend what generates it in %s", told(f), factsFile)
				return
			}
		}
	}
}

// seeds is how many payments are made up to try a pack.
const seeds = 5

// loops reports whether what a transition leaves can be entered again after it.
func loops(e *contract.Edge) bool { return e.To.Reaches(e.From) }

// lives tries whole payments: the documented one, and made-up ones.
func (l *linter) lives() {
	if l.c.Flow == nil {
		return
	}
	flow := jsondoc.Pointer{"flow", "states"}
	documented := verify.NewChecker(l.c, verify.Strict{})
	for i, st := range l.c.Flow {
		if f, bad := violation(documented.Check(st.Sample.AppendCanonical(nil), st.Path)); bad {
			l.problem(contractFile, append(flow, fmt.Sprint(i)), "the sample of %s contradicts those before it: %s", st, told(f))
			return
		}
	}
	for seed := range uint64(seeds) {
		checker := verify.NewChecker(l.c, verify.Strict{})
		p := payment.New(l.c, payment.Options{Seed: seed, Start: l.c.Epoch, Toward: l.c.Flow})
		for i, st := range l.c.Flow {
			doc, err := generate.Payload(l.c, p, st, generate.Options{})
			if err != nil {
				l.problem(contractFile, append(flow, fmt.Sprint(i)), "no payload of it can be made: %v", err)
				return
			}
			if f, bad := violation(checker.Check(doc.AppendCanonical(nil), st.Path)); bad {
				l.problem(contractFile, append(flow, fmt.Sprint(i)), "a made-up payment contradicts itself at %s: %s", st, told(f))
				return
			}
		}
	}
}

func violation(v verify.Verdict) (verify.Finding, bool) {
	for _, f := range v.Findings {
		if f.Severity == verify.Violation {
			return f, true
		}
	}
	return verify.Finding{}, false
}

func told(f verify.Finding) string {
	out := strings.TrimSpace(f.Pointer + " " + f.Message)
	if f.Expected != "" {
		out += " (expected " + f.Expected + ", got " + f.Got + ")"
	}
	return out
}
