package scenario_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/payloads"
)

func builtinFiles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(payloads.FS, scenario.Folder+"/*.yaml")
	if err != nil || len(names) < 11 {
		t.Fatal(names, err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		if out[name], err = fs.ReadFile(payloads.FS, name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// judge is a second opinion on the schema.
func judge(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scenario.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("scenario.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fits reports whether the schema takes a file, as an editor reads it.
func fits(s *jsonschema.Schema, raw []byte) error {
	var v any
	if err := yaml.Unmarshal(raw, &v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// TestSchemaTakesTheBuiltIn holds the schema to the files that everybody copies.
func TestSchemaTakesTheBuiltIn(t *testing.T) {
	s := judge(t)
	for name, raw := range builtinFiles(t) {
		if err := fits(s, raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaAgreesWithTheParser gives both the same files. What depends on the
// contract's words, or on sums, only the parser can know.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	s, c := judge(t), pack(t)
	unknowable := []string{
		"more than 1 MiB", "a second document", "a broken second document", "an alias", "a merge",
		"an unknown outcome", "the initial outcome", "an unknown fact", "a wrong fact", "more than 10000 deliveries", "waits of more than ten years",
		"an unknown subject", "an unknown state", "an unknown state to reach", "the initial state", "an unknown state to leave",
		"a duration above ten years", "payloads of more than 64 MiB", "a second moment", "an edit of what is not there", "an edit without a value", "a removal of what is not there",
	}
	seen := 0
	for _, m := range mistakes() {
		if slices.Contains(unknowable, m.name) {
			seen++
			continue
		}
		if err := fits(s, []byte(m.text)); err == nil {
			t.Errorf("%s: the schema takes\n%.300s", m.name, m.text)
		}
	}
	if seen != len(unknowable) {
		t.Errorf("%d of %d exceptions exist", seen, len(unknowable))
	}
	for _, text := range []string{
		"{steps: [{send: invoice complete}]}",
		"description: 5\nsteps:\n- send: invoice complete\n",
		"outcome: fail\nfacts: {cashAmount: 50000, cashAssetId: 1, reason: transaction_failed, title: ''}\nsteps:\n- send: invoice fail\n",
		"steps:\n- wait: 0\n- wait: 0s\n- wait: +5m\n- wait: .5h\n- wait: 1.s\n- wait: 1h2m3.25s\n- wait: 3us\n- wait: 3µs\n- send: '  invoice  complete '\n  at: 0\n",
		"steps:\n- send: invoice complete\n  from: cancel\n  at: 14m52.5s\n  repeat: 1000\n  fault: overlap\n  set: [data.title=x]\n  add: []\n  remove: data.title\n  answer: [200, 599]\n- state: invoice complete\n",
		"steps:\n- send: invoice complete\n  answer: any\n- send: invoice complete\n  answer: 100\n- send: invoice complete\n  repeat: 0x10\n",
	} {
		if err := fits(s, []byte(text)); err != nil {
			t.Errorf("the schema refuses\n%s%v", text, err)
		}
		parsed, err := scenario.Parse(c, "x.yaml", []byte(text))
		if err == nil {
			_, err = scenario.Plan(c, parsed, scenario.Options{Start: c.Epoch})
		}
		if err != nil {
			t.Errorf("the parser refuses\n%s%v", text, err)
		}
	}
}

// TestSchemaListsTheFaults keeps the one list that the schema has to repeat.
func TestSchemaListsTheFaults(t *testing.T) {
	type step struct {
		Properties struct {
			Fault struct{ Enum []deliver.Fault }
		}
	}
	var doc struct {
		Properties struct {
			Steps struct{ Items struct{ OneOf []step } }
		}
	}
	if err := json.Unmarshal(scenario.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	if got := doc.Properties.Steps.Items.OneOf[0].Properties.Fault.Enum; !slices.Equal(got, deliver.Faults()) {
		t.Errorf("%q, not %q", got, deliver.Faults())
	}
	one := scenario.Schema()
	one[0] = 'x'
	if scenario.Schema()[0] != '{' {
		t.Error("a caller can change the schema")
	}
}
