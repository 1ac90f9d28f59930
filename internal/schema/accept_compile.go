package schema

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Acceptor compiles the acceptor of a schema. The values at the captured pointers are what Accept reports in its slots; in an array there is
// nothing to capture. It returns false when the schema, a capture or a fixed member needs something acceptors do not know, like anyOf, oneOf,
// not, an object whose members the schema does not list, an array without items, or assertions in a pattern other than ^ and $; then all
// documents are left to Validate.
//
// Where the schema has if, documents must satisfy then and else whatever if says: more than is needed, never less.
func (s *Schema) Acceptor(capture []jsondoc.Pointer, fixed []Fixed) (*Acceptor, bool) {
	a := &Acceptor{}
	var aims []aim
	for i, p := range capture {
		first := slices.IndexFunc(capture, func(q jsondoc.Pointer) bool { return slices.Equal(p, q) })
		if first < i {
			a.again = append(a.again, [2]int{first, i})
			continue
		}
		aims = append(aims, aim{rest: p, slot: i})
	}
	for i := range fixed {
		aims = append(aims, aim{rest: fixed[i].Pointer, slot: -1, text: &fixed[i].Text})
	}
	b := builder{patterns: map[string]*pattern{}, budget: maxNodes}
	if a.root = b.node([]*Schema{s}, aims); a.root == nil {
		return nil, false
	}
	a.layout = newLayout(a.root)
	return a, true
}

// maxNodes bounds an acceptor; a schema that refers to itself would have no end.
const maxNodes = 1_000

// builder builds the nodes of one acceptor. Its methods return nil for what acceptors do not know.
type builder struct {
	patterns map[string]*pattern
	budget   int
	depth    int
}

// aim is a place that is captured or, if text is set, fixed.
type aim struct {
	rest jsondoc.Pointer // from the value at hand
	slot int
	text *string
}

// node builds the acceptor of a value which all the schemas must accept.
func (b *builder) node(schemas []*Schema, aims []aim) *node {
	if b.budget == 0 || b.depth == jsondoc.MaxDepth {
		return nil
	}
	b.budget--
	b.depth++
	defer func() { b.depth-- }()
	all, ok := conjuncts(schemas, nil)
	if !ok {
		return nil
	}
	n := &node{slot: -1}
	var below []aim
	for _, one := range aims {
		switch {
		case len(one.rest) > 0:
			below = append(below, one)
		case one.text == nil:
			n.slot = one.slot
		}
	}
	if values, found := listed(all, aims); found {
		n.words = literals(values, schemas)
		return n.unless(n.words == nil || fixes(below))
	}
	return b.kinds(n, all, below)
}

func fixes(aims []aim) bool {
	return slices.ContainsFunc(aims, func(one aim) bool { return one.text != nil })
}

func (n *node) unless(unknown bool) *node {
	if unknown {
		return nil
	}
	return n
}

// kinds builds what accepts each type of value the schemas allow, as far as acceptors know it.
func (b *builder) kinds(n *node, all []*Schema, below []aim) *node {
	set := allowed(all)
	if set&typeObject != 0 {
		n.object = b.object(all, below)
	}
	if fixes(below) {
		return n.unless(n.object == nil)
	}
	if set&typeArray != 0 && len(below) == 0 {
		n.array = b.array(all)
	}
	if set&typeString != 0 {
		n.text = b.text(all)
	}
	if set&typeInteger != 0 {
		n.number = newNumber(all, set&typeFraction != 0)
	}
	n.null, n.bools = set&typeNull != 0, set&typeBoolean != 0
	return n.unless(n.object == nil && n.array == nil && n.text == nil && n.number == nil && !n.null && !n.bools)
}

// conjuncts adds to all what must accept a value for the schemas to accept it, each once.
func conjuncts(schemas, all []*Schema) ([]*Schema, bool) {
	for _, s := range schemas {
		if slices.Contains(all, s) {
			continue
		}
		if s.AnyOf != nil || s.OneOf != nil || s.Not != nil || s.Always != nil && !*s.Always {
			return nil, false
		}
		all = append(all, s)
		more := s.AllOf[:len(s.AllOf):len(s.AllOf)]
		if s.Ref != nil {
			more = append(more, s.Ref)
		}
		if s.If != nil && s.Then != nil {
			more = append(more, s.Then)
		}
		if s.If != nil && s.Else != nil {
			more = append(more, s.Else)
		}
		var ok bool
		if all, ok = conjuncts(more, all); !ok {
			return nil, false
		}
	}
	return all, true
}

// listed returns the values that one of const, enum and the fixed texts allows.
func listed(all []*Schema, aims []aim) ([]jsondoc.Value, bool) {
	for _, one := range aims {
		if one.text != nil && len(one.rest) == 0 {
			return []jsondoc.Value{jsondoc.StringValue(*one.text)}, true
		}
	}
	for _, s := range all {
		switch {
		case s.Const != nil:
			return []jsondoc.Value{*s.Const}, true
		case s.Enum != nil:
			return s.Enum, true
		}
	}
	return nil, false
}

