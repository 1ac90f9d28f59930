package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// payload tells how the payloads of a state differ.
func (d *differ) payload(was, is *contract.State) {
	w := walk{differ: d, about: was.String(), facts: [2]map[string]string{worn(was), worn(is)}, seen: map[[2]*schema.Schema]bool{}}
	w.compare(view(was.Schema()), view(is.Schema()), nil)
}

// worn are the facts of a state by the places where they stand.
func worn(st *contract.State) map[string]string {
	out := map[string]string{}
	for _, f := range st.Fields() {
		out[f.Pointer.String()] = f.Fact.Name
	}
	return out
}

// walk goes through two schemas at once.
type walk struct {
	*differ
	about string
	facts [2]map[string]string
	seen  map[[2]*schema.Schema]bool
	// members counts those that were compared.
	members int
}

// maxMembers bounds what is compared of one state: schemas that refer to each other
// can have more members than anybody could read.
const maxMembers = 10_000

// seen is what all the schemas that judge one value say of it together.
type seen struct {
	all []*schema.Schema
}

// view collects a schema and what it refers to.
func view(s *schema.Schema) seen {
	var v seen
	v.add(s)
	return v
}

func (v *seen) add(s *schema.Schema) {
	if s == nil || slices.Contains(v.all, s) {
		return
	}
	v.all = append(v.all, s)
	v.add(s.Ref)
	for _, a := range s.AllOf {
		v.add(a)
	}
}

// names are the declared members, in the order written.
func (v seen) names() []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range v.all {
		for _, p := range s.Properties {
			add(p.Name)
		}
		for _, r := range s.Required {
			add(r)
		}
	}
	return out
}

// member is what is said of a member, by those that name it and by those that say
// something of all they do not name.
func (v seen) member(name string) seen {
	var out seen
	for _, s := range v.all {
		i := slices.IndexFunc(s.Properties, func(p schema.Property) bool { return p.Name == name })
		if i >= 0 {
			out.add(s.Properties[i].Schema)
		} else {
			out.add(s.AdditionalProperties)
		}
	}
	return out
}

// items is what is said of the items of an array.
func (v seen) items() seen {
	var out seen
	for _, s := range v.all {
		out.add(s.Items)
	}
	return out
}

// first is a schema of those, to know them by; nil where nothing is said.
func (v seen) first() *schema.Schema {
	if len(v.all) == 0 {
		return nil
	}
	return v.all[0]
}

// forbids reports whether no value at all is allowed.
func (v seen) forbids() bool {
	return slices.ContainsFunc(v.all, func(s *schema.Schema) bool { return s.Always != nil && !*s.Always })
}

// accepts reports whether a value is allowed.
func (v seen) accepts(x jsondoc.Value) bool {
	return !slices.ContainsFunc(v.all, func(s *schema.Schema) bool { return len(s.Validate(x)) > 0 })
}

func (v seen) requires(name string) bool {
	return slices.ContainsFunc(v.all, func(s *schema.Schema) bool { return slices.Contains(s.Required, name) })
}

func (w *walk) compare(was, is seen, at jsondoc.Pointer) {
	pair := [2]*schema.Schema{was.first(), is.first()}
	if w.seen[pair] || pair == [2]*schema.Schema{} {
		return // they refer to themselves, or nothing is said
	}
	w.seen[pair] = true
	defer delete(w.seen, pair)
	if w.forbidden(was, is, at) || w.listed(was, is, at) {
		return
	}
	w.value(was, is, at)
	w.compare(was.items(), is.items(), append(slices.Clone(at), "*"))
	for _, name := range was.names() {
		w.member(was, is, append(slices.Clone(at), name))
	}
	for _, name := range is.names() {
		if !slices.Contains(was.names(), name) {
			w.member(was, is, append(slices.Clone(at), name))
		}
	}
}

// forbidden tells where one side allows no value, and says whether one does.
func (w *walk) forbidden(was, is seen, at jsondoc.Pointer) bool {
	a, b := was.forbids(), is.forbids()
	switch {
	case a && !b:
		w.tell(receivers(), w.about, at, "no value was allowed, and some are", meaning(receivers()))
	case b && !a:
		w.tell(senders(), w.about, at, "values were allowed, and none is", meaning(senders()))
	}
	return a || b
}

// maxListed bounds the values of a list that are tried one by one: each is looked for
// in the other list.
const maxListed = 1_000

func (v seen) long() bool {
	return slices.ContainsFunc(v.all, func(s *schema.Schema) bool { return len(s.Enum) > maxListed })
}

// text is all that is said, written out.
func (v seen) text() string {
	var out []string
	for _, s := range v.all {
		out = append(out, writtenOut{}.text(s))
	}
	return strings.Join(out, " ")
}

