package contract

import "slices"

// maxStatistics bounds how many groups, and how many averages, a pack may name.
const maxStatistics = 16

// Statistics are the numbers over many payments that the documents mention.
type Statistics struct {
	// Groups are the facts by whose values payments are counted.
	Groups []*Fact
	// Averages are the amounts of which the mean is told.
	Averages []Average
	// Source is where the documents mention them.
	Source string
}

// Average is an amount and the fact that says which amounts may be added up, such
// as their currency; By is nil where all may.
type Average struct{ Fact, By *Fact }

func (l *loader) statistics() {
	n := l.root.child("statistics")
	if !n.exists() || !n.object("groups", "averages", "source", "derived") {
		return
	}
	s := &Statistics{}
	if groups := n.child("groups"); groups.exists() {
		for _, x := range groups.few() {
			if f := l.fact(x); f != nil && x.lasting(f) {
				s.Groups = append(s.Groups, f)
			}
		}
	}
	if averages := n.child("averages"); averages.exists() {
		for _, x := range averages.few() {
			s.Averages = append(s.Averages, l.average(x))
		}
	}
	s.Source = Basis(n.basis())
	l.c.Statistics = s
}

// few are the items of a list that is not too long.
func (n node) few() []node {
	items := n.items()
	if len(items) > maxStatistics {
		n.fail("names %d; it takes at most %d", len(items), maxStatistics)
		return nil
	}
	return items
}

// lasting refuses a fact of a single event: what is counted is subjects.
func (n node) lasting(f *Fact) bool {
	if f.Scope == nil {
		n.fail("is %q, which belongs to a single event: it takes a fact of a subject", f.Name)
	}
	return f.Scope != nil
}

func (l *loader) average(n node) Average {
	if !n.object("fact", "by") {
		return Average{}
	}
	a := Average{Fact: l.fact(n.child("fact"))}
	if l.err == nil && n.child("fact").lasting(a.Fact) && a.Fact.Compare != Decimal {
		n.child("fact").fail("is %q, which is no decimal: only amounts have an average", a.Fact.Name)
	}
	if by := n.child("by"); by.exists() {
		if a.By = l.fact(by); l.whole && l.err == nil && !l.together(a) {
			by.fail("is %q, but no event carries both it and %s", a.By.Name, a.Fact.Name)
		}
	}
	return a
}

// together reports whether an event tells an amount and what it is grouped by.
func (l *loader) together(a Average) bool {
	return slices.ContainsFunc(l.c.States(), func(st *State) bool {
		return st.Carries(a.Fact.Name) != nil && st.Carries(a.By.Name) != nil
	})
}
