package schema_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	judge "github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// judged compiles the same documents with the independent implementation.
func judged(resources map[string]string) (*judge.Schema, error) {
	c := judge.NewCompiler()
	c.DefaultDraft(judge.Draft2020)
	c.AssertFormat()
	c.RegisterFormat(&judge.Format{Name: "base58check", Validate: base58check})
	for name, raw := range resources {
		document, err := judge.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			return nil, err
		}
		if err := c.AddResource("mem:///"+name, document); err != nil {
			return nil, err
		}
	}
	return c.Compile("mem:///s.json")
}

// base58check is the judge's own reading of the format, by way of one big number.
func base58check(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	n := new(big.Int)
	for _, r := range s {
		digit := strings.IndexRune("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", r)
		if digit < 0 || len(s) > 256 {
			return fmt.Errorf("%q is not base58", r)
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(digit)))
	}
	ones := len(s) - len(strings.TrimLeft(s, "1"))
	raw := append(make([]byte, ones), n.Bytes()...)
	if len(raw) < 4 {
		return errors.New("no checksum")
	}
	split := len(raw) - 4
	first := sha256.Sum256(raw[:split])
	if second := sha256.Sum256(first[:]); !bytes.Equal(second[:4], raw[split:]) {
		return errors.New("wrong checksum")
	}
	return nil
}

func judgeAccepts(t rapid.TB, s *judge.Schema, raw string) bool {
	t.Helper()
	v, err := judge.UnmarshalJSON(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v) == nil
}

func texts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		`""`, `"a"`, `"ab"`, `"abc"`, `"é😀"`, `"1"`, `"2eb8aa08-aa98-11ea-b4aa-73b441d16380"`, `"2024-02-29T23:59:60Z"`, `"2023-02-29T00:00:00Z"`,
		`"1998-12-31T15:59:60.123-08:00"`, `"2024-01-01T00:00:00+01:00"`, `"TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"`, `"TJRabPrwbZy45sbavfcjinPJC18kjpRTv9"`,
	})
}

func numerals() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		"0", "-0", "0.0", "1", "1.0", "10e-1", "1.5", "15e-1", "2", "-2", "3", "1e1", "10", "9007199254740993", "9007199254740992", "0.1",
		"0.10000000000000000001", "1e30", "1000000000000000000000000000000",
	})
}

func names() *rapid.Generator[string] { return rapid.SampledFrom([]string{"a", "b", "c", "", "0"}) }

// instances writes documents out of a small world, so that they often meet the schemas of the same world.
func instances(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kind := rapid.IntRange(0, 6).Draw(t, "kind")
		switch {
		case kind == 0 && depth > 0:
			return "[" + strings.Join(rapid.SliceOfN(instances(depth-1), 0, 3).Draw(t, "items"), ",") + "]"
		case kind <= 2 && depth > 0:
			return object(t, names(), instances(depth-1))
		case kind <= 4:
			return texts().Draw(t, "text")
		case kind == 5:
			return numerals().Draw(t, "number")
		}
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
	})
}

func object(t *rapid.T, names, values *rapid.Generator[string]) string {
	var members []string
	for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID).Draw(t, "names") {
		members = append(members, fmt.Sprintf("%q:%s", name, values.Draw(t, "value")))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// schemas writes schemas of the subset; the keywords of one schema are a sample of all.
func schemas(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.IntRange(0, 9).Draw(t, "boolean") == 0 {
			return rapid.SampledFrom([]string{"true", "true", "{}", "false", `{"type":"string"}`, `{"type":"integer"}`}).Draw(t, "simple")
		}
		all := keywords(depth)
		var members []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(keywordNames()), 0, 4, rapid.ID).Draw(t, "keywords") {
			members = append(members, fmt.Sprintf("%q:%s", name, all(t, name)))
		}
		return "{" + strings.Join(members, ",") + "}"
	})
}

func keywordNames() []string {
	return []string{
		"type", "type", "const", "enum", "properties", "properties", "required", "additionalProperties", "items", "minLength", "maxLength", "minimum",
		"maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "pattern", "format", "$ref", "allOf", "anyOf", "oneOf", "not",
		"if", "then", "else", "description",
	}
}

