package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/jsondoc"
)

const (
	briefBytes    = 80  // of a value in a message
	expectedBytes = 200 // of an expectation in a message
	describeDepth = 4   // schemas inside each other that a description follows
)

// brief is the JSON of v, cut at about briefBytes.
func brief(v *jsondoc.Value) string {
	b := text{limit: briefBytes}
	b.value(v)
	return b.String()
}

// text collects a message up to a limit of bytes and drops the rest.
type text struct {
	strings.Builder
	limit int
}

func (t *text) full() bool { return t.Len() > t.limit }

func (t *text) add(s string) {
	if !t.full() {
		t.WriteString(s[:min(len(s), t.limit+1)])
	}
}

// String returns the text, ending in … at a character's boundary where something was cut.
func (t *text) String() string {
	s := t.Builder.String()
	if len(s) <= t.limit {
		return s
	}
	end := t.limit
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func (t *text) value(v *jsondoc.Value) {
	switch v.Kind {
	case jsondoc.Array:
		t.add("[")
		for i := 0; i < len(v.Items) && !t.full(); i++ {
			t.comma(i)
			t.value(&v.Items[i])
		}
		t.add("]")
	case jsondoc.Object:
		t.add("{")
		for i := 0; i < len(v.Members) && !t.full(); i++ {
			t.comma(i)
			t.literal(jsondoc.StringValue(v.Members[i].Name))
			t.add(":")
			t.value(&v.Members[i].Value)
		}
		t.add("}")
	case jsondoc.Null, jsondoc.Bool, jsondoc.Number, jsondoc.String:
		t.literal(*v)
	}
}

func (t *text) comma(i int) {
	if i > 0 {
		t.add(",")
	}
}

// literal adds a scalar; a text longer than the limit is cut before it is escaped.
func (t *text) literal(v jsondoc.Value) {
	v.Text = v.Text[:min(len(v.Text), t.limit+utf8.UTFMax)]
	t.add(string(v.AppendLiteral(nil)))
}

// expected says what keyword of s asks for.
func expected(s *Schema, keyword string) string {
	t := text{limit: expectedBytes}
	switch keyword {
	case "false":
		t.add("nothing")
	case "type":
		t.add(strings.Join(s.Types, " or "))
	case "const":
		t.value(s.Const)
	case "enum":
		t.enum(s.Enum)
	case "minimum":
		t.add("at least " + brief(s.Minimum))
	case "maximum":
		t.add("at most " + brief(s.Maximum))
	case "exclusiveMinimum":
		t.add("more than " + brief(s.ExclusiveMinimum))
	case "exclusiveMaximum":
		t.add("less than " + brief(s.ExclusiveMaximum))
	case "minLength":
		t.add("at least " + counted(*s.MinLength, "character"))
	case "maxLength":
		t.add("at most " + counted(*s.MaxLength, "character"))
	case "minItems":
		t.add("at least " + counted(*s.MinItems, "item"))
	case "maxItems":
		t.add("at most " + counted(*s.MaxItems, "item"))
	case "pattern":
		t.add("text matching " + s.Pattern.String())
	case "format":
		t.add(formatName(s.Format))
	case "additionalProperties":
		t.members(s)
	case "anyOf":
		t.branches("any of: ", s.AnyOf, describeDepth)
	case "not":
		t.add("anything but: ")
		t.schema(s.Not, describeDepth)
	}
	return t.String()
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func formatName(format string) string {
	switch format {
	case "date-time":
		return "date-time (RFC 3339, like 2024-01-31T09:30:00.000Z)"
	case "uuid":
		return "uuid (RFC 9562, like 123e4567-e89b-12d3-a456-426614174000)"
	}
	return format + " (base58 text that ends in its own checksum)"
}

func expectedMember(s *Schema, name string) string {
	t := text{limit: expectedBytes}
	if declared := s.Property(name); declared != nil {
		t.schema(declared, describeDepth)
	} else {
		t.add("a member of this name")
	}
	return t.String()
}

// expectedOneOf says what oneOf asks for, when not exactly one of its branches accepts.
func expectedOneOf(s *Schema, accepting []int) string {
	t := text{limit: expectedBytes}
	if len(accepting) == 0 {
		t.branches("exactly one of: ", s.OneOf, describeDepth)
		return t.String()
	}
	t.add(fmt.Sprintf("exactly one of %d alternatives, but these accept it: ", len(s.OneOf)))
	for i, index := range accepting {
		if i > 0 {
			t.add("; ")
		}
		t.add(fmt.Sprintf("%d. ", index+1))
		t.schema(s.OneOf[index], describeDepth)
	}
	return t.String()
}

func (t *text) enum(values []jsondoc.Value) {
	t.add("one of ")
	for i := 0; i < len(values) && !t.full(); i++ {
		if i > 0 {
			t.add(", ")
		}
		t.value(&values[i])
	}
}

func (t *text) members(s *Schema) {
	if len(s.Properties) == 0 {
		t.add("no members")
		return
	}
	t.add("no member besides ")
	for i := 0; i < len(s.Properties) && !t.full(); i++ {
		if i > 0 {
			t.add(", ")
		}
		t.add(s.Properties[i].Name)
	}
}

func (t *text) branches(intro string, branches []*Schema, depth int) {
	t.add(intro)
	for i := 0; i < len(branches) && !t.full(); i++ {
		if i > 0 {
			t.add("; ")
		}
		t.schema(branches[i], depth)
	}
}

// schema describes what s accepts in a few words: the most telling keyword wins.
func (t *text) schema(s *Schema, depth int) {
	depth--
	switch {
	case depth < 0:
		t.add("…")
	case s.Always != nil && *s.Always:
		t.add("anything")
	case s.Always != nil:
		t.add("nothing")
	case s.Const != nil:
		t.value(s.Const)
	case s.Enum != nil:
		t.enum(s.Enum)
	case s.Types != nil || s.Format != "" || s.Pattern != nil:
		t.typed(s)
	case s.Ref != nil:
		t.schema(s.Ref, depth)
	case s.AnyOf != nil:
		t.branches("any of: ", s.AnyOf, depth)
	case s.OneOf != nil:
		t.branches("exactly one of: ", s.OneOf, depth)
	case s.AllOf != nil:
		t.branches("all of: ", s.AllOf, depth)
	case s.Required != nil:
		t.add("object with " + strings.Join(s.Required, ", "))
	case s.Not != nil:
		t.add("anything but: ")
		t.schema(s.Not, depth)
	default:
		t.constraint(s)
	}
}

func (t *text) typed(s *Schema) {
	name := "text"
	if s.Types != nil {
		name = strings.Join(s.Types, " or ")
	}
	t.add(name)
	if s.Format != "" {
		t.add(": " + s.Format)
	}
	if s.Pattern != nil {
		t.add(" matching " + s.Pattern.String())
	}
	if s.Required != nil {
		t.add(" with " + strings.Join(s.Required, ", "))
	}
}

// constraint describes a schema that only bounds a value, by the first bound it has.
func (t *text) constraint(s *Schema) {
	bounds := []struct {
		keyword string
		present bool
	}{
		{"minimum", s.Minimum != nil},
		{"exclusiveMinimum", s.ExclusiveMinimum != nil},
		{"maximum", s.Maximum != nil},
		{"exclusiveMaximum", s.ExclusiveMaximum != nil},
		{"minLength", s.MinLength != nil},
		{"maxLength", s.MaxLength != nil},
		{"minItems", s.MinItems != nil},
		{"maxItems", s.MaxItems != nil},
	}
	for _, bound := range bounds {
		if bound.present {
			t.add(expected(s, bound.keyword))
			return
		}
	}
	t.add("a value")
}
