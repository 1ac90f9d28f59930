package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

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
	// said is what schemas say together by it.
	said func(seen) []string
	// order says whom a change from one to the other breaks.
	order func(was, is seen) Breaks
}

func keywords() []keyword {
	return []keyword{
		bound("the minimum", "more than ", true, func(s *schema.Schema) (limit, beyond *jsondoc.Value) { return s.Minimum, s.ExclusiveMinimum }),
		bound("the maximum", "less than ", false, func(s *schema.Schema) (limit, beyond *jsondoc.Value) { return s.Maximum, s.ExclusiveMaximum }),
		count("the least length", true, func(s *schema.Schema) *int { return s.MinLength }),
		count("the greatest length", false, func(s *schema.Schema) *int { return s.MaxLength }),
		count("the least number of items", true, func(s *schema.Schema) *int { return s.MinItems }),
		count("the greatest number of items", false, func(s *schema.Schema) *int { return s.MaxItems }),
		opaque("the pattern", func(s *schema.Schema) string {
			if s.Pattern == nil {
				return ""
			}
			return s.Pattern.String()
		}),
		opaque("the format", func(s *schema.Schema) string { return s.Format }),
		opaque("what holds besides", func(s *schema.Schema) string { return strings.Join(besides(s, writtenOut{}), ", ") }),
	}
}

// opaque is a keyword of which it can only be told whether the same is said. All that
// is said must hold: who says more, allows less.
func opaque(name string, of func(*schema.Schema) string) keyword {
	said := func(v seen) []string {
		var out []string
		for _, s := range v.all {
			if text := of(s); text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
		return out
	}
	return keyword{name, said, func(was, is seen) Breaks {
		before, after := said(was), said(is)
		return Breaks{Receivers: !within(before, after), Senders: !within(after, before)}
	}}
}

// end is where a range of numbers ends; beyond it, where the number itself is not in
// it.
type end struct {
	at     jsondoc.Value
	beyond bool
}

// bound is a limit: a lower one, which allows less the greater it is, or an upper one.
func bound(name, more string, lower bool, of func(*schema.Schema) (limit, beyond *jsondoc.Value)) keyword {
	// tighter reports whether a allows less than b.
	tighter := func(a, b *end) bool {
		if a == nil || b == nil {
			return a != nil
		}
		order := jsondoc.CompareNumbers(a.at, b.at)
		return order == 0 && a.beyond && !b.beyond || order != 0 && order > 0 == lower
	}
	tightest := func(v seen) *end {
		var out *end
		add := func(at *jsondoc.Value, beyond bool) {
			if at == nil {
				return
			}
			if e := (&end{*at, beyond}); tighter(e, out) {
				out = e
			}
		}
		for _, s := range v.all {
			limit, beyond := of(s)
			add(limit, false)
			add(beyond, true)
		}
		return out
	}
	said := func(v seen) []string {
		e := tightest(v)
		switch {
		case e == nil:
			return nil
		case e.beyond:
			return []string{more + e.at.Text}
		}
		return []string{e.at.Text}
	}
	return keyword{name, said, func(was, is seen) Breaks {
		a, b := tightest(was), tightest(is)
		return Breaks{Receivers: tighter(a, b), Senders: tighter(b, a)}
	}}
}

// count is a limit of a count, of which the least is 0.
func count(name string, lower bool, of func(*schema.Schema) *int) keyword {
	return bound(name, "", lower, func(s *schema.Schema) (limit, beyond *jsondoc.Value) {
		n := of(s)
		if n == nil || lower && *n == 0 {
			return nil, nil
		}
		return &jsondoc.Value{Kind: jsondoc.Number, Text: fmt.Sprint(*n)}, nil
	})
}

// types are the types that all schemas allow.
func types(v seen) []string {
	return slices.DeleteFunc([]string{"object", "array", "string", "number", "integer", "boolean", "null"}, func(name string) bool {
		return slices.ContainsFunc(v.all, func(s *schema.Schema) bool {
			return len(s.Types) > 0 && !slices.Contains(s.Types, name) && (name != "integer" || !slices.Contains(s.Types, "number"))
		})
	})
}

// allowed are the values that are allowed where const or enum lists them.
func allowed(v seen) (values []jsondoc.Value, listed bool) {
	for _, s := range v.all {
		switch {
		case s.Const != nil:
			values = []jsondoc.Value{*s.Const}
		case s.Enum != nil:
			values = s.Enum
		default:
			continue
		}
		return slices.DeleteFunc(slices.Clone(values), func(x jsondoc.Value) bool { return !v.accepts(x) }), true
	}
	return nil, false
}

// besides is what keywords say that are not compared one by one.
func besides(s *schema.Schema, done writtenOut) []string {
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
	add("additionalProperties", s.AdditionalProperties)
	return out
}

// writtenOut are the schemas that a text has already: one may hold itself.
type writtenOut map[*schema.Schema]bool

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
	if s.Const != nil {
		out = append(out, "the list of allowed values "+written(*s.Const))
	}
	if s.Enum != nil {
		out = append(out, "the list of allowed values "+list(s.Enum, true))
	}
	all := keywords()
	for _, k := range all[:len(all)-1] {
		if said := k.said(seen{[]*schema.Schema{s}}); len(said) > 0 {
			out = append(out, k.name+" "+said[0])
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
	if s.Items != nil {
		out = append(out, "items "+done.text(s.Items))
	}
	return "{" + strings.Join(append(out, besides(s, done)...), "; ") + "}"
}
