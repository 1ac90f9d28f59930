package jsondoc_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/payloads"
)

// isPlain holds IsPlain against Parse and AppendCanonical.
func isPlain(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, raw []byte,
) bool {
	t.Helper()
	plain := jsondoc.IsPlain(raw)
	if !plain {
		return false
	}
	v, err := jsondoc.Parse(raw)
	if err != nil {
		t.Fatalf("%q is called plain: %v", raw, err)
	}
	if again := v.AppendCanonical(nil); !bytes.Equal(again, raw) {
		t.Fatalf("%q is called plain, and its canonical form is %q", raw, again)
	}
	return true
}

func TestSamplesArePlain(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range c.States() {
		if raw := st.Sample.AppendCanonical(nil); !isPlain(t, raw) {
			t.Errorf("%s is not: %s", st, raw)
		}
	}
}

func TestPlain(t *testing.T) {
	for raw, want := range map[string]bool{
		`{}`: true, `[]`: true, `0`: true, `"가"`: true, `{"a":[1,{"b":null}],"c":true,"d":false}`: true, `123456789012345`: true,
		``: false, ` 1`: false, `1 `: false, `{"a": 1}`: false, `{"a":1,"a":2}`: false, `{"1":1,"0":2}`: false, `01`: false, `-0`: false, `1.0`: false,
		`1e3`: false, `"\u0041"`: false, "\"\xff\"": false, "\"\x01\"": false, `[1,]`: false, `{"a"}`: false, `{"a":1`: false, `[1`: false, `tru`: false,
		`12345678901234567890`: false, `"a`: false, `{"":1}`: true, `[[]]x`: false,
	} {
		if got := isPlain(t, []byte(raw)); got != want {
			t.Errorf("%q: %v", raw, got)
		}
	}
}

func TestPlainProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{
			`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"b"`, `"1"`, `1`, `0`, `-`, `.5`, `e1`, ` `, `\`, `"`, `true`, `null`, "\x00", "\xc3", "é", `"a":1`, `{"a":1}`, `[1,2]`,
		}), 0, 12).Draw(t, "parts")
		var raw []byte
		for _, p := range parts {
			raw = append(raw, p...)
		}
		isPlain(t, raw)
	})
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":[true,null]}`, `{"1":0}`, `"\u00e9"`, `{"a":1,"a":1}`, `[[[[]]]]`, "\"\xed\xa0\x80\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { isPlain(t, raw) })
}

func BenchmarkPlain(b *testing.B) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		b.Fatal(err)
	}
	raw := c.Flow[len(c.Flow)-1].Sample.AppendCanonical(nil)
	b.ReportAllocs()
	for b.Loop() {
		if !jsondoc.IsPlain(raw) {
			b.Fatal("not plain")
		}
	}
}

// TestPlainBytes puts every byte at every place of a text, alone and behind another
// one, since eight are looked at together.
func TestPlainBytes(t *testing.T) {
	for place := range 20 {
		for c := range 256 {
			for _, other := range []byte{'~', ' ', 0xc3} {
				raw := []byte(`"aaaaaaaaaaaaaaaaaaaaaaa"`)
				raw[1+place], raw[2+place] = other, byte(c)
				want := other != 0xc3 && ' ' <= c && c < 0x80 && c != '"' && c != '\\' || other == 0xc3 && 0x80 <= c && c < 0xc0
				if got := isPlain(t, raw); got != want {
					t.Fatalf("%q: %v", raw, got)
				}
			}
		}
	}
}
