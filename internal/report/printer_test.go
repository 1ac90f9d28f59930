package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// harmful lists what no terminal may get from outside: control characters, what
// reorders or hides text, and what breaks lines.
func harmful() []rune {
	var out []rune
	add := func(from, to rune) {
		for r := from; r <= to; r++ {
			out = append(out, r)
		}
	}
	add(0x00, 0x1f)       // C0
	add(0x7f, 0x9f)       // DEL and C1
	add(0x202a, 0x202e)   // bidi embeddings and overrides
	add(0x2066, 0x2069)   // bidi isolates
	add(0x200e, 0x200f)   // bidi marks
	add(0x2028, 0x2029)   // line and paragraph separators
	add(0x2060, 0x2064)   // invisible operators
	add(0x206a, 0x206f)   // deprecated formatting
	add(0xfff9, 0xfffb)   // interlinear annotations
	add(0xe0020, 0xe007f) // tags
	return append(out, 0x061c, 0x200b, 0xfeff, 0x00ad, 0xe0001)
}

func TestEscapeHarmful(t *testing.T) {
	seen := map[string]rune{}
	for _, r := range harmful() {
		got := Escape("a" + string(r) + "b")
		if strings.ContainsRune(got, r) || !regexp.MustCompile(`^a\\(n|t|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})b$`).MatchString(got) {
			t.Errorf("Escape of U+%04X is %q", r, got)
		}
		if before, ok := seen[got]; ok {
			t.Errorf("U+%04X and U+%04X are both shown as %s", before, r, got)
		}
		seen[got] = r
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"plain text, 한글, ümlaut, 🙂":     "plain text, 한글, ümlaut, 🙂",
		"👩\u200d💻 and \u200c":           "👩\u200d💻 and \u200c",
		"\x1b[31mred\x1b[0m":            `\x1b[31mred\x1b[0m`,
		"one\ntwo\tthree\r":             `one\ntwo\tthree\x0d`,
		"\u009b31m":                     `\x9b31m`,
		"\u202egpj.exe":                 `\u202egpj.exe`,
		"\U000e0041":                    `\U000e0041`,
		"\xff\xfe":                      `\xff\xfe`,
		"\x9b31m":                       `\x9b31m`,
		"\xed\xa0\x80":                  `\xed\xa0\x80`, // a surrogate, as UTF-8 may not have it
		"\xc0\xaf":                      `\xc0\xaf`,     // an overlong slash
		"\xf4\x90\x80\x80":              `\xf4\x90\x80\x80`,
		"cut \xea\xb0":                  `cut \xea\xb0`,
		"\uFFFD stays":                  "\uFFFD stays",
		"\uFFFD and \xff are different": "\uFFFD and \\xff are different",
		`a backslash \x1b stays`:        `a backslash \x1b stays`,
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// raw reports the first rune or byte of s that a terminal may not get.
func raw(s string) string {
	if !utf8.ValidString(s) {
		return "bytes that are not UTF-8"
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200c' && r != '\u200d' {
			return fmt.Sprintf("U+%04X", r)
		}
	}
	return ""
}

// TestEscapeEverything holds that Escape lets nothing through, changes nothing
// that is harmless, and has nothing left to do a second time.
func TestEscapeEverything(t *testing.T) {
	pieces := rapid.OneOf(
		rapid.Map(rapid.Rune(), func(r rune) string { return string(r) }),
		rapid.Map(rapid.SampledFrom(harmful()), func(r rune) string { return string(r) }),
		rapid.Map(rapid.Byte(), func(b byte) string { return string([]byte{b}) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(pieces).Draw(t, "pieces"), "")
		got := Escape(s)
		if bad := raw(got); bad != "" {
			t.Fatalf("Escape(%q) = %q, which has %s", s, got, bad)
		}
		if raw(s) == "" && got != s {
			t.Fatalf("Escape(%q) = %q, which nothing asked for", s, got)
		}
		if again := Escape(got); again != got {
			t.Fatalf("Escape(%q) = %q, which becomes %q", s, got, again)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "abc", "\x1b]0;title\x07", "\u202e", "\xff\xc0\xaf", "\uFFFD", "가\u2028나"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if bad := raw(Escape(s)); bad != "" {
			t.Fatalf("Escape(%q) has %s", s, bad)
		}
	})
}

// TestLineIsOneLine holds that a line is one, whatever it is made of, with color
// and without; what remains besides the text are styles of the program's own.
func TestLineIsOneLine(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9;]*m")
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		p := NewPrinter(&b, rapid.Bool().Draw(t, "colored"), 0)
		var spans []Span
		for _, s := range rapid.SliceOf(rapid.String()).Draw(t, "texts") {
			spans = append(spans, S(Style(rapid.IntRange(int(Plain), int(Accent)).Draw(t, "style")), "%s", s+"\x1b[1m\n"))
		}
		p.Line(spans...)
		text, ended := strings.CutSuffix(b.String(), "\n")
		if bad := raw(sgr.ReplaceAllString(text, "")); !ended || bad != "" {
			t.Fatalf("%q has %s", b.String(), bad)
		}
	})
}

