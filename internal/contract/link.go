package contract

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/suggest"
)

// link resolves what the files say of each other by name.
func (l *loader) link() {
	if l.err != nil {
		return
	}
	for _, st := range l.c.States() {
		n := l.files[st]
		l.apart(func() { l.from(n.child("from"), st) })
		if r := n.child("relations"); r.exists() {
			for _, x := range r.items() {
				l.apart(func() { l.relation(x, st) })
			}
		}
	}
	for _, f := range l.c.Facts {
		l.apart(func() { l.generator(f) })
	}
	l.apart(func() { l.flow(l.root.child("flow")) })
	l.apart(l.roles)
	l.apart(l.statistics)
	l.gate()
	made := make(map[*Fact]bool, len(l.c.Facts))
	for _, f := range l.c.Facts {
		l.acyclic(f, made)
	}
}

func (l *loader) from(n node, st *State) {
	for _, x := range n.items() {
		if !x.object("state", "trigger", "source", "derived") {
			return
		}
		name := x.child("state").text()
		from := st.Subject.named(name)
		if from == nil {
			x.child("state").fail("is %q, which is no state of %s%s", name, st.Subject.Name,
				suggest.DidYouMean(name, append([]string{st.Subject.Initial.Name}, st.Subject.StateNames()...)))
			return
		}
		if st.EdgeFrom(from) != nil {
			x.child("state").fail("is %q a second time", name)
		}
		e := &Edge{From: from, To: st, Trigger: x.child("trigger").text()}
		e.Source, e.Derived = x.basis()
		st.From = append(st.From, e)
	}
	if l.err == nil && len(st.From) == 0 {
		n.fail("is empty: nothing leads to %s", st)
	}
}

func (s *Subject) named(name string) *State {
	return s.find(append([]*State{s.Initial}, s.States...), func(st *State) bool { return st.Name == name })
}

// stateRef reads "subject/state".
func (l *loader) stateRef(n node) *State {
	ref := n.text()
	if l.err != nil {
		return nil
	}
	subject, name, _ := strings.Cut(ref, "/")
	s := l.c.Subject(subject)
	if s != nil {
		if st := s.named(name); st != nil && !st.IsInitial() {
			return st
		}
	}
	n.fail("is %q, which is no state of the pack: it takes SUBJECT/STATE, such as %s", ref, l.c.Subjects[0].Name+"/"+l.c.Subjects[0].States[0].Name)
	return nil
}

func (l *loader) relation(n node, st *State) {
	if !n.object("equal", "different", "notBefore", "never", "when", "source", "derived") {
		return
	}
	r := &Relation{State: st}
	for _, kind := range []RelationKind{Equal, Different, NotBefore, Never} {
		x := n.child(string(kind))
		switch {
		case !x.exists():
		case r.Kind != "":
			x.fail("is a second relation beside %q: one object, one relation", r.Kind)
		case kind == Never:
			r.Kind, r.Never = kind, l.stateRef(x)
		default:
			r.Kind = kind
			r.A, r.B = l.pair(x)
		}
	}
	if r.Kind == "" {
		n.fail("names no relation: it takes equal, different, notBefore or never")
	}
	if w := n.child("when"); w.exists() {
		for _, c := range w.members() {
			r.When = append(r.When, l.condition(c, st))
		}
	}
	r.Source, r.Derived = n.basis()
	if l.err == nil && r.Kind == NotBefore && (r.A.Compare != Time || r.B.Compare != Time) {
		n.child("notBefore").fail("compares %s and %s, which are not both times", r.A.Name, r.B.Name)
	}
	st.Relations = append(st.Relations, r)
}

// condition reads one member of "when": a fact that the state's own payload
// carries, since only that payload is looked at.
func (l *loader) condition(n node, st *State) Condition {
	f := l.c.Fact(n.name)
	if f == nil || l.whole && !slices.ContainsFunc(st.Fields(), func(x Field) bool { return x.Fact == f }) {
		n.fail("%q is no fact that %s carries", n.name, st)
		return Condition{}
	}
	return Condition{f, *n.v}
}

func (l *loader) pair(n node) (a, b *Fact) {
	items := n.items()
	if len(items) != 2 {
		n.fail("takes two facts")
		return nil, nil
	}
	return l.fact(items[0]), l.fact(items[1])
}

func (l *loader) flow(n node) {
	if !n.object("states", "source", "derived") {
		return
	}
	for _, x := range n.child("states").items() {
		if st := l.stateRef(x); st != nil {
			l.c.Flow = append(l.c.Flow, st)
		}
	}
	if l.err == nil && len(l.c.Flow) == 0 {
		n.child("states").fail("is empty")
	}
	l.c.FlowSource, _ = n.basis()
}

