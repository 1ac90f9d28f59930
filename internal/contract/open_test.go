package contract_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/payloads"
)

func open(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Open(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// worn lists the members that wear a fact, by the compiled schema.
func worn(s *schema.Schema, at string, found map[string]string) map[string]string {
	if fact, ok := strings.CutPrefix(s.RefTarget, "facts.json#/$defs/"); ok {
		found[at] = fact
		return found
	}
	for _, p := range s.Properties {
		worn(p.Schema, strings.TrimPrefix(at+"."+p.Name, "."), found)
	}
	return found
}

// TestBuiltinIsWhole holds that Load accepts the pack that the program opens
// without these checks, and that both have the same of it.
func TestBuiltinIsWhole(t *testing.T) {
	loaded, opened := load(t, payloads.FS), open(t)
	for i, st := range opened.States() {
		same := loaded.States()[i]
		if st.String() != same.String() || st.Acceptor(opened.Envelope) == nil {
			t.Errorf("%s is opened as %s", same, st)
		}
		fields, members := map[string]string{}, worn(st.Schema(), "", map[string]string{})
		for j, f := range st.Fields() {
			if was := same.Fields()[j]; f.Path() != was.Path() || f.Fact.Name != was.Fact.Name || f.Required != was.Required || f.Schema().RefTarget != was.Schema().RefTarget {
				t.Errorf("%s: the member %s is opened as %s", st, was.Path(), f.Path())
			}
			fields[f.Path()] = f.Fact.Name
		}
		if diff := cmp.Diff(members, fields); diff != "" || len(fields) == 0 {
			t.Errorf("%s: the members that wear a fact, by its schema and by its fields: %s", st, diff)
		}
	}
	for _, f := range opened.Facts {
		if f.Schema() == nil || f.Takes() != loaded.Fact(f.Name).Takes() {
			t.Errorf("%s takes %q", f.Name, f.Takes())
		}
	}
	if s := opened.Subjects[0].Initial.Schema(); s != nil {
		t.Errorf("no event leads to %s, which has the schema %v", opened.Subjects[0].Initial, s)
	}
}

// TestSchemasOnDemand asks for all schemas at the same time.
func TestSchemasOnDemand(t *testing.T) {
	c := open(t)
	var wg sync.WaitGroup
	for i := range len(c.States()) {
		wg.Go(func() {
			for _, st := range append(c.States()[i:], c.States()[:i]...) {
				for _, f := range st.Fields() {
					if f.Schema().Ref != f.Fact.Schema() {
						t.Errorf("%s: the schema of %s is not its fact's", st, f.Path())
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestOpenTrusts holds what Open leaves to Load: what is broken is noticed when it is
// asked for.
func TestOpenTrusts(t *testing.T) {
	for _, test := range []struct {
		name, old, with string
		ask             func(*contract.State)
	}{
		{"a schema", "\"schema\": {\n    \"type\": \"object\"", "\"schema\": {\n    \"type\": \"objec\"", func(st *contract.State) { st.Schema() }},
		{"a member that wears a type", `"facts.json#/$defs/foldedAt"`, `"facts.json#/$defs/moment"`, func(st *contract.State) { st.Fields() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			pack := boxes(t)
			replace("box/folded.json", test.old, test.with)(t, pack)
			_, refused := contract.Load(pack)
			c, err := contract.Open(pack)
			if refused == nil || err != nil {
				t.Fatalf("Load gave %v, Open %v", refused, err)
			}
			defer func() {
				var bad *contract.LoadError
				if got, _ := recover().(error); !errors.As(got, &bad) || got.Error() != refused.Error() {
					t.Errorf("it panics with %v, want %v", got, refused)
				}
			}()
			test.ask(c.Subject("box").State("folded"))
		})
	}
}

// TestRequiredByAll: a member is required where each object above it is, too.
func TestRequiredByAll(t *testing.T) {
	pack := boxes(t)
	replace("box/folded.json", `"size": {"$ref": "facts.json#/$defs/size"}`,
		`"size": {"properties": {"in": {"$ref": "facts.json#/$defs/size"}}, "required": ["in"]}`)(t, pack)
	replace("box/folded.json", `"size": "1.0"`, `"size": {"in": "1.0"}`)(t, pack)
	got := map[string]bool{}
	for _, f := range load(t, pack).Subject("box").State("folded").Fields() {
		got[f.Path()] = f.Required
	}
	want := map[string]bool{"event": true, "state": true, "was": true, "at": true, "boxId": true, "foldedAt": false, "size.in": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFieldsAnywhere: a fact is worn wherever a schema says so of the member, as one
// that stands there itself.
func TestFieldsAnywhere(t *testing.T) {
	const size = `"size": {"$ref": "facts.json#/$defs/size"}`
	for _, test := range []struct {
		name, old, with string
		required        bool
		known, refuses  string
	}{
		{"the member", size, `"size": {"allOf": [{"$ref": "facts.json#/$defs/size"}], "description": "how large", "pattern": "^1"}`, false, "1.0", "2"},
		{"with its own values", size, `"size": {"allOf": [{"$ref": "facts.json#/$defs/size", "maxLength": 3}], "known": ["2.0"]}`, false, "2.0", "1.00"},
		{"beside a type", size, `"size": {"allOf": [{"$ref": "facts.json#/$defs/short"}, {"$ref": "facts.json#/$defs/size"}]}`, false, "1.0", "1.00"},
		{"and nothing within", size, `"size": {"allOf": [{"$ref": "facts.json#/$defs/size"}], "maxLength": 3, "properties": {"in": {"$ref": "facts.json#/$defs/boxId"}}}`, false, "1.0", "1.00"},
		{"twice", size, `"size": {"allOf": [{"allOf": [{"$ref": "facts.json#/$defs/size"}]}, {"$ref": "facts.json#/$defs/size"}], "maxLength": 3}`, false, "1.0", "1.00"},
		{"what is referred to", size + "\n    }", `"size": {"$ref": "#/schema/$defs/large"}}, "$defs": {"large": {"$ref": "facts.json#/$defs/size", "maxLength": 3, "known": ["2.0"]}}`, false, "2.0", "1.00"},
		{"what a type refers to", size, `"size": {"allOf": [{"$ref": "facts.json#/$defs/long"}]}`, false, "1.0", "1.00"},
		{"one of two", size, `"size": {"anyOf": [{"$ref": "facts.json#/$defs/size", "maxLength": 3}, {"type": "null"}]}`, false, "1.0", "1.00"},
		{"either", size, `"size": {"oneOf": [{"type": "null"}, {"$ref": "facts.json#/$defs/size", "maxLength": 3}]}`, false, "1.0", "1.00"},
		{"where the rest is so", size, `"size": {"if": {"type": "string"}, "then": {"$ref": "facts.json#/$defs/size", "maxLength": 3}, "else": {"$ref": "facts.json#/$defs/size"}}`, false, "1.0", "1.00"},
		{"the payload", `"schema": {`, `"schema": {"allOf": [{"required": ["size"]}, {"properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}}}],`, true, "1.0", "1.00"},
		{"the payload, perhaps", `"schema": {`, `"schema": {"anyOf": [{"required": ["size"], "properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}}}],`, false, "1.0", "1.00"},
		{"the payload, then", `"schema": {`, `"schema": {"if": {"required": ["size"]}, "then": {"required": ["size"], "properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}}},`, false, "1.0", "1.00"},
		{"the payload, else", `"schema": {`, `"schema": {"if": {"required": ["none"]}, "else": {"required": ["size"], "properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}}},`, false, "1.0", "1.00"},
		{"the payload, elsewhere", `"schema": {`, `"schema": {"$ref": "#/schema/$defs/sized", "$defs": {"sized": {"required": ["size"], "properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}}}},`, true, "1.0", "1.00"},
		{"the payload, without end", `"schema": {`, `"schema": {"anyOf": [{"$ref": "#/schema/$defs/sized"}], "$defs": {"sized": {"properties": {"size": {"$ref": "facts.json#/$defs/size", "maxLength": 3}, "more": {"$ref": "#/schema/$defs/sized"}}}},`, false, "1.0", "1.00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pack := boxes(t)
			replace("facts.json", `"moment": {`, `"short": {"maxLength": 3}, "long": {"allOf": [{"$ref": "#/$defs/size"}], "maxLength": 3}, "moment": {`)(t, pack)
			if strings.HasPrefix(test.name, "the payload") {
				replace("box/folded.json", ",\n      "+size, "")(t, pack)
			}
			replace("box/folded.json", test.old, test.with)(t, pack)
			var found []contract.Field
			for _, f := range load(t, pack).Subject("box").State("folded").Fields() {
				if strings.HasPrefix(f.Path(), "size") {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Fact.Name != "size" || found[0].Required != test.required || len(found[0].Known) != 1 || found[0].Known[0].Text != test.known {
				t.Fatalf("%+v", found)
			}
			if s := found[0].Schema(); s.Validate(jsondoc.StringValue("1.0")) != nil || s.Validate(jsondoc.StringValue(test.refuses)) == nil {
				t.Errorf("the member's schema is another: %v", s.Pointer)
			}
		})
	}
}

// TestReferencesWithoutMeasure: schemas that refer to others twice, and those again,
// are refused before they take for ever, as are those that lead to each other in any
// order.
func TestReferencesWithoutMeasure(t *testing.T) {
	for name, def := range map[string]func(i, n int) string{
		"twice": func(i, n int) string {
			return strings.Repeat(fmt.Sprintf(`{"$ref": "#/schema/$defs/d%d"}, `, min(i+1, n)), 2) + `{}`
		},
		"in any order": func(_, n int) string {
			var members []string
			for j := range n {
				members = append(members, fmt.Sprintf(`"m%d": {"$ref": "#/schema/$defs/d%d"}`, j, j))
			}
			return fmt.Sprintf(`{"properties": {%s}}`, strings.Join(members, ", "))
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 14
			defs := []string{fmt.Sprintf(`"d%d": {}`, n)}
			for i := range n {
				defs = append(defs, fmt.Sprintf(`"d%d": {"allOf": [%s]}`, i, def(i, n)))
			}
			pack := boxes(t)
			replace("box/folded.json", `"schema": {`, `"schema": {"$ref": "#/schema/$defs/d0", "$defs": {`+strings.Join(defs, ", ")+`},`)(t, pack)
			if _, err := contract.Load(pack); err == nil || !strings.Contains(err.Error(), "leads to more than") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestReferencesAreCountedByState: what is much for one state is no more for many.
func TestReferencesAreCountedByState(t *testing.T) {
	const n = 11
	defs := fmt.Sprintf(`"d%d": {}`, n)
	for i := range n {
		again := fmt.Sprintf(`{"$ref": "#/schema/$defs/d%d"}`, i+1)
		defs += fmt.Sprintf(`, "d%d": {"allOf": [%s, %s]}`, i, again, again)
	}
	pack := boxes(t)
	for _, file := range []string{"box/folded.json", "box/sealed.json"} {
		replace(file, `"schema": {`, `"schema": {"$ref": "#/schema/$defs/d0", "$defs": {`+defs+`},`)(t, pack)
	}
	load(t, pack)
}
