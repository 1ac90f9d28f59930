package compat_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/compat"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// noted is the scaffold with one more member of the data of a paid order, or with
// none; all else there is as besides says.
func noted(t *testing.T, note, besides string) *contract.Contract {
	t.Helper()
	const amount = `"amount": {"$ref": "facts.json#/$defs/amount"}`
	edits := []edit{}
	if note != "" {
		edits = append(edits, edit{paid, amount, amount + `, "note": ` + note})
	}
	if besides != "" {
		edits = append(edits, edit{paid, `"type": "object",
        "required"`, `"type": "object", ` + besides + `,
        "required"`})
	}
	return pack(t, edits...)
}

const (
	nobody    = "nobody"
	receivers = "receivers"
	senders   = "senders"
	either    = "receivers, senders"
)

// TestMember holds whom it breaks that one member has another schema, or is new or
// gone; the other direction breaks the other side.
func TestMember(t *testing.T) {
	const closed = `"additionalProperties": false`
	for _, test := range []struct{ name, before, after, besides, want string }{
		{"new in a closed object", "", `{"type": "string"}`, closed, receivers},
		{"new in an open object", "", `{"type": "string"}`, "", nobody},
		{"new, as all others are", "", `{"type": "string"}`, `"additionalProperties": {"type": "string"}`, nobody},
		{"new, and anything", "", `true`, "", nobody},
		{"new, and nothing", "", `false`, closed, nobody},
		{"never", `true`, `false`, "", senders},
		{"const in enum", `{"enum": [1, 2]}`, `{"enum": [1, 2], "const": 1}`, "", senders},
		{"enums that meet", `{"enum": [1, 2]}`, `{"enum": [1, 2], "allOf": [{"enum": [2, 3]}]}`, "", senders},
		{"an enum in other words", `{"enum": [1, 2]}`, `{"enum": [2, 1.0]}`, "", nobody},
		{"a value more", `{"enum": [1, 2]}`, `{"enum": [1, 2, "x"]}`, "", receivers},
		{"a type that enum implies", `{"type": "number", "enum": [1, 2]}`, `{"enum": [1, 2]}`, "", nobody},
		{"an enum that the type forbids", `{"type": "string"}`, `{"enum": [1]}`, "", either},
		{"an enum of what was allowed", `{"type": "string"}`, `{"enum": ["x"]}`, "", senders},
		{"the end itself", `{"type": "number", "exclusiveMinimum": 0}`, `{"type": "number", "minimum": 0}`, "", receivers},
		{"an upper end itself", `{"type": "number", "exclusiveMaximum": 2}`, `{"type": "number", "maximum": 2}`, "", receivers},
		{"beyond a lower end", `{"type": "number", "minimum": 1}`, `{"type": "number", "exclusiveMinimum": 0}`, "", receivers},
		{"a weaker second minimum", `{"type": "number", "minimum": 5}`, `{"type": "number", "minimum": 5, "allOf": [{"minimum": 1}]}`, "", nobody},
		{"a stronger second minimum", `{"type": "number", "minimum": 5}`, `{"type": "number", "minimum": 5, "allOf": [{"minimum": 6}]}`, "", senders},
		{"a least length of 0", `{"type": "string"}`, `{"type": "string", "minLength": 0}`, "", nobody},
		{"1 and 1.0", `{"type": "number", "minimum": 1}`, `{"type": "number", "minimum": 1.0}`, "", nobody},
		{"wider items", `{"type": "array", "items": {"maxLength": 1}}`, `{"type": "array", "items": {"maxLength": 2}}`, "", receivers},
		{"items of a type", `{"type": "array"}`, `{"type": "array", "items": {"type": "string"}}`, "", senders},
		{"a member moved below the closed part", `{"properties": {"a": true}, "additionalProperties": false}`, `{"allOf": [{"properties": {"a": true}}], "additionalProperties": false}`, "", senders},
		{"a list and all else", `{"enum": [null]}`, `true`, "", receivers},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, after := noted(t, test.before, test.besides), noted(t, test.after, test.besides)
			there, back := compat.Compare(before, after), compat.Compare(after, before)
			a, b := all(there), all(back)
			if a.String() != test.want || b != turned(a) {
				t.Errorf("breaks %s, and back %s, want %s\n%q\n%q", a, b, test.want, said(there), said(back))
			}
			if again := compat.Compare(after, after); again != nil {
				t.Errorf("the same: %v", said(again))
			}
		})
	}
}

