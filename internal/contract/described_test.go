package contract_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// described writes out all that a contract says, by every way of asking it.
func described(c *contract.Contract) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s, %s, %s, %s", c.Name, c.Envelope.Event, c.Envelope.State, c.Envelope.PreviousState)
	say("subjects %s, paths %s, events %s", c.SubjectNames(), c.Paths(), c.EventNames())
	say("flow %s from %q, epoch %s", c.Flow, c.FlowSource, c.Epoch)
	say("delivery %+v", c.Delivery)
	if c.Signature != nil {
		say("signature %s %q: %s", c.Signature.Header, c.Signature.Source, answered(c.Signature.Answer))
	}
	for _, a := range []contract.Answer{c.Answers.OK, c.Answers.Duplicate, c.Answers.WrongEvent, c.Answers.Invalid, c.Answers.Conflict} {
		say("answer %s", answered(a))
	}
	for _, s := range c.Subjects {
		say("\n%s: %s, by %s, from %s %q", s.Name, s.Meaning, s.ID.Name, s.Initial.Label(), s.Initial.Meaning)
		describeGraph(say, s)
		for _, st := range s.States {
			describeState(say, c, st)
		}
	}
	say("")
	for _, f := range c.Facts {
		describeFact(say, c, f)
	}
	if c.Roles != nil {
		all := c.Roles.States()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			say("role %s: %s", name, named(all[name]))
		}
		say("mismatch %q, price %s", c.Roles.Mismatch, c.Roles.Price.Name)
	}
	if s := c.Statistics; s != nil {
		say("statistics %q: %d groups, %d averages", s.Source, len(s.Groups), len(s.Averages))
	}
	return b.String()
}

func named(st *contract.State) string {
	if st == nil {
		return "none"
	}
	return st.String()
}

func answered(a contract.Answer) string {
	return fmt.Sprintf("%d %s %q %q", a.Status, a.Body.AppendCanonical(nil), a.Source, a.Derived)
}

// describeGraph says of every pair of transitions whether they go together.
func describeGraph(say func(string, ...any), s *contract.Subject) {
	for _, e := range s.Edges {
		say("%d %s: %s, %s", e.Index, e, e.Trigger, contract.Basis(e.Source, e.Derived))
		for _, o := range s.Edges {
			seen := contract.Edges(0).With(o)
			say("   after %s: has %t, contradicts %v, overtook %v, missing %t", o, seen.Has(e), seen.Contradicts(e), seen.Overtook(e), seen.Missing(e))
		}
	}
	all := append([]*contract.State{s.Initial}, s.States...)
	for _, from := range all {
		var reached []string
		for _, to := range all {
			if from.Reaches(to) {
				reached = append(reached, to.Label())
			}
		}
		say("%s: initial %t, final %t, next %s, reaches %s", from.Label(), from.IsInitial(), from.IsFinal(), from.Next(), reached)
	}
}

func describeState(say func(string, ...any), c *contract.Contract, st *contract.State) {
	say("%s %s: %s to %s in %s at %s, late %s, source %q, derived %q", st, st.Wire, st.Event, st.Path, st.File, st.At, st.Late, st.Source, st.Derived)
	say("   reports previous %t, facts %s", st.ReportsPrevious(c.Envelope), st.FactNames())
	for _, f := range st.Fields() {
		say("   %s, %s, is %s, required %t, known %s, takes %d types", f.Path(), f.Name(), f.Fact.Name, f.Required, values(f), len(f.Schema().Types))
	}
	for _, r := range st.Relations {
		say("   %s %s %s never %s when %d, %s", r.Kind, factName(r.A), factName(r.B), named(r.Never), len(r.When), r.Basis())
		for _, w := range r.When {
			say("      %s is %s", w.Fact.Name, w.Value.AppendCanonical(nil))
		}
	}
}

func values(f contract.Field) (out []string) {
	for _, v := range f.Known {
		out = append(out, string(v.AppendCanonical(nil)))
	}
	return out
}

func factName(f *contract.Fact) string {
	if f == nil {
		return "nothing"
	}
	return f.Name
}

func describeFact(say func(string, ...any), c *contract.Contract, f *contract.Fact) {
	scope := contract.EventScope
	if f.Scope != nil {
		scope = f.Scope.Name
	}
	say("%d %s: %s, of %s, compared %q, takes %s, %d known, %s", f.Index, f.Name, f.Meaning, scope, f.Compare, f.Takes(), len(f.Known), contract.Basis(f.Source, f.Derived))
	if g := f.Generate; g != nil {
		of := *g
		of.Of, of.State = nil, nil
		say("   %+v of %s at %s, uses %d", of, factName(g.Of), named(g.State), len(g.Uses(c)))
	}
}

// TestDescribed reads a pack and compares all it says with what it said when
// somebody looked at it.
func TestDescribed(t *testing.T) {
	for _, name := range []string{"shipment", "box"} {
		got, file := described(load(t, os.DirFS("testdata/"+name))), "testdata/"+name+".golden"
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s is read differently; if that is meant, run the test with -update (-want +got):\n%s", name, diff)
		}
	}
}
