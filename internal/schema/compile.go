package schema

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Dialect is the only $schema a schema may name.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Resources are the parsed documents schemas stand in, by the name $ref uses: "facts.json", "order/shipped.json".
type Resources map[string]jsondoc.Value

// Error says why a schema cannot be compiled.
type Error struct {
	Resource string
	Pointer  jsondoc.Pointer // the offending keyword or schema
	Message  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", location(e.Resource, e.Pointer), e.Message)
}

func location(resource string, p jsondoc.Pointer) string { return resource + "#" + p.String() }

// Compiler turns schemas of some resources into Schemas. It is not safe for concurrent use; what it returns is.
type Compiler struct {
	resources   Resources
	annotations []string
	known       map[place]*Schema
	fresh       []place         // what the running Compile added to known
	sound       map[*Schema]int // height of schemas already checked for loops
	depth       int             // of $refs being followed
}

type place struct{ resource, pointer string }

// maxRefs bounds the recursion of compiling: how many $refs may lead from one to the next.
const maxRefs = 1_000

// NewCompiler returns a compiler over res, which must not change afterwards. Keywords named in annotations are allowed and kept, and judge
// nothing; a name that is a supported keyword keeps its meaning.
func NewCompiler(res Resources, annotations ...string) *Compiler {
	return &Compiler{
		resources:   res,
		annotations: append([]string{"title", "description", "$comment", "$schema", "examples"}, annotations...),
		known:       map[place]*Schema{},
		sound:       map[*Schema]int{},
	}
}

// Compile compiles the schema that stands at a pointer of a resource, with all it refers to. The same place always gives the same Schema.
// The error is a *Error.
func (c *Compiler) Compile(resource string, at jsondoc.Pointer) (*Schema, error) {
	c.fresh = c.fresh[:0]
	s, err := c.locate(resource, at, &Error{Resource: resource, Pointer: at})
	if err == nil {
		err = c.refuseLoops()
	}
	if err != nil {
		for _, key := range c.fresh {
			delete(c.known, key)
		}
		return nil, err
	}
	return s, nil
}

// locate finds and compiles a schema; blame carries the place to name when there is none.
func (c *Compiler) locate(resource string, at jsondoc.Pointer, blame *Error) (*Schema, error) {
	document, found := c.resources[resource]
	if !found {
		blame.Message = fmt.Sprintf("there is no resource %.80q", resource)
		return nil, blame
	}
	v := document.At(at)
	if v == nil {
		blame.Message = fmt.Sprintf("there is nothing at %.200q", location(resource, at))
		return nil, blame
	}
	if c.depth == maxRefs {
		blame.Message = fmt.Sprintf("more than %d $refs lead from one to the next", maxRefs)
		return nil, blame
	}
	c.depth++
	defer func() { c.depth-- }()
	return c.schema(resource, at, v)
}

func (c *Compiler) schema(resource string, at jsondoc.Pointer, v *jsondoc.Value) (*Schema, error) {
	key := place{resource, at.String()}
	if s, found := c.known[key]; found {
		return s, nil
	}
	s := &Schema{Resource: resource, Pointer: slices.Clone(at)}
	c.known[key] = s
	c.fresh = append(c.fresh, key)
	switch v.Kind {
	case jsondoc.Bool:
		always := v.Bool
		s.Always = &always
		return s, nil
	case jsondoc.Object:
		for i := range v.Members {
			if err := c.keyword(s, v.Members[i].Name, &v.Members[i].Value); err != nil {
				return nil, err
			}
		}
		return s, nil
	case jsondoc.Null, jsondoc.Number, jsondoc.String, jsondoc.Array:
	}
	return nil, s.refuse(nil, "a schema is an object or a boolean, not %s", brief(v))
}

// refuse builds the error for something wrong at the tokens below s.
func (s *Schema) refuse(tokens []string, format string, args ...any) *Error {
	return &Error{Resource: s.Resource, Pointer: below(s.Pointer, tokens...), Message: fmt.Sprintf(format, args...)}
}

func below(p jsondoc.Pointer, tokens ...string) jsondoc.Pointer {
	return append(slices.Clip(slices.Clone(p)), tokens...)
}

// keyword compiles one member of a schema.
func (c *Compiler) keyword(s *Schema, name string, v *jsondoc.Value) error {
	var err error
	switch name {
	case "$ref":
		return c.ref(s, v)
	case "$defs":
		s.Defs, err = c.named(s, name, v)
	case "properties":
		s.Properties, err = c.named(s, name, v)
	case "items":
		s.Items, err = c.below(s, v, name)
	case "additionalProperties":
		s.AdditionalProperties, err = c.below(s, v, name)
	case "not":
		s.Not, err = c.below(s, v, name)
	case "if":
		s.If, err = c.below(s, v, name)
	case "then":
		s.Then, err = c.below(s, v, name)
	case "else":
		s.Else, err = c.below(s, v, name)
	case "allOf":
		s.AllOf, err = c.list(s, name, v)
	case "anyOf":
		s.AnyOf, err = c.list(s, name, v)
	case "oneOf":
		s.OneOf, err = c.list(s, name, v)
	default:
		return c.assertion(s, name, v)
	}
	return err
}

