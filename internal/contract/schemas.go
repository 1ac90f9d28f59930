package contract

import (
	"errors"
	"net/url"
	"slices"
	"sort"
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
	for _, name := range f.Pointer {
		s = property(s, name)
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

// compile readies the schemas, or compiles all of them, and finds what they
// say of facts.
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
		l.apart(func() {
			if whole {
				l.compiled(&st.schema)
			}
			if l.err == nil {
				l.fields(st, l.files[st].v.At(jsondoc.Pointer{"schema"}), jsondoc.Pointer{"schema"}, nil, true)
			}
		})
		if l.err != nil {
			return
		}
		sort.SliceStable(st.Fields, func(i, j int) bool { return order(st.Sample, st.Fields[i].Pointer, st.Fields[j].Pointer) < 0 })
	}
}

func (l *loader) compiled(s *lazySchema) {
	if l.err == nil {
		l.err = s.compile()
	}
}

// fields collects the members that wear a fact; where is the schema's own place.
func (l *loader) fields(st *State, s *jsondoc.Value, where, at jsondoc.Pointer, required bool) {
	if name, ok := factRef(s); ok {
		f := l.c.Fact(name)
		if f == nil {
			node{load: l, file: st.File}.down("schema").fail("%s refers to %s, which is a type and no fact: it has no scope", at, name)
			return
		}
		field := Field{Pointer: at, Fact: f, Required: required, Known: f.Known, of: st}
		if own := s.At(jsondoc.Pointer{"known"}); own != nil {
			l.files[st].down(where...).child("known").kind(jsondoc.Array)
			field.Known = own.Items
		}
		st.Fields = append(st.Fields, field)
		return
	}
	properties, names := s.At(jsondoc.Pointer{"properties"}), s.At(jsondoc.Pointer{"required"})
	if properties == nil {
		return
	}
	where = append(where[:len(where):len(where)], "properties", "")
	for i := range properties.Members {
		m := &properties.Members[i]
		where[len(where)-1] = m.Name
		named := names != nil && slices.ContainsFunc(names.Items, func(v jsondoc.Value) bool { return v.Text == m.Name })
		l.fields(st, &m.Value, where, append(at[:len(at):len(at)], m.Name), required && named)
	}
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
