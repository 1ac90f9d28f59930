package verify

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// explained judges a delivery by the history of its subjects.
func (k *Checker) explained(v *Verdict) {
	p := k.plans[k.places[v.State]]
	k.take(p, v)
	h := k.history(v)
	h.observe(v)
	if v.OK() {
		k.remember(p, v.Edge)
	}
}

// take puts a verdict's values into the scratch.
func (k *Checker) take(p *plan, v *Verdict) {
	s := &k.scratch
	s.tokens = slices.Grow(s.tokens[:0], len(p.st.Fields))[:len(p.st.Fields)]
	clear(s.tokens)
	for _, x := range v.values {
		field := slices.IndexFunc(p.st.Fields, func(f contract.Field) bool { return slices.Equal(f.Pointer, x.field.Pointer) })
		s.tokens[field] = tokenOf(x.v)
	}
	k.identify(p)
}

// tokenOf is a value as it is remembered; long lists are not.
func tokenOf(v jsondoc.Value) []byte {
	t := bounded(v).AppendLiteral(nil)
	if (v.Kind == jsondoc.Array || v.Kind == jsondoc.Object) && len(t) > tokenLimit {
		return nil
	}
	return t
}

// history is what is remembered of the subjects of a verdict, and of those that
// were reported together with them. The scratch holds the verdict's tokens.
func (k *Checker) history(v *Verdict) *history {
	s := &k.scratch
	h := &history{c: k.c, subjects: map[key]*subject{}, partial: k.store.forgotten > 0}
	s.seen, s.found = s.seen[:0], s.found[:0]
	known := map[key]*record{}
	var open []*record
	enter := func(kind int, id []byte) {
		if id == nil {
			return
		}
		name := key{k.c.Subjects[kind], identity(k.c.Subjects[kind], decoded(id))}
		if _, done := known[name]; done {
			return
		}
		if known[name] = k.store.find(k.hash(kind, id)); known[name] != nil {
			open = append(open, known[name])
		}
	}
	for kind, id := range s.ids {
		enter(kind, id)
	}
	for len(open) > 0 {
		r := open[0]
		open = open[1:]
		for a := r.last; ; {
			e, ok := k.store.at(a)
			if !ok || len(s.seen) == maxRelated {
				break
			}
			if !slices.Contains(s.seen, a) {
				s.seen = append(s.seen, a)
				for kind := range s.ids {
					enter(kind, k.plans[e.state()].id(kind, e.token))
				}
			}
			a = e.before(int(r.kind))
		}
	}
	slices.Sort(s.seen) // the oldest first
	for _, a := range s.seen {
		e, _ := k.store.at(a)
		s.found = append(s.found, e)
		past := k.past(e)
		parties := h.parties(past)
		h.record(past, partyOf(parties, past.State.Subject), parties)
	}
	for _, party := range h.parties(v) {
		h.subjects[party.key] = party
	}
	for name, of := range h.subjects {
		if r := known[name]; r != nil {
			of.seen, of.partial = r.seen, r.partial
		}
	}
	h.strict = k.strict
	return h
}

// past is a delivery as its entry remembers it.
func (k *Checker) past(e entry) *Verdict {
	p := k.plans[e.state()]
	v := &Verdict{Event: p.st.Event, State: p.st, Edge: p.st.Subject.Edges[e.edge()]}
	for i := range p.st.Fields {
		if t := e.token(i); len(t) > 0 {
			v.values = append(v.values, value{&p.st.Fields[i], decoded(t)})
		}
	}
	return v
}

// name is the identity of a remembered subject, as text; it is forgotten before
// the subject itself.
func (k *Checker) name(r *record) string {
	e, ok := k.store.at(r.last)
	if !ok {
		return "(its name is forgotten)"
	}
	id := k.plans[e.state()].id(int(r.kind), e.token)
	return identity(k.c.Subjects[r.kind], decoded(id))
}