// assertion compiles a keyword that holds no schemas.
func (c *Compiler) assertion(s *Schema, name string, v *jsondoc.Value) error {
	var err error
	switch name {
	case "type":
		s.Types, err = s.types(v)
	case "const":
		s.Const = v
	case "enum":
		s.Enum, err = s.enum(v)
	case "required":
		s.Required, err = s.names(name, v)
	case "minimum":
		s.Minimum, err = s.number(name, v)
	case "maximum":
		s.Maximum, err = s.number(name, v)
	case "exclusiveMinimum":
		s.ExclusiveMinimum, err = s.number(name, v)
	case "exclusiveMaximum":
		s.ExclusiveMaximum, err = s.number(name, v)
	case "minLength":
		s.MinLength, err = s.count(name, v)
	case "maxLength":
		s.MaxLength, err = s.count(name, v)
	case "minItems":
		s.MinItems, err = s.count(name, v)
	case "maxItems":
		s.MaxItems, err = s.count(name, v)
	case "pattern":
		s.Pattern, err = s.pattern(v)
	case "format":
		s.Format, err = s.format(v)
	default:
		return c.annotation(s, name, v)
	}
	return err
}

func (c *Compiler) annotation(s *Schema, name string, v *jsondoc.Value) error {
	if !slices.Contains(c.annotations, name) {
		return s.refuse([]string{name}, "the keyword %.80q is not supported", name)
	}
	switch name {
	case "$schema":
		if v.Kind != jsondoc.String || strings.TrimSuffix(v.Text, "#") != Dialect {
			return s.refuse([]string{name}, "$schema must be %q, not %s", Dialect, brief(v))
		}
	case "title", "description", "$comment":
		if v.Kind != jsondoc.String {
			return s.refuse([]string{name}, "%s must be a string, not %s", name, brief(v))
		}
	case "examples":
		if v.Kind != jsondoc.Array {
			return s.refuse([]string{name}, "examples must be an array, not %s", brief(v))
		}
	}
	s.Annotations = append(s.Annotations, jsondoc.Member{Name: name, Value: *v})
	return nil
}

func (c *Compiler) below(s *Schema, v *jsondoc.Value, tokens ...string) (*Schema, error) {
	return c.schema(s.Resource, below(s.Pointer, tokens...), v)
}

func (c *Compiler) named(s *Schema, name string, v *jsondoc.Value) ([]Property, error) {
	if v.Kind != jsondoc.Object {
		return nil, s.refuse([]string{name}, "%s must be an object of schemas, not %s", name, brief(v))
	}
	all := make([]Property, 0, len(v.Members))
	for i := range v.Members {
		one, err := c.below(s, &v.Members[i].Value, name, v.Members[i].Name)
		if err != nil {
			return nil, err
		}
		all = append(all, Property{Name: v.Members[i].Name, Schema: one})
	}
	return all, nil
}

