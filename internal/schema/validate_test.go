package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// told is a violation in one line: where in the document, what was expected and found, and by which place of the schema.
func told(v schema.Violation) string {
	return v.Pointer.String() + " | " + v.Keyword + " | " + v.Expected + " | " + v.Got + " | " + v.Resource + "#" + v.SchemaPointer.String()
}

func tell(found []schema.Violation) []string {
	var all []string
	for _, v := range found {
		all = append(all, told(v))
	}
	return all
}

func TestViolations(t *testing.T) {
	for _, test := range []struct {
		schema, instance string
		want             []string
	}{
		{`true`, `1`, nil},
		{`false`, `1`, []string{" | false | nothing | 1 | s.json#"}},
		{`{"type":"integer","minimum":3,"enum":[7]}`, `"x"`, []string{` | type | integer | "x" | s.json#/type`}},
		{`{"type":["integer","null"]}`, `1.5`, []string{` | type | integer or null | 1.5 | s.json#/type`}},
		{`{"type":"integer"}`, `10e-1`, nil},
		{`{"const":{"a":1}}`, `{"a":1.0}`, nil},
		{`{"const":"COMPLETE"}`, `"complete"`, []string{` | const | "COMPLETE" | "complete" | s.json#/const`}},
		{`{"enum":["a",null,1]}`, `true`, []string{` | enum | one of "a", null, 1 | true | s.json#/enum`}},
		{`{"minimum":0,"exclusiveMinimum":0,"maximum":-1,"exclusiveMaximum":0.10}`, `-0.0`, []string{
			` | maximum | at most -1 | -0.0 | s.json#/maximum`,
			` | exclusiveMinimum | more than 0 | -0.0 | s.json#/exclusiveMinimum`,
		}},
		{`{"minimum":1}`, `0.9`, []string{` | minimum | at least 1 | 0.9 | s.json#/minimum`}},
		{`{"exclusiveMaximum":9007199254740993}`, `9007199254740993.0`, []string{
			` | exclusiveMaximum | less than 9007199254740993 | 9007199254740993.0 | s.json#/exclusiveMaximum`,
		}},
		{`{"exclusiveMaximum":9007199254740993}`, `9007199254740992`, nil},
		{`{"minLength":2,"maxLength":2}`, `"😀😀"`, nil},
		{`{"minLength":3}`, `"😀😀"`, []string{` | minLength | at least 3 characters | "😀😀" | s.json#/minLength`}},
		{`{"maxLength":1.0}`, `"ab"`, []string{` | maxLength | at most 1 character | "ab" | s.json#/maxLength`}},
		{`{"pattern":"^[0-9a-f]{4}$"}`, `"12g4"`, []string{` | pattern | text matching ^[0-9a-f]{4}$ | "12g4" | s.json#/pattern`}},
		{`{"pattern":"b"}`, `"abc"`, nil},
		{`{"format":"uuid"}`, `"x"`, []string{
			` | format | uuid (RFC 9562, like 123e4567-e89b-12d3-a456-426614174000) | "x" | s.json#/format`,
		}},
		{`{"format":"uuid"}`, `1`, nil},
		{`{"minItems":1,"items":{"type":"string"}}`, `[1,"a",null]`, []string{
			`/0 | type | string | 1 | s.json#/items/type`, `/2 | type | string | null | s.json#/items/type`,
		}},
		{`{"minItems":1}`, `[]`, []string{` | minItems | at least 1 item | [] | s.json#/minItems`}},
		{`{"maxItems":1}`, `[1,2]`, []string{` | maxItems | at most 1 item | [1,2] | s.json#/maxItems`}},
		{
			`{"properties":{"a":{"type":"string"},"b/c":false},"required":["z","a"],"additionalProperties":false}`,
			`{"q":1,"b/c":2,"a":3}`,
			[]string{
				`/z | required | a member of this name | nothing | s.json#/required`,
				`/q | additionalProperties | no member besides a, b/c | 1 | s.json#/additionalProperties`,
				`/b~1c | false | nothing | 2 | s.json#/properties/b~1c`,
				`/a | type | string | 3 | s.json#/properties/a/type`,
			},
		},
		{
			`{"required":["a"],"allOf":[{"properties":{"a":{"type":"string","pattern":"^x"}}}]}`, `{}`,
			[]string{`/a | required | string matching ^x | nothing | s.json#/required`},
		},
		{`{"additionalProperties":{"type":"null"}}`, `{"":1}`, []string{`/ | type | null | 1 | s.json#/additionalProperties/type`}},
		{
			`{"properties":{"a":{"$ref":"#/$defs/id","description":"d"}},"$defs":{"id":{"type":"string","minLength":3}}}`, `{"a":"x"}`,
			[]string{`/a | minLength | at least 3 characters | "x" | s.json#/$defs/id/minLength`},
		},
		{
			`{"$ref":"#/$defs/id","const":"y","$defs":{"id":{"type":"string"}}}`, `1`,
			[]string{` | type | string | 1 | s.json#/$defs/id/type`},
		},
		{
			`{"allOf":[{"minimum":5},{"maximum":1}]}`, `3`,
			[]string{` | minimum | at least 5 | 3 | s.json#/allOf/0/minimum`, ` | maximum | at most 1 | 3 | s.json#/allOf/1/maximum`},
		},
		{
			`{"allOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}],"$defs":{"x":{"minimum":5}}}`, `3`,
			[]string{` | minimum | at least 5 | 3 | s.json#/$defs/x/minimum`},
		},
		{
			`{"anyOf":[{"$ref":"#/$defs/x"},{"type":"null"}],"allOf":[{"$ref":"#/$defs/x"}],"$defs":{"x":{"type":"string","format":"uuid"}}}`, `3`,
			[]string{` | type | string | 3 | s.json#/$defs/x/type`},
		},
		{
			`{"allOf":[{"not":{"$ref":"#/$defs/x"}},{"$ref":"#/$defs/x"}],"$defs":{"x":{"minimum":5}}}`, `3`,
			[]string{` | minimum | at least 5 | 3 | s.json#/$defs/x/minimum`},
		},
		{
			`{"$ref":"#/$defs/o","properties":{"b":{"type":"string"}},"$defs":{"o":{"properties":{"a":{"type":"string"}}}}}`, `{"a":1,"b":2}`,
			[]string{`/a | type | string | 1 | s.json#/$defs/o/properties/a/type`, `/b | type | string | 2 | s.json#/properties/b/type`},
		},
		{
			`{"maximum":1}`, strings.Repeat("7", 100),
			[]string{` | maximum | at most 1 | ` + strings.Repeat("7", 80) + `… | s.json#/maximum`},
		},
		{
			`{"anyOf":[{"$ref":"#/$defs/x"},{"type":"null"}],"$defs":{"x":{"type":"string","format":"uuid"}}}`, `3`,
			[]string{` | anyOf | any of: string: uuid; null | 3 | s.json#/anyOf`},
		},
		{
			`{"oneOf":[{"minimum":3},{"const":"a"},{"required":["k"],"type":"object"}]}`, `1`,
			[]string{` | oneOf | exactly one of: at least 3; "a"; object with k | 1 | s.json#/oneOf`},
		},
		{
			`{"oneOf":[{"type":"integer"},{"type":"string"},true]}`, `1`,
			[]string{` | oneOf | exactly one of 3 alternatives, but these accept it: 1. integer; 3. anything | 1 | s.json#/oneOf`},
		},
		{
			`{"anyOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}],"$defs":{"x":{"type":"string"}}}`, `3`,
			[]string{` | anyOf | any of: string; string | 3 | s.json#/anyOf`},
		},
		{
			`{"allOf":[{"$ref":"#/$defs/x"},{"not":{"$ref":"#/$defs/x"}}],"$defs":{"x":{"minimum":5}}}`, `3`,
			[]string{` | minimum | at least 5 | 3 | s.json#/$defs/x/minimum`},
		},
		{`{"not":{"enum":["a","b"]}}`, `"a"`, []string{` | not | anything but: one of "a", "b" | "a" | s.json#/not`}},
		{
			`{"if":{"const":1},"then":{"type":"string"},"else":{"maximum":0}}`, `1`,
			[]string{` | type | string | 1 | s.json#/then/type`},
		},
		{
			`{"if":{"const":1},"then":{"type":"string"},"else":{"maximum":0}}`, `2`,
			[]string{` | maximum | at most 0 | 2 | s.json#/else/maximum`},
		},
		{`{"then":false,"else":false}`, `2`, nil},
		{`{"anyOf":[false],"if":true}`, `3`, []string{` | anyOf | any of: nothing | 3 | s.json#/anyOf`}},
		{`{"minItems":1,"if":true,"then":true}`, `[]`, []string{` | minItems | at least 1 item | [] | s.json#/minItems`}},
		{`{"minItems":2,"items":{}}`, `[1]`, []string{` | minItems | at least 2 items | [1] | s.json#/minItems`}},
	} {
		got := tell(compile(t, test.schema).Validate(parse(t, test.instance)))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", test.schema, test.instance, diff)
		}
		if found := opposite(t, test.schema).Validate(parse(t, test.instance)); (found == nil) != (test.want != nil) {
			t.Errorf("not %s of %s: %s", test.schema, test.instance, tell(found))
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	long := strings.Repeat("é😀", 5000)
	s := compile(t, `{"allOf":[{"const":"`+long+`"},{"enum":["`+long+`",["`+long+`"]]},{"pattern":"`+long+`"},{"maxLength":1},
		{"anyOf":[{"const":"`+long+`"},{"const":"`+long+`"}]},{"not":{"pattern":"`+long[:6]+`"}}]}`)
	found := s.Validate(jsondoc.StringValue(long))
	found = append(found, s.Validate(parse(t, `[["`+long+`1","`+long+`"]]`))...)
	if len(found) < 5 {
		t.Fatalf("only %d violations", len(found))
	}
	for _, v := range found {
		checkReadable(t, v)
	}
}

// TestSharedTargetsStayPolynomial: each level of the schema and of the document doubles the ways to the leaves.
func TestSharedTargetsStayPolynomial(t *testing.T) {
	tree := compile(t, `{"type":["array","null"],"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}},{"anyOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}]}`)
	deep := parse(t, strings.Repeat("[", 120)+"1"+strings.Repeat("]", 120))
	if found := tree.Validate(deep); len(found) == 0 {
		t.Error("the number at the bottom is accepted")
	}
	if found := tree.Undeclared(deep); found != nil {
		t.Errorf("undeclared: %v", found)
	}
	var defs []string
	for i := range 60 {
		next := `{"$ref":"#/$defs/` + strings.Repeat("x", i+1) + `"}`
		defs = append(defs, `"`+strings.Repeat("x", i)+`":{"allOf":[`+next+`,`+next+`]}`)
	}
	for _, top := range []string{`"$ref":"#/$defs/x"`, `"anyOf":[{"$ref":"#/$defs/x"}]`} {
		chain := compile(t, `{`+top+`,"$defs":{`+strings.Join(defs, ",")+`,"`+strings.Repeat("x", 60)+`":{"const":null}}}`)
		if found := chain.Validate(jsondoc.BoolValue(true)); len(found) != 1 {
			t.Errorf("%d violations, want 1", len(found))
		}
	}
}

func TestProperty(t *testing.T) {
	s := compile(t, `{"properties":{"a":{"title":"own"}},"$ref":"#/$defs/r","allOf":[{"properties":{"c":{"title":"all"},"b":{"title":"late"}}}],
		"anyOf":[{"properties":{"d":true}}],"$defs":{"r":{"properties":{"a":{"title":"ref"},"b":{"title":"ref"}}}}}`)
	for name, want := range map[string]string{"a": "own", "b": "ref", "c": "all"} {
		found := s.Property(name)
		if found == nil {
			t.Errorf("no %s", name)
			continue
		}
		if title, ok := found.Annotation("title"); !ok || title.Text != want {
			t.Errorf("%s is %q, want %q", name, title.Text, want)
		}
	}
	if s.Property("d") != nil {
		t.Error("found d under anyOf")
	}
	if title, ok := s.Annotation("title"); ok || title.Kind != jsondoc.Null {
		t.Errorf("found the title %q of no schema", title.Text)
	}
}

func TestUndeclared(t *testing.T) {
	for _, test := range []struct {
		schema, instance string
		want             string
	}{
		{`{"properties":{"a":{}}}`, `{"z":1,"a":2,"y":{"q":1}}`, "/z /y"},
		{`{}`, `{"z":1}`, ""},
		{`{"properties":{}}`, `{"z":1}`, "/z"},
		{`{"properties":{"a":{"type":"object"}}}`, `{"a":{"free":1}}`, ""},
		{`{"properties":{"a":{"items":{"properties":{"b":true}}}}}`, `{"a":[{"b":1},{"c":{"d":1}}]}`, "/a/1/c"},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"z":1}`, ""},
		{`{"properties":{"a":{}},"additionalProperties":{"properties":{"b":{}}}}`, `{"z":{"q":1}}`, "/z/q"},
		{`{"$ref":"#/$defs/x","$defs":{"x":{"properties":{"a":{}}}}}`, `{"a":1,"b":2}`, "/b"},
		{`{"allOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}`, `{"a":1,"b":2,"c":3}`, "/c"},
		{
			`{"if":{"properties":{"a":{}}},"then":{"properties":{"b":{}}},"else":{"properties":{"c":{}}},"anyOf":[{"properties":{"d":{}}}],
			"oneOf":[{"properties":{"e":{}}}],"not":{"properties":{"f":{}}}}`,
			`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}`, "/f",
		},
		{`{"properties":{"n":{"$ref":"#"},"v":{}}}`, `{"n":{"n":{"v":1,"x":1}}}`, "/n/n/x"},
		{`{"properties":{"a":{}}}`, `[{"z":1}]`, ""},
	} {
		var got []string
		for _, p := range compile(t, test.schema).Undeclared(parse(t, test.instance)) {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s of %s: %q, want %q", test.schema, test.instance, got, test.want)
		}
	}
}
