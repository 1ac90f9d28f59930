package publish

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// library is the schemas of a contract with every reference inside one document.
type library struct {
	c *contract.Contract
	// at is where the document keeps named schemas, such as "#/$defs/".
	at      string
	named   map[string]string // by the place of a schema in the pack
	names   names
	waiting []*schema.Schema
	states  map[*contract.State]string
}

func newLibrary(c *contract.Contract, at string) *library {
	l := &library{c: c, at: at, named: map[string]string{}, names: names{}, states: map[*contract.State]string{}}
	for _, st := range c.States() {
		l.states[st] = l.names.free(st.Subject.Name + "." + st.Name)
	}
	return l
}

// state is a reference to the schema of a state.
func (l *library) state(st *contract.State) jsondoc.Value { return ref(l.at + l.states[st]) }

// oneOf holds for what exactly one of the states' schemas does.
func (l *library) oneOf(states []*contract.State) jsondoc.Value {
	if len(states) == 1 {
		return l.state(states[0])
	}
	return object(member("oneOf", each(states, l.state)))
}

// all returns the named schemas: of each state, and of what these refer to.
func (l *library) all() []jsondoc.Member {
	var out []jsondoc.Member
	for _, st := range l.c.States() {
		out = append(out, member(l.states[st], l.stateSchema(st)))
	}
	for len(l.waiting) > 0 {
		s := l.waiting[0]
		l.waiting = l.waiting[1:]
		out = append(out, member(l.named[place(s)], l.schema(s)))
	}
	return out
}

// wanted makes a schema one of the named ones, and returns its name.
func (l *library) wanted(s *schema.Schema) string {
	key := place(s)
	name, known := l.named[key]
	if !known {
		wanted := key
		if len(s.Pointer) > 0 {
			wanted = s.Pointer[len(s.Pointer)-1]
		}
		name = l.names.free(wanted)
		l.named[key] = name
		l.waiting = append(l.waiting, s)
	}
	return name
}

func place(s *schema.Schema) string { return s.Resource + "#" + s.Pointer.String() }

// stateSchema is a state's schema, with the event and the states that its payload
// must name.
func (l *library) stateSchema(st *contract.State) jsondoc.Value {
	env := l.c.Envelope
	doc := l.schema(st.Schema())
	pin(&doc, env.Event, member("const", str(st.Event)))
	pin(&doc, env.State, member("const", str(st.Wire)))
	if st.ReportsPrevious(env) {
		pin(&doc, env.PreviousState, member("enum", each(st.From, func(e *contract.Edge) jsondoc.Value { return wire(e.From) })))
	}
	doc.Members = slices.Insert(doc.Members, 0, title(st))
	doc.Members = append(doc.Members, stateNotes(st)...)
	return doc
}

// wire is how payloads spell a state: null where none ever does.
func wire(st *contract.State) jsondoc.Value {
	if st.Wire == "" {
		return jsondoc.NullValue()
	}
	return str(st.Wire)
}

// pin demands a member, and something of its value.
func pin(s *jsondoc.Value, at jsondoc.Pointer, demand jsondoc.Member) {
	if s.Kind != jsondoc.Object { // true, which demands nothing
		*s = object()
	}
	if s.Member("$ref") != nil || len(at) == 0 && s.Member(demand.Name) != nil {
		*s = object(member("allOf", array(*s))) // older dialects ignore what stands beside $ref
	}
	if len(at) == 0 {
		s.Members = append(s.Members, demand)
		return
	}
	required := grown(s, "required", jsondoc.Array)
	if !slices.ContainsFunc(required.Items, func(v jsondoc.Value) bool { return v.Text == at[0] }) {
		required.Items = append(required.Items, str(at[0]))
	}
	pin(grown(grown(s, "properties", jsondoc.Object), at[0], jsondoc.Object), at[1:], demand)
}

