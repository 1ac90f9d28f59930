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
func (l *library) state(st *contract.State) *jsondoc.Value { return ref(l.at + l.states[st]) }

// oneOf holds for what exactly one of the states' schemas does.
func (l *library) oneOf(states []*contract.State) *jsondoc.Value {
	if len(states) == 1 {
		return l.state(states[0])
	}
	return object("oneOf", each(states, l.state))
}

// all are the named schemas: of each state, and of what these refer to.
func (l *library) all() *jsondoc.Value {
	out := object()
	for _, st := range l.c.States() {
		put(out, l.states[st], l.stateSchema(st))
	}
	for len(l.waiting) > 0 {
		s := l.waiting[0]
		l.waiting = l.waiting[1:]
		put(out, l.named[place(s)], l.schema(s))
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
func (l *library) stateSchema(st *contract.State) *jsondoc.Value {
	env := l.c.Envelope
	doc := l.schema(st.Schema())
	pin(doc, env.Event, "const", str(st.Event))
	pin(doc, env.State, "const", str(st.Wire))
	if st.ReportsPrevious(env) {
		pin(doc, env.PreviousState, "enum", each(st.From, func(e *contract.Edge) *jsondoc.Value { return wire(e.From) }))
	}
	doc.Members = append(object("title", st.String()).Members, doc.Members...)
	put(doc, stateNotes(st)...)
	return doc
}

// wire is how payloads spell a state: null where none ever does.
func wire(st *contract.State) *jsondoc.Value {
	if st.Wire == "" {
		return &jsondoc.Value{}
	}
	return str(st.Wire)
}

// pin demands a member, and something of its value.
func pin(s *jsondoc.Value, at jsondoc.Pointer, keyword string, demand any) {
	if s.Kind != jsondoc.Object { // true, which demands nothing
		*s = *object()
	}
	if s.Member("$ref") != nil || len(at) == 0 && s.Member(keyword) != nil {
		inner := *s
		*s = *object("allOf", array(&inner)) // older dialects ignore what stands beside $ref
	}
	if len(at) == 0 {
		put(s, keyword, demand)
		return
	}
	required := grown(s, "required", jsondoc.Array)
	if !slices.ContainsFunc(required.Items, func(v jsondoc.Value) bool { return v.Text == at[0] }) {
		required.Items = append(required.Items, *str(at[0]))
	}
	pin(grown(grown(s, "properties", jsondoc.Object), at[0], jsondoc.Object), at[1:], keyword, demand)
}

// grown is a member, which is made where it is not there.
func grown(s *jsondoc.Value, name string, kind jsondoc.Kind) *jsondoc.Value {
	if s.Member(name) == nil {
		put(s, name, &jsondoc.Value{Kind: kind})
	}
	return s.Member(name)
}

// schema writes a compiled schema.
func (l *library) schema(s *schema.Schema) *jsondoc.Value {
	if s.Always != nil {
		return &jsondoc.Value{Kind: jsondoc.Bool, Bool: *s.Always}
	}
	out := object()
	for i := range s.Annotations {
		put(out, annotation(s.Annotations[i].Name), &s.Annotations[i].Value)
	}
	out.Members = slices.DeleteFunc(out.Members, func(m jsondoc.Member) bool { return m.Name == "" })
	switch {
	case len(s.Types) == 1:
		put(out, "type", s.Types[0])
	case len(s.Types) > 1:
		put(out, "type", each(s.Types, str))
	}
	values(out, s)
	l.applicators(out, s)
	if s.Ref == nil {
		return out
	}
	to := ref(l.at + l.wanted(s.Ref))
	if len(out.Members) == 0 {
		return to
	}
	all := grown(out, "allOf", jsondoc.Array)
	all.Items = slices.Insert(all.Items, 0, *to)
	return out
}

// annotation is the name of an annotation as published: what JSON Schema knows is
// kept, what else a pack says gets an x-. How values are made is of no use to a
// reader, and has none.
func annotation(name string) string {
	switch name {
	case "generate", "$schema":
		return ""
	case "title", "description", "$comment", "examples":
		return name
	}
	return "x-" + name
}

// values adds the keywords that judge a value by itself.
func values(out *jsondoc.Value, s *schema.Schema) {
	put(out, "const", s.Const)
	if s.Enum != nil {
		put(out, "enum", &jsondoc.Value{Kind: jsondoc.Array, Items: s.Enum})
	}
	put(out, "minimum", s.Minimum, "maximum", s.Maximum, "exclusiveMinimum", s.ExclusiveMinimum, "exclusiveMaximum", s.ExclusiveMaximum)
	put(out, "minLength", count(s.MinLength), "maxLength", count(s.MaxLength), "minItems", count(s.MinItems), "maxItems", count(s.MaxItems))
	if s.Pattern != nil {
		put(out, "pattern", s.Pattern.String())
	}
	switch s.Format {
	case "date-time", "uuid":
		put(out, "format", s.Format)
	default:
		put(out, "x-format", s.Format) // validators refuse formats that they do not know
	}
}

func count(n *int) *jsondoc.Value {
	if n == nil {
		return nil
	}
	return num(*n)
}

// applicators adds the keywords that hold schemas.
func (l *library) applicators(out *jsondoc.Value, s *schema.Schema) {
	one := func(of *schema.Schema) *jsondoc.Value {
		if of == nil {
			return nil
		}
		return l.schema(of)
	}
	put(out, "required", some(s.Required, str))
	if s.Properties != nil {
		properties := object()
		for _, p := range s.Properties {
			put(properties, p.Name, l.schema(p.Schema))
		}
		put(out, "properties", properties)
	}
	put(
		out, "additionalProperties", one(s.AdditionalProperties), "items", one(s.Items),
		"allOf", some(s.AllOf, l.schema), "anyOf", some(s.AnyOf, l.schema), "oneOf", some(s.OneOf, l.schema),
		"not", one(s.Not), "if", one(s.If), "then", one(s.Then), "else", one(s.Else),
	)
}