// literals returns the scalars among values that all the schemas accept, as a document can spell them, and each before those that it begins
// with.
func literals(values []jsondoc.Value, schemas []*Schema) []string {
	var words []string
	for _, v := range values {
		if v.Kind == jsondoc.Array || v.Kind == jsondoc.Object || v.Kind == jsondoc.String && !isPlain(v.Text) {
			continue
		}
		if !slices.ContainsFunc(schemas, func(s *Schema) bool { return s.Validate(v) != nil }) {
			words = append(words, string(v.AppendLiteral(nil)))
		}
	}
	slices.Sort(words)
	slices.Reverse(words)
	return words
}

// isPlain reports whether a string in JSON can hold s as it is.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' })
}

// types is a set of types of values.
type types uint8

const (
	typeNull types = 1 << iota
	typeBoolean
	typeObject
	typeArray
	typeString
	typeInteger
	typeFraction // numbers that are no integers
	anyType      = 1<<iota - 1
)

func newTypes(names []string) types {
	var set types
	for _, name := range names {
		switch name {
		case "null":
			set |= typeNull
		case "boolean":
			set |= typeBoolean
		case "object":
			set |= typeObject
		case "array":
			set |= typeArray
		case "string":
			set |= typeString
		case "integer":
			set |= typeInteger
		case "number":
			set |= typeInteger | typeFraction
		}
	}
	return set
}

// allowed returns the types of values that all the schemas allow.
func allowed(all []*Schema) types {
	set := types(anyType)
	for _, s := range all {
		if len(s.Types) > 0 {
			set &= newTypes(s.Types)
		}
	}
	return set
}

// object knows an object by the properties the schemas declare.
func (b *builder) object(all []*Schema, aims []aim) *objectNode {
	o := &objectNode{}
	for _, s := range all {
		for i := range s.Properties {
			name := s.Properties[i].Name
			if o.index(name) >= 0 {
				continue
			}
			f := field{name: `"` + name + `":`, node: b.member(all, aims, name)}
			if len(o.fields) == maxFields || f.node == nil || !isPlain(name) || name == "" {
				return nil
			}
			o.fields = append(o.fields, f)
		}
	}
	if o.fields == nil || !o.require(all, aims) {
		return nil
	}
	o.fill()
	return o
}

func (o *objectNode) index(name string) int {
	return slices.IndexFunc(o.fields, func(f field) bool { return f.name[1:len(f.name)-2] == name })
}

// member builds the acceptor of one member of an object.
func (b *builder) member(all []*Schema, aims []aim, name string) *node {
	var schemas []*Schema
	for _, s := range all {
		if governs := s.governing(name); governs != nil {
			schemas = append(schemas, governs)
		}
	}
	var inside []aim
	for _, one := range aims {
		if one.rest[0] == name {
			one.rest = one.rest[1:]
			inside = append(inside, one)
		}
	}
	return b.node(schemas, inside)
}

// require notes which members must be there; it returns false when one of them is not known.
func (o *objectNode) require(all []*Schema, aims []aim) bool {
	var names []string
	for _, s := range all {
		names = append(names, s.Required...)
	}
	for _, one := range aims {
		if one.text != nil {
			names = append(names, one.rest[0])
		}
	}
	for _, name := range names {
		i := o.index(name)
		if i < 0 {
			return false
		}
		o.required |= 1 << i
	}
	return true
}

func (o *objectNode) fill() {
	size := 4
	for size < 2*len(o.fields) {
		size *= 2
	}
	o.buckets = make([]uint8, size)
	for i := range o.fields {
		name := o.fields[i].name
		at := o.bucket([]byte(name[:len(name)-1]))
		for o.buckets[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		o.buckets[at] = uint8(i + 1)
	}
}

func (b *builder) array(all []*Schema) *arrayNode {
	a := &arrayNode{max: math.MaxInt}
	var items []*Schema
	for _, s := range all {
		if s.Items != nil {
			items = append(items, s.Items)
		}
		if s.MinItems != nil {
			a.min = max(a.min, *s.MinItems)
		}
		if s.MaxItems != nil {
			a.max = min(a.max, *s.MaxItems)
		}
	}
	if items == nil {
		return nil
	}
	if a.item = b.node(items, nil); a.item == nil {
		return nil
	}
	return a
}

// newNumber returns nil for limits that are not plain integers.
func newNumber(all []*Schema, fractions bool) *numberNode {
	n := &numberNode{any: fractions, min: math.MinInt64, max: math.MaxInt64}
	for _, s := range all {
		for _, limit := range []struct {
			value *jsondoc.Value
			apply func(int64)
		}{
			{s.Minimum, func(v int64) { n.min = max(n.min, v) }},
			{s.ExclusiveMinimum, func(v int64) { n.min = max(n.min, v+1) }},
			{s.Maximum, func(v int64) { n.max = min(n.max, v) }},
			{s.ExclusiveMaximum, func(v int64) { n.max = min(n.max, v-1) }},
		} {
			if limit.value == nil {
				continue
			}
			v, err := strconv.ParseInt(limit.value.Text, 10, 64)
			if err != nil || len(limit.value.Text) > maxDigits {
				return nil
			}
			n.any = false
			limit.apply(v)
		}
	}
	return n
}
