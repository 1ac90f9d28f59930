package contract

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// schemas compiles the schemas of a pack.
type schemas struct {
	mu       sync.Mutex
	compiler *schema.Compiler
}

// lazySchema is a schema that is compiled when it is first asked for.
type lazySchema struct {
	in   *schemas // nil where there is no schema
	file string
	at   jsondoc.Pointer

	once   sync.Once
	schema *schema.Schema
	err    error
}

// compile compiles the schema once. The error is a *LoadError.
func (s *lazySchema) compile() error {
	s.once.Do(func() {
		s.in.mu.Lock()
		defer s.in.mu.Unlock()
		s.schema, s.err = s.in.compiler.Compile(s.file, s.at)
		var bad *schema.Error
		if errors.As(s.err, &bad) {
			s.err = &LoadError{bad.Resource, bad.Pointer, bad.Message}
		}
	})
	return s.err
}

func (s *lazySchema) get() *schema.Schema {
	if s.in == nil {
		return nil
	}
	if err := s.compile(); err != nil {
		panic(err)
	}
	return s.schema
}

// Schema is what a payload of this state must satisfy; nil for an initial state.
func (s *State) Schema() *schema.Schema { return s.schema.get() }

// Schema is what a value of the fact must satisfy.
func (f *Fact) Schema() *schema.Schema { return f.schema.get() }

// Schema is the member's own schema, the fact's included.
func (f Field) Schema() *schema.Schema {
	s := f.of.Schema()
	for at := f.where; len(at) > 0; {
		switch keyword := at[0]; keyword {
		case "$ref":
			s, at = s.Ref, at[1:]
		case "then":
			s, at = s.Then, at[1:]
		case "else":
			s, at = s.Else, at[1:]
		case "properties":
			s, at = property(s, at[1]), at[2:]
		default:
			i, _ := strconv.Atoi(at[1]) // as parts wrote it
			s, at = map[string][]*schema.Schema{"allOf": s.AllOf, "anyOf": s.AnyOf, "oneOf": s.OneOf}[keyword][i], at[2:]
		}
	}
	return s
}

func property(s *schema.Schema, name string) *schema.Schema {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}

// annotations are the words of facts.json that are no JSON Schema keywords.
func annotations() []string {
	return []string{"source", "derived", "scope", "compare", "generate", "known"}
}

// compile readies the schemas and the fields that they say of, or makes all of them.
func (l *loader) compile() {
	if l.err != nil {
		return
	}
	all := &schemas{compiler: schema.NewCompiler(l.resources, annotations()...)}
	for _, f := range l.c.Facts {
		f.schema.in, f.schema.file, f.schema.at = all, factsFile, jsondoc.Pointer{"$defs", f.Name}
		if l.whole {
			l.apart(func() { l.compiled(&f.schema) })
		}
	}
	for _, st := range l.c.States() {
		st.schema.in, st.schema.file, st.schema.at = all, st.File, jsondoc.Pointer{"schema"}
		if !l.whole {
			st.carry = l.carrier(st)
			continue
		}
		l.apart(func() {
			l.compiled(&st.schema)
			st.fields = l.carried(st)
		})
		if l.err != nil {
			return
		}
	}
}

// carrier finds a state's fields at any time later.
func (l *loader) carrier(st *State) func() []Field {
	return func() []Field {
		own := &loader{c: l.c, resources: l.resources, files: l.files} // whose errors and places are its own
		fields := own.carried(st)
		if own.err != nil {
			panic(own.err)
		}
		return fields
	}
}

// carried finds the members of a state's payload that carry a fact.
func (l *loader) carried(st *State) (found []Field) {
	if l.err != nil {
		return nil
	}
	l.looked = 0
	whole := part{v: l.files[st].v.Member("schema"), from: &resource{file: st.File, at: jsondoc.Pointer{"schema"}}}
	l.fields(&found, st, l.parts(nil, whole), nil, true)
	sort.SliceStable(found, func(i, j int) bool { return order(st.Sample, found[i].Pointer, found[j].Pointer) < 0 })
	return found
}

func (l *loader) compiled(s *lazySchema) {
	if l.err == nil {
		l.err = s.compile()
	}
}

// part is one of the schemas that judge a value together: a schema, what it refers
// to, and what it holds besides for the same value.
type part struct {
	v     *jsondoc.Value
	whole jsondoc.Pointer // the way from the state's schema to the one that it is a part of
	where jsondoc.Pointer // the way to itself
	// maybe is set where it does not judge every value.
	maybe bool
	from  *resource
}

// resource is a place that some of the way leads on from: the state's schema, or what
// was referred to last.
type resource struct {
	file  string
	at    jsondoc.Pointer
	since int       // how much of the way leads here
	via   *resource // that refers to it, nil for the state's schema
}

func (r *resource) is(file string, at jsondoc.Pointer) bool {
	return r != nil && (r.file == file && slices.Equal(r.at, at) || r.via.is(file, at))
}

// in is a schema that a part holds, for the same value.
func (p part) in(v *jsondoc.Value, maybe bool, names ...string) part {
	return part{v, p.whole, below(p.where, names...), p.maybe || maybe, p.from}
}