// listed tells how values differ of which one side at least names all it allows,
// and says whether one does.
func (w *walk) listed(was, is seen, at jsondoc.Pointer) bool {
	if was.long() || is.long() {
		if was.text() != is.text() {
			w.tell(both(), w.about, at, fmt.Sprintf("it lists more than %d values, and they were not compared", maxListed), "nobody knows what changed there")
		}
		return true
	}
	a, listedBefore := allowed(was)
	b, listedAfter := allowed(is)
	if !listedBefore && !listedAfter {
		return false
	}
	breaks := Breaks{
		Receivers: !listedAfter || slices.ContainsFunc(b, func(v jsondoc.Value) bool { return !was.accepts(v) }),
		Senders:   !listedBefore || slices.ContainsFunc(a, func(v jsondoc.Value) bool { return !is.accepts(v) }),
	}
	if breaks.Any() {
		w.tell(breaks, w.about, at, fmt.Sprintf("the list of allowed values was %s, and is %s", list(a, listedBefore), list(b, listedAfter)), meaning(breaks))
	}
	return true
}

func list(values []jsondoc.Value, given bool) string {
	switch {
	case !given:
		return "not given"
	case len(values) == 0:
		return "empty"
	}
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = written(v)
	}
	return strings.Join(words, ", ")
}

func (w *walk) member(was, is seen, at jsondoc.Pointer) {
	if w.members++; w.members >= maxMembers {
		if w.members == maxMembers {
			w.tell(both(), w.about, nil, fmt.Sprintf("it has more than %d members, and the others were not compared", maxMembers), "nobody knows what changed there")
		}
		return
	}
	name := at[len(at)-1]
	had, has := slices.Contains(was.names(), name), slices.Contains(is.names(), name)
	needed, needs := was.requires(name), is.requires(name)
	switch {
	case had && !has:
		w.gone(was.member(name), is.member(name), at, needed)
		return
	case !had:
		w.added(was.member(name), is.member(name), at, needs)
		return
	case needed && !needs:
		w.tell(receivers(), w.about, at, "the member was required, and is optional", "a receiver relies on it")
	case !needed && needs:
		w.tell(senders(), w.about, at, "the member was optional, and is required", "a sender must send it")
	}
	switch a, b := w.facts[0][at.String()], w.facts[1][at.String()]; {
	case a == b:
	case a == "":
		w.tell(senders(), w.about, at, "the member carries the fact "+b, "a sender must say the same wherever it tells it")
	case b == "":
		w.tell(receivers(), w.about, at, "the member no longer carries the fact "+a, "a receiver may rely on what it means")
	default:
		w.tell(both(), w.about, at, fmt.Sprintf("the member was the fact %s, and is %s", a, b), "it means something else")
	}
	w.compare(was.member(name), is.member(name), at)
}

// gone tells of a member that is named no more, and of what may still be sent there.
func (w *walk) gone(was, is seen, at jsondoc.Pointer, needed bool) {
	breaks := w.inside(was, is, at)
	message, why := "the member, which was optional, is gone", ""
	switch {
	case is.forbids():
		why = "a sender must not send it"
	case breaks.Any():
		why = "where it comes, " + meaning(breaks)
	}
	if needed {
		message, why, breaks.Receivers = "the member is gone", "a receiver relies on it", true
	}
	w.tell(breaks, w.about, at, message, why)
}

// added tells of a member that was not named before, and of what could be sent there.
func (w *walk) added(was, is seen, at jsondoc.Pointer, needs bool) {
	breaks := w.inside(was, is, at)
	message, why := "there is a new member, which is optional", ""
	switch {
	case was.forbids():
		why = "a receiver refuses it"
	case breaks.Any() && !needs:
		why = "where it came before, " + meaning(breaks)
	}
	if needs {
		message, breaks.Senders = "there is a new member, which is required", true
		why = strings.TrimPrefix(why+", and a sender must send it", ", and ")
	}
	w.tell(breaks, w.about, at, message, why)
}

// inside is whom it breaks that a member's values are others, without telling it.
func (w *walk) inside(was, is seen, at jsondoc.Pointer) Breaks {
	if len(was.all) == 0 || len(is.all) == 0 {
		return Breaks{} // a member that nothing is said of is none of the contract's
	}
	inner := *w
	inner.differ = &differ{}
	inner.compare(was, is, at)
	w.members = inner.members
	var out Breaks
	for _, c := range inner.changes {
		out = Breaks{out.Receivers || c.Breaks.Receivers, out.Senders || c.Breaks.Senders}
	}
	return out
}

// value compares what is said of a value itself, keyword by keyword.
func (w *walk) value(was, is seen, at jsondoc.Pointer) {
	a, b := types(was), types(is)
	if breaks := (Breaks{Receivers: !within(b, a), Senders: !within(a, b)}); breaks.Any() {
		w.tell(breaks, w.about, at, fmt.Sprintf("the type was %s, and is %s", strings.Join(a, " or "), strings.Join(b, " or ")), meaning(breaks))
	}
	for _, k := range keywords() {
		if breaks := k.order(was, is); breaks.Any() {
			w.tell(breaks, w.about, at, fmt.Sprintf("%s was %s, and is %s", k.name, orAny(k.said(was)), orAny(k.said(is))), meaning(breaks))
		}
	}
}