func (l *loader) generator(f *Fact) {
	doc := l.resources[factsFile]
	n := node{load: l, file: factsFile, v: &doc}.down("$defs", f.Name, "generate")
	if !n.exists() || l.err != nil {
		return
	}
	kinds := []GeneratorKind{UUID, CUID, Hex, Base58Check, Pick, Text, Amount, Quotient, Same, Integer, Moment}
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	if !n.object(words...) {
		return
	}
	if len(n.v.Members) != 1 {
		n.fail("takes exactly one of %s", strings.Join(words, ", "))
		return
	}
	g := &Generator{Kind: GeneratorKind(n.v.Members[0].Name)}
	l.parameters(n.child(string(g.Kind)), g)
	f.Generate = g
}

func (l *loader) parameters(p node, g *Generator) {
	switch g.Kind {
	case UUID, CUID:
		p.object()
	case Hex:
		g.Length = p.integer(1, 1024)
	case Base58Check:
		if p.object("version", "bytes") {
			g.Version, g.Length = byte(p.child("version").integer(0, 255)), p.child("bytes").integer(1, 64)
		}
	case Pick, Text:
		for _, x := range p.items() {
			g.Texts = append(g.Texts, x.text())
			if g.Kind == Text {
				l.template(x)
			}
		}
		if len(g.Texts) == 0 {
			p.fail("is empty")
		}
	case Amount:
		if p.object("min", "max", "step", "places") {
			g.Min, g.Max, g.Step = p.child("min").decimal(), p.child("max").decimal(), p.child("step").divisor()
			g.Places = p.child("places").integer(0, 18)
			p.span(g)
		}
	case Quotient:
		if p.object("of", "by", "places") {
			g.Of, g.By, g.Places = l.fact(p.child("of")), p.child("by").divisor(), p.child("places").integer(0, 18)
		}
	case Same:
		l.same(p, g)
	case Integer:
		if p.object("min", "max") {
			low, high := p.child("min"), p.child("max")
			g.Min, g.Max = number(low), number(high)
			p.span(g)
		}
	case Moment:
		switch at := p.text(); at {
		case "self":
		case "start":
			g.Start = true
		default:
			g.State = l.stateRef(p)
		}
	}
}

// span refuses a range that holds nothing.
func (n node) span(g *Generator) {
	low, high := jsondoc.Value{Kind: jsondoc.Number, Text: g.Min}, jsondoc.Value{Kind: jsondoc.Number, Text: g.Max}
	if n.load.err == nil && jsondoc.CompareNumbers(low, high) > 0 {
		n.fail("has a min of %s, which is above its max of %s", g.Min, g.Max)
	}
}

func number(n node) string {
	n.integer(0, 1<<53)
	if n.v == nil {
		return ""
	}
	return n.v.Text
}

func (l *loader) same(p node, g *Generator) {
	if !p.object("as", "different") {
		return
	}
	g.Of = l.fact(p.child("as"))
	d := p.child("different")
	if !d.exists() || !d.object("percent", "places") {
		return
	}
	bounds := d.child("percent").items()
	if len(bounds) != 2 {
		d.child("percent").fail("takes two numbers, the least and the most")
		return
	}
	g.Percent = [2]int{bounds[0].integer(1, 1000), bounds[1].integer(1, 1000)}
	if g.Percent[0] > g.Percent[1] || (g.Percent[0] <= 100 && g.Percent[1] >= 100) {
		d.child("percent").fail("takes the least first, and not 100, which would be the same")
	}
	g.Places = d.child("places").integer(0, 18)
}

func (l *loader) template(n node) {
	for _, p := range Placeholders(n.text()) {
		f := l.c.Fact(p.Fact)
		switch {
		case f == nil:
			n.fail("mentions {%s}, which is no fact%s", p.Fact, suggest.DidYouMean(p.Fact, l.c.FactNames()))
		case p.By != "" && f.Compare != Decimal:
			n.fail("divides %s, which is no decimal", f.Name)
		}
	}
}

// Uses lists the facts a generator needs.
func (g *Generator) Uses(c *Contract) []*Fact {
	if g == nil {
		return nil
	}
	var out []*Fact
	if g.Of != nil {
		out = append(out, g.Of)
	}
	if g.Kind == Text {
		for _, t := range g.Texts {
			for _, p := range Placeholders(t) {
				out = append(out, c.Fact(p.Fact))
			}
		}
	}
	return out
}

// acyclic refuses a fact that needs itself, directly or through others, to be
// made, and a text of texts, which could grow beyond all bounds.
func (l *loader) acyclic(f *Fact, done map[*Fact]bool) {
	made, visited := done[f]
	if made || l.err != nil {
		return
	}
	if visited {
		l.err = &LoadError{factsFile, jsondoc.Pointer{"$defs", f.Name, "generate"}, "needs itself to be made"}
		return
	}
	done[f] = false
	for _, u := range f.Generate.Uses(l.c) {
		l.acyclic(u, done)
		if l.err == nil && f.Generate.Kind == Text && u.Generate.text() {
			l.err = &LoadError{factsFile, jsondoc.Pointer{"$defs", f.Name, "generate", "text"}, "mentions {" + u.Name + "}, which is itself a text"}
		}
	}
	done[f] = true
}

