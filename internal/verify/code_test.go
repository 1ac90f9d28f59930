package verify

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// TestPlainTime holds the short reading of times to the calendar, and shows what it
// leaves to the long one.
func TestPlainTime(t *testing.T) {
	for _, year := range []int{0, 1, 4, 100, 400, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 2400, 7999, 8000, 8001, 9999} {
		for month := range 14 {
			for day := range 34 {
				for _, clock := range [][4]int{{0, 0, 0, 0}, {23, 59, 59, 999}, {9, 8, 7, 45}, {20, 30, 40, 600}} {
					text := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, clock[0], clock[1], clock[2], clock[3])
					at := time.Date(year, time.Month(month), day, clock[0], clock[1], clock[2], clock[3]*1e6, time.UTC)
					want := year > 0 && year <= 8000 && at.Day() == day && int(at.Month()) == month
					ms, ok := plainTime([]byte(text))
					if ok != want || ok && ms != at.UnixMilli()-yearZero {
						t.Fatalf("%s is %d, %t", text, ms, ok)
					}
				}
			}
		}
	}
	for _, clock := range []string{"24:00:00.000", "23:60:00.000", "23:59:60.000", "99:00:00.000"} {
		if _, ok := plainTime([]byte("2025-09-05T" + clock + "Z")); ok {
			t.Errorf("%s is a time", clock)
		}
	}
	const sound = "2025-09-05T10:30:00.123Z"
	for i := range len(sound) {
		for b := range 256 {
			damaged := []byte(sound)
			damaged[i] = byte(b)
			digit := sound[i] >= '0' && sound[i] <= '9' && b >= '0' && b <= '9'
			if ms, ok := plainTime(damaged); ok && !digit && b != int(sound[i]) || !ok && b == int(sound[i]) || !ok && ms != 0 {
				t.Errorf("%q is %d, %t", damaged, ms, ok)
			}
		}
	}
	for _, text := range []string{"", sound[1:], sound + "Z", sound[:len(sound)-1]} {
		if _, ok := plainTime([]byte(text)); ok {
			t.Errorf("%q is a time", text)
		}
	}
}

func TestPlainDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "00": "0", "7": "7", "10": "10", "0010": "10", "0.0": "0", "00.00": "0", "1.0": "1", "1.10": "1.1", "01.10": "1.1", "0.10": "0.1", "00.5": "0.5",
		"100.00": "100", "9.9": "9.9", "": "", ".": ".", ".5": ".5", "5.": "5.", "1.2.3": "1.2.3", "1..0": "1..0", "-1.0": "-1.0", "1e5": "1e5", "1/0": "1/0", "1:0": "1:0",
		"000": "0", ".50": ".50", ".5.50": ".5.50", "09.90": "9.9", "99": "99", "0.": "0.", "1 ": "1 ",
	} {
		if got := plainDecimal([]byte(text)); string(got) != want {
			t.Errorf("%q is kept as %q, want %q", text, got, want)
		}
	}
}

// TestLower puts each kind of letter into each place of words of each length.
func TestLower(t *testing.T) {
	for size := range 20 {
		for at := range max(1, size) {
			for _, b := range []byte("@AZ[`az{M\x00\x7f\x80\xff") {
				text := bytes.Repeat([]byte{'m'}, size)
				if size > 0 {
					text[at] = b
				}
				was := bytes.Clone(text)
				dst := []byte{'>'}
				got, ok := lower(dst[:1:1], text)
				switch high := size > 0 && b >= 0x80; {
				case ok == high || !bytes.Equal(text, was):
					t.Fatalf("%q: %t", text, ok)
				case high:
				case size > 0 && b >= 'A' && b <= 'Z':
					if want := ">" + strings.ToLower(string(text)); string(got) != want {
						t.Fatalf("%q in lower case is %q", text, got)
					}
				case len(got) != len(text) || size > 0 && &got[0] != &text[0]:
					t.Fatalf("%q is copied, as %q", text, got)
				}
			}
		}
	}
}

