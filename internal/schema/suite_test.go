package schema_test

import (
	"embed"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

//go:embed testdata/JSON-Schema-Test-Suite/draft2020-12/*.json
var suite embed.FS

type suiteGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

// outside names the groups that need more than the subset, and what Compile says of each: a group that compiles must leave.
func outside() map[string]string {
	return map[string]string{
		"additionalProperties: additionalProperties being false does not allow other properties": `keyword "patternProperties"`,
		"additionalProperties: non-ASCII pattern with additionalProperties":                      `keyword "patternProperties"`,
		"additionalProperties: additionalProperties with propertyNames":                          `keyword "propertyNames"`,
		"additionalProperties: dependentSchemas with additionalProperties":                       `keyword "dependentSchemas"`,
		"allOf: allOf combined with anyOf, oneOf":                                                `keyword "multipleOf"`,
		"defs: validate definition against metaschema":                                           `no resource "https://json-schema.org/draft/2020-12/schema"`,
		"if-then-else: if and else without then":                                                 `keyword "multipleOf"`,
		"if-then-else: validate against correct branch, then vs else":                            `keyword "multipleOf"`,
		"if-then-else: non-interference across combined schemas":                                 `keyword "multipleOf"`,
		"items: items and subitems":                                                              `keyword "prefixItems"`,
		"items: prefixItems with no additional items allowed":                                    `keyword "prefixItems"`,
		"items: items does not look in applicators, valid case":                                  `keyword "prefixItems"`,
		"items: prefixItems validation adjusts the starting index for items":                     `keyword "prefixItems"`,
		"items: items with heterogeneous array":                                                  `keyword "prefixItems"`,
		"not: collect annotations inside a 'not', even if collection is disabled":                `keyword "unevaluatedProperties"`,
		"properties: properties, patternProperties, additionalProperties interaction":            `keyword "patternProperties"`,
		"ref: relative pointer ref to array":                                                     `keyword "prefixItems"`,
		"ref: remote ref, containing refs itself":                                                `no resource "https://json-schema.org/draft/2020-12/schema"`,
		"ref: Recursive references between schemas":                                              `keyword "$id"`,
		"ref: ref creates new scope when adjacent to keywords":                                   `keyword "unevaluatedProperties"`,
		"ref: refs with relative uris and defs":                                                  `keyword "$id"`,
		"ref: relative refs with absolute uris and defs":                                         `keyword "$id"`,
		"ref: $id must be resolved against nearest parent, not just immediate parent":            `keyword "$id"`,
		"ref: order of evaluation: $id and $ref":                                                 `keyword "$id"`,
		"ref: order of evaluation: $id and $anchor and $ref":                                     `keyword "$id"`,
		"ref: simple URN base URI with $ref via the URN":                                         `keyword "$id"`,
		"ref: simple URN base URI with JSON pointer":                                             `keyword "$id"`,
		"ref: URN base URI with NSS":                                                             `keyword "$id"`,
		"ref: URN base URI with r-component":                                                     `keyword "$id"`,
		"ref: URN base URI with q-component":                                                     `keyword "$id"`,
		"ref: URN base URI with URN and JSON pointer ref":                                        `keyword "$id"`,
		"ref: URN base URI with URN and anchor ref":                                              `keyword "$id"`,
		"ref: URN ref with nested pointer ref":                                                   `no resource "urn:uuid:deadbeef-4321-ffff-ffff-1234feebdaed"`,
		"ref: ref to if":                                                                         `no resource "http://example.com/ref/if"`,
		"ref: ref to then":                                                                       `no resource "http://example.com/ref/then"`,
		"ref: ref to else":                                                                       `no resource "http://example.com/ref/else"`,
		"ref: ref with absolute-path-reference":                                                  `keyword "$id"`,
		"ref: $id with file URI still resolves pointers - *nix":                                  `keyword "$id"`,
		"ref: $id with file URI still resolves pointers - windows":                               `keyword "$id"`,
	}
}

func TestOfficialSuite(t *testing.T) {
	const folder = "testdata/JSON-Schema-Test-Suite/draft2020-12"
	files, err := suite.ReadDir(folder)
	if err != nil || len(files) != 25 {
		t.Fatalf("%d files, %v; want 25", len(files), err)
	}
	skipped := outside()
	run := 0
	for _, file := range files {
		raw, err := suite.ReadFile(path.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var groups []suiteGroup
		if err := json.Unmarshal(raw, &groups); err != nil {
			t.Fatal(err)
		}
		for _, group := range groups {
			name := strings.TrimSuffix(file.Name(), ".json") + ": " + group.Description
			reason, skip := skipped[name]
			delete(skipped, name)
			t.Run(name, func(t *testing.T) {
				if skip {
					wantRefused(t, group.Schema, reason)
					return
				}
				run += runGroup(t, group)
			})
		}
	}
	for name := range skipped {
		t.Errorf("no group %q: remove it from the list", name)
	}
	t.Logf("%d cases", run)
}

func wantRefused(t *testing.T, raw []byte, reason string) {
	t.Helper()
	_, err := schema.NewCompiler(schema.Resources{"s.json": parse(t, string(raw))}).Compile("s.json", nil)
	var refused *schema.Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Message, reason) {
		t.Errorf("Compile: %v; want a Error with %q", err, reason)
	}
}

func runGroup(t *testing.T, group suiteGroup) int {
	t.Helper()
	s, not := compile(t, string(group.Schema)), opposite(t, string(group.Schema))
	for _, test := range group.Tests {
		v := parse(t, string(test.Data))
		if found := not.Validate(v); (len(found) == 0) == test.Valid {
			t.Errorf("not: %s: %s: %+v; want valid %t", test.Description, test.Data, found, !test.Valid)
		}
		if found := s.Validate(v); (len(found) == 0) != test.Valid {
			t.Errorf("%s: %s: %+v; want valid %t", test.Description, test.Data, found, test.Valid)
		}
	}
	return len(group.Tests)
}

func parse(t testing.TB, raw string) jsondoc.Value {
	t.Helper()
	v, err := jsondoc.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func compile(t testing.TB, raw string) *schema.Schema {
	t.Helper()
	s, err := schema.NewCompiler(schema.Resources{"s.json": parse(t, raw)}).Compile("s.json", nil)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return s
}

// opposite compiles the schema of what a schema does not accept, which is found out without telling anything.
func opposite(t testing.TB, raw string) *schema.Schema {
	t.Helper()
	res := schema.Resources{"s.json": parse(t, raw), "not.json": parse(t, `{"not":{"$ref":"s.json"}}`)}
	s, err := schema.NewCompiler(res).Compile("not.json", nil)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return s
}
