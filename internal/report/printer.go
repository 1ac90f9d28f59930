// Package report writes what people and programs read: text for a terminal,
// JSON lines for a pipe. It is the only writer to a terminal, so it alone
// decides on color and makes hostile text harmless.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
)

// Style is how a piece of text looks where there is color.
type Style int

// The styles.
const (
	Plain Style = iota
	Good
	Bad
	Caution
	Faint
	Strong
	Accent
)

// Span is text in one style.
type Span struct {
	Style Style
	Text  string
}

// S returns a span; the text is formatted when there are arguments.
//
//go:noinline
func S(style Style, format string, args ...any) Span {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return Span{style, format}
}

// T returns a span in the plain style.
func T(format string, args ...any) Span { return S(Plain, format, args...) }

// Printer writes lines of spans. Every byte of a span's text is escaped first,
// so nothing from the outside can move the cursor, change colors or reorder
// what is read. Nothing else in the program writes to its output.
type Printer struct {
	w      io.Writer
	width  int
	styles map[Style]*color.Color
	status bool // a status line stands on the terminal
	err    error
}

// NewPrinter returns a Printer on w, with color or without. Paragraphs are
// wrapped at width columns; 0 leaves them whole, for pipes and files.
func NewPrinter(w io.Writer, colored bool, width int) *Printer {
	p := &Printer{w: w, width: width, styles: map[Style]*color.Color{
		Good: color.New(color.FgGreen), Bad: color.New(color.FgRed, color.Bold), Caution: color.New(color.FgYellow),
		Faint: color.New(color.Faint), Strong: color.New(color.Bold), Accent: color.New(color.FgCyan),
	}}
	for _, c := range p.styles {
		if colored {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return p
}

// Line writes one line. A write error sticks: it is kept for Err, and nothing
// more is written.
func (p *Printer) Line(spans ...Span) {
	var b strings.Builder
	started := false
	for _, s := range spans {
		text := Escape(s.Text)
		if !started {
			text = noCommand(text)
			started = strings.TrimLeft(text, " ") != ""
		}
		if c := p.styles[s.Style]; c != nil && text != "" {
			text = c.Sprint(text)
		}
		b.WriteString(text)
	}
	p.Raw([]byte(strings.TrimRight(b.String(), " ") + "\n"))
}

// Paragraph writes a text after the given spans, wrapped between words; lines
// after the first start with indent.
func (p *Printer) Paragraph(spans []Span, indent, text string) {
	p.wrap(spans, indent, []Span{T("%s", text)})
}

// Flow writes spans, wrapped between words; lines after the first start with
// indent.
func (p *Printer) Flow(indent string, spans ...Span) { p.wrap(nil, indent, spans) }

func (p *Printer) wrap(line []Span, indent string, rest []Span) {
	line, column := slices.Clone(line), 0
	for _, s := range line {
		column += columns(s.Text)
	}
	for _, s := range rest {
		for i, word := range strings.Split(s.Text, " ") {
			wide := columns(Escape(word))
			switch {
			case i == 0: // goes on where the span before ended
			case p.width > 0 && column+1+wide > p.width:
				p.Line(line...)
				line, column = []Span{T("%s", indent)}, columns(indent)
			default:
				word, wide = " "+word, wide+1
			}
			line, column = append(line, S(s.Style, "%s", word)), column+wide
		}
	}
	p.Line(line...)
}

// columns is how wide a text is on a terminal: East Asian characters take two, and
// what joins the character before it, as macOS writes Hangul in file names, none.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x300:
			n++
		case r >= 0x1160 && r <= 0x11ff, unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana), r >= 0xff01 && r <= 0xff60:
			n += 2
		default:
			n++
		}
	}
	return n
}

// Pad fills a text up to a width in a terminal's columns.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(Escape(s))))
}

// Text writes plain text of the program's own, which may have several lines.
func (p *Printer) Text(s string) {
	for line := range strings.Lines(s) {
		p.Line(T("%s", strings.TrimSuffix(line, "\n")))
	}
}

// Raw writes data that is meant for a program, such as JSON, as it is.
func (p *Printer) Raw(data []byte) {
	p.Status("")
	if p.err == nil {
		_, p.err = p.w.Write(data)
	}
}

// interrupt is what a terminal adds to a line when a user ends the program.
const interrupt = "^C"

// Status shows what is going on in a line that the next one replaces; an empty
// text takes it away. It is for terminals alone: a Printer that does not wrap
// ignores it.
func (p *Printer) Status(text string) {
	if p.width == 0 || p.err != nil || text == "" && !p.status {
		return
	}
	text = Escape(text)
	for columns(text)+len(interrupt) >= p.width {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	if p.status = text != ""; p.status {
		text = p.styles[Faint].Sprint(text)
	}
	_, p.err = io.WriteString(p.w, "\r\x1b[2K"+text)
}

// Err returns the first error of writing, such as a closed pipe.
func (p *Printer) Err() error { return p.err }

// Escape makes text harmless on a terminal: control characters (C0, DEL, C1),
// bidirectional and invisible formatting characters, line separators and bytes
// that are not UTF-8 are written as \x1b, \u202e and the like.
func Escape(s string) string {
	s = strings.ReplaceAll(s, "##[", `#\x23[`)
	if strings.IndexFunc(s, unsafe) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unsafe(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// noCommand keeps a line from being taken for a command by GitHub's runner, which
// reads "::" at the start of a line and "##[" anywhere in one.
func noCommand(text string) string {
	if rest, ok := strings.CutPrefix(strings.TrimLeft(text, " "), "::"); ok {
		return text[:len(text)-len(rest)-2] + `\x3a:` + rest
	}
	return text
}

func unsafe(r rune) bool {
	// Cf holds the bidi controls, zero-width characters and tags; Zl and Zp break
	// lines. The joiners are needed to write some scripts and emoji.
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200c' && r != '\u200d'
}
