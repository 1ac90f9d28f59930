package jsondoc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/jsondoc"
)

func parse(t testing.TB, raw string) jsondoc.Value {
	t.Helper()
	v, err := jsondoc.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("Parse(%q): %v", raw, err)
	}
	return v
}

func number(t testing.TB, literal string) jsondoc.Value {
	t.Helper()
	v, err := jsondoc.NumberValue(literal)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseKeepsDocument(t *testing.T) {
	got := parse(t, " {\"b\":1.50, \"a\":[true,null,\"\\u00e9\\ud83d\\ude00\\/\\n\"]}\r\n")
	want := jsondoc.ObjectValue(
		jsondoc.Member{Name: "b", Value: number(t, "1.50")},
		jsondoc.Member{Name: "a", Value: jsondoc.ArrayValue(
			jsondoc.BoolValue(true), jsondoc.NullValue(), jsondoc.StringValue("é😀/\n"),
		)},
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	nested := strings.Repeat("[", jsondoc.MaxDepth+1)
	wide := "{"
	for i := range 40 {
		wide += `"k` + strings.Repeat("x", i) + `":0,`
	}
	for _, test := range []struct {
		raw          string
		code         jsondoc.Code
		line, column int
		pointer      string
		message      string
	}{
		{"", jsondoc.CodeInvalidJSON, 1, 1, "", "empty"},
		{" \n ", jsondoc.CodeInvalidJSON, 2, 2, "", "empty"},
		{"\xef\xbb\xbf{}", jsondoc.CodeInvalidJSON, 1, 1, "", "byte order mark"},
		{"\xff\xfe{\x00}\x00", jsondoc.CodeInvalidJSON, 1, 1, "", "UTF-16"},
		{"NaN", jsondoc.CodeInvalidJSON, 1, 1, "", "NaN"},
		{`{"a":Infinity}`, jsondoc.CodeInvalidJSON, 1, 6, "/a", "Infinity"},
		{`[1,-Infinity]`, jsondoc.CodeInvalidJSON, 1, 5, "/1", "-Infinity"},
		{"{\n \"a\": {\"b\": [1, 02]}}", jsondoc.CodeInvalidJSON, 2, 17, "/a/b/1", "start with 0"},
		{"-", jsondoc.CodeInvalidJSON, 1, 2, "", "digit"},
		{"1.", jsondoc.CodeInvalidJSON, 1, 3, "", "decimal point"},
		{"1e+", jsondoc.CodeInvalidJSON, 1, 4, "", "exponent"},
		{"+1", jsondoc.CodeInvalidJSON, 1, 1, "", "'+'"},
		{"[1,]", jsondoc.CodeInvalidJSON, 1, 3, "", "comma"},
		{`{"a":1,}`, jsondoc.CodeInvalidJSON, 1, 7, "", "comma"},
		{`{"a" 1}`, jsondoc.CodeInvalidJSON, 1, 6, "/a", "':'"},
		{`{a:1}`, jsondoc.CodeInvalidJSON, 1, 2, "", "double quotes"},
		{`{"a":1`, jsondoc.CodeInvalidJSON, 1, 7, "", "ends"},
		{`{"a":`, jsondoc.CodeInvalidJSON, 1, 6, "/a", "ends"},
		{"[1 2]", jsondoc.CodeInvalidJSON, 1, 4, "", "','"},
		{"{} {}", jsondoc.CodeInvalidJSON, 1, 4, "", "exactly one"},
		{"True", jsondoc.CodeInvalidJSON, 1, 1, "", `"True"`},
		{"nullx", jsondoc.CodeInvalidJSON, 1, 1, "", `"nullx"`},
		{"'a'", jsondoc.CodeInvalidJSON, 1, 1, "", "value should be"},
		{"\"a\tb\"", jsondoc.CodeInvalidJSON, 1, 3, "", "0x09"},
		{`"\x"`, jsondoc.CodeInvalidJSON, 1, 2, "", "escape"},
		{`"\u12g4"`, jsondoc.CodeInvalidJSON, 1, 2, "", "hexadecimal"},
		{`"\ud83d\u12"`, jsondoc.CodeInvalidJSON, 1, 8, "", "hexadecimal"},
		{`"abc`, jsondoc.CodeInvalidJSON, 1, 5, "", "inside a string"},
		{`"abc\`, jsondoc.CodeInvalidJSON, 1, 5, "", "escape"},
		{"\x00", jsondoc.CodeInvalidJSON, 1, 1, "", "'\\x00'"},
		{"[\xff]", jsondoc.CodeInvalidJSON, 1, 2, "/0", "0xff"},
		{"{\"a\":\"x\xe9\"}", jsondoc.CodeInvalidUTF8, 1, 8, "/a", "0xe9"},
		{"\"\xed\xa0\x80\"", jsondoc.CodeInvalidUTF8, 1, 2, "", "0xed"},
		{`["\ud83d"]`, jsondoc.CodeLoneSurrogate, 1, 3, "/0", "ud83d"},
		{`"\ud83d\u0041"`, jsondoc.CodeLoneSurrogate, 1, 2, "", "ud83d"},
		{`"\uDE00"`, jsondoc.CodeLoneSurrogate, 1, 2, "", "ude00"},
		{`{"d":{"a":1,"\u0061":2}}`, jsondoc.CodeDuplicateKey, 1, 13, "/d/a", `"a"`},
		{wide + `"k":1}`, jsondoc.CodeDuplicateKey, 1, len(wide) + 1, "/k", `"k"`},
		{wide + `"z":1,"z":1}`, jsondoc.CodeDuplicateKey, 1, len(wide) + 7, "/z", `"z"`},
		{nested, jsondoc.CodeTooDeep, 1, jsondoc.MaxDepth + 1, strings.Repeat("/0", jsondoc.MaxDepth), "128"},
	} {
		_, err := jsondoc.Parse([]byte(test.raw))
		var got *jsondoc.SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("Parse(%q): %v; want a SyntaxError", test.raw, err)
			continue
		}
		if got.Code != test.code || got.Line != test.line || got.Column != test.column || got.Pointer.String() != test.pointer {
			t.Errorf("Parse(%q): %s at %d:%d %q; want %s at %d:%d %q", test.raw,
				got.Code, got.Line, got.Column, got.Pointer, test.code, test.line, test.column, test.pointer)
		}
		if !strings.Contains(got.Message, test.message) {
			t.Errorf("Parse(%q): message %q lacks %q", test.raw, got.Message, test.message)
		}
	}
}

func TestParseDeepestAllowed(t *testing.T) {
	parse(t, strings.Repeat("[", jsondoc.MaxDepth)+strings.Repeat("]", jsondoc.MaxDepth))
}

func documents() []string {
	return []string{
		`{"a":1,"b":[1.0,-0,1e21,1e-7],"2":null,"1":true}`, `{"a":{"b":[{}]}}`, `"\ud83d\ude00\u2028<>&\u0000"`, `{"a":1,"a":2}`,
		"\"\xff\"", `"\ud800"`, "[[[[[[]]]]]]", "", "\xef\xbb\xbf1", "-0.0e-0", "1e400", "-1e999", "[1,]", "{\"\":{\"\":0}}", "nul", " 1 ",
		strings.Repeat("[", 129) + strings.Repeat("]", 129),
	}
}

// FuzzParse holds Parse against encoding/json, and its own writers against Parse.
func FuzzParse(f *testing.F) {
	for _, raw := range documents() {
		f.Add([]byte(raw))
	}
	for _, x := range suiteCases(f) {
		f.Add(x.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := jsondoc.Parse(raw)
		if err != nil {
			checkRefusal(t, raw, err)
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("Parse accepts %q, json.Valid does not", raw)
		}
		canonical := v.AppendCanonical(nil)
		again := parse(t, string(canonical))
		if fixed := again.AppendCanonical(nil); string(fixed) != string(canonical) {
			t.Errorf("canonical %q, of that %q", canonical, fixed)
		}
		for _, written := range [][]byte{v.AppendLiteral(nil), v.AppendIndent(nil, "  ")} {
			if back := parse(t, string(written)); !reflect.DeepEqual(v, back) || !jsondoc.Equal(v, back) {
				t.Errorf("%q written as %q reads back different", raw, written)
			}
		}
		if !reflect.DeepEqual(v, v.Clone()) {
			t.Errorf("clone of %q differs", raw)
		}
	})
}

func checkRefusal(t *testing.T, raw []byte, err error) {
	t.Helper()
	var refused *jsondoc.SyntaxError
	if !errors.As(err, &refused) {
		t.Fatalf("%T is not a SyntaxError", err)
	}
	if json.Valid(raw) && refused.Code == jsondoc.CodeInvalidJSON {
		t.Errorf("json.Valid accepts %q, Parse says %v", raw, err)
	}
	if refused.Offset < 0 || refused.Offset > len(raw) || refused.Line < 1 || refused.Column < 1 {
		t.Errorf("%q: place %d, %d:%d", raw, refused.Offset, refused.Line, refused.Column)
	}
}

func TestNumberValue(t *testing.T) {
	for _, literal := range []string{"", "01", "1.", "0x1", "1e", "NaN", " 1", "1 ", "--1", "1_0", "Infinity"} {
		if _, err := jsondoc.NumberValue(literal); err == nil {
			t.Errorf("NumberValue(%q) is accepted", literal)
		}
	}
	for _, literal := range []string{"0", "-0", "1.50", "1E+9", "-0.0e-0"} {
		if got := number(t, literal); got.Text != literal {
			t.Errorf("NumberValue(%q) = %q", literal, got.Text)
		}
	}
}

// TestReader holds that a Reader reads what Parse does, and that what it read stays
// as it is when it reads on.
func TestReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r jsondoc.Reader
		var read, want []jsondoc.Value
		var buf []byte // which is read into again
		for range rapid.IntRange(1, 5).Draw(t, "documents") {
			raw := []byte(rapid.SampledFrom([]string{
				`{}`, `[]`, `[1,[2,{"a":[3]}],"b\u0041"]`, `{"a":{"b":{"c":null}},"d":[true]}`, `"text"`, `{"a":1,"a":2}`, `[1,`, `{"k":"` + strings.Repeat("x", 100) + `"}`,
				"[" + strings.TrimSuffix(strings.Repeat(`{"n":0},`, 200), ",") + "]",
			}).Draw(t, "raw"))
			a, failed := jsondoc.Parse(raw)
			buf = append(buf[:0], raw...)
			b, err := r.Parse(buf)
			if diff := cmp.Diff(fmt.Sprint(failed), fmt.Sprint(err)); diff != "" {
				t.Fatal(diff)
			}
			read, want = append(read, b), append(want, a)
		}
		if diff := cmp.Diff(want, read); diff != "" {
			t.Error(diff)
		}
	})
}
