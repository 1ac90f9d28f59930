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
	// kept are the fields that are remembered; identities are besides.
	kept []kept
	// spoken are the fields whose words are, for a while.
	spoken []int
	// demands are the relations that the state demands.
	demands []demand
	// stamps are the event's own facts that relations ask for.
	stamps []stamp
	// nevers are the states that the state's demands exclude.
	nevers []int
	// plain is set when of deliveries that differ in their stamps alone, one that
	// has the most demanding of each says it all.
	plain bool
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

// kept is a field that is remembered; fact is its fact's index.
type kept struct {
	field, fact int
	// kind is the kind of subject the fact belongs to, -1 for the event.
	kind int
	like likeness
	// known are the first values that the documents name.
	known []literalCode
	stamp bool
}

type literalCode struct {
	code  code
	token string
	v     jsondoc.Value
}

// maxKnown is how many of the named values an entry can tell by their number.
const maxKnown = 16 - literalNibble

// stamp is a kept field of which the earliest, or else the latest, demands the
// most.
type stamp struct {
	field    int
	earliest bool
}

// demand is a relation, and where its two sides come from.
type demand struct {
	rel  *contract.Relation
	when []condition
	a, b side
	// never is the index of the state that excludes this one, -1 for other kinds.
	never int
}

// condition is a kept field and what it must be.
type condition struct {
	field int
	code  code
}

// side is a kept field of the event that demands, or -1 and the fact that is known
// of a kind of subject.
type side struct{ field, fact, kind int }

// plan returns a state's plan, by the state's place among all. It is made when it
// is first asked for.
func (k *Checker) plan(index int) *plan {
	if p := k.plans[index].Load(); p != nil {
		return p
	}
	k.plans[index].CompareAndSwap(nil, k.newPlan(index))
	return k.plans[index].Load()
}

func (k *Checker) newPlan(index int) *plan {
	c, st := k.c, k.states[index]
	p := &plan{st: st, index: index, own: slices.Index(c.Subjects, st.Subject), previous: -1, plain: true}
	for _, kind := range c.Subjects {
		p.ids = append(p.ids, fieldsOf(st, kind.ID))
	}
	for i, f := range st.Fields() {
		for j := range i {
			if st.Fields()[j].Fact == f.Fact {
				p.twins = append(p.twins, [2]int{j, i})
			}
		}
		if len(f.Known) > 0 {
			p.named = append(p.named, named{i, literals(f.Known)})
		}
		k.keepField(p, i)
	}
	p.transitions(c)
	for _, rel := range st.Relations {
		p.demand(k, rel)
	}
	return p
}

// keepField says what is remembered of a field: all that belongs to a subject, and
// of the event's own facts those that a relation of the state asks for.
func (k *Checker) keepField(p *plan, i int) {
	f := p.st.Fields()[i].Fact
	kind := slices.Index(k.c.Subjects, f.Scope)
	asked := slices.ContainsFunc(p.st.Relations, func(r *contract.Relation) bool {
		return r.A == f || r.B == f || slices.ContainsFunc(r.When, func(c contract.Condition) bool { return c.Fact == f })
	})
	if kind < 0 && !asked {
		return
	}
	p.spoken = append(p.spoken, i)
	if k.identifies(f) {
		return
	}
	x := kept{field: i, fact: f.Index, kind: kind, like: likenessOf(f)}
	for _, v := range p.st.Fields()[i].Known {
		token := v.AppendLiteral(nil)
		if c := k.coder.of(f, token); c.kind() == codeDigest && len(x.known) < maxKnown {
			x.known = append(x.known, literalCode{c, string(token), v})
		}
	}
	p.kept = append(p.kept, x)
}

func fieldsOf(st *contract.State, f *contract.Fact) []int {
	var out []int
	for i, field := range st.Fields() {
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

func (p *plan) transitions(c *contract.Contract) {
	if !p.st.ReportsPrevious(c.Envelope) {
		p.moves = []move{{"", p.st.From[0]}}
		return
	}
	p.previous = slices.IndexFunc(p.st.Fields(), func(f contract.Field) bool { return slices.Equal(f.Pointer, c.Envelope.PreviousState) })
	for _, e := range p.st.From {
		word := jsondoc.NullValue()
		if e.From.Wire != "" {
			word = jsondoc.StringValue(e.From.Wire)
		}
		p.moves = append(p.moves, move{string(word.AppendLiteral(nil)), e})
	}
}

// keeps returns the first kept field of a fact, or -1.
func (p *plan) keeps(f *contract.Fact) int {
	return slices.IndexFunc(p.kept, func(x kept) bool { return x.fact == f.Index })
}

func (p *plan) demand(k *Checker, rel *contract.Relation) {
	d := demand{rel: rel, never: -1}
	for _, cond := range rel.When {
		fields := fieldsOf(p.st, cond.Fact) // the contract holds that there is one
		want := k.coder.of(cond.Fact, cond.Value.AppendLiteral(nil))
		field := p.keeps(cond.Fact)
		p.unusual = p.unusual || cond.Fact.Compare != contract.Exact || len(fields) > 1 || field < 0 || want == opaqueCode
		d.when = append(d.when, condition{field, want})
	}
	if rel.Kind == contract.Never {
		d.never = slices.Index(k.states, rel.Never)
		p.nevers = append(p.nevers, d.never)
		p.demands = append(p.demands, d)
		return
	}
	if rel.A.Compare != rel.B.Compare || k.identifies(rel.A) || k.identifies(rel.B) {
		p.unusual = true
	}
	for _, f := range []*contract.Fact{rel.A, rel.B} {
		p.unusual = p.unusual || f.Scope == nil && len(fieldsOf(p.st, f)) > 1
	}
	d.a, d.b = p.side(k.c, rel.A), p.side(k.c, rel.B)
	p.demands = append(p.demands, d)
	p.stamped(&d)
}

// identifies reports whether a fact is what some subject is known by.
func (k *Checker) identifies(f *contract.Fact) bool { return f.Scope != nil && f.Scope.ID == f }

// stamped finds out which of several times of an event demands the most.
func (p *plan) stamped(d *demand) {
	if d.a.field < 0 && d.b.field < 0 {
		return
	}
	if d.rel.Kind != contract.NotBefore || d.a.field >= 0 && d.b.field >= 0 {
		p.plain = false
		return
	}
	s := stamp{max(d.a.field, d.b.field), d.a.field >= 0}
	if slices.Contains(p.stamps, stamp{s.field, !s.earliest}) {
		p.plain = false
	}
	if !slices.Contains(p.stamps, s) {
		p.stamps = append(p.stamps, s)
		p.kept[s.field].stamp = true
	}
}

// side finds where a fact stands: in the event itself when it is the event's
// own.
func (p *plan) side(c *contract.Contract, f *contract.Fact) side {
	if f.Scope == nil {
		return side{p.keeps(f), f.Index, -1}
	}
	return side{-1, f.Index, slices.Index(c.Subjects, f.Scope)}
}
