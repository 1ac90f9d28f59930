package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestLoadRefusesWhatCannotBeMade holds packs that say nothing false, and from
// which no payload could be made.
func TestLoadRefusesWhatCannotBeMade(t *testing.T) {
	refuse(t, []refusal{
		{"least above most", generator(`{"decimal": {"min": "2", "max": "1", "step": "1", "places": 0}}`), inFacts, "/$defs/colour/generate/decimal", "min"},
		{"least integer above most", generator(`{"integer": {"min": 2, "max": 1}}`), inFacts, "/$defs/colour/generate/integer", "min"},
		{"text of texts", generator(`{"text": ["{text}{text}"]}`), inFacts, "/$defs/colour/generate/text", "{text}, which is itself a text"},
	})
}

// TestLoadRefusesWhatCannotBeJudged holds packs that would make every delivery
// look wrong, or none.
func TestLoadRefusesWhatCannotBeJudged(t *testing.T) {
	refuse(t, []refusal{
		{"one event, two paths", replace(inSealed, `"path": "/box"`, `"path": "/boxes"`), inSealed, "/path", `"/boxes", but`},
		{"an identity that is no text", func(t *testing.T, p fstest.MapFS) {
			replace(inFacts, `"boxId": {"type": "string", "minLength": 1`, `"boxId": {"minimum": 1`)(t, p)
			for _, file := range []string{inFolded, inSealed, "lid/lost.json"} {
				replace(file, `"b-1"`, `1`)(t, p)
			}
		}, inFolded, "/sample/boxId", "string"},
		{"one fact, two values", func(t *testing.T, p fstest.MapFS) {
			replace(inFolded, `"size": "1.0"`, `"size": "1.0", "length": "2.0"`)(t, p)
			replace(inFolded, `"size": {"$ref"`, `"length": {"$ref": "facts.json#/$defs/size"}, "size": {"$ref"`)(t, p)
		}, inFolded, "/sample/length", "the sample gives size another value"},
		{"a previous state that may be absent", replace(inSealed, `"required": ["event", "state", "was", "at", "boxId"]`, `"required": ["event", "state", "at", "boxId"]`), inSealed, "/sample", "does not require it"},
		{"known values of a member", replace(inFolded, `"$ref": "facts.json#/$defs/size"`, `"$ref": "facts.json#/$defs/size", "known": "1.0"`), inFolded, "/schema/properties/size/known", "array"},
	})
}

// TestExtremesAreMade takes generators to the ends of what they accept.
func TestExtremesAreMade(t *testing.T) {
	for _, text := range []string{
		`{"text": ["{size/1` + strings.Repeat("0", 200) + `}"]}`,
		`{"text": ["{size/999999999999999999}"]}`,
		`{"decimal": {"min": "0", "max": "9223372036854775807", "step": "1", "places": 0}}`,
		`{"decimal": {"min": "0", "max": "999999999999999999999999999999", "step": "0.000000000000000001", "places": 18}}`,
		`{"decimal": {"min": "1", "max": "1", "step": "999999999999999999999999999999", "places": 0}}`,
		`{"quotient": {"of": "size", "by": "0.000000000000000001", "places": 18}}`,
		`{"quotient": {"of": "boxId", "by": "3", "places": 0}}`,
		`{"same": {"as": "boxId", "different": {"percent": [1, 1], "places": 0}}}`,
		`{"base58check": {"version": 0, "bytes": 64}}`,
		`{"hex": 1024}`,
	} {
		pack := boxes(t)
		generator(text)(t, pack)
		replace(inFolded, `"size": "1.0"`, `"size": "1.0", "colour": "red"`)(t, pack)
		replace(inFolded, `"size": {"$ref"`, `"colour": {"$ref": "facts.json#/$defs/colour"}, "size": {"$ref"`)(t, pack)
		exercise(t, load(t, pack), true)
	}
}