func TestLine(t *testing.T) {
	for _, test := range []struct {
		name    string
		colored bool
		spans   []Span
		want    string
	}{
		{"nothing", false, nil, "\n"},
		{"plain", false, []Span{S(Bad, "bad"), T(" %d", 1)}, "bad 1\n"},
		{"colored", true, []Span{S(Bad, "bad"), T(" text")}, "\x1b[31;1mbad\x1b[0;22m text\n"},
		{"no trailing space", false, []Span{T("a  "), S(Faint, "")}, "a\n"},
		{"no escape around nothing", true, []Span{S(Good, ""), T("a")}, "a\n"},
		{"text is no format", false, []Span{S(Plain, "100%"), T("%s", "%d")}, "100%%d\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			NewPrinter(&b, test.colored, 0).Line(test.spans...)
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParagraph(t *testing.T) {
	head := []Span{S(Bad, "error:"), T(" ")}
	for _, test := range []struct {
		name  string
		width int
		text  string
		want  string
	}{
		{"whole in a pipe", 0, strings.Repeat("word ", 30) + "end", "error: " + strings.Repeat("word ", 30) + "end\n"},
		{"short", 20, "a b", "error: a b\n"},
		{"exactly full", 12, "aa bb", "error: aa bb\n"},
		{"one too many", 11, "aa bb", "error: aa\n  bb\n"},
		{"several lines", 14, "aa bb cc dd ee ff gg", "error: aa bb\n  cc dd ee ff\n  gg\n"},
		{"a word that fits nowhere", 10, "a aaaaaaaaaaaaaaaa b", "error: a\n  aaaaaaaaaaaaaaaa\n  b\n"},
		{"Hangul takes two columns", 15, "가나 다라 마", "error: 가나\n  다라 마\n"},
		{"escapes are counted as shown", 16, "a \x1b\x1b b", "error: a\n  \\x1b\\x1b b\n"},
		{"nothing", 10, "", "error:\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			NewPrinter(&b, false, test.width).Paragraph(head, "  ", test.text)
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParagraphWraps holds that no line is too wide that could be narrower, and
// that no word is lost, split or moved.
func TestParagraphWraps(t *testing.T) {
	words := rapid.SliceOfN(rapid.StringMatching(`[a-z가-힣一-龥]{1,12}`), 1, 40)
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(30, 100).Draw(t, "width")
		list := words.Draw(t, "words")
		var b bytes.Buffer
		NewPrinter(&b, false, width).Paragraph([]Span{T("error: ")}, "  ", strings.Join(list, " "))
		for line := range strings.Lines(b.String()) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("%d columns of %d: %q", n, width, line)
			}
		}
		if diff := cmp.Diff(append([]string{"error:"}, list...), strings.Fields(b.String())); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	NewPrinter(&b, false, 0).Text("one\n  two\n\nthree\x1b")
	if diff := cmp.Diff("one\n  two\n\nthree\\x1b\n", b.String()); diff != "" {
		t.Error(diff)
	}
}

// failing fails from the second write on.
type failing struct {
	bytes.Buffer
	writes int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.writes++; f.writes > 1 {
		return 0, errors.New("closed")
	}
	return f.Buffer.Write(p)
}

// TestErrSticks holds that nothing is written after a failure, which would leave
// a hole in the output.
func TestErrSticks(t *testing.T) {
	w := &failing{}
	p := NewPrinter(w, false, 0)
	p.Line(T("one"))
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	p.Line(T("two"))
	p.JSON("three", map[string]int{})
	p.Raw([]byte("four"))
	if p.Err() == nil || w.writes != 2 || w.String() != "one\n" {
		t.Errorf("error %v after %d writes of %q", p.Err(), w.writes, w.String())
	}
}

func TestJSON(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		want string
	}{
		{"members", map[string]any{"a": 1}, `{"type":"kind","a":1}`},
		{"nothing", struct{}{}, `{"type":"kind"}`},
		{"text is left as it is", map[string]string{"a": "<b>&한\u2028"}, `{"type":"kind","a":"<b>&한\u2028"}`},
		{"what is harmful is escaped", map[string]string{"a": "\x1b\n"}, `{"type":"kind","a":"\u001b\n"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			p := NewPrinter(&b, true, 20)
			p.JSON("kind", test.v)
			if diff := cmp.Diff(test.want+"\n", b.String()); diff != "" || p.Err() != nil {
				t.Error(diff, p.Err())
			}
		})
	}
}

// TestJSONIsALine holds that every value is one line of valid JSON.
func TestJSONIsALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := map[string]any{
			"text": rapid.String().Draw(t, "text") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")),
			"body": rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
		}
		var b bytes.Buffer
		NewPrinter(&b, false, 0).JSON("kind", v)
		var back map[string]any
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || strings.Count(b.String(), "\n") != 1 || back["type"] != "kind" {
			t.Fatalf("%q: %v", b.String(), err)
		}
	})
}

func TestJSONFails(t *testing.T) {
	var b bytes.Buffer
	p := NewPrinter(&b, false, 0)
	p.JSON("kind", map[string]any{"a": math.NaN()})
	if p.Err() == nil || b.Len() > 0 {
		t.Errorf("%q, %v", b.String(), p.Err())
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                "0 µs",
		999 * time.Microsecond:           "999 µs",
		time.Millisecond:                 "1.0 ms",
		1234 * time.Microsecond:          "1.2 ms",
		10 * time.Millisecond:            "10 ms",
		999*time.Millisecond + 999999:    "999 ms",
		time.Second:                      "1.00 s",
		5*time.Second + time.Millisecond: "5.00 s",
		61500 * time.Millisecond:         "61.50 s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%s) = %q, want %q", d, got, want)
		}
	}
}

// TestLineIsNoCommand holds text of others that GitHub's runner would obey.
func TestLineIsNoCommand(t *testing.T) {
	for _, test := range []struct {
		spans []Span
		want  string
	}{
		{[]Span{T("::error::x")}, `\x3a:error::x`},
		{[]Span{T("   "), S(Bad, "  ::stop-commands::y")}, `     \x3a:stop-commands::y`},
		{[]Span{T("a"), T("::b")}, `a::b`},
		{[]Span{T("a ##[group]b")}, `a #\x23[group]b`},
	} {
		var b strings.Builder
		NewPrinter(&b, false, 0).Line(test.spans...)
		if got := b.String(); got != test.want+"\n" {
			t.Errorf("%v is %q", test.spans, got)
		}
	}
}

// TestStatusFits holds that a line of status is not wrapped, also when the
// terminal shows an interrupt behind it: it could not be taken away then.
func TestStatusFits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	NewPrinter(&b, false, 20).Status(strings.Repeat("x", 30) + "^C")
	if text := strings.TrimPrefix(b.String(), "\r\x1b[2K"); len(text) != 17 {
		t.Errorf("%q", text)
	}
}

// TestPad holds that what follows a text stands in one column, whatever script
// the text is in.
func TestPad(t *testing.T) {
	for text, want := range map[string]string{
		"paid":                           "paid      |",
		"결제 완료":                          "결제 완료 |",
		"\u1100\u1167\u11af\u110c\u1166": "\u1100\u1167\u11af\u110c\u1166      |", // as macOS writes it
		"e\u0301":                        "e\u0301         |",                     // e and an accent
		"支払い":                            "支払い    |",
		"longer than that":               "longer than that|",
		"a\x1bb":                         "a\x1bb    |", // shown as a\x1bb
	} {
		if got := Pad(text, 10) + "|"; got != want {
			t.Errorf("%q is padded to %q, not to %q", text, got, want)
		}
	}
}