// TestLongList holds that a list of very many values ends the comparison of them.
func TestLongList(t *testing.T) {
	list := func(last string) *contract.Contract {
		return noted(t, `{"enum": [`+strings.Repeat(`0, `, 1_000)+last+`]}`, "")
	}
	want := []string{"receivers, senders | order paid /data/note: it lists more than 1000 values, and they were not compared"}
	if diff := cmp.Diff(want, said(compat.Compare(list("1"), list("2")))); diff != "" {
		t.Error(diff)
	}
	if same := compat.Compare(list("1"), list("1")); same != nil {
		t.Errorf("the same: %v", said(same))
	}
}

// all is whom some changes break together.
func all(changes []compat.Change) compat.Breaks {
	var out compat.Breaks
	for _, c := range changes {
		out = compat.Breaks{Receivers: out.Receivers || c.Breaks.Receivers, Senders: out.Senders || c.Breaks.Senders}
	}
	return out
}

// names reports whether a schema says something of all members of a value.
func names(schema string, v jsondoc.Value) bool {
	return strings.Contains(schema, "additionalProperties") || !slices.ContainsFunc(v.Members, func(m jsondoc.Member) bool {
		return !strings.Contains(schema, `"properties": {"`+m.Name+`"`)
	})
}

// TestPairs holds the verdict on each two of many schemas against values that one of
// them allows and the other does not. Of a member that only one of them names, and
// that the other leaves open, nobody has said anything: such values are left out.
func TestPairs(t *testing.T) {
	schemas := []string{
		"", `true`, `false`, `{"type": "string"}`, `{"type": ["string", "null"]}`, `{"type": "integer"}`, `{"type": "number"}`, `{"enum": [1, 2]}`,
		`{"enum": [1, 2], "const": 1}`, `{"const": null}`, `{"type": "number", "enum": [1, "x"]}`, `{"minimum": 1}`, `{"exclusiveMinimum": 1}`,
		`{"minimum": 2, "exclusiveMinimum": 0}`, `{"maximum": 1, "allOf": [{"exclusiveMaximum": 2}]}`, `{"maxLength": 1}`, `{"minLength": 2}`,
		`{"items": {"type": "string"}}`, `{"items": false}`, `{"type": "array", "items": {"enum": [1]}, "minItems": 1}`, `{"not": {"type": "string"}}`,
		`{"anyOf": [{"type": "string"}, {"const": 1}]}`, `{"properties": {"a": {"type": "string"}}}`, `{"required": ["a"]}`,
		`{"properties": {"a": true}, "additionalProperties": false}`, `{"additionalProperties": false}`, `{"additionalProperties": {"type": "string"}}`,
		`{"allOf": [{"properties": {"a": true}}], "additionalProperties": false}`, `{"properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "integer"}}`,
	}
	var values []jsondoc.Value
	for _, text := range []string{
		`null`, `true`, `0`, `1`, `1.5`, `2`, `3`, `""`, `"x"`, `"xx"`, `[]`, `[1]`, `["x"]`, `{}`, `{"a": 1}`, `{"a": "x"}`, `{"b": 1}`, `{"b": "x"}`, `{"a": "x", "b": "x"}`,
	} {
		v, err := jsondoc.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	for _, besides := range []string{"", `"additionalProperties": false`} {
		packs := make([]*contract.Contract, len(schemas))
		allow := make([][]bool, len(schemas))
		for i, s := range schemas {
			packs[i] = noted(t, s, besides)
			st := packs[i].Subjects[0].State("paid")
			for _, v := range values {
				doc := st.Sample.Clone()
				data := doc.At(jsondoc.Pointer{"data"})
				data.Members = append(slices.Clone(data.Members), jsondoc.Member{Name: "note", Value: v})
				allow[i] = append(allow[i], len(st.Schema().Validate(doc)) == 0)
			}
		}
		for i, a := range packs {
			for j, b := range packs {
				told := all(compat.Compare(a, b))
				for k, v := range values {
					if besides == "" && (i == 0 || j == 0) || names(schemas[i], v) != names(schemas[j], v) {
						continue
					}
					if allow[j][k] && !allow[i][k] && !told.Receivers || allow[i][k] && !allow[j][k] && !told.Senders {
						t.Errorf("%s: from %q to %q: %v was allowed %v, and is %v, but it breaks %s", besides, schemas[i], schemas[j], v, allow[i][k], allow[j][k], told)
					}
				}
			}
		}
	}
}
