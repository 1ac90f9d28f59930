package contract

import (
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/suggest"
)

func (l *loader) facts() {
	n := l.read(factsFile)
	l.apart(func() { n.object("$schema", "$comment", "title", "description", "$defs") })
	if n.v == nil {
		return
	}
	for _, d := range n.child("$defs").members() {
		l.apart(func() { l.def(d) })
	}
	l.apart(l.subjectIDs)
}

// def reads a fact, or passes over a type that facts share.
func (l *loader) def(d node) {
	if !d.kind(jsondoc.Object) || !d.child("scope").exists() {
		return
	}
	scope := d.child("scope")
	f := &Fact{Name: d.name, Index: len(l.c.Facts), scope: scope.text()}
	f.Meaning = d.child("description").text()
	f.Source, f.Derived = d.basis()
	f.Compare = Compare(d.child("compare").optionalText())
	if !contains([]string{"", string(Decimal), string(Time), string(Caseless)}, string(f.Compare)) {
		d.child("compare").fail("is %q; it takes decimal, time or caseless", f.Compare)
	}
	f.Known = known(d)
	l.scope(scope, f)
	l.c.Facts = append(l.c.Facts, f)
	l.c.facts[f.Name] = f
}

func (l *loader) subjectIDs() {
	for _, s := range l.c.Subjects {
		s.ID = l.fact(l.root.child("subjects").child(s.Name).child("id"))
		if s.ID != nil && s.ID.Scope != s {
			l.root.child("subjects").child(s.Name).child("id").fail("is the fact %s, whose scope is %q; it takes one whose scope is %q", s.ID.Name, s.ID.scope, s.Name)
		}
	}
}

func known(d node) []jsondoc.Value {
	var out []jsondoc.Value
	if k := d.child("known"); k.exists() {
		for _, v := range k.items() {
			out = append(out, *v.v)
		}
	}
	return out
}

func (l *loader) scope(n node, f *Fact) {
	if f.scope == EventScope || l.err != nil {
		return
	}
	if f.Scope = l.c.Subject(f.scope); f.Scope == nil {
		n.fail("is %q; it takes %q or a subject%s", f.scope, EventScope, suggest.DidYouMean(f.scope, l.c.SubjectNames()))
	}
}

// fact reads the name of a fact.
func (l *loader) fact(n node) *Fact {
	name := n.text()
	if l.err != nil {
		return nil
	}
	f := l.c.Fact(name)
	if f == nil {
		n.fail("is %q, which is no fact in %s%s", name, factsFile, suggest.DidYouMean(name, l.c.FactNames()))
	}
	return f
}