// text reports whether what is made is a filled-in text.
func (g *Generator) text() bool {
	return g != nil && (g.Kind == Text || g.Kind == Same && g.Of.Generate.text())
}

// graph numbers the edges and works out which can be on one path.
func (l *loader) graph() {
	if l.err != nil {
		return
	}
	for _, s := range l.c.Subjects {
		l.apart(func() { l.sort(s) })
		for _, st := range s.States {
			for _, e := range st.From {
				e.Index = len(s.Edges)
				s.Edges = append(s.Edges, e)
			}
		}
		if len(s.Edges) > maxEdges {
			node{load: l, file: s.Name}.fail("has %d transitions; at most %d can be judged", len(s.Edges), maxEdges)
			return
		}
		relate(s)
	}
}

// sort puts the states nearest to the start first, and refuses those that
// nothing leads to.
func (l *loader) sort(s *Subject) {
	depth := map[*State]int{s.Initial: 0}
	for changed := true; changed; {
		changed = false
		for _, st := range s.States {
			for _, e := range st.From {
				d, ok := depth[e.From]
				if old, seen := depth[st]; ok && (!seen || d+1 < old) {
					depth[st], changed = d+1, true
				}
			}
		}
	}
	for _, st := range s.States {
		if _, ok := depth[st]; !ok {
			l.files[st].child("from").fail("leads nowhere near %s: no path from there reaches %s", s.Initial.Name, st)
			return
		}
	}
	sort.SliceStable(s.States, func(i, j int) bool {
		a, b := s.States[i], s.States[j]
		return cmp.Or(depth[a]-depth[b], cmp.Compare(a.At, b.At), strings.Compare(a.Name, b.Name)) < 0
	})
}

func relate(s *Subject) {
	for _, e := range s.Edges {
		e.compatible = 1 << e.Index
		for _, o := range s.Edges {
			bit := uint64(1) << o.Index
			if o.To == e.From {
				e.into |= bit
			}
			if o == e {
				continue
			}
			if o.To.Reaches(e.From) {
				e.before |= bit
			}
			if e.To.Reaches(o.From) {
				e.after |= bit
			}
		}
		e.compatible |= e.before | e.after
	}
}

// check holds the samples against what the pack says of them.
func (l *loader) check() {
	if l.err != nil {
		return
	}
	for _, st := range l.c.States() {
		l.apart(func() { l.sample(st) })
	}
}

func (l *loader) sample(st *State) {
	n := l.files[st].child("sample")
	for _, v := range st.Schema().Validate(st.Sample) {
		n.down(v.Pointer...).fail("the sample fails its own schema: %s: expected %s, got %s", v.Keyword, v.Expected, v.Got)
		return
	}
	l.spelled(n, l.c.Envelope.Event, st.Event)
	l.spelled(n, l.c.Envelope.State, st.Wire)
	l.agreement(n, st)
	if !slices.ContainsFunc(st.Fields(), func(f Field) bool { return f.Fact == st.Subject.ID && f.Required }) {
		n.fail("does not say which %s it is about: no required member carries %s", st.Subject.Name, st.Subject.ID.Name)
	}
	previous := st.Sample.At(l.c.Envelope.PreviousState)
	switch {
	case l.err != nil:
	case previous == nil && len(st.From) != 1:
		n.fail("has no %s, so one state alone may lead to %s", l.c.Envelope.PreviousState, st)
	case previous != nil && !slices.ContainsFunc(st.From, func(e *Edge) bool { return e.From.Wire == previous.Text }):
		n.fail("comes from %s, which is not in \"from\"", previous.Text)
	case previous != nil && !slices.ContainsFunc(st.Fields(), func(f Field) bool { return f.Required && slices.Equal(f.Pointer, l.c.Envelope.PreviousState) }):
		n.fail("has %s, but the schema does not require it to be there", l.c.Envelope.PreviousState)
	}
}

// agreement refuses a sample that states one fact twice, differently, or that
// identifies its subject by something else than a text.
func (l *loader) agreement(n node, st *State) {
	said := map[*Fact]jsondoc.Value{}
	for _, f := range st.Fields() {
		v := st.Sample.At(f.Pointer)
		if v == nil {
			continue
		}
		at := n.down(f.Pointer...)
		if was, again := said[f.Fact]; again && !jsondoc.Equal(was, *v) {
			at.fail("the sample gives %s another value here than before", f.Fact.Name)
		}
		if f.Fact == st.Subject.ID && (v.Kind != jsondoc.String || v.Text == "") {
			at.fail("identifies the %s: it takes a JSON string that is not empty", st.Subject.Name)
		}
		said[f.Fact] = *v
	}
}

func (l *loader) spelled(n node, at jsondoc.Pointer, want string) {
	got := n.v.At(at)
	if got == nil || got.Kind != jsondoc.String || got.Text != want {
		n.down(at...).fail("the sample says something else than the file: expected %q", want)
	}
}