func keywords(depth int) func(t *rapid.T, name string) string {
	inner := schemas(depth - 1)
	list := func(t *rapid.T, g *rapid.Generator[string], least int) string {
		return "[" + strings.Join(rapid.SliceOfN(g, least, 3).Draw(t, "list"), ",") + "]"
	}
	quoted := rapid.Map(names(), func(s string) string { return fmt.Sprintf("%q", s) })
	return func(t *rapid.T, name string) string {
		switch name {
		case "type":
			types := rapid.SampledFrom([]string{`"null"`, `"boolean"`, `"object"`, `"array"`, `"number"`, `"integer"`, `"string"`})
			return "[" + strings.Join(rapid.SliceOfNDistinct(types, 1, 4, rapid.ID).Draw(t, "types"), ",") + "]"
		case "const":
			return instances(1).Draw(t, "const")
		case "enum":
			return list(t, instances(1), 1)
		case "properties":
			return object(t, names(), inner)
		case "required":
			return "[" + strings.Join(rapid.SliceOfNDistinct(quoted, 0, 2, rapid.ID).Draw(t, "required"), ",") + "]"
		case "minLength", "maxLength", "minItems", "maxItems":
			return rapid.SampledFrom([]string{"0", "1", "2.0", "3"}).Draw(t, "count")
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
			return numerals().Draw(t, "limit")
		case "pattern":
			return rapid.SampledFrom([]string{`"^a"`, `"b$"`, `"^[0-9a-f-]{36}$"`, `"."`, `"^$"`, `"\\d"`}).Draw(t, "pattern")
		case "format":
			return rapid.SampledFrom([]string{`"date-time"`, `"uuid"`, `"base58check"`}).Draw(t, "format")
		case "$ref":
			return rapid.SampledFrom([]string{`"#"`, `"#/$defs/x"`, `"#/$defs/y"`, `"facts.json#/$defs/z"`, `"facts.json#/$defs/w~0%25"`}).Draw(t, "ref")
		case "allOf", "anyOf", "oneOf":
			return list(t, inner, 1)
		case "description":
			return `"about"`
		}
		return inner.Draw(t, "schema")
	}
}

// TestAgainstJudge holds Validate against the independent implementation over generated schemas and documents.
func TestAgainstJudge(t *testing.T) {
	var accepted, rejected, refused int
	rapid.Check(t, func(t *rapid.T) {
		// allOf lets the top be any schema of the world, booleans included.
		raw := fmt.Sprintf(`{"allOf":[%s],"$defs":{"x":%s,"y":%s}}`,
			schemas(3).Draw(t, "top"), schemas(2).Draw(t, "x"), schemas(2).Draw(t, "y"))
		facts := fmt.Sprintf(`{"$defs":{"x":{"type":"string"},"y":{"$ref":"#/$defs/z"},"z":%s,"w~%%":%s}}`, schemas(2).Draw(t, "z"), schemas(1).Draw(t, "w"))
		ours, err := schema.NewCompiler(resources(t, raw, facts)).Compile("s.json", nil)
		if err != nil {
			if !strings.Contains(err.Error(), "refers to itself") {
				t.Fatal(err)
			}
			refused++
			return
		}
		theirs, err := judged(map[string]string{"s.json": raw, "facts.json": facts})
		if err != nil {
			t.Fatalf("the judge refuses the schema: %v", err)
		}
		for _, instance := range rapid.SliceOfN(instances(3), 12, 24).Draw(t, "instances") {
			v, err := jsondoc.Parse([]byte(instance))
			if err != nil {
				t.Fatal(err)
			}
			found := ours.Validate(v)
			if want := judgeAccepts(t, theirs, instance); want != (found == nil) {
				t.Fatalf("%s: judge accepts %t, we say %v", instance, want, tell(found))
			}
			if found == nil {
				accepted++
			} else {
				rejected++
			}
			checkViolations(t, ours, resources(t, raw, facts), v, found)
		}
	})
	t.Logf("%d documents accepted, %d rejected; %d schemas refused", accepted, rejected, refused)
	if accepted < 100 || rejected < 100 {
		t.Errorf("%d accepted and %d rejected say too little", accepted, rejected)
	}
}