// TestCodesOfTokens shows which code a value has, how an entry has it, and whether
// that says the token too.
func TestCodesOfTokens(t *testing.T) {
	k := coder{maphash.MakeSeed()}
	known := []literalCode{{k.as(asText, []byte("7")), "7", jsondoc.Value{}}, {k.as(asText, []byte(`"x"`)), `"x"`, jsondoc.Value{}}}
	for _, x := range []struct {
		compare contract.Compare
		token   string
		kind    int
		nibble  byte
		implied bool
	}{
		{contract.Exact, "7", codeDigest, literalNibble, true},
		{contract.Exact, `"x"`, codeDigest, literalNibble + 1, true},
		{contract.Exact, "null", codeNull, nullNibble, true},
		{contract.Exact, "true", codeDigest, digestNibble, false},
		{contract.Exact, "false", codeDigest, digestNibble, false},
		{contract.Exact, "12", codeDigest, digestNibble, false},
		{contract.Exact, "09", codeDigest, digestNibble, false},
		{contract.Exact, "1.0", codeOpaque, opaqueNibble, false},
		{contract.Exact, "-1", codeOpaque, opaqueNibble, false},
		{contract.Exact, "1e5", codeOpaque, opaqueNibble, false},
		{contract.Exact, "1:", codeOpaque, opaqueNibble, false},
		{contract.Exact, "[]", codeOpaque, opaqueNibble, false},
		{contract.Exact, "{}", codeOpaque, opaqueNibble, false},
		{contract.Exact, `"2025-09-05T10:30:00.000Z"`, codeDigest, digestNibble, false},
		{contract.Decimal, `"1.50"`, codeDigest, digestNibble, false},
		{contract.Caseless, `"aB"`, codeDigest, digestNibble, false},
		{contract.Caseless, `"É"`, codeOpaque, opaqueNibble, false},
		{contract.Caseless, `"` + strings.Repeat("B", 2*maxValue+1) + `"`, codeDigest, digestNibble, false},
		{contract.Time, `"2025-09-05T10:30:00.000Z"`, codeTime, timeNibble, true},
		{contract.Time, `"2025-09-05T10:30:00Z"`, codeTime, timeNibble, false},
		{contract.Time, `"2025-09-05T10:30:00.0000Z"`, codeTime, timeNibble, false},
		{contract.Time, `"2025-09-05T10:30+00:00:00"`, codeDigest, digestNibble, false},
		{contract.Time, `"8919-08-03T05:31:50.655Z"`, codeTime, timeNibble, true},
		{contract.Time, `"8919-08-03T05:31:50.656Z"`, codeOpaque, opaqueNibble, false},
		{contract.Time, `"0000-01-01T00:00:00.000Z"`, codeTime, timeNibble, true},
		{contract.Time, `"0000-01-01T00:00:00.000+01:00"`, codeOpaque, opaqueNibble, false},
		{contract.Time, `"2025-09-05T10:30:00.0001Z"`, codeOpaque, opaqueNibble, false},
		{contract.Time, `"2025-09-05T11:30:00.00+01:00"`, codeTime, timeNibble, false},
		{contract.Time, `"soon"`, codeDigest, digestNibble, false},
	} {
		like := likenessOf(&contract.Fact{Compare: x.compare})
		value, nibble, implied := k.write(&kept{like: like, known: known}, []byte(x.token))
		if value.kind() != x.kind || nibble != x.nibble || implied != x.implied {
			t.Errorf("%s, compared as %q: kind %d, nibble %d, implied %t", x.token, x.compare, value.kind(), nibble, implied)
		}
		if of := k.of(&contract.Fact{Compare: x.compare}, []byte(x.token)); of != value {
			t.Errorf("%s, compared as %q: %x and %x", x.token, x.compare, of, value)
		}
	}
}

// TestCodesThatAreAlike lists values that a fact takes for the same, and others.
func TestCodesThatAreAlike(t *testing.T) {
	k := coder{maphash.MakeSeed()}
	for _, x := range []struct {
		compare contract.Compare
		a, b    string
		same    bool
	}{
		{contract.Exact, `"7"`, "7", false},
		{contract.Exact, `"true"`, "true", false},
		{contract.Exact, "true", "false", false},
		{contract.Exact, "true", "true", true},
		{contract.Exact, `"a\u0062"`, `"ab"`, true},
		{contract.Exact, `"\\"`, `"\u005c"`, true},
		{contract.Exact, `"1.0"`, `"1"`, false},
		{contract.Exact, `"A"`, `"a"`, false},
		{contract.Exact, `"\""`, `"\"\""`, false},
		{contract.Decimal, `"1.0"`, `"1"`, true},
		{contract.Decimal, `"1"`, "1", false},
		{contract.Decimal, `"10"`, `"1"`, false},
		{contract.Caseless, `"A"`, `"a"`, true},
		{contract.Caseless, `"A"`, `"b"`, false},
		{contract.Time, `"2025-09-05T10:30:00.000Z"`, `"2025-09-05T11:30:00.000+01:00"`, true},
		{contract.Time, `"2025-09-05T10:30:00.000Z"`, `"2025-09-05T10:30:00.001Z"`, false},
		{contract.Time, `"8919-08-03T05:31:50.655Z"`, `"8919-08-03T05:31:50.654Z"`, false},
	} {
		f := &contract.Fact{Compare: x.compare}
		if got := k.of(f, []byte(x.a)) == k.of(f, []byte(x.b)); got != x.same {
			t.Errorf("%s and %s, compared as %q: %t", x.a, x.b, x.compare, got)
		}
	}
	a, b := k.digest(0, []byte("a")), k.digest(0, []byte("b"))
	for _, x := range []struct {
		a, b code
		want bool
	}{{a, a, true}, {a, b, false}, {a, opaqueCode, true}, {opaqueCode, a, true}, {opaqueCode, opaqueCode, true}, {nullCode, a, false}, {nullCode, opaqueCode, true}} {
		if got := sameCode(x.a, x.b); got != x.want {
			t.Errorf("%x and %x: %t", x.a, x.b, got)
		}
	}
}

// TestDecoded reads tokens, of which a long number may be its hash.
func TestDecoded(t *testing.T) {
	for token, want := range map[string]jsondoc.Value{
		`"a"`: jsondoc.StringValue("a"), "null": jsondoc.NullValue(), "12": {Kind: jsondoc.Number, Text: "12"}, "sha256:ab": {Kind: jsondoc.Number, Text: "sha256:ab"},
	} {
		if got := decoded([]byte(token)); !jsondoc.Equal(got, want) || got.Text != want.Text {
			t.Errorf("%s is %+v", token, got)
		}
	}
}