// member is the schema of a member of the value.
func (p part) member(m *jsondoc.Member) part {
	where := below(p.where, "properties", m.Name)
	return part{&m.Value, where, where, p.maybe, p.from}
}

// parts collects a schema and what judges the same value for it.
func (l *loader) parts(all []part, p part) []part {
	if l.looked++; l.looked > maxParts {
		node{load: l, file: p.from.file}.down(p.from.at...).fail("leads to more than %d schemas by its references: let fewer lead to others", maxParts)
	}
	if l.err != nil {
		return all
	}
	all = append(all, p)
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		if more := p.v.Member(keyword); more != nil {
			for i := range more.Items {
				all = l.parts(all, p.in(&more.Items[i], keyword != "allOf", keyword, strconv.Itoa(i)))
			}
		}
	}
	for _, keyword := range []string{"then", "else"} {
		if more := p.v.Member(keyword); more != nil {
			all = l.parts(all, p.in(more, true, keyword))
		}
	}
	if to, ok := l.follow(p); ok {
		all = l.parts(all, to)
	}
	return all
}

// follow goes to what a part refers to, unless that is a fact, or was followed
// already.
func (l *loader) follow(p part) (to part, ok bool) {
	ref := p.v.Member("$ref")
	if ref == nil {
		return to, false
	}
	if name, ok := factRef(p); ok && l.c.Fact(name) != nil {
		return to, false
	}
	file, fragment, _ := strings.Cut(ref.Text, "#")
	file = cmp.Or(file, p.from.file)
	decoded, _ := url.PathUnescape(fragment) // what is no reference, the compiler refuses
	at, _ := jsondoc.ParsePointer(decoded)
	doc := l.resources[file]
	v := doc.At(at)
	if v == nil || p.from.is(file, at) {
		return to, false
	}
	to = p.in(v, false, "$ref")
	to.from = &resource{file, at, len(to.where), p.from}
	return to, true
}

func below(at jsondoc.Pointer, names ...string) jsondoc.Pointer { return slices.Concat(at, names) }

// fields collects the members that wear a fact; all judge the value at one place.
func (l *loader) fields(found *[]Field, st *State, all []part, at jsondoc.Pointer, required bool) {
	if l.field(found, st, all, at, required) || l.err != nil {
		return
	}
	var names []string
	members := map[string][]part{}
	for _, p := range all {
		properties := p.v.Member("properties")
		if properties == nil {
			continue
		}
		for i := range properties.Members {
			m := &properties.Members[i]
			if members[m.Name] == nil {
				names = append(names, m.Name)
			}
			members[m.Name] = l.parts(members[m.Name], p.member(m))
		}
	}
	for _, name := range names {
		l.fields(found, st, members[name], below(at, name), required && slices.ContainsFunc(all, func(p part) bool { return p.requires(name) }))
	}
}

func (p part) requires(name string) bool {
	if p.maybe {
		return false
	}
	names := p.v.Member("required")
	return names != nil && slices.ContainsFunc(names.Items, func(v jsondoc.Value) bool { return v.Text == name })
}

// field adds the member at one place if it wears a fact.
func (l *loader) field(found *[]Field, st *State, all []part, at jsondoc.Pointer, required bool) bool {
	field := Field{Pointer: at, Required: required, of: st}
	n := node{load: l, file: st.File}.down("schema")
	for _, p := range all {
		name, ok := factRef(p)
		if !ok {
			continue
		}
		f := l.c.Fact(name)
		switch {
		case f == nil && len(p.where) == len(p.whole):
			n.fail("%s refers to %s, which is a type and no fact: it has no scope", at, name)
			return true
		case f == nil: // what a type demands besides
		case field.Fact == nil:
			field.Fact, field.Known, field.where = f, f.Known, p.whole
		case field.Fact != f:
			n.fail("%s refers to %s and to %s: a member carries one fact", at, field.Fact.Name, name)
			return true
		}
	}
	if field.Fact == nil {
		return false
	}
	for _, p := range all {
		if own := p.v.Member("known"); own != nil {
			doc := l.resources[p.from.file]
			node{load: l, file: p.from.file, v: &doc}.down(p.from.at...).down(p.where[p.from.since:]...).below("known", own).kind(jsondoc.Array)
			field.Known = own.Items
			break
		}
	}
	*found = append(*found, field)
	return true
}

// factRef returns the name of what a schema refers to in facts.json.
func factRef(p part) (name string, ok bool) {
	ref := p.v.Member("$ref")
	if ref == nil {
		return "", false
	}
	file, fragment, _ := strings.Cut(ref.Text, "#")
	at, err := url.PathUnescape(fragment)
	name, ok = strings.CutPrefix(at, factsAt)
	return name, ok && err == nil && cmp.Or(file, p.from.file) == factsFile
}

// order compares two members by their place in a document; those that are not
// in it come last.
func order(doc jsondoc.Value, a, b jsondoc.Pointer) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			parent := doc.At(a[:i])
			if parent == nil {
				return strings.Compare(a[i], b[i])
			}
			return place(parent, a[i]) - place(parent, b[i])
		}
	}
	return len(a) - len(b)
}

func place(parent *jsondoc.Value, name string) int {
	for i := range parent.Members {
		if parent.Members[i].Name == name {
			return i
		}
	}
	return len(parent.Members)
}