func resources(t rapid.TB, raw, facts string) schema.Resources {
	t.Helper()
	res := schema.Resources{}
	for name, text := range map[string]string{"s.json": raw, "facts.json": facts} {
		v, err := jsondoc.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		res[name] = v
	}
	return res
}

// checkViolations holds the explanations to their contract: deterministic, each once, located in document and schema, bounded.
func checkViolations(t rapid.TB, s *schema.Schema, res schema.Resources, v jsondoc.Value, found []schema.Violation) {
	t.Helper()
	if again := s.Validate(v); !reflect.DeepEqual(found, again) {
		t.Fatalf("%v, then %v", tell(found), tell(again))
	}
	for _, one := range found {
		checkReadable(t, one)
		missing := one.Keyword == "required"
		if (v.At(one.Pointer) == nil) != missing || missing != (one.Got == "nothing") {
			t.Fatalf("%s: not a place of the document", told(one))
		}
		document := res[one.Resource]
		if document.At(one.SchemaPointer) == nil {
			t.Fatalf("%s: not a place of the schema", told(one))
		}
	}
	for _, p := range s.Undeclared(v) {
		if v.At(p) == nil {
			t.Fatalf("undeclared %s is not there", p)
		}
	}
}

func checkReadable(t rapid.TB, v schema.Violation) {
	t.Helper()
	for text, limit := range map[string]int{v.Got: 80, v.Expected: 200} {
		if text == "" || len(text) > limit+len("…") || !utf8.ValidString(text) || strings.Contains(text, "\ufffd") {
			t.Errorf("%s: %q", v.Keyword, text)
		}
	}
}

// FuzzCompile feeds hostile schemas: nothing panics, and what compiles is a schema to the judge too and gives the judge's verdict.
func FuzzCompile(f *testing.F) {
	for _, raw := range []string{
		`{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#"}}}}`, `{"$ref":"#"}`, `{"anyOf":[{"$ref":"#/anyOf/1"},{"type":"null"}]}`,
		`{"properties":{"a":{"const":1.0},"b":{"enum":[1,"x"]}},"required":["a"],"additionalProperties":false}`,
		`{"minLength":1e2,"maximum":-0.5,"pattern":"^\\p{L}+$","format":"date-time"}`, `{"type":["integer","null"],"oneOf":[true,{}]}`,
		`{"if":{"const":1},"then":false,"else":{"not":{}}}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"t","examples":[1]}`,
		`true`, `{"$ref":"s.json#/%25"}`, `{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"minItems":1,"maxItems":2}}}`,
	} {
		for _, instance := range []string{`[[[]]]`, `{"a":1,"b":"x"}`, `"é"`, `1`} {
			f.Add(raw, instance)
		}
	}
	huge := regexp.MustCompile(`[eE][-+]?0*[1-9][0-9]{2}`)
	f.Fuzz(func(t *testing.T, raw, instance string) {
		document, err := jsondoc.Parse([]byte(raw))
		v, instanceErr := jsondoc.Parse([]byte(instance))
		if err != nil || instanceErr != nil {
			return
		}
		res := schema.Resources{"s.json": document}
		ours, err := schema.NewCompiler(res).Compile("s.json", nil)
		if err != nil {
			if refused := new(schema.Error); !errors.As(err, &refused) || !slices.Contains([]string{"s.json"}, refused.Resource) {
				t.Fatalf("%v is not a Error of the resource", err)
			}
			return
		}
		found := ours.Validate(v)
		checkViolations(t, ours, res, v, found)
		if huge.MatchString(raw) || huge.MatchString(instance) {
			return // the judge would build these numbers
		}
		theirs, err := judged(map[string]string{"s.json": raw})
		if err != nil {
			t.Fatalf("compiles here; the judge: %v", err)
		}
		if want := judgeAccepts(t, theirs, instance); want != (found == nil) {
			t.Errorf("judge accepts %t, we say %v", want, tell(found))
		}
	})
}