func (c *Compiler) list(s *Schema, name string, v *jsondoc.Value) ([]*Schema, error) {
	if v.Kind != jsondoc.Array || len(v.Items) == 0 {
		return nil, s.refuse([]string{name}, "%s must be an array of at least one schema, not %s", name, brief(v))
	}
	all := make([]*Schema, 0, len(v.Items))
	for i := range v.Items {
		one, err := c.below(s, &v.Items[i], name, strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (c *Compiler) ref(s *Schema, v *jsondoc.Value) error {
	here := []string{"$ref"}
	if v.Kind != jsondoc.String {
		return s.refuse(here, "$ref must be a string, not %s", brief(v))
	}
	resource, fragment, _ := strings.Cut(v.Text, "#")
	if resource == "" {
		resource = s.Resource
	}
	decoded, err := url.PathUnescape(fragment)
	if err != nil {
		return s.refuse(here, "$ref %.200q: %v", v.Text, err)
	}
	at, err := jsondoc.ParsePointer(decoded)
	if err != nil {
		return s.refuse(here, "$ref %.200q must end in a JSON Pointer, like facts.json#/$defs/orderId: %v", v.Text, err)
	}
	s.RefTarget = location(resource, at)
	s.Ref, err = c.locate(resource, at, s.refuse(here, ""))
	return err
}

func (s *Schema) types(v *jsondoc.Value) ([]string, error) {
	here := []string{"type"}
	list := v.Items
	if v.Kind == jsondoc.String {
		list = []jsondoc.Value{*v}
	}
	if len(list) == 0 {
		return nil, s.refuse(here, "type must be a type name or an array of at least one, not %s", brief(v))
	}
	var types []string
	for i := range list {
		switch name := list[i].Text; {
		case list[i].Kind != jsondoc.String || !isType(name):
			return nil, s.refuse(here, "%s is not a type: the types are null, boolean, object, array, number, integer and string", brief(&list[i]))
		case slices.Contains(types, name):
			return nil, s.refuse(here, "type names %s twice", name)
		default:
			types = append(types, name)
		}
	}
	return types, nil
}

func isType(name string) bool {
	switch name {
	case "null", "boolean", "object", "array", "number", "integer", "string":
		return true
	}
	return false
}

func (s *Schema) enum(v *jsondoc.Value) ([]jsondoc.Value, error) {
	if v.Kind != jsondoc.Array || len(v.Items) == 0 {
		return nil, s.refuse([]string{"enum"}, "enum must be an array of at least one value, not %s", brief(v))
	}
	return v.Items, nil
}

func (s *Schema) names(keyword string, v *jsondoc.Value) ([]string, error) {
	here := []string{keyword}
	if v.Kind != jsondoc.Array {
		return nil, s.refuse(here, "%s must be an array of member names, not %s", keyword, brief(v))
	}
	names := make([]string, 0, len(v.Items))
	seen := make(map[string]bool, len(v.Items))
	for i := range v.Items {
		name := v.Items[i].Text
		if v.Items[i].Kind != jsondoc.String {
			return nil, s.refuse(here, "%s must hold member names, not %s", keyword, brief(&v.Items[i]))
		}
		if seen[name] {
			return nil, s.refuse(here, "%s names %.80q twice", keyword, name)
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, nil
}

func (s *Schema) number(keyword string, v *jsondoc.Value) (*jsondoc.Value, error) {
	if v.Kind != jsondoc.Number {
		return nil, s.refuse([]string{keyword}, "%s must be a number, not %s", keyword, brief(v))
	}
	return v, nil
}

// count reads a non-negative integer; one too large for an int is the largest int, which no document reaches.
func (s *Schema) count(keyword string, v *jsondoc.Value) (*int, error) {
	if !v.IsInteger() || jsondoc.CompareNumbers(*v, jsondoc.Value{Kind: jsondoc.Number, Text: "0"}) < 0 {
		return nil, s.refuse([]string{keyword}, "%s must be an integer of at least 0, not %s", keyword, brief(v))
	}
	n := math.MaxInt
	if f, _ := strconv.ParseFloat(v.Text, 64); f < math.MaxInt {
		n = int(f)
	}
	return &n, nil
}

func (s *Schema) pattern(v *jsondoc.Value) (*regexp.Regexp, error) {
	if v.Kind != jsondoc.String {
		return nil, s.refuse([]string{"pattern"}, "pattern must be a string, not %s", brief(v))
	}
	compiled, err := regexp.Compile(v.Text)
	if err != nil {
		return nil, s.refuse([]string{"pattern"}, "pattern %s is not an RE2 regular expression (no lookaround, no back-references): %.200v", brief(v), err)
	}
	return compiled, nil
}

func (s *Schema) format(v *jsondoc.Value) (string, error) {
	if v.Kind != jsondoc.String || judgeOf(v.Text) == nil {
		return "", s.refuse([]string{"format"}, "format must be date-time, uuid or base58check, not %s", brief(v))
	}
	return v.Text, nil
}

// refuseLoops checks that no fresh schema judges a value by judging the same value again, and that chains of $ref, allOf and the like are
// at most jsondoc.MaxDepth long, so that evaluation is no deeper than that for each level of the document.
func (c *Compiler) refuseLoops() error {
	for _, key := range c.fresh {
		if _, err := c.height(c.known[key]); err != nil {
			return err
		}
	}
	return nil
}

// height returns the longest in-place chain below s.
func (c *Compiler) height(s *Schema) (int, error) {
	const entered = -1
	switch h, found := c.sound[s]; {
	case h == entered:
		return 0, s.refuse(nil, "this schema refers to itself without a step into the document (properties, additionalProperties or items)")
	case found:
		return h, nil
	}
	c.sound[s] = entered
	h := 0
	for _, next := range s.inPlace() {
		below, err := c.height(next)
		if err != nil {
			return 0, err
		}
		h = max(h, below+1)
	}
	if h > jsondoc.MaxDepth {
		return 0, s.refuse(nil, "more than %d schemas refer to each other in a chain here", jsondoc.MaxDepth)
	}
	c.sound[s] = h
	return h, nil
}
