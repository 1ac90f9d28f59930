package main

import (
	"fmt"
	"regexp"
	"strings"
)

// roff writes a page in the language of man(7), in ASCII, for groff and mandoc.
type roff struct{ strings.Builder }

// line writes a line of text that is already escaped.
func (r *roff) line(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	r.WriteString(text + "\n")
}

func (r *roff) request(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		r.WriteString(` "` + escaped(arg) + `"`)
	}
	r.WriteString("\n")
}

// title begins the page. Its text is neither hyphenated, as commands would be,
// too, nor stretched.
func (r *roff) title(page, day, source, manual string) {
	fmt.Fprintf(&r.Builder, ".TH %q 1 %s %q %q\n.nh\n.ad l\n", page, day, source, manual)
}

func (r *roff) section(title string) { r.request("SH", title) }

// item writes a term, already escaped, and what it means.
func (r *roff) item(term, meaning string) {
	r.request("TP")
	r.line(term)
	r.line(emphasized(meaning))
}

// literal writes lines as they are, in bold.
func (r *roff) literal(text string) {
	r.request("EX")
	for line := range strings.Lines(text) {
		r.line(escaped(strings.TrimSuffix(line, "\n")))
	}
	r.request("EE")
}

// prose writes paragraphs; one that is indented is literal.
func (r *roff) prose(text string) {
	begun := false // a section, which begins with a paragraph
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(paragraph, "#") {
			r.request("SS", strings.Trim(paragraph, "#: "))
			begun = false
			continue
		}
		if begun {
			r.request("PP")
		}
		begun = true
		if strings.TrimLeft(paragraph, " \t") != paragraph {
			r.request("RS", "4")
			r.literal(unindented(paragraph))
			r.request("RE")
			continue
		}
		for line := range strings.Lines(paragraph) {
			r.line(emphasized(strings.TrimSuffix(line, "\n")))
		}
	}
}

// unindented takes from each line the indentation of the first.
func unindented(text string) string {
	indentation := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	return strings.ReplaceAll(strings.TrimPrefix(text, indentation), "\n"+indentation, "\n")
}

func bold(text string) string   { return `\fB` + escaped(text) + `\fR` }
func italic(text string) string { return `\fI` + escaped(text) + `\fR` }

// reference names another page.
func reference(page string) string { return bold(page) + "(1)" }

// metavariable sets the names in a word of a usage line, such as [URL].
func metavariable(word string) string {
	name := strings.Trim(word, "[].")
	if name == "" || name != strings.ToUpper(name) {
		return escaped(word)
	}
	before, after, _ := strings.Cut(word, name)
	return escaped(before) + italic(name) + escaped(after)
}

// emphasized is prose, its options in bold.
func emphasized(text string) string {
	var out strings.Builder
	last := 0
	for _, at := range regexp.MustCompile(`(?:^|[ (])(--[a-z][a-z-]*|-[A-Za-z]\b)`).FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(escaped(text[last:at[2]]) + bold(text[at[2]:at[3]]))
		last = at[3]
	}
	return out.String() + escaped(text[last:])
}

// escaped is text whose characters all stand for themselves: a hyphen is one
// that can be copied into a shell, a quote is straight.
func escaped(text string) string {
	var out strings.Builder
	for _, c := range text {
		switch {
		case c == '\\':
			out.WriteString(`\e`)
		case c == '-':
			out.WriteString(`\-`)
		case c == '\'':
			out.WriteString(`\(aq`)
		case c == '"':
			out.WriteString(`\(dq`)
		case c == '`':
			out.WriteString(`\(ga`)
		case c == '^':
			out.WriteString(`\(ha`)
		case c == '~':
			out.WriteString(`\(ti`)
		case c > '~':
			fmt.Fprintf(&out, `\[u%04X]`, c)
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}
