package verify

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// plan is what a state's deliveries are judged by as long as nothing is unusual:
// everything about its fields that can be known before one comes.
type plan struct {
	st    *contract.State
	index int // of the state, among all
	own   int // of the state's subject, among all
	// ids are the fields that identify each kind of subject.
	ids [][]int
	// previous is the field that says which state was left, -1 where none does.
	previous int
	moves    []move
	// twins are pairs of fields that carry the same fact.
	twins [][2]int
	// named are the fields of which the documents name the usual values.
	named []named
	// needed are the fields that relations ask for.
	needed []neededField
	// demands are the relations that the state demands.
	demands []demand
	// stamps are the event's own facts that relations ask for.
	stamps []stamp
	// plain is set when of deliveries that differ in their stamps alone, one that
	// has the most demanding of each says it all.
	plain bool
	// shared lists, for each state, the fields that carry the same fact about the
	// same subject.
	shared [][]sharing
	// unusual is set when the contract says something about the state that only
	// the long way understands.
	unusual bool
}

// move is a state left, as payloads spell it.
type move struct {
	token string
	edge  *contract.Edge
}

type named struct {
	field  int
	tokens []string
}

type neededField struct{ field, fact, kind int }

// stamp is a field of which the earliest, or else the latest, demands the most.
type stamp struct {
	field    int
	earliest bool
}

type sharing struct{ mine, theirs, kind int }

// demand is a relation, and where its two sides come from.
type demand struct {
	rel  *contract.Relation
	when []named
	a, b side
	// never is the index of the state that excludes this one, -1 for other kinds.
	never int
}

// side is a field of the event that demands, or -1 and the fact that is known of
// a subject.
type side struct{ field, fact int }

func newPlans(c *contract.Contract) []*plan {
	states := c.States()
	out := make([]*plan, len(states))
	for i, st := range states {
		out[i] = newPlan(c, states, i, st)
	}
	return out
}

func newPlan(c *contract.Contract, states []*contract.State, index int, st *contract.State) *plan {
	p := &plan{st: st, index: index, own: slices.Index(c.Subjects, st.Subject), previous: -1, plain: true}
	for _, kind := range c.Subjects {
		p.ids = append(p.ids, fieldsOf(st, kind.ID))
	}
	for i, f := range st.Fields {
		for j := range i {
			if st.Fields[j].Fact == f.Fact {
				p.twins = append(p.twins, [2]int{j, i})
			}
		}
		if len(f.Known) > 0 {
			p.named = append(p.named, named{i, literals(f.Known)})
		}
		if f.Fact.Scope != nil && inRelation(states, f.Fact) {
			p.needed = append(p.needed, neededField{i, f.Fact.Index, slices.Index(c.Subjects, f.Fact.Scope)})
		}
	}
	p.transitions(c)
	for _, rel := range st.Relations {
		p.demand(states, rel)
	}
	for _, other := range states {
		p.shared = append(p.shared, shared(c, st, other))
	}
	return p
}

func fieldsOf(st *contract.State, f *contract.Fact) []int {
	var out []int
	for i, field := range st.Fields {
		if field.Fact == f {
			out = append(out, i)
		}
	}
	return out
}

func literals(values []jsondoc.Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v.AppendLiteral(nil))
	}
	return out
}

func inRelation(states []*contract.State, f *contract.Fact) bool {
	return slices.ContainsFunc(states, func(st *contract.State) bool {
		return slices.ContainsFunc(st.Relations, func(r *contract.Relation) bool { return r.A == f || r.B == f })
	})
}

func (p *plan) transitions(c *contract.Contract) {
	if !p.st.ReportsPrevious(c.Envelope) {
		p.moves = []move{{"", p.st.From[0]}}
		return
	}
	p.previous = slices.IndexFunc(p.st.Fields, func(f contract.Field) bool { return slices.Equal(f.Pointer, c.Envelope.PreviousState) })
	p.unusual = p.unusual || p.previous < 0
	for _, e := range p.st.From {
		word := jsondoc.NullValue()
		if e.From.Wire != "" {
			word = jsondoc.StringValue(e.From.Wire)
		}
		p.moves = append(p.moves, move{string(word.AppendLiteral(nil)), e})
	}
}

func (p *plan) demand(states []*contract.State, rel *contract.Relation) {
	d := demand{rel: rel, never: -1}
	for _, cond := range rel.When {
		fields := fieldsOf(p.st, cond.Fact)
		if len(fields) == 0 {
			return // it never applies
		}
		p.unusual = p.unusual || cond.Fact.Compare != contract.Exact || len(fields) > 1
		d.when = append(d.when, named{fields[0], literals([]jsondoc.Value{cond.Value})})
	}
	if rel.Kind == contract.Never {
		d.never = slices.Index(states, rel.Never)
		p.demands = append(p.demands, d)
		return
	}
	d.a, d.b = p.side(rel.A), p.side(rel.B)
	p.demands = append(p.demands, d)
	if d.a.field < 0 && d.b.field < 0 {
		return
	}
	if rel.Kind != contract.NotBefore || d.a.field >= 0 && d.b.field >= 0 {
		p.plain = false
		return
	}
	s := stamp{max(d.a.field, d.b.field), d.a.field >= 0}
	if slices.Contains(p.stamps, stamp{s.field, !s.earliest}) {
		p.plain = false
	}
	if !slices.Contains(p.stamps, s) {
		p.stamps = append(p.stamps, s)
	}
}

// side finds where a fact stands: in the event itself when it is the event's
// own.
func (p *plan) side(f *contract.Fact) side {
	if fields := fieldsOf(p.st, f); f.Scope == nil && len(fields) > 0 {
		return side{fields[0], f.Index}
	}
	return side{-1, f.Index}
}

func shared(c *contract.Contract, st, other *contract.State) []sharing {
	var out []sharing
	for i, f := range st.Fields {
		for j, g := range other.Fields {
			if f.Fact == g.Fact && f.Fact.Scope != nil && f.Fact != f.Fact.Scope.ID {
				out = append(out, sharing{i, j, slices.Index(c.Subjects, f.Fact.Scope)})
			}
		}
	}
	return out
}
