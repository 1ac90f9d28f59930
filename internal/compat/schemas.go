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
	for _, f := range st.Fields {
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

// member is what is said of a member.
func (v seen) member(name string) seen {
	var out seen
	for _, s := range v.all {
		for _, p := range s.Properties {
			if p.Name == name {
				out.add(p.Schema)
			}
		}
	}
	return out
}

func (v seen) requires(name string) bool {
	return slices.ContainsFunc(v.all, func(s *schema.Schema) bool { return slices.Contains(s.Required, name) })
}

func (w *walk) compare(was, is seen, at jsondoc.Pointer) {
	if len(was.all) > 0 && len(is.all) > 0 {
		pair := [2]*schema.Schema{was.all[0], is.all[0]}
		if w.seen[pair] {
			return // they refer to themselves
		}
		w.seen[pair] = true
		defer delete(w.seen, pair)
	}
	w.value(was, is, at)
	for _, name := range was.names() {
		w.member(was, is, append(slices.Clone(at), name))
	}
	for _, name := range is.names() {
		if !slices.Contains(was.names(), name) {
			w.member(was, is, append(slices.Clone(at), name))
		}
	}
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
	case had && !has && needed:
		w.tell(receivers(), w.about, at, "the member is gone", "a receiver relies on it")
		return
	case had && !has:
		w.tell(nobody(), w.about, at, "the member, which was optional, is gone", "")
		return
	case !had && needs:
		w.tell(senders(), w.about, at, "there is a new member, which is required", "a sender must send it")
		return
	case !had:
		w.tell(nobody(), w.about, at, "there is a new member, which is optional", "")
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

// value compares what is said of a value itself, keyword by keyword.
func (w *walk) value(was, is seen, at jsondoc.Pointer) {
	a, b := types(was), types(is)
	if breaks := (Breaks{Receivers: !within(b, a), Senders: !within(a, b)}); breaks.Any() {
		w.tell(breaks, w.about, at, fmt.Sprintf("the type was %s, and is %s", strings.Join(a, " or "), strings.Join(b, " or ")), meaning(breaks))
	}
	for _, k := range keywords() {
		before, after := k.said(was), k.said(is)
		// All that is said must hold: who says more, allows less.
		more, less := within(before, after), within(after, before)
		breaks := both()
		switch {
		case more && less:
			continue
		case more:
			breaks = senders()
		case less:
			breaks = receivers()
		case k.order != nil && len(before) == 1 && len(after) == 1:
			breaks = k.order(k.by(was), k.by(is))
		}
		w.tell(breaks, w.about, at, fmt.Sprintf("%s was %s, and is %s", k.name, orAny(before), orAny(after)), meaning(breaks))
	}
}

// within reports whether all of some texts are among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}

func orAny(said []string) string {
	if len(said) == 0 {
		return "not given"
	}
	return strings.Join(said, " and ")
}

func meaning(b Breaks) string {
	switch b {
	case receivers():
		return "more values are allowed than a receiver knows"
	case senders():
		return "fewer values are allowed than a sender may send"
	case both():
		return "other values are allowed"
	}
	return ""
}

// keyword is one that judges a value.
type keyword struct {
	name string
	of   func(*schema.Schema) string
	// order says whom a change from one schema's to another's breaks; nil where that
	// cannot be told.
	order func(was, is *schema.Schema) Breaks
}

// said is what all schemas say by a keyword.
func (k keyword) said(v seen) []string {
	var out []string
	for _, s := range v.all {
		if text := k.of(s); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// by is the first schema that uses the keyword.
func (k keyword) by(v seen) *schema.Schema {
	return v.all[slices.IndexFunc(v.all, func(s *schema.Schema) bool { return k.of(s) != "" })]
}

func keywords() []keyword {
	return []keyword{
		{"the list of allowed values", func(s *schema.Schema) string { return strings.Join(allowed(s), ", ") }, subset(allowed)},
		bound("the minimum", func(s *schema.Schema) *jsondoc.Value { return s.Minimum }, true),
		bound("the maximum", func(s *schema.Schema) *jsondoc.Value { return s.Maximum }, false),
		bound("the exclusive minimum", func(s *schema.Schema) *jsondoc.Value { return s.ExclusiveMinimum }, true),
		bound("the exclusive maximum", func(s *schema.Schema) *jsondoc.Value { return s.ExclusiveMaximum }, false),
		count("the least length", func(s *schema.Schema) *int { return s.MinLength }, true),
		count("the greatest length", func(s *schema.Schema) *int { return s.MaxLength }, false),
		count("the least number of items", func(s *schema.Schema) *int { return s.MinItems }, true),
		count("the greatest number of items", func(s *schema.Schema) *int { return s.MaxItems }, false),
		{"the pattern", func(s *schema.Schema) string {
			if s.Pattern == nil {
				return ""
			}
			return s.Pattern.String()
		}, nil},
		{"the format", func(s *schema.Schema) string { return s.Format }, nil},
		{"what holds besides", besides, nil},
	}
}

// bound is a keyword with a limit: a lower one, which allows less the greater it
// is, or an upper one.
func bound(name string, of func(*schema.Schema) *jsondoc.Value, lower bool) keyword {
	text := func(s *schema.Schema) string {
		if of(s) == nil {
			return ""
		}
		return of(s).Text
	}
	return keyword{name, text, func(was, is *schema.Schema) Breaks {
		switch order := jsondoc.CompareNumbers(*of(is), *of(was)); {
		case order == 0: // 1 and 1.0
			return nobody()
		case order > 0 == lower:
			return senders()
		}
		return receivers()
	}}
}

func count(name string, of func(*schema.Schema) *int, lower bool) keyword {
	return bound(name, func(s *schema.Schema) *jsondoc.Value {
		if of(s) == nil {
			return nil
		}
		return &jsondoc.Value{Kind: jsondoc.Number, Text: fmt.Sprint(*of(s))}
	}, lower)
}

// subset compares two sets.
func subset(of func(*schema.Schema) []string) func(was, is *schema.Schema) Breaks {
	return func(was, is *schema.Schema) Breaks {
		a, b := of(was), of(is)
		return Breaks{Receivers: !within(b, a), Senders: !within(a, b)}
	}
}

// types are the types that all schemas allow.
func types(v seen) []string {
	return slices.DeleteFunc([]string{"object", "array", "string", "number", "integer", "boolean", "null"}, func(name string) bool {
		return slices.ContainsFunc(v.all, func(s *schema.Schema) bool {
			return len(s.Types) > 0 && !slices.Contains(s.Types, name) && (name != "integer" || !slices.Contains(s.Types, "number"))
		})
	})
}

// allowed are the values of const and enum.
func allowed(s *schema.Schema) []string {
	var out []string
	if s.Const != nil {
		out = append(out, written(*s.Const))
	}
	for _, e := range s.Enum {
		out = append(out, written(e))
	}
	return out
}

// besides is what keywords say that are not compared one by one.
func besides(s *schema.Schema) string { return strings.Join(alongside(s, writtenOut{}), ", ") }

// writtenOut are the schemas that a text has already: one may hold itself.
type writtenOut map[*schema.Schema]bool

func alongside(s *schema.Schema, done writtenOut) []string {
	var out []string
	add := func(name string, all ...*schema.Schema) {
		for _, x := range all {
			if x != nil {
				out = append(out, name+" "+done.text(x))
			}
		}
	}
	add("anyOf", s.AnyOf...)
	add("oneOf", s.OneOf...)
	add("not", s.Not)
	add("if", s.If)
	add("then", s.Then)
	add("else", s.Else)
	add("items", s.Items)
	add("additionalProperties", s.AdditionalProperties)
	return out
}

// text writes a schema in one way, to be compared and read.
func (done writtenOut) text(s *schema.Schema) string {
	if done[s] {
		return "as in " + s.Pointer.String()
	}
	done[s] = true
	var out []string
	if s.Always != nil {
		out = append(out, fmt.Sprint(*s.Always))
	}
	if len(s.Types) > 0 {
		out = append(out, strings.Join(s.Types, " or "))
	}
	all := keywords()
	for _, k := range all[:len(all)-1] {
		if said := k.of(s); said != "" {
			out = append(out, k.name+" "+said)
		}
	}
	for _, p := range s.Properties {
		out = append(out, p.Name+" "+done.text(p.Schema))
	}
	for _, r := range s.Required {
		out = append(out, r+" required")
	}
	if s.Ref != nil {
		out = append(out, done.text(s.Ref))
	}
	for _, x := range s.AllOf {
		out = append(out, done.text(x))
	}
	return "{" + strings.Join(append(out, alongside(s, done)...), "; ") + "}"
}
