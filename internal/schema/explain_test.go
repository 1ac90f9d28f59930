package schema_test

import (
	"strings"
	"testing"
)

// TestDescriptions reads what is expected of a member that is missing.
func TestDescriptions(t *testing.T) {
	nots := func(count int, inner string) string {
		return strings.Repeat(`{"not":`, count) + inner + strings.Repeat(`}`, count)
	}
	for _, test := range []struct{ schema, want string }{
		{`true`, "anything"},
		{`false`, "nothing"},
		{`{}`, "a value"},
		{`{"const":{"a":[1,"x",null],"b":{}}}`, `{"a":[1,"x",null],"b":{}}`},
		{`{"enum":[1]}`, "one of 1"},
		{`{"enum":[1,[],"x"],"type":"string"}`, `one of 1, [], "x"`},
		{`{"type":"string"}`, "string"},
		{`{"type":["string","null"],"minLength":1}`, "string or null"},
		{`{"format":"uuid"}`, "text: uuid"},
		{`{"pattern":"^a"}`, "text matching ^a"},
		{`{"type":"string","format":"date-time","pattern":"Z$"}`, "string: date-time matching Z$"},
		{`{"type":"object","required":["a","b"]}`, "object with a, b"},
		{`{"required":["a","b"],"properties":{"a":true}}`, "object with a, b"},
		{`{"$ref":"#/$defs/id"}`, "integer"},
		{`{"anyOf":[{"type":"null"},{"$ref":"#/$defs/id"}]}`, "any of: null; integer"},
		{`{"oneOf":[{"type":"null"},{"const":2}]}`, "exactly one of: null; 2"},
		{`{"allOf":[{"minLength":1},{"maxLength":2}]}`, "all of: at least 1 character; at most 2 characters"},
		{`{"minimum":1,"maximum":2}`, "at least 1"},
		{`{"exclusiveMinimum":1.5,"maximum":2}`, "more than 1.5"},
		{`{"maximum":2,"minLength":1}`, "at most 2"},
		{`{"exclusiveMaximum":2,"maxLength":1}`, "less than 2"},
		{`{"minLength":0}`, "at least 0 characters"},
		{`{"maxLength":1,"minItems":1}`, "at most 1 character"},
		{`{"minItems":1,"maxItems":2}`, "at least 1 item"},
		{`{"maxItems":2}`, "at most 2 items"},
		{nots(3, `{"type":"null"}`), "anything but: anything but: anything but: null"},
		{nots(4, `{"type":"null"}`), "anything but: anything but: anything but: anything but: …"},
		{nots(3, `{"anyOf":[true,true]}`), "anything but: anything but: anything but: any of: …; …"},
		{nots(3, `{"oneOf":[true]}`), "anything but: anything but: anything but: exactly one of: …"},
		{nots(3, `{"allOf":[true]}`), "anything but: anything but: anything but: all of: …"},
		{nots(3, `{"$ref":"#/$defs/id"}`), "anything but: anything but: anything but: …"},
		{`{"const":"` + strings.Repeat("x", 198) + `"}`, `"` + strings.Repeat("x", 198) + `"`},
		{`{"const":"` + strings.Repeat("x", 199) + `"}`, `"` + strings.Repeat("x", 199) + `…`},
		{`{"type":"object","required":["` + strings.Repeat("x", 187) + `"]}`, "object with " + strings.Repeat("x", 187)},
		{`{"type":"object","required":["` + strings.Repeat("x", 188) + `"]}`, "object with " + strings.Repeat("x", 188)},
		{`{"type":"object","required":["` + strings.Repeat("x", 187) + `éé"]}`, "object with " + strings.Repeat("x", 187) + "…"},
	} {
		s := compile(t, `{"required":["m"],"properties":{"m":`+test.schema+`},"$defs":{"id":{"type":"integer"}}}`)
		found := s.Validate(parse(t, `{}`))
		if len(found) != 1 || found[0].Expected != test.want {
			t.Errorf("%s: %v\nwant %s", test.schema, tell(found), test.want)
		}
	}
}

// TestExpectations reads what the keywords that TestViolations leaves out ask for.
func TestExpectations(t *testing.T) {
	not := strings.Repeat(`{"not":`, 5)
	for _, test := range []struct{ schema, instance, want string }{
		{`{"format":"date-time"}`, `"x"`, "date-time (RFC 3339, like 2024-01-31T09:30:00.000Z)"},
		{`{"format":"base58check"}`, `"x"`, "base58check (base58 text that ends in its own checksum)"},
		{`{"maxLength":0}`, `"x"`, "at most 0 characters"},
		{`{"minItems":2}`, `[]`, "at least 2 items"},
		{`{"additionalProperties":false}`, `{"a":1}`, "no members"},
		{`{"properties":{},"additionalProperties":false}`, `{"a":1}`, "no members"},
		{`{"properties":{"b":true},"additionalProperties":false}`, `{"a":1}`, "no member besides b"},
		{`{"anyOf":[{"anyOf":[{"anyOf":[{"anyOf":[{"anyOf":[{"type":"null"}]}]}]}]}]}`, `1`, "any of: any of: any of: any of: any of: …"},
		{`{"oneOf":[{"oneOf":[{"oneOf":[{"oneOf":[{"oneOf":[{"type":"null"}]}]}]}]}]}`, `1`, "exactly one of: exactly one of: exactly one of: exactly one of: exactly one of: …"},
		{`{"oneOf":[true,` + not[:21] + `{"type":"null"}}}}]}`, `1`, "exactly one of 2 alternatives, but these accept it: 1. anything; 2. anything but: anything but: anything but: null"},
		{not + `{"type":"integer"}}}}}}`, `1`, "anything but: anything but: anything but: anything but: anything but: …"},
	} {
		found := compile(t, test.schema).Validate(parse(t, test.instance))
		if len(found) != 1 || found[0].Expected != test.want {
			t.Errorf("%s of %s: %v\nwant %s", test.schema, test.instance, tell(found), test.want)
		}
	}
}

// TestGotIsCutWhereItMust shows values as they are up to the last byte that has room.
func TestGotIsCutWhereItMust(t *testing.T) {
	x := func(count int) string { return strings.Repeat("x", count) }
	for _, test := range []struct{ instance, want string }{
		{`null`, `null`},
		{`[1,[true,false],{"a":null,"b":[]},"é\n"]`, `[1,[true,false],{"a":null,"b":[]},"é\n"]`},
		{`"` + x(78) + `"`, `"` + x(78) + `"`},
		{`"` + x(79) + `"`, `"` + x(79) + `…`},
		{`"` + x(90) + `"`, `"` + x(79) + `…`},
		{`"` + x(78) + `é"`, `"` + x(78) + `…`},
		{`"` + x(77) + `é"`, `"` + x(77) + `é…`},
		{`["` + x(76) + `"]`, `["` + x(76) + `"]`},
		{`["` + x(77) + `"]`, `["` + x(77) + `"…`},
		{`["` + x(75) + `",1]`, `["` + x(75) + `",1…`},
		{`{"` + x(74) + `":1}`, `{"` + x(74) + `":1}`},
		{`{"` + x(75) + `":1}`, `{"` + x(75) + `":1…`},
		{`{"` + x(100) + `":1}`, `{"` + x(78) + `…`},
	} {
		found := compile(t, `false`).Validate(parse(t, test.instance))
		if len(found) != 1 || found[0].Got != test.want {
			t.Errorf("%s: %v\nwant %s", test.instance, tell(found), test.want)
		}
	}
}
