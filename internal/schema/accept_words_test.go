package schema

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// edges are bytes at the bounds of classes.
const edges = "\x00\x01\x1f !\"#$/09:@AFG[\\]`afgz~\x7f\x80\x81\x8f\x90\x9f\xa0\xaf\xb0\xb9\xbf\xc0\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff"

// around calls check with words that hold every byte at every place, among all of several others.
func around(check func(s [8]byte)) {
	for _, other := range []byte(edges) {
		for at := range 8 {
			for c := range 256 {
				s := [8]byte(bytes.Repeat([]byte{other}, 8))
				s[at] = byte(c)
				check(s)
			}
		}
	}
	for i, one := range []byte(edges) {
		for _, two := range []byte(edges) {
			s := [8]byte([]byte(edges[i%8 : i%8+8]))
			s[i%8], s[(i+1)%8] = one, two
			check(s)
		}
	}
}

func TestWordsMarkWhatIsWrong(t *testing.T) {
	isHex := func(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }
	for _, test := range []struct {
		name string
		mark func(uint64) uint64
		is   func(byte) bool
	}{
		{"plain", notPlain, func(c byte) bool { return isPlainByte(int(c)) }},
		{"digits", notDigits, func(c byte) bool { return c >= '0' && c <= '9' }},
		{"hexadecimal digits", notHexDigits, isHex},
	} {
		around(func(s [8]byte) {
			want := slices.IndexFunc(s[:], func(c byte) bool { return !test.is(c) })
			marks := test.mark(binary.LittleEndian.Uint64(s[:])) & highs
			got := -1
			if marks != 0 {
				got = bits.TrailingZeros64(marks) / 8
			}
			if got != want {
				t.Fatalf("%s: %q: the first wrong byte is %d, not %d", test.name, s, got, want)
			}
		})
	}
	around(func(s [8]byte) {
		for i, c := range s {
			if marked := notHexDigits(binary.LittleEndian.Uint64(s[:]))>>(8*i)&0x80 != 0; marked == isHex(c) {
				t.Fatalf("%q: byte %d is marked: %t", s, i, marked)
			}
		}
	})
}

// TestEveryByteAtEveryPlace holds the readers of texts of one length against those of the evaluator.
func TestEveryByteAtEveryPlace(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$`)
	hex := regexp.MustCompile(`^[0-9a-fA-F]*$`)
	isMillisecond := func(s string) bool { return shape.MatchString(s) && isDateTime(s) }
	type reader struct {
		name, text string
		fast       func([]byte) bool
		plain      func(string) bool
	}
	var readers []reader
	for _, text := range []string{"550e8400-e29b-41d4-a716-446655440000", "FFFFFFFF-ffff-0000-9999-AaAaAaAaAaAa"} {
		readers = append(readers, reader{"uuid", text, isUUIDBytes, isUUID})
	}
	for _, text := range []string{"2024-02-29T23:59:59.999Z", "0000-12-31T00:00:00.000Z", "1999-01-01T23:59:60.000Z", "2023-09-28T09:09:09.009Z", "2024-04-30T19:49:49.500Z"} {
		readers = append(readers, reader{"moment", text, isMoment, isMillisecond})
	}
	for n := 8; n <= 65; n++ {
		readers = append(readers, reader{"hex", strings.Repeat("0123456789abcdefABCDEF", 3)[:n], areHexDigits, hex.MatchString})
	}
	for _, r := range readers {
		for at := range r.text {
			for c := range 256 {
				s := []byte(r.text)
				s[at] = byte(c)
				if got, want := r.fast(s), r.plain(string(s)); got != want {
					t.Fatalf("%s: %q: %t, want %t", r.name, s, got, want)
				}
			}
		}
	}
}

func TestEveryMoment(t *testing.T) {
	check := func(text string) {
		if got, want := isMoment([]byte(text)), isDateTime(text); got != want {
			t.Fatalf("%s: %t, want %t", text, got, want)
		}
	}
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	for _, year := range []string{"0000", "0004", "0100", "1900", "2000", "2023", "2024", "2100", "9999"} {
		for month := range 100 {
			for day := range 100 {
				check(year + "-" + two(month) + "-" + two(day) + "T00:00:00.000Z")
			}
		}
	}
	for n := range 100 {
		for other := range 100 {
			check("2024-02-28T" + two(n) + ":" + two(other) + ":00.000Z")
			check("2024-02-28T23:" + two(n) + ":" + two(other) + ".000Z")
			check("2024-02-28T" + two(n) + ":59:" + two(other) + ".000Z")
		}
	}
}

func TestUsualMoments(t *testing.T) {
	check := func(month, day, hour, minute, second int) {
		word := func(digits string) uint64 { return binary.LittleEndian.Uint64([]byte(digits)) ^ '0'*ones }
		text := fmt.Sprintf("94870%02d0%02d0%02d0%02d0%02d05830", month, day, hour, minute, second)
		want := month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour <= 23 && minute <= 59 && second <= 59
		if got := isUsual(word(text[:8]), word(text[8:]), word(text[16:])); got != want {
			t.Fatalf("%02d-%02dT%02d:%02d:%02d: %t", month, day, hour, minute, second, got)
		}
	}
	for one := range 100 {
		for two := range 100 {
			check(one, two, 23, 59, 59)
			check(12, one, two, 0, 0)
			check(1, 1, one, two, 30)
			check(10, 28, 9, one, two)
		}
	}
}

// eachText calls check with all texts of at most some letters of an alphabet.
func eachText(alphabet string, most int, check func(text string)) {
	check("")
	if most == 0 {
		return
	}
	for i := range len(alphabet) {
		eachText(alphabet, most-1, func(text string) { check(alphabet[i:i+1] + text) })
	}
}

func TestDecimals(t *testing.T) {
	for _, places := range []int{1, 2, 6, 10, 12} {
		expression := `^(0|[1-9][0-9]*)(\.[0-9]{1,` + strconv.Itoa(places) + `})?$`
		if got := decimalPlaces(expression); got != places {
			t.Fatalf("%s: %d places", expression, got)
		}
		re, p := regexp.MustCompile(expression), newPattern(expression)
		node := textNode{form: formDecimal, lead: p}
		check := func(text string) {
			want := re.MatchString(text)
			if got := p.match([]byte(text)); got != want {
				t.Fatalf("%s: %q: %t, want %t", expression, text, got, want)
			}
			for _, after := range []string{`"`, `",`, `"},"x":1234567890}`} {
				end := node.read([]byte(text+after), 0)
				if want && end != len(text)+1 || !want && end >= 0 {
					t.Fatalf("%s: %q ends at %d", expression, text+after, end)
				}
			}
		}
		eachText("019./x", 5, check)
		rapid.Check(t, func(t *rapid.T) {
			check(rapid.StringMatching(`[01-9]{0,20}(\.[0-9]{0,20})?[.0/: -]?`).Draw(t, "text"))
		})
	}
}

