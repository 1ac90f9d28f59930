package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
)

func (d *differ) subjects(before, after *contract.Contract) {
	for _, was := range before.Subjects {
		is := after.Subject(was.Name)
		if is == nil {
			d.tell(senders(), was.Name, nil, "nothing is told of it any more", "a sender must not send its events")
			continue
		}
		d.changed(both(), was.Name, "the fact that identifies one", was.ID.Name, is.ID.Name, "events of one and the same are told by another member")
		d.changed(both(), was.Name, "the first state", was.Initial.Label(), is.Initial.Label(), "payloads spell it otherwise")
		for _, st := range was.States {
			if now := is.State(st.Name); now == nil || now.IsInitial() {
				d.tell(senders(), st.String(), nil, "the state is gone", "a sender must not send it")
			} else {
				d.state(st, now)
			}
		}
		for _, st := range is.States {
			if was.State(st.Name) == nil {
				d.tell(receivers(), st.String(), nil, fmt.Sprintf("there is a new state, %s, told by %s at %s", st.Label(), st.Event, st.Path), "a receiver does not know it")
			}
		}
	}
	for _, is := range after.Subjects {
		if before.Subject(is.Name) == nil {
			d.tell(receivers(), is.Name, nil, "there is a new subject, with the states "+strings.Join(is.StateNames(), ", "), "a receiver does not know its events")
		}
	}
}

func (d *differ) state(was, is *contract.State) {
	about := was.String()
	d.changed(both(), about, "the path", was.Path, is.Path, "events arrive elsewhere")
	d.changed(both(), about, "the event", was.Event, is.Event, "the event has another name")
	d.changed(both(), about, "its spelling", was.Wire, is.Wire, "payloads spell the state otherwise")
	for _, e := range was.From {
		if !leads(is, e) {
			d.tell(senders(), about, nil, fmt.Sprintf("the transition %s is gone", e), "a sender must not report it")
		}
	}
	for _, e := range is.From {
		if !leads(was, e) {
			d.tell(receivers(), about, nil, fmt.Sprintf("there is a new transition, %s: %s", e, e.Trigger), "a receiver may take it for illegal")
		}
	}
	d.payload(was, is)
	d.relations(was, is)
	d.changed(nobody(), about, "what stands behind it", standing(was), standing(is), "")
}

// leads reports whether a state can be entered from where an edge starts.
func leads(to *contract.State, e *contract.Edge) bool {
	return slices.ContainsFunc(to.From, func(o *contract.Edge) bool { return o.From.Name == e.From.Name })
}

func standing(st *contract.State) string {
	if st.Derived != "" {
		return "derived"
	}
	return "documented in " + st.Source
}

// relations tells of what must hold between facts.
func (d *differ) relations(was, is *contract.State) {
	before, after := rules(was), rules(is)
	for _, r := range before {
		if !slices.Contains(after, r) {
			d.tell(receivers(), was.String(), nil, "it need no longer hold that "+r, "a receiver may rely on it")
		}
	}
	for _, r := range after {
		if !slices.Contains(before, r) {
			d.tell(senders(), is.String(), nil, "it must hold that "+r, "a sender must see to it")
		}
	}
}

func rules(st *contract.State) []string {
	var out []string
	for _, r := range st.Relations {
		out = append(out, rule(r))
	}
	return out
}

// rule says a relation in words, in one way for each.
func rule(r *contract.Relation) string {
	text := ""
	switch r.Kind {
	case contract.Equal:
		text = either(r, " equals ")
	case contract.Different:
		text = either(r, " differs from ")
	case contract.NotBefore:
		text = r.A.Name + " is not before " + r.B.Name
	case contract.Never:
		text = "it never comes together with " + r.Never.String()
	}
	for _, w := range r.When {
		text += fmt.Sprintf(", when %s is %s", w.Fact.Name, written(w.Value))
	}
	return text
}

// either names two facts of which it does not matter which comes first.
func either(r *contract.Relation, verb string) string {
	return min(r.A.Name, r.B.Name) + verb + max(r.A.Name, r.B.Name)
}

func (d *differ) facts(before, after *contract.Contract) {
	for _, was := range before.Facts {
		is := after.Fact(was.Name)
		if is == nil {
			continue // the payloads tell of what they carry
		}
		about := "fact " + was.Name
		if a, b := scope(was), scope(is); a != b {
			breaks, why := both(), "it stays the same for as long as something else"
			switch contract.EventScope {
			case b:
				breaks, why = receivers(), "it may change from event to event"
			case a:
				breaks, why = senders(), "it must stay the same"
			}
			d.changed(breaks, about, "its scope", a, b, why)
		}
		if a, b := compared(was), compared(is); a != b {
			breaks, why := both(), "other values are the same"
			switch compared(nil) {
			case a:
				breaks, why = receivers(), "it may be spelled in more than one way"
			case b:
				breaks, why = senders(), "it must be spelled in one way"
			}
			d.changed(breaks, about, "what makes two values equal", a, b, why)
		}
		d.changed(nobody(), about, "its documented values", known(was), known(is), "")
	}
}

func scope(f *contract.Fact) string {
	if f.Scope == nil {
		return contract.EventScope
	}
	return f.Scope.Name
}

// compared says how values of a fact are compared; those of none exactly.
func compared(f *contract.Fact) string {
	if f == nil || f.Compare == contract.Exact {
		return "every character"
	}
	return string(f.Compare)
}

func known(f *contract.Fact) string {
	if len(f.Known) == 0 {
		return "any"
	}
	words := make([]string, len(f.Known))
	for i, v := range f.Known {
		words[i] = written(v)
	}
	return strings.Join(words, ", ")
}
