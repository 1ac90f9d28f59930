package contract

import (
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
	for at := f.where; len(at) > 1; at = at[2:] {
		if at[0] == "properties" {
			s = property(s, at[1])
		} else if i, err := strconv.Atoi(at[1]); err == nil {
			s = s.AllOf[i]
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
func (l *loader) compile(whole bool) {
	if l.err != nil {
		return
	}
	all := &schemas{compiler: schema.NewCompiler(l.resources, annotations()...)}
	for _, f := range l.c.Facts {
		f.schema.in, f.schema.file, f.schema.at = all, factsFile, jsondoc.Pointer{"$defs", f.Name}
		if whole {
			l.apart(func() { l.compiled(&f.schema) })
		}
	}
	for _, st := range l.c.States() {
		st.schema.in, st.schema.file, st.schema.at = all, st.File, jsondoc.Pointer{"schema"}
		if !whole {
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
		own := &loader{c: l.c} // whose errors and places are its own
		n := l.files[st]
		n.load = own
		own.files = map[*State]node{st: n}
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
	l.fields(&found, st, parts(nil, part{v: l.files[st].v.At(jsondoc.Pointer{"schema"})}), nil, true)
	sort.SliceStable(found, func(i, j int) bool { return order(st.Sample, found[i].Pointer, found[j].Pointer) < 0 })
	return found
}

func (l *loader) compiled(s *lazySchema) {
	if l.err == nil {
		l.err = s.compile()
	}
}

// part is one of the schemas that judge a value together: a schema, or what its
// allOf holds.
type part struct {
	v     *jsondoc.Value
	whole jsondoc.Pointer // where the schema stands, below the state's, whose allOf it is in
	where jsondoc.Pointer // where it stands itself
}

// parts collects a schema and what its allOf holds.
func parts(all []part, p part) []part {
	all = append(all, p)
	if more := p.v.At(jsondoc.Pointer{"allOf"}); more != nil {
		for i := range more.Items {
			all = parts(all, part{&more.Items[i], p.whole, below(p.where, "allOf", strconv.Itoa(i))})
		}
	}
	return all
}

func below(at jsondoc.Pointer, names ...string) jsondoc.Pointer { return slices.Concat(at, names) }

// fields collects the members that wear a fact; all judge the value at one place.
func (l *loader) fields(found *[]Field, st *State, all []part, at jsondoc.Pointer, required bool) {
	if l.field(found, st, all, at, required) {
		return
	}
	var names []string
	members := map[string][]part{}
	for _, p := range all {
		properties := p.v.At(jsondoc.Pointer{"properties"})
		if properties == nil {
			continue
		}
		for i := range properties.Members {
			m := &properties.Members[i]
			if members[m.Name] == nil {
				names = append(names, m.Name)
			}
			where := below(p.where, "properties", m.Name)
			members[m.Name] = parts(members[m.Name], part{&m.Value, where, where})
		}
	}
	for _, name := range names {
		l.fields(found, st, members[name], below(at, name), required && slices.ContainsFunc(all, func(p part) bool { return p.requires(name) }))
	}
}

func (p part) requires(name string) bool {
	names := p.v.At(jsondoc.Pointer{"required"})
	return names != nil && slices.ContainsFunc(names.Items, func(v jsondoc.Value) bool { return v.Text == name })
}

// field adds the member at one place if it wears a fact.
func (l *loader) field(found *[]Field, st *State, all []part, at jsondoc.Pointer, required bool) bool {
	field := Field{Pointer: at, Required: required, of: st}
	n := node{load: l, file: st.File}.down("schema")
	for _, p := range all {
		name, ok := factRef(p.v)
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
		if own := p.v.At(jsondoc.Pointer{"known"}); own != nil {
			l.files[st].down("schema").down(p.where...).below("known", own).kind(jsondoc.Array)
			field.Known = own.Items
			break
		}
	}
	*found = append(*found, field)
	return true
}

// factRef returns the name of what a schema refers to in facts.json.
func factRef(s *jsondoc.Value) (name string, ok bool) {
	ref := s.At(jsondoc.Pointer{"$ref"})
	if ref == nil {
		return "", false
	}
	file, fragment, _ := strings.Cut(ref.Text, "#")
	at, err := url.PathUnescape(fragment)
	name, ok = strings.CutPrefix(at, factsAt)
	return name, ok && err == nil && file == factsFile
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