func TestDecimalPlaces(t *testing.T) {
	for _, expression := range []string{
		``, `6`, `^(0|[1-9][0-9]*)(\.[0-9]{1,})?$`, `^(0|[1-9][0-9]*)(\.[0-9]{1,0})?$`, `^(0|[1-9][0-9]*)(\.[0-9]{1,+6})?$`, `^(0|[1-9][0-9]*)(\.[0-9]{1,06})?$`,
		`^(0|[1-9][0-9]*)(\.[0-9]{1,-6})?$`, `^(0|[1-9][0-9]*)(\.[0-9]{0,6})?$`, `^(0|[1-9][0-9]*)(.[0-9]{1,6})?$`, `(0|[1-9][0-9]*)(\.[0-9]{1,6})?$`,
		`^(0|[1-9][0-9]*)(\.[0-9]{1,6})?`, `^(0|[0-9][0-9]*)(\.[0-9]{1,6})?$`, `^(0|[1-9][0-9]*)(\.[0-9]{1,6})$`, `^(0|[1-9][0-9]*)(\.[0-9]{1,6})?$ `,
	} {
		if got := decimalPlaces(expression); got != 0 {
			t.Errorf("%s: %d places", expression, got)
		}
	}
}

// TestEveryRune holds sizeOfRune against unicode/utf8 for all first two bytes and telling ones after them.
func TestEveryRune(t *testing.T) {
	for first := utf8.RuneSelf; first < 256; first++ {
		for second := range 256 {
			for _, third := range []byte("\"\x7f\x80\xbf\xc0") {
				for _, fourth := range []byte("\"\x7f\x80\xbf\xc0") {
					s := []byte{byte(first), byte(second), third, fourth}
					_, want := utf8.DecodeRune(s)
					if want == 1 {
						want = 0
					}
					if got := sizeOfRune(s); got != want {
						t.Fatalf("%x: %d bytes, want %d", s, got, want)
					}
				}
			}
		}
	}
	for _, s := range []string{"é", "é\"", "日", "日\"", "\xc3", "\xe6\x97", "\xf0\x9f\x98", "\xf0\x9f\x98\""} {
		r, want := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError {
			want = 0
		}
		if got := sizeOfRune([]byte(s)); got != want {
			t.Errorf("%q: %d bytes, want %d", s, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	pieces := rapid.SampledFrom([]string{
		"a", "bc", "12345678", "~\x7f", " ", "é", "日本", "😀", "\u2028", `"`, `\`, `\"`, "\x1f", "\n", "\x00", "\x80", "\xff", "\xc3", "\xe6\x97", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
	})
	node := textNode{form: formFree}
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(strings.Join(rapid.SliceOfN(pieces, 0, 20).Draw(t, "pieces"), "") + `"`)
		start := rapid.IntRange(0, min(8, len(raw)-1)).Draw(t, "start")
		want := refused
		stop := start + slices.IndexFunc(raw[start:], func(c byte) bool { return c < ' ' || c == '"' || c == '\\' })
		if raw[stop] == '"' && utf8.Valid(raw[start:stop]) {
			want = stop + 1
		}
		if got := node.read(raw, start); got != want {
			t.Fatalf("%q from %d ends at %d, want %d", raw, start, got, want)
		}
		if got := node.read(raw[:stop], start); got != refused {
			t.Fatalf("%q from %d ends at %d, want no end", raw[:stop], start, got)
		}
	})
}
