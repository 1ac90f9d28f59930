package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

type form struct {
	schema, document string
	accepted         bool
}

func formSubject(t testing.TB, raw string) subject {
	t.Helper()
	s := subject{schema: compile(t, raw), captures: []jsondoc.Pointer{{"a"}, nil, {"a", "b"}, {"a"}}}
	if !strings.HasPrefix(raw, `{"type":"object"`) {
		s.captures = []jsondoc.Pointer{nil, nil}
	}
	var ok bool
	if s.acceptor, ok = s.schema.Acceptor(s.captures, nil); !ok {
		t.Fatalf("no acceptor for %s", raw)
	}
	return s
}

// forms are documents that differ by a hair from being accepted. Valid ones that are not accepted say what acceptors leave to the evaluator.
func forms() []form {
	var all []form
	add := func(schema string, accepted bool, documents ...string) {
		for _, one := range documents {
			all = append(all, form{schema, one, accepted})
		}
	}
	text := `{"type":"string"}`
	add(text, true, `""`, `"a"`, `"1234567"`, `"12345678"`, `"123456789abcdef"`, `"1234567é"`, `"éééé"`, `"1234567`+"\x7f"+`"`, ` "a" `, "\t\r\n\"a\"\n", `"😀"`, "\"\u2028\"")
	add(text, false, ``, `"`, `"a`, `"1234567`, `"12345678`, `a`, `"a"a`, `"a""`, `"\""`, `"1234567\""`, `"\n"`, "\"\n\"", "\"1234567\n\"", "\"12345678\x00\"", "\"\x1f\"",
		"\"\xff\"", "\"1234567\xff12345678\"", "\"12345678\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"\xf4\x90\x80\x80\"", "\ufeff\"a\"", "\v\"a\"", "\"a\"\x00", "\"a\"\u00a0", `1`, `null`)
	counted := `{"type":"string","minLength":2,"maxLength":3}`
	add(counted, true, `"ab"`, `"abc"`, `"éé"`, `"日本語"`)
	add(counted, false, `""`, `"a"`, `"é"`, `"日"`, `"abcd"`, `"日本語話"`)
	add(`{"type":"string","minLength":1}`, true, `"a"`)
	add(`{"type":"string","minLength":1}`, false, `""`)

	fixed := `{"type":"string","pattern":"^a[0-9]{3}-b$"}`
	add(fixed, true, `"a123-b"`)
	add(fixed, false, `"a123-b`, `"a12-b"`, `"a1234-b"`, `"b123-b"`, `"a12:-b"`, `"a12/-b"`, `"a123-c"`, `"a123-bb"`, `a123-b`)
	automatic := `{"type":"string","pattern":"^(0|[1-9][0-9]*)(\\.[0-9]{1,6})?$"}`
	add(automatic, true, `"0"`, `"10"`, `"0.1"`, `"12.123456"`, `"`+strings.Repeat("9", 500)+`"`)
	add(automatic, false, `""`, `"00"`, `"01"`, `"0."`, `".1"`, `"1.1234567"`, `"1.1.1"`, `"-1"`, `"1 "`, `"1`, `"1é"`, `"1\u0030"`)
	add(`{"type":"string","pattern":"b+c"}`, true, `"bc"`, `"abbc"`, `"abbcd"`, `"bbabc"`)
	add(`{"type":"string","pattern":"b+c"}`, false, `"b"`, `"ac"`, `"bac"`, `""`)
	add(`{"type":"string","pattern":"b+c$"}`, true, `"bc"`, `"bcbc"`)
	add(`{"type":"string","pattern":"b+c$"}`, false, `"bcd"`, `"bcb"`)
	add(`{"type":"string","pattern":"^b|c"}`, true, `"ba"`, `"ac"`)
	add(`{"type":"string","pattern":"^b|c"}`, false, `"ab"`, `""`)
	add(`{"type":"string","pattern":"(?i)^ab[c-e]$"}`, true, `"aBC"`, `"Abe"`)
	add(`{"type":"string","pattern":"(?i)^ab[c-e]$"}`, false, `"aBF"`, `"abb"`)
	add(`{"type":"string","pattern":"(?i)^m$"}`, true, `"m"`, `"M"`)
	add(`{"type":"string","pattern":"(?i)^m$"}`, false, `"l"`, `"n"`, `"L"`, `"N"`, `"-"`, `"mm"`)
	add(`{"type":"string","pattern":"(?s)^.a?$"}`, true, `"a"`, `"ba"`, "\"\x7f\"")
	add(`{"type":"string","pattern":"(?s)^.a?$"}`, false, `""`, `"ab"`)
	add(`{"type":"string","pattern":""}`, true, `""`, `"a"`)
	add(`{"type":"string","pattern":"^.[^a]$"}`, true, `"ab"`, `"}{"`)
	add(`{"type":"string","pattern":"^.[^a]$"}`, false, `"ba"`, `"a\""`, `"a"`, `"aaa"`, `"éb"`)
	both := `{"allOf":[{"pattern":"^[a-c]+$"},{"pattern":"^[b-d]{2}$"},{"pattern":"b"}],"type":"string"}`
	add(both, true, `"bc"`, `"bb"`)
	add(both, false, `"cc"`, `"ab"`, `"bd"`, `"b"`, `"bbb"`)

	add(`{"allOf":[{"pattern":"^[a-c]{3}$"},{"pattern":"^[b-d]{2}$"}],"type":"string"}`, false, `"bcb"`, `"bc"`)

	add(`{"type":"string","pattern":"^a[0-9]"}`, true, `"a1"`, `"a12"`)
	add(`{"type":"string","pattern":"^a[0-9]"}`, false, `"a"`)
	add(`{"type":"string","pattern":"^[0-9]{2,3}$"}`, true, `"12"`, `"123"`)
	add(`{"type":"string","format":"date-time","pattern":"^[0-8]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"}`, false, `"2019-12-31T23:59:59.999Z"`)
	add(`{"type":"string","format":"date-time","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}z$"}`, false, `"2019-12-31T23:59:59.999Z"`)

	millisecond := `{"type":"string","format":"date-time","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"}`
	for _, moment := range []string{`{"type":"string","format":"date-time"}`, millisecond} {
		add(moment, true, `"2024-02-29T00:00:00.000Z"`, `"2000-02-29T23:59:59.999Z"`, `"0000-02-29T01:02:03.004Z"`, `"2024-12-31T23:59:60.000Z"`, `"9999-12-31T23:59:59.999Z"`)
		add(moment, false, `"2023-02-29T00:00:00.000Z"`, `"1900-02-29T00:00:00.000Z"`, `"2024-02-30T00:00:00.000Z"`, `"2024-04-31T00:00:00.000Z"`, `"2024-01-32T00:00:00.000Z"`,
			`"2024-01-00T00:00:00.000Z"`, `"2024-00-01T00:00:00.000Z"`, `"2024-13-01T00:00:00.000Z"`, `"2024-01-01T24:00:00.000Z"`, `"2024-01-01T00:60:00.000Z"`, `"2024-01-01T00:00:61.000Z"`,
			`"2024-12-31T23:58:60.000Z"`, `"2024-12-31T00:00:60.000Z"`, `"2024-12-31T00:00:00:000Z"`, `"2024-12-31 00:00:00.000Z"`, `"2024:12-31T00:00:00.000Z"`, `"2024-12-31T00:00:00.00:Z"`,
			`"2024-12-31T00:00:00.00/Z"`, `"2024-12-31T00:00:00.000Y"`, `"2024-12-31T00:00:00.000Z`, `"2024-12-31T00:00:00.000"`, `"2024-12-31T0:00:00.0000Z"`, "\"2024-12-31T00:00:00.00\xb0Z\"", `"002024-12-31T00:00:00.0Z"`)
	}
	moment := `{"type":"string","format":"date-time"}`
	add(moment, true, `"2024-02-29t00:00:00z"`, `"2024-02-29T00:00:00.1Z"`, `"2024-02-29T00:00:00+23:59"`, `"2024-02-29T23:59:00-00:00"`, `"2024-06-30T22:59:60-01:00"`, `"2024-07-01T08:59:60.5+09:00"`,
		`"1998-12-31T23:29:60+23:30"`, `"2024-01-01T00:29:60+00:30"`, `"2024-12-31T23:29:60-00:30"`)
	add(moment, false, `"2024-02-29T00:00:00"`, `"2024-02-29T00:00:00.Z"`, `"2024-02-29T00:00:00+24:00"`, `"2024-02-29T00:00:00+00:60"`, `"2024-02-29T00:00:00 00:00"`, `"2024-02-29T00:00:00+0000"`,
		`"2024-02-29T00:00:00+00-00"`, `"2024-06-30T23:59:60-01:00"`, `"2024-02-29T00:00:00Zz"`, `"2024-02-29T00:00:00.000000:"`, `"2024-02-29x00:00:00Z"`, `"2024-02-29T00:00:00,5Z"`, `"2024-02-29T00:00:00.12345"`)

	uuid := `{"type":"string","format":"uuid"}`
	id := "550e8400-e29b-41d4-a716-446655440000"
	add(uuid, true, `"`+id+`"`, `"`+strings.ToUpper(id)+`"`, `"09afAF00-0000-0000-0000-000000000000"`)
	add(uuid, false, `"`+id+`0"`, `"`+id[1:]+`"`, `"`+id)
	for i := range id {
		for _, c := range []string{"g", "G", "/", ":", "@", "`", "-", "0", "\x80", "\xb0", "\xe1"} {
			if (id[i] == '-') != (c == "-") && (c != "0" || id[i] == '-') {
				add(uuid, false, `"`+id[:i]+c+id[i+1:]+`"`)
			}
		}
	}
	add(`{"type":"string","format":"uuid","pattern":"^5[0-9a-f-]{35}$"}`, true, `"`+id+`"`)
	add(`{"type":"string","format":"uuid","pattern":"^5[0-9a-f-]{35}$"}`, false, `"`+id[:8]+`0`+id[9:]+`"`)
	add(`{"type":"string","format":"uuid","pattern":"^5[0-9a-f-]{34}$"}`, false, `"`+id+`"`, `"`+id[:35]+`"`)
	base58 := `{"type":"string","format":"base58check"}`
	add(base58, true, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`, `"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"`, `"3QJmV3qfvL9SuYo34YihAf3sRCW3qSinyC"`, `"1111111111111111111114oLvT2"`, `"3QJmnh"`)
	add(base58, true, `"xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"`)
	add(base58, false, `""`, `"1"`, `"1111"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRD"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR0"`, `"1TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR"`,
		`"1A1zP1eP5QGefi2DMPTfTL5SLmv7CIvfNa"`, `"IMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRé"`, `"11111111111111111111114oLvT2"`, `"`+strings.Repeat("z", 112)+`"`, `"`+strings.Repeat("z", 113)+`"`)

	for schema, text := range map[string]string{ // nothing but a quote ends a text
		fixed: `"a123-b`, uuid: `"` + id, millisecond: `"2024-02-29T00:00:00.000Z`, text: `"1234567`, automatic: `"12.34567`, base58: `"3QJmnh`,
		`{"type":"string","pattern":"^b+$"}`: `"bb`,
	} {
		for _, end := range []string{"", "0", "'", "#", " ", "}", "\x00", "\xa2"} {
			add(schema, false, text+end)
		}
	}
	address := `{"type":"string","format":"base58check","pattern":"^T[1-9A-HJ-NP-Za-km-z]{33}$"}`
	add(address, true, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`)
	add(address, false, `"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRD"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR0"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRCC"`,
		"\"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR\n\"", `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC`)
	narrow := `{"type":"string","format":"base58check","pattern":"^T[1-9A-HJ-NP-Za-km-y]{33}$"}` // no z
	add(narrow, false, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`)
	add(`{"type":"string","pattern":"^T[1-9A-HJ-NP-Za-km-z]{33}$"}`, false, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtR0"`)
	shared := `{"type":"object","properties":{"a":` + address + `,"b":` + strings.Replace(address, `"format":"base58check",`, "", 1) + `}}`
	add(shared, true, `{"b":"T11111111111111111111111111111111z"}`)
	add(shared, false, `{"b":"T11111111111111111111111111111111l"}`, `{"a":"T11111111111111111111111111111111z"}`)
	hash := `{"type":"string","pattern":"^[0-9a-fA-F]{9}$"}`
	add(hash, true, `"012345678"`, `"abcdefABC"`)
	add(`{"type":"string","pattern":"^[0-9a-fA-F]{7}$"}`, true, `"0123456"`)
	add(`{"type":"string","pattern":"^[0-9a-fA-F]{7}$"}`, false, `"012345"`, `"012345g"`, `"01234567"`)
	add(`{"type":"string","pattern":"^[0-9a-f]{8}$"}`, true, `"0123cdef"`)
	add(`{"type":"string","pattern":"^[0-9a-f]{8}$"}`, false, `"0123cdeF"`)
	add(hash, false, `"01234567"`, `"0123456789"`, `"g12345678"`, `"01234567g"`, `"0123456 8"`)

	whole := `{"type":"integer"}`
	add(whole, true, `0`, `-0`, `7`, `-12`, `999999999999999999`, `-999999999999999999`, ` 1 `)
	add(whole, false, ``, `-`, `+1`, `01`, `-01`, `00`, `1.0`, `10e1`, `1.5`, `1e`, `1x`, `1 1`, `1,`, `1]`, `1000000000000000000`, `18446744073709551617`, `0x1`, `١`, `:`, `/`, `"1"`)
	between := `{"type":"integer","minimum":-5,"exclusiveMaximum":19,"allOf":[{"exclusiveMinimum":-3,"maximum":100}]}`
	add(between, true, `-2`, `0`, `18`)
	add(between, false, `-3`, `-5`, `19`, `100`, `18446744073709551616`)
	add(`{"type":"integer","minimum":-99999999999999999,"maximum":999999999999999998}`, true, `999999999999999998`, `-99999999999999999`)
	add(`{"type":"integer","minimum":-99999999999999999,"maximum":999999999999999998}`, false, `999999999999999999`, `-100000000000000000`)
	numeric := `{"type":"number"}`
	add(numeric, true, `0`, `-1.5`, `1e5`, `1E+5`, `0.10e-07`, `-0.0`)
	add(numeric, false, `1.`, `.5`, `1e`, `1e+`, `1.e1`, `01.5`, `-`, `1.5.5`, `1.5x`, `1e5.5`, `NaN`, `1.e`)
	add(`{"type":"number","minimum":1}`, true, `1`, `2`)
	add(`{"type":"number","minimum":1}`, false, `0`, `1.5`, `0.5`)

	words := `{"enum":["a","ab",1,12,1.0,null,true,[1],{"a":1},"\n","日"]}`
	add(words, true, `"a"`, `"ab"`, `1`, `12`, `1.0`, `null`, `true`, `"日"`)
	add(words, false, `"abc"`, `"`, `false`, `123`, `2`, `[1]`, `{"a":1}`, `"\n"`, "\"\n\"", `nullx`, `nul`, `"a`, `1.00`)
	add(`{"const":"a","minLength":1}`, true, `"a"`)
	add(`{"const":"a","enum":["b","a"]}`, false, `"b"`)
	add(`{"type":["null","boolean"]}`, true, `null`, `true`, `false`)
	add(`{"type":["null","boolean"]}`, false, `nul`, `nulL`, `truefalse`, `fals`, `0`, `""`, `[]`, `{}`, `tnue`)
	add(`true`, true, `1.5`, `"a"`, `null`)
	add(`true`, false, `[]`, `{}`, `"\n"`)

	list := `{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}`
	add(list, true, `[1]`, `[1,2,3]`, ` [ 1 , 2 ] `)
	add(list, false, `[]`, `[ ]`, `[1,2,3,4]`, `[1,]`, `[,1]`, `[1`, `[1,`, `[`, `[1 2]`, `[1}`, `["1"]`, `[1]]`)
	add(`{"type":"array","items":{},"minItems":2}`, true, `[1,2]`)
	add(`{"type":"array","items":{},"minItems":2}`, false, `[1]`)
	add(`{"type":"array","items":{"type":"array","items":{"type":"null"}}}`, true, `[]`, `[[],[null,null]]`)
	add(`{"type":"array","items":{"type":"array","items":{"type":"null"}}}`, false, `[[`, `[[[]]]`, `[null]`, `[[null]`)

	thing := `{"type":"object","required":["a"],"properties":{"a":{"type":["integer","object"],"properties":{"b":{"type":"null"}}},"bb":{},"日本":{"type":"string"},"c":{"type":"integer"}}}`
	add(thing, true, `{"a":1}`, `{"a":1,"bb":2,"日本":"3","c":4}`, `{"c":4,"日本":"3","bb":2,"a":1}`, ` { "a" : 1 , "c"`+"\n\t\r"+`: 2 } `, `{"a":{}}`, `{"a":{"b":null}}`, `{"a":{ }}`, `{"bb":1,"a":2}`)
	add(thing, false, `{}`, `{"c":1}`, `{"a":1,"a":1}`, `{"a":1,"c":1,"a":1}`, `{"a":1,"c":2,"c":2}`, `{"a":1,"\u0063":1}`, `{"\u0061":1}`, `{"a":1,"d":1}`, `{"a":1,"":1}`, `{"a":1,"b":1}`, `{"a":1,"B":1}`, `{"a":1,}`,
		`{,"a":1}`, `{"a" 1}`, `{"a"::1}`, `{"a":}`, `{"a"`, `{"a":`, `{"a`, `{"`, `{`, `{"a":1`, `{"a":1,`, `{"a":1]`, `{a:1}`, `{'a':1}`, `{"a":1 "c":1}`, `{"a":1}}`, `{"a":1}{}`, `{"a":1,"bb":[]}`,
		`{"a":1,"bb":{}}`, `{"a":{"b":null,"b":null}}`, `{"a":{"c":1}}`, `{"a":[]}`, `{"a":1,"日本":3}`, `{"a":1,"c":1.5}`, `{"a\":1}`, `{"a":1;"c":1}`, "{\"a\":1,\v\"c\":1}")
	straight := `{"type":"object","required":["a"],"properties":{"a":{"type":"object","properties":{"b":{"type":"null"}}},"twelve bytes":{"type":"string","minLength":1},"this is more than twenty-four bytes":{"type":"integer"},"c":{"const":"d"}}}`
	lined := `{"a":{"b":null},"twelve bytes":"e","this is more than twenty-four bytes":12,"c":"d"}`
	add(straight, true, lined, " "+lined+"\n", `{"a":{ "b":null},`+lined[16:], `{"a":{},`+lined[16:], lined[:len(lined)-9]+`}`)
	for at := range lined {
		add(straight, false, lined[:at])
		if before := lined[:at]; !strings.HasSuffix(before, `bytes":"`) && !strings.HasSuffix(before, `bytes":1`) { // there any would do
			add(straight, false, before+string(lined[at]^1)+lined[at+1:], before+"~"+lined[at+1:], before+"\x00"+lined[at+1:])
		}
	}
	for _, member := range []struct{ schema, value, bad string }{
		{automatic, `"12.5"`, `"12."`},
		{`{"type":"string","pattern":"^b+$"}`, `"bb"`, `"ba"`},
		{fixed, `"a123-b"`, `"a123+b"`},
		{uuid, `"` + id + `"`, `"` + id[1:] + `g"`},
		{text, `"1234567é"`, "\"1234567\xff\""},
		{counted, `"ab"`, `"a"`},
		{moment, `"2024-02-29T00:00:00.000Z"`, `"2023-02-29T00:00:00.000Z"`},
		{millisecond, `"2024-02-29T00:00:00.000Z"`, `"2023-02-29T00:00:00.000Z"`},
		{base58, `"3QJmnh"`, `"3QJmni"`},
		{both, `"bc"`, `"ab"`},
		{whole, `-120`, `-1.5`},
		{between, `18`, `19`},
		{numeric, `-1.5e+7`, `-1.`},
		{words, `"ab"`, `"abc"`},
		{`{"const":null}`, `null`, `nul`},
		{`{"type":["null","boolean"]}`, `true`, `0`},
		{`{"type":["null","integer"]}`, `null`, `nulL`},
	} {
		one := `{"type":"object","properties":{"a":` + member.schema + `,"c":` + member.schema + `}}`
		document := `{"a":` + member.value + `,"c":` + member.value + `}`
		add(one, false, `{"a":`+member.bad+`,"c":`+member.value+`}`, `{"a":`+member.value+`,"c":`+member.bad+`}`, `{"c":`+member.bad+`}`)
		add(one, true, document, `{"c":`+member.value+`,"a":`+member.value+`}`, `{"c":`+member.value+`}`)
		for at := range document {
			add(one, false, document[:at], document[:at]+"\x00", document[:at]+"~")
		}
	}
	closed := `{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false,"allOf":[{"properties":{"a":{"minimum":2}}}]}`
	add(closed, true, `{}`, `{"a":2}`)
	add(closed, false, `{"a":1}`, `{"b":1}`)
	add(`{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"integer"}}`, true, `{"a":"x"}`)
	add(`{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"integer"}}`, false, `{"b":1}`, `{"b":"x"}`)
	for kind, values := range map[string][]string{
		"null": {`null`}, "boolean": {`true`, `false`}, "object": {`{}`, `{"a":1}`}, "array": {`[]`, `[1]`}, "string": {`""`, `"a"`}, "integer": {`1`, `-7`}, "number": {`1.5`, `1e1`},
	} {
		all := `"properties":{"a":true},"items":true`
		add(`{`+all+`}`, true, values...)
		add(`{"type":"`+kind+`",`+all+`}`, true, values...)
		others := []string{`"null"`, `"boolean"`, `"object"`, `"array"`, `"string"`, `"integer"`, `"number"`}
		others = slices.DeleteFunc(others, func(other string) bool { return other == `"`+kind+`"` || kind == "integer" && other == `"number"` })
		add(`{"type":[`+strings.Join(others, ",")+`],`+all+`}`, false, values...)
	}
	chosen := `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"if":{"properties":{"a":{"const":1}}},"then":{"properties":{"b":{"minimum":5}}},"else":{"required":["b"]}}`
	add(chosen, true, `{"a":1,"b":5}`, `{"a":2,"b":5}`)
	add(chosen, false, `{"a":1,"b":4}`, `{"a":2}`, `{"a":2,"b":4}`, `{"a":1}`)
	return all
}

func TestAcceptForms(t *testing.T) {
	subjects := map[string]subject{}
	for _, one := range forms() {
		s, found := subjects[one.schema]
		if !found {
			s = formSubject(t, one.schema)
			subjects[one.schema] = s
		}
		if accepted, valid := s.holds(t, []byte(one.document)); accepted != one.accepted {
			t.Errorf("%s: %q: accepted is %t, valid is %t", one.schema, one.document, accepted, valid)
		}
	}
}

func TestAcceptorIsRefused(t *testing.T) {
	if _, ok := compile(t, wide(64, "true")).Acceptor(nil, nil); !ok {
		t.Error("64 members are refused")
	}
	for _, raw := range []string{
		`false`, `{"anyOf":[true]}`, `{"oneOf":[true]}`, `{"not":false}`, `{"allOf":[false]}`, `{"allOf":[{"not":{"type":"string"}}]}`, `{"if":true,"then":false}`, `{"if":true,"else":{"not":false}}`,
		`{"type":"object"}`, `{"type":"array"}`, `{"type":"object","properties":{}}`, `{"type":"object","properties":{"a":{"type":"array"}}}`, `{"type":"object","required":["b"],"properties":{"a":{}}}`,
		`{"type":"object","properties":{"a\n":{}}}`, `{"type":"object","properties":{"a\"":{}}}`, `{"type":"object","properties":{"a\\":{}}}`, `{"type":"object","properties":{"":{}}}`, wide(65, "true"),
		`{"type":"integer","minimum":0.5}`, `{"type":"integer","maximum":1e3}`, `{"type":"integer","maximum":9999999999999999999}`, `{"type":"integer","exclusiveMinimum":9223372036854775807}`, `{"enum":[[1]]}`, `{"const":{}}`, `{"const":"a","minLength":2}`, `{"const":"\n"}`,
		`{"type":"string","pattern":"\\bx"}`, `{"type":"string","pattern":"(?m)^a$"}`, `{"type":"string","pattern":"^(a|b)*a(a|b){12}$"}`, `{"type":["string"],"allOf":[{"type":"integer"}]}`,
		`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`, `{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}`, `{"type":"array","items":{"$ref":"#"}}`,
	} {
		if _, ok := compile(t, raw).Acceptor(nil, nil); ok {
			t.Errorf("%s has an acceptor", raw)
		}
	}
	nested := compile(t, `{"type":"object","properties":{"a":{"type":"string","enum":["x","y"]},"b":{"type":"array","items":{"type":"string"}},"c":{"type":"integer"}}}`)
	for _, fixed := range []schema.Fixed{
		{Pointer: jsondoc.Pointer{"d"}, Text: "x"},
		{Pointer: jsondoc.Pointer{"a"}, Text: "z"},
		{Pointer: jsondoc.Pointer{"b", "0"}, Text: "x"},
		{Pointer: jsondoc.Pointer{"a", "e"}, Text: "x"},
		{Pointer: jsondoc.Pointer{"c"}, Text: "x"},
		{Text: "x"},
	} {
		if _, ok := nested.Acceptor(nil, []schema.Fixed{fixed}); ok {
			t.Errorf("%v can be fixed", fixed)
		}
	}
}

func TestAcceptFixed(t *testing.T) {
	s := subject{
		schema:   compile(t, `{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"},"c":{"type":["array","null"],"items":{}}}},"d":{"type":["array","null"],"items":{}}}}`),
		captures: []jsondoc.Pointer{{"a", "b"}, {"a", "c", "0"}, {"d", "0"}, {"a"}},
		fixed:    []schema.Fixed{{Pointer: jsondoc.Pointer{"a", "b"}, Text: "x"}},
	}
	var ok bool
	if s.acceptor, ok = s.schema.Acceptor(s.captures, s.fixed); !ok {
		t.Fatal("no acceptor")
	}
	for document, want := range map[string]bool{
		`{"a":{"b":"x"}}`: true, `{"a":{"b":"x"},"d":null}`: true, `{"a":{"b":"y"}}`: false, `{"a":{}}`: false, `{}`: false, `{"a":{"b":"x","c":[1]}}`: false, `{"d":[1],"a":{"b":"x"}}`: false, `{"a":{"b":"xx"}}`: false,
	} {
		if accepted, _ := s.holds(t, []byte(document)); accepted != want {
			t.Errorf("%s: accepted is %t", document, accepted)
		}
	}
}
