// Package schema compiles and evaluates a declared subset of JSON Schema 2020-12 over jsondoc values, and explains every violation.
//
// The keywords are type, const, enum, properties, required, additionalProperties, items, minLength, maxLength, minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, minItems, maxItems, pattern, format, $ref, $defs, allOf, anyOf, oneOf, not, if, then and else, with
// the annotations $schema, $comment, title, description and examples. Two keywords are narrower than the standard: pattern is RE2, and
// format asserts and knows date-time, uuid and base58check only. Compiling refuses every other keyword by name.
package schema

import (
	"regexp"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Schema is one compiled schema. It is read-only and safe for concurrent use. Absent keywords are nil.
type Schema struct {
	Resource string          // the resource it stands in
	Pointer  jsondoc.Pointer // where in that resource

	Always *bool // the boolean schemas true and false; nothing else is set then

	Ref       *Schema // $ref
	RefTarget string  // where Ref stands, like "facts.json#/$defs/orderId"

	Types []string // in the order written
	Const *jsondoc.Value
	Enum  []jsondoc.Value

	Minimum, Maximum                   *jsondoc.Value
	ExclusiveMinimum, ExclusiveMaximum *jsondoc.Value

	MinLength, MaxLength *int           // in code points
	Pattern              *regexp.Regexp // found anywhere in the text
	Format               string         // "date-time", "uuid", "base58check" or ""

	MinItems, MaxItems *int
	Items              *Schema

	Properties           []Property // in the order written; empty but not nil where the keyword is written as {}
	Required             []string
	AdditionalProperties *Schema

	AllOf, AnyOf, OneOf []*Schema
	Not, If, Then, Else *Schema // Then and Else count only beside If

	Defs []Property // $defs, in the order written

	Annotations []jsondoc.Member // annotations as written, in the order written
}

// Property is a named schema of properties or $defs.
type Property struct {
	Name   string
	Schema *Schema
}

// Annotation returns the value of an annotation written in this very schema, not in what it refers to.
func (s *Schema) Annotation(name string) (jsondoc.Value, bool) {
	for i := range s.Annotations {
		if s.Annotations[i].Name == name {
			return s.Annotations[i].Value, true
		}
	}
	return jsondoc.Value{}, false
}

// Property returns the first schema that properties declares for name: here, else through $ref, else through allOf in order. Schemas under
// anyOf, oneOf, not, if, then and else are not looked at. It returns nil when there is none.
func (s *Schema) Property(name string) *Schema {
	if found := s.declared(name); found != nil {
		return found
	}
	if s.Ref != nil {
		if found := s.Ref.Property(name); found != nil {
			return found
		}
	}
	for _, branch := range s.AllOf {
		if found := branch.Property(name); found != nil {
			return found
		}
	}
	return nil
}

func (s *Schema) declared(name string) *Schema {
	for i := range s.Properties {
		if s.Properties[i].Name == name {
			return s.Properties[i].Schema
		}
	}
	return nil
}

// inPlace returns the schemas that judge the same value as s.
func (s *Schema) inPlace() []*Schema {
	var all []*Schema
	for _, one := range []*Schema{s.Ref, s.Not, s.If, s.Then, s.Else} {
		if one != nil {
			all = append(all, one)
		}
	}
	all = append(all, s.AllOf...)
	all = append(all, s.AnyOf...)
	return append(all, s.OneOf...)
}
