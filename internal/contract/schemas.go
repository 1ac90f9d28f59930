package contract

import (
	"errors"
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
