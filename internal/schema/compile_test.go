package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

func TestCompileRefuses(t *testing.T) {
	facts := parse(t, `{"$defs":{"bad":{"uniqueItems":true}}}`)
	var chain []string
	for i := range 200 {
		chain = append(chain, fmt.Sprintf(`"a%d":{"$ref":"#/$defs/a%d"}`, i, i+1))
	}
	var refs []string
	for i := range 1_200 {
		refs = append(refs, fmt.Sprintf(`"a%d":{"items":{"$ref":"#/$defs/a%d"}}`, i, i+1))
	}
	for _, test := range []struct{ schema, place, message string }{
		{`1`, "s.json#", "object or a boolean, not 1"},
		{`{"minProperties":1}`, "s.json#/minProperties", `keyword "minProperties" is not supported`},
		{`{"$id":"x"}`, "s.json#/$id", "$id"},
		{`{"default":1}`, "s.json#/default", "default"},
		{`{"$defs":{"unused":{"a~/b":1}}}`, "s.json#/$defs/unused/a~0~1b", "a~/b"},
		{`{"$ref":"facts.json#/$defs/bad"}`, "facts.json#/$defs/bad/uniqueItems", "uniqueItems"},
		{`{"$ref":"facts.json#/$defs/none"}`, "s.json#/$ref", `nothing at "facts.json#/$defs/none"`},
		{`{"$ref":"none.json#/x"}`, "s.json#/$ref", `no resource "none.json"`},
		{`{"$ref":"#anchor"}`, "s.json#/$ref", "JSON Pointer"},
		{`{"$ref":"#/%zz"}`, "s.json#/$ref", "%zz"},
		{`{"$ref":1}`, "s.json#/$ref", "string"},
		{`{"$ref":"#"}`, "s.json#", "itself"},
		{`{"allOf":[{"anyOf":[{"$ref":"#"}]}]}`, "s.json#", "itself"},
		{`{"not":{"$ref":"#"}}`, "s.json#", "itself"},
		{`{"then":{"$ref":"#"}}`, "s.json#", "itself"},
		{`{"properties":{"a":{"$ref":"#/properties/b"},"b":{"$ref":"#/properties/a"}}}`, "s.json#/properties/a", "itself"},
		{`{"$defs":{` + strings.Join(chain, ",") + `,"a200":true}}`, "s.json#/$defs/a71", "chain"},
		{`{"$defs":{` + strings.Join(refs, ",") + `,"a1200":true}}`, "s.json#/$defs/a999/items/$ref", "1000 $refs"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#"}`, "s.json#/$schema", "2020-12"},
		{`{"type":"int"}`, "s.json#/type", `"int" is not a type`},
		{`{"type":[]}`, "s.json#/type", "at least one"},
		{`{"type":["null","null"]}`, "s.json#/type", "twice"},
		{`{"enum":[]}`, "s.json#/enum", "at least one"},
		{`{"enum":"a"}`, "s.json#/enum", "array"},
		{`{"required":["a","a"]}`, "s.json#/required", `"a" twice`},
		{`{"required":[1]}`, "s.json#/required", "not 1"},
		{`{"required":"a"}`, "s.json#/required", "array"},
		{`{"minimum":"1"}`, "s.json#/minimum", "number"},
		{`{"minLength":-1}`, "s.json#/minLength", "at least 0"},
		{`{"maxItems":1.5}`, "s.json#/maxItems", "integer"},
		{`{"properties":[]}`, "s.json#/properties", "object"},
		{`{"properties":{"a":null}}`, "s.json#/properties/a", "null"},
		{`{"allOf":[]}`, "s.json#/allOf", "at least one"},
		{`{"anyOf":{}}`, "s.json#/anyOf", "array"},
		{`{"pattern":"(?=a)"}`, "s.json#/pattern", "RE2"},
		{`{"pattern":1}`, "s.json#/pattern", "string"},
		{`{"format":"email"}`, "s.json#/format", `"email"`},
		{`{"title":1}`, "s.json#/title", "string"},
		{`{"examples":1}`, "s.json#/examples", "array"},
	} {
		c := schema.NewCompiler(schema.Resources{"s.json": parse(t, test.schema), "facts.json": facts})
		for range 2 { // a refusal must not be forgotten
			_, err := c.Compile("s.json", nil)
			var refused *schema.Error
			if !errors.As(err, &refused) {
				t.Errorf("%.100s: %v; want a Error", test.schema, err)
				continue
			}
			if place := refused.Resource + "#" + refused.Pointer.String(); place != test.place || !strings.Contains(refused.Message, test.message) {
				t.Errorf("%.100s: %v; want %s: …%s…", test.schema, err, test.place, test.message)
			}
		}
	}
}

func TestCompileNowhere(t *testing.T) {
	c := schema.NewCompiler(schema.Resources{"s.json": jsondoc.BoolValue(true)})
	for resource, pointer := range map[string]jsondoc.Pointer{"none.json": nil, "s.json": {"a"}} {
		if _, err := c.Compile(resource, pointer); err == nil {
			t.Errorf("%s#%s compiles", resource, pointer)
		}
	}
}

func TestCompileShares(t *testing.T) {
	c := schema.NewCompiler(schema.Resources{
		"facts.json": parse(t, `{"$defs":{"id":{"type":"string","scope":"invoice","source":"doc","title":"t"},"tree":{"items":{"$ref":"#/$defs/tree"}}}}`),
		"a.json":     parse(t, `{"schema":{"properties":{"id":{"$ref":"facts.json#/$defs/id"},"t":{"$ref":"facts.json#/$defs/tree"}}}}`),
		"b/c.json":   parse(t, `{"schema":{"$ref":"facts.json#/$defs/id","items":{"$ref":"#/schema"}}}`),
	}, "scope", "source")
	a, err := c.Compile("a.json", jsondoc.Pointer{"schema"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Compile("b/c.json", jsondoc.Pointer{"schema"})
	if err != nil {
		t.Fatal(err)
	}
	id := a.Property("id")
	if id.RefTarget != "facts.json#/$defs/id" || id.Ref != b.Ref || b.Items.Ref != b {
		t.Errorf("targets %q, %p and %p, %p and %p", id.RefTarget, id.Ref, b.Ref, b.Items.Ref, b)
	}
	if scope, found := id.Ref.Annotation("scope"); !found || scope.Text != "invoice" {
		t.Errorf("scope %q, %t", scope.Text, found)
	}
	if tree := a.Property("t").Ref; tree.Items.Ref != tree {
		t.Error("the tree does not lead back to itself")
	}
	if again, err := c.Compile("facts.json", jsondoc.Pointer{"$defs", "id"}); err != nil || again != id.Ref {
		t.Errorf("compiled again: %p, %v; want %p", again, err, id.Ref)
	}
}

func TestHugeCounts(t *testing.T) {
	s := compile(t, `{"maxLength":1e400,"minLength":0e99999999999999999999,"maxItems":4294967296}`)
	if found := s.Validate(jsondoc.StringValue("a")); found != nil {
		t.Error(tell(found))
	}
	for count, want := range map[string]string{
		"4294967296": "at least 4294967296 characters", "9223372036854775807": "at least 9223372036854775807 characters", "1e400": "at least 9223372036854775807 characters",
	} {
		found := compile(t, `{"minLength":`+count+`}`).Validate(jsondoc.StringValue("a"))
		if len(found) != 1 || found[0].Expected != want {
			t.Errorf("%s: %v, want %s", count, tell(found), want)
		}
	}
}

// TestRefusalsSpareWhatIsCompiled compiles a schema that is refused beside one that is not, and shares a definition with it.
func TestRefusalsSpareWhatIsCompiled(t *testing.T) {
	c := schema.NewCompiler(schema.Resources{"s.json": parse(t, `{"good":{"$ref":"#/shared"},"bad":{"$ref":"#/shared","x":1},"loop":{"items":{"$ref":"#/shared"},"not":{"$ref":"#/loop"}},
		"later":{"items":{"$ref":"#/late"}},"late":{"$ref":"#/shared"},"shared":{"type":"string"}}`)})
	at := func(name string) *schema.Schema {
		s, err := c.Compile("s.json", jsondoc.Pointer{name})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	shared, good := at("shared"), at("good")
	for _, name := range []string{"bad", "loop", "bad", "loop"} {
		if s, err := c.Compile("s.json", jsondoc.Pointer{name}); err == nil || s != nil {
			t.Errorf("%s compiles", name)
		}
		if at("shared") != shared || at("good") != good {
			t.Errorf("%s changes what was compiled before", name)
		}
	}
	if later := at("later"); later.Items.Ref != at("late") || at("late").Ref != shared {
		t.Error("what is compiled later shares nothing")
	}
}

// TestChainsGrowByWhatIsCompiledLater compiles a chain of references from its end.
func TestChainsGrowByWhatIsCompiledLater(t *testing.T) {
	var chain []string
	for i := range 2 * jsondoc.MaxDepth {
		chain = append(chain, fmt.Sprintf(`"a%d":{"$ref":"#/a%d"}`, i+1, i))
	}
	c := schema.NewCompiler(schema.Resources{"s.json": parse(t, `{"a0":true,`+strings.Join(chain, ",")+`}`)})
	for length := range 2 * jsondoc.MaxDepth {
		if _, err := c.Compile("s.json", jsondoc.Pointer{fmt.Sprint("a", length)}); (err == nil) != (length <= jsondoc.MaxDepth) {
			t.Errorf("a chain of %d: %v", length, err)
		}
	}
}
