package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// TestRefusals: what is wrong with how a delivery came refuses it, and nothing else.
func TestRefusals(t *testing.T) {
	var got []string
	for _, about := range Codes() {
		if about.Code.Refuses() {
			got = append(got, string(about.Code))
		}
	}
	slices.Sort(got)
	want := []string{
		"body-too-large", "body-unreadable", "unknown-path", "wrong-content-encoding", "wrong-content-type", "wrong-framing", "wrong-method", "wrong-signature",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestClip cuts between characters.
func TestClip(t *testing.T) {
	a := strings.Repeat("a", 97)
	for text, want := range map[string]string{
		"":                      "",
		a + "bcd":               a + "bcd",
		a + "bcde":              a + "bcd…",
		a + "éé":                a + "é…", // the second begins at 99
		a + "b€":                a + "b…",
		a + "€b":                a + "€…",
		a + "🙂":                 a + "…",
		a + "bcd\x80":           a + "bc…", // what is no character is cut off whole
		strings.Repeat("é", 60): strings.Repeat("é", 50) + "…",
	} {
		if got := clip(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := clip(strings.Repeat("\x80", 200)); got != "…" {
		t.Errorf("what is no text is shown as %q", got)
	}
}

func TestShort(t *testing.T) {
	for id, want := range map[string]string{
		"":                    "",
		"123456789012345678":  "123456789012345678",
		"1234567890123456789": "1234567890123…",
		"ééééééééééééééééééééé": "ééééééééééééé…",
		"éééééééééééééééééé":    "éééééééééééééééééé",
	} {
		if got := short(id); got != want {
			t.Errorf("%q is shown as %q, want %q", id, got, want)
		}
	}
}

// TestFirst: a delivery that was not taken the first time is no duplicate.
func TestFirst(t *testing.T) {
	v := Verdict{Duplicate: true}
	v.Add(Finding{Code: UnknownValue, Severity: Warning})
	v.Add(Finding{Code: Duplicate, Severity: Note})
	v.Add(Finding{Code: WrongSignature, Severity: Violation})
	if !v.Has(Duplicate) || v.Has(Late) || v.OK() || v.Count(Note) != 1 || v.Count(Warning) != 1 {
		t.Errorf("%+v", v)
	}
	v.First()
	if want := []Finding{{Code: UnknownValue, Severity: Warning}, {Code: WrongSignature, Severity: Violation}}; v.Duplicate || !slices.Equal(v.Findings, want) {
		t.Errorf("%+v", v)
	}
}

// TestWrongness says what is wrong by each keyword, also by one that it has no words
// for.
func TestWrongness(t *testing.T) {
	c := builtin(t)
	for keyword, want := range map[string]string{
		"pattern": "does not have the form it takes", "const": "is not one of the values it takes", "exclusiveMinimum": "is too small", "maximum": "is too large",
		"minItems": "is too short", "maxLength": "is too long", "multipleOf": "has a value that it does not take (multipleOf)",
	} {
		f := violated(c.States()[0], schema.Violation{Keyword: keyword})
		if f.Code != WrongValue || f.Message != "the payload "+want {
			t.Errorf("%s: %+v", keyword, f)
		}
	}
}

// TestTokens: values are remembered as they are, or by their hash where they are
// long; long lists are not.
func TestTokens(t *testing.T) {
	long := func(n int) jsondoc.Value { return jsondoc.StringValue(strings.Repeat("x", n)) }
	list := func(n int) jsondoc.Value { return jsondoc.ArrayValue(long(n - 4)) } // with its brackets and quotes
	object := func(n int) jsondoc.Value {
		return jsondoc.ObjectValue(jsondoc.Member{Name: "a", Value: long(n - 8)})
	}
	kept := func(v jsondoc.Value) *jsondoc.Value { return &v }
	hash := jsondoc.StringValue(bounded(long(maxValue + 1)).Text)
	if !strings.HasPrefix(hash.Text, "sha256:") || len(hash.Text) != 71 {
		t.Errorf("a long value is kept as %s", hash.Text)
	}
	for _, x := range []struct {
		v    jsondoc.Value
		want *jsondoc.Value
	}{
		{long(maxValue), kept(long(maxValue))},
		{long(maxValue + 1), &hash},
		{list(tokenLimit), kept(list(tokenLimit))},
		{list(tokenLimit + 1), nil},
		{object(tokenLimit), kept(object(tokenLimit))},
		{object(tokenLimit + 1), nil},
		{jsondoc.NullValue(), kept(jsondoc.NullValue())},
	} {
		var want []byte
		if x.want != nil {
			want = x.want.AppendLiteral(nil)
		}
		if got := tokenOf(x.v); !bytes.Equal(got, want) {
			t.Errorf("%s is kept as %s", literal(x.v), got)
		}
	}
}

// TestShortWay shows what a payload is judged by without a document of it, and what is
// left to the long way.
func TestShortWay(t *testing.T) {
	c := builtin(t)
	for _, st := range c.States() {
		raw := st.Sample.AppendCanonical(nil)
		for path, want := range map[string]bool{"": true, st.Path: true, "/elsewhere": false} {
			if _, ok := accept(c, raw, path); ok != want {
				t.Errorf("%s at %q goes the short way: %t", st, path, ok)
			}
			sameVerdict(t, c, raw, path)
			if v := NewSmallChecker(c, Strict{}).Check(raw, path); v.Quick() != want || v.OK() != want {
				t.Errorf("%s at %q is quick: %t", st, path, v.Quick())
			}
		}
		for _, damaged := range []string{"", "{}", string(raw[:len(raw)-1]), strings.Replace(string(raw), `"event"`, `"Event"`, 1), strings.Replace(string(raw), `"state"`, `"State"`, 1)} {
			if v, ok := accept(c, []byte(damaged), ""); ok || v.State != nil || v.Event != "" {
				t.Errorf("%s goes the short way", damaged)
			}
			k := NewSmallChecker(c, Strict{})
			if v, ok := k.quick([]byte(damaged), ""); ok || v.State != nil || v.Event != "" {
				t.Errorf("%s goes the short way", damaged)
			}
		}
	}
}

// TestCapturedTokens reads what the acceptor captures.
func TestCapturedTokens(t *testing.T) {
	for text, want := range map[string]jsondoc.Value{
		"": jsondoc.NullValue(), "null": jsondoc.NullValue(), "true": jsondoc.BoolValue(true), "false": jsondoc.BoolValue(false), `"a"`: jsondoc.StringValue("a"), `""`: jsondoc.StringValue(""),
		"1.50": {Kind: jsondoc.Number, Text: "1.50"},
	} {
		got, ok := token("<"+text+">", schema.Slot{Start: 1, End: 1 + len(text)})
		if !ok || got.Kind != want.Kind || got.Text != want.Text || string(got.AppendLiteral(nil)) != string(want.AppendLiteral(nil)) {
			t.Errorf("%s is read as %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"[]", "{}", `["a"]`} {
		if _, ok := token(text, schema.Slot{End: len(text)}); ok {
			t.Errorf("%s is taken", text)
		}
	}
}

// TestWords finds the first member of a name, or what looks like it.
func TestWords(t *testing.T) {
	for raw, want := range map[string]string{
		`{"event":"a"}`: "a", `{"event":"a","event":"b"}`: "a", `{"event": "a"}`: "", `{"x":"event","event":"b"}`: "b", `event":"a"`: "", `"event":"a`: "a", `{"myevent":"a","event":"b"}`: "b",
		`{"event":7,"event":"c"}`: "c", "": "", `{"events":"a"}`: "", `{"event":""}`: "",
	} {
		if got := word([]byte(raw), jsondoc.Pointer{"data", "event"}); string(got) != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