// grown is a member, which is made where it is not there.
func grown(s *jsondoc.Value, name string, kind jsondoc.Kind) *jsondoc.Value {
	if s.Member(name) == nil {
		s.Members = append(s.Members, member(name, jsondoc.Value{Kind: kind}))
	}
	return s.Member(name)
}

// schema writes a compiled schema.
func (l *library) schema(s *schema.Schema) jsondoc.Value {
	if s.Always != nil {
		return jsondoc.BoolValue(*s.Always)
	}
	var out jsondoc.Value
	out.Kind = jsondoc.Object
	add := func(m ...jsondoc.Member) { out.Members = append(out.Members, object(m...).Members...) }
	for _, a := range s.Annotations {
		add(annotation(a))
	}
	switch {
	case len(s.Types) == 1:
		add(text("type", s.Types[0]))
	case len(s.Types) > 1:
		add(member("type", each(s.Types, str)))
	}
	add(values(s)...)
	add(l.applicators(s)...)
	if s.Ref == nil {
		return out
	}
	to := ref(l.at + l.wanted(s.Ref))
	if len(out.Members) == 0 {
		return to
	}
	all := grown(&out, "allOf", jsondoc.Array)
	all.Items = slices.Insert(all.Items, 0, to)
	return out
}

// annotation keeps what JSON Schema knows, and what else a pack says, as x-. How
// values are made is of no use to a reader.
func annotation(a jsondoc.Member) jsondoc.Member {
	switch a.Name {
	case "generate", "$schema":
		return jsondoc.Member{}
	case "title", "description", "$comment", "examples":
		return a
	}
	return member("x-"+a.Name, a.Value)
}

// values are the keywords that judge a value by itself.
func values(s *schema.Schema) []jsondoc.Member {
	value := func(name string, v *jsondoc.Value) jsondoc.Member {
		if v == nil {
			return jsondoc.Member{}
		}
		return member(name, *v)
	}
	count := func(name string, n *int) jsondoc.Member {
		if n == nil {
			return jsondoc.Member{}
		}
		return member(name, num(*n))
	}
	out := []jsondoc.Member{
		value("const", s.Const), when(s.Enum != nil, "enum", array(s.Enum...)),
		value("minimum", s.Minimum), value("maximum", s.Maximum),
		value("exclusiveMinimum", s.ExclusiveMinimum), value("exclusiveMaximum", s.ExclusiveMaximum),
		count("minLength", s.MinLength), count("maxLength", s.MaxLength),
		count("minItems", s.MinItems), count("maxItems", s.MaxItems),
	}
	if s.Pattern != nil {
		out = append(out, text("pattern", s.Pattern.String()))
	}
	return append(out, format(s.Format))
}

// format is one that everybody knows, or else a note: validators refuse formats
// that they do not know.
func format(name string) jsondoc.Member {
	if name == "date-time" || name == "uuid" {
		return text("format", name)
	}
	return text("x-format", name)
}

// applicators are the keywords that hold schemas.
func (l *library) applicators(s *schema.Schema) []jsondoc.Member {
	one := func(name string, of *schema.Schema) jsondoc.Member {
		if of == nil {
			return jsondoc.Member{}
		}
		return member(name, l.schema(of))
	}
	list := func(name string, of []*schema.Schema) jsondoc.Member {
		return when(len(of) > 0, name, each(of, l.schema))
	}
	properties := object()
	for _, p := range s.Properties {
		properties.Members = append(properties.Members, member(p.Name, l.schema(p.Schema)))
	}
	return []jsondoc.Member{
		when(s.Required != nil, "required", each(s.Required, str)),
		when(s.Properties != nil, "properties", properties),
		one("additionalProperties", s.AdditionalProperties), one("items", s.Items),
		list("allOf", s.AllOf), list("anyOf", s.AnyOf), list("oneOf", s.OneOf),
		one("not", s.Not), one("if", s.If), one("then", s.Then), one("else", s.Else),
	}
}
