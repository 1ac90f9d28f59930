package schema

import (
	"slices"
	"strconv"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Undeclared returns the members of v the schema does not know, in document order: those no properties declares and no
// additionalProperties governs, whether it allows or refuses them. It looks here and through $ref, allOf, anyOf, oneOf, if, then and else,
// whichever of these apply to v. An object no schema lists properties of is open: none of its members are undeclared. What is inside an
// undeclared member is not looked at.
func (s *Schema) Undeclared(v jsondoc.Value) []jsondoc.Pointer {
	var found []jsondoc.Pointer
	undeclared([]*Schema{s}, &v, nil, &found)
	return found
}

// undeclared looks at v, which all the schemas speak of.
func undeclared(schemas []*Schema, v *jsondoc.Value, at jsondoc.Pointer, found *[]jsondoc.Pointer) {
	all := speakers(schemas)
	switch v.Kind {
	case jsondoc.Array:
		var items []*Schema
		for _, s := range all {
			if s.Items != nil {
				items = append(items, s.Items)
			}
		}
		if items == nil {
			return
		}
		for i := range v.Items {
			undeclared(items, &v.Items[i], append(at, strconv.Itoa(i)), found)
		}
	case jsondoc.Object:
		undeclaredMembers(all, v, at, found)
	case jsondoc.Null, jsondoc.Bool, jsondoc.Number, jsondoc.String:
	}
}

func undeclaredMembers(all []*Schema, v *jsondoc.Value, at jsondoc.Pointer, found *[]jsondoc.Pointer) {
	listed := slices.ContainsFunc(all, func(s *Schema) bool { return s.Properties != nil || s.AdditionalProperties != nil })
	if !listed {
		return
	}
	for i := range v.Members {
		m := &v.Members[i]
		var schemas []*Schema
		for _, s := range all {
			if governs := s.governing(m.Name); governs != nil {
				schemas = append(schemas, governs)
			}
		}
		here := append(at, m.Name)
		if schemas == nil {
			*found = append(*found, slices.Clone(here))
			continue
		}
		undeclared(schemas, &m.Value, here, found)
	}
}

// governing returns the schema this very schema has for a member of that name.
func (s *Schema) governing(name string) *Schema {
	if declared := s.declared(name); declared != nil {
		return declared
	}
	return s.AdditionalProperties
}

// speakers returns the schemas and all that speak of the same value through them, each once.
func speakers(schemas []*Schema) []*Schema {
	seen := make(map[*Schema]bool, len(schemas))
	var all []*Schema
	var add func(s *Schema)
	add = func(s *Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		all = append(all, s)
		for _, next := range s.inPlace() {
			if next != s.Not {
				add(next)
			}
		}
	}
	for _, s := range schemas {
		add(s)
	}
	return all
}
